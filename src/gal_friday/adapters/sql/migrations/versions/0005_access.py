"""Who is known: tokens, users, passkeys, sessions, and secrets that are good once."""

import sqlalchemy as sa
from alembic.operations import Operations

from gal_friday.adapters.sql.columns import Instant, Whole

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade(op: Operations) -> None:
    """Create the tables."""
    _create_tokens(op)
    _create_users(op)
    _create_passkeys(op)
    _create_sessions(op)
    _create_secrets(op)


def downgrade(op: Operations) -> None:
    """Remove them; nobody is known any more."""
    for table in ("one_time_secrets", "sessions", "passkeys", "users", "access_tokens"):
        op.drop_table(table)


def _create_tokens(op: Operations) -> None:
    op.create_table(
        "access_tokens",
        sa.Column("token_id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("owner_key", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("accounts", sa.Text),
        sa.Column("scopes", sa.Text),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("created", Instant, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("expires", Instant, nullable=False),
        sa.Column("last_used", Instant),
        sa.Column("revoked", Instant),
        sa.PrimaryKeyConstraint("token_id", name=op.f("pk_access_tokens")),
        sqlite_strict=True,
    )


def _create_users(op: Operations) -> None:
    op.create_table(
        "users",
        sa.Column("name_key", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("accounts", sa.Text),
        sa.Column("password", sa.Text),
        sa.Column("created", Instant, nullable=False),
        sa.Column("disabled", Instant),
        sa.Column("revision", Whole, nullable=False),
        sa.PrimaryKeyConstraint("name_key", name=op.f("pk_users")),
        sqlite_strict=True,
    )


def _create_passkeys(op: Operations) -> None:
    op.create_table(
        "passkeys",
        sa.Column("passkey_id", sa.Text, nullable=False),
        sa.Column("name_key", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("public_key", sa.LargeBinary, nullable=False),
        sa.Column("sign_count", Whole, nullable=False),
        sa.Column("added", Instant, nullable=False),
        sa.Column("last_used", Instant),
        sa.PrimaryKeyConstraint("passkey_id", name=op.f("pk_passkeys")),
        _of_a_user(op, "passkeys"),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_passkeys_name_key"), "passkeys", ["name_key"])


def _create_sessions(op: Operations) -> None:
    op.create_table(
        "sessions",
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("name_key", sa.Text, nullable=False),
        sa.Column("began", Instant, nullable=False),
        sa.Column("seen", Instant, nullable=False),
        sa.Column("proven", Instant, nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_sessions")),
        _of_a_user(op, "sessions"),
        sqlite_strict=True,
    )
    for column in ("name_key", "began"):
        op.create_index(op.f(f"ix_sessions_{column}"), "sessions", [column])


def _create_secrets(op: Operations) -> None:
    op.create_table(
        "one_time_secrets",
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("name_key", sa.Text),
        sa.Column("expires", Instant, nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_one_time_secrets")),
        _of_a_user(op, "one_time_secrets"),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_one_time_secrets_expires"), "one_time_secrets", ["expires"])


def _of_a_user(op: Operations, table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["name_key"], ["users.name_key"], name=op.f(f"fk_{table}_name_key_users"))
