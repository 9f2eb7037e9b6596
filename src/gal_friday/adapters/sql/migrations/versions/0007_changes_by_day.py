"""What became of discrepancies can be counted by days."""

from alembic.operations import Operations

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade(op: Operations) -> None:
    """Add the index."""
    op.create_index(op.f("ix_discrepancy_changes_account_at"), "discrepancy_changes", ["account", "at"])


def downgrade(op: Operations) -> None:
    """Remove it."""
    op.drop_index(op.f("ix_discrepancy_changes_account_at"), "discrepancy_changes")
