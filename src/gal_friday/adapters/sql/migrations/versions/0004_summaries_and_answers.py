"""Reports have summaries, and answers are kept for callers who ask again under the same key."""

import sqlalchemy as sa
from alembic.operations import Operations

from gal_friday.adapters.sql.columns import Instant, Whole

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade(op: Operations) -> None:
    """Add the column and the table."""
    op.add_column("reconciliation_events", sa.Column("summary", sa.Text))
    op.create_table(
        "given_answers",
        sa.Column("caller", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("what", sa.Text, nullable=False),
        sa.Column("at", Instant, nullable=False),
        sa.Column("status", Whole),
        sa.Column("media_type", sa.Text),
        sa.Column("content", sa.LargeBinary),
        sa.PrimaryKeyConstraint("caller", "key", name=op.f("pk_given_answers")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_given_answers_at"), "given_answers", ["at"])


def downgrade(op: Operations) -> None:
    """Remove both; what they held is gone."""
    op.drop_table("given_answers")
    op.drop_column("reconciliation_events", "summary")
