"""What was handed over to books that are kept elsewhere, and the triggers that keep it as it was sent."""

import sqlalchemy as sa
from alembic.operations import Operations

from gal_friday.adapters.sql.columns import Instant, Whole

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade(op: Operations) -> None:
    """Create the table, its index and its triggers."""
    op.create_table(
        "handovers",
        sa.Column("adjustment_id", sa.Text, nullable=False),
        sa.Column("number", Whole, nullable=False, autoincrement=False),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("at", Instant, nullable=False),
        sa.Column("token", Whole),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("place", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("adjustment_id", "number", name=op.f("pk_handovers")),
        sa.ForeignKeyConstraint(
            ["adjustment_id"], ["adjustments.adjustment_id"], name=op.f("fk_handovers_adjustment_id_adjustments")
        ),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_handovers_account_at"), "handovers", ["account", "at"])
    if op.get_bind().dialect.name == "sqlite":
        _guard_sqlite(op)
    else:
        _guard_postgresql(op)


def downgrade(op: Operations) -> None:
    """Remove the table; what it held is gone."""
    op.drop_table("handovers")  # its index and triggers go with it


def _guard_sqlite(op: Operations) -> None:
    refuse = "BEGIN SELECT RAISE(ABORT, 'handovers is append-only'); END"
    op.execute(f"CREATE TRIGGER handovers_no_update BEFORE UPDATE ON handovers {refuse}")
    op.execute(f"CREATE TRIGGER handovers_no_delete BEFORE DELETE ON handovers {refuse}")
    op.execute(
        "CREATE TRIGGER handovers_no_replace BEFORE INSERT ON handovers WHEN EXISTS (SELECT 1 FROM handovers "  # noqa: S608 - our own names
        f"WHERE adjustment_id = NEW.adjustment_id AND number = NEW.number) {refuse}"
    )


def _guard_postgresql(op: Operations) -> None:
    for name, event, each in (("change", "UPDATE OR DELETE", "ROW"), ("truncate", "TRUNCATE", "STATEMENT")):
        op.execute(
            f"CREATE TRIGGER handovers_no_{name} BEFORE {event} ON handovers "
            f"FOR EACH {each} EXECUTE FUNCTION gal_friday_refuse()"
        )
