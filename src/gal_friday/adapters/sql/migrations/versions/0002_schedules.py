"""When each account is reconciled next."""

import sqlalchemy as sa
from alembic.operations import Operations

from gal_friday.adapters.sql.columns import Instant, Whole

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade(op: Operations) -> None:
    """Create the table of schedules."""
    op.create_table(
        "schedules",
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("due", Instant, nullable=False),
        sa.Column("begun", Instant),
        sa.Column("revision", Whole, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_schedules")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_schedules_due"), "schedules", ["due"])


def downgrade(op: Operations) -> None:
    """Remove it; when accounts are due is forgotten."""
    op.drop_table("schedules")
