"""The tables that the service stands on, beside those of ``tables``: when accounts are due."""

from sqlalchemy import Column, Index, Text

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
