"""Where alerts stand, what waits to be told, what is silenced, and what was seen last."""

import sqlalchemy as sa
from alembic.operations import Operations

from gal_friday.adapters.sql.columns import Instant, Whole

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade(op: Operations) -> None:
    """Create the tables of alerts."""
    op.create_table(
        "alerts",
        sa.Column("alert_id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("phase", sa.Text, nullable=False),
        sa.Column("severity", sa.Text, nullable=False),
        sa.Column("began", Instant, nullable=False),
        sa.Column("revision", Whole, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("alert_id", name=op.f("pk_alerts")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_alerts_phase_began"), "alerts", ["phase", "began"])
    _create_outbox(op)
    op.create_table(
        "alert_silences",
        sa.Column("silence_id", sa.Text, nullable=False),
        sa.Column("begins", Instant, nullable=False),
        sa.Column("ends", Instant, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("silence_id", name=op.f("pk_alert_silences")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_alert_silences_ends"), "alert_silences", ["ends"])
    op.create_table(
        "watched",
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("at", Instant, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("kind", "name", name=op.f("pk_watched")),
        sqlite_strict=True,
    )


def _create_outbox(op: Operations) -> None:
    op.create_table(
        "alert_outbox",
        sa.Column("delivery_id", sa.Text, nullable=False),
        sa.Column("alert_id", sa.Text, nullable=False),
        sa.Column("incident", sa.Text, nullable=False),
        sa.Column("number", Whole, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("written_at", Instant, nullable=False),
        sa.Column("due", Instant, nullable=False),
        sa.Column("attempts", Whole, nullable=False),
        sa.Column("claimed_until", Instant),
        sa.Column("ended_at", Instant),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("notice", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("delivery_id", name=op.f("pk_alert_outbox")),
        sa.ForeignKeyConstraint(["alert_id"], ["alerts.alert_id"], name=op.f("fk_alert_outbox_alert_id_alerts")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_alert_outbox_channel_state_due"), "alert_outbox", ["channel", "state", "due"])
    op.create_index(op.f("ix_alert_outbox_incident_channel"), "alert_outbox", ["incident", "channel"])
    op.create_index(op.f("ix_alert_outbox_state_ended_at"), "alert_outbox", ["state", "ended_at"])


def downgrade(op: Operations) -> None:
    """Remove them; what was silenced and what waits to be told is forgotten."""
    for table in ("alert_outbox", "alerts", "alert_silences", "watched"):
        op.drop_table(table)
