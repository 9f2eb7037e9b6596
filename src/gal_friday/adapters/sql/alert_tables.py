"""The tables of alerts: where each stands, what waits to be told, what is silenced, and what was seen last.

Deliveries that ended are removed after a while; that they were made stays in the journal.
"""

from sqlalchemy import Column, ForeignKey, Index, Text

from gal_friday.adapters.sql.columns import Instant, Whole
from gal_friday.adapters.sql.metadata import declared

ALERTS = declared(
    "alerts",
    Column("alert_id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("phase", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("began", Instant, nullable=False),
    # Counts the steps: two processes cannot both carry on from one state.
    Column("revision", Whole, nullable=False),
    # All of it, as it was written; the columns above say the same in SQL.
    Column("body", Text, nullable=False),
    Index(None, "phase", "began"),
)

# One row for each notice and each channel that is to hear of it.
ALERT_OUTBOX = declared(
    "alert_outbox",
    Column("delivery_id", Text, primary_key=True),
    Column("alert_id", Text, ForeignKey("alerts.alert_id"), nullable=False),
    # The alert and its episode; number counts the notices within it.
    Column("incident", Text, nullable=False),
    Column("number", Whole, nullable=False),
    Column("channel", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("written_at", Instant, nullable=False),
    Column("due", Instant, nullable=False),
    # Grows with every claim: whoever has an older one reports no failure any more.
    Column("attempts", Whole, nullable=False),
    Column("claimed_until", Instant),
    Column("ended_at", Instant),
    Column("reason", Text, nullable=False),
    Column("notice", Text, nullable=False),
    Index(None, "channel", "state", "due"),
    Index(None, "incident", "channel"),
    Index(None, "state", "ended_at"),
)

ALERT_SILENCES = declared(
    "alert_silences",
    Column("silence_id", Text, primary_key=True),
    Column("begins", Instant, nullable=False),
    Column("ends", Instant, nullable=False),
    Column("actor", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("body", Text, nullable=False),
    Index(None, "ends"),
)

# What was seen last of things that no other table knows: until when a key is valid, what verifying the journal found.
WATCHED = declared(
    "watched",
    Column("kind", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("body", Text, nullable=False),
)
