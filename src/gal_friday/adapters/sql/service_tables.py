"""The tables that the service stands on, beside those of ``tables``: when accounts are due, what was answered."""

from sqlalchemy import Column, Index, LargeBinary, Text

from gal_friday.adapters.sql.columns import Instant, Whole
from gal_friday.adapters.sql.metadata import declared

# When each account is reconciled next. Whoever writes here has read the newest revision, or writes nothing.
SCHEDULES = declared(
    "schedules",
    Column("account", Text, primary_key=True),
    Column("due", Instant, nullable=False),
    Column("begun", Instant),
    Column("revision", Whole, nullable=False),
    # All of it, as it was written; the columns above say the same in SQL.
    Column("body", Text, nullable=False),
    Index(None, "due"),
)

# Answers that were given under a key of the caller's; a row goes when nobody may ask again.
GIVEN_ANSWERS = declared(
    "given_answers",
    Column("caller", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    # Method, address and digest of the body.
    Column("what", Text, nullable=False),
    Column("at", Instant, nullable=False),
    # NULL while the call is under way.
    Column("status", Whole),
    Column("media_type", Text),
    Column("content", LargeBinary),
    Index(None, "at"),
)
