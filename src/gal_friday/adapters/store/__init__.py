"""Where runs, their reports and what people decide about them are kept: in a database, or in memory for a trial."""

from gal_friday.adapters.store.history import SqlHistory
from gal_friday.adapters.store.memory import MemoryStore
from gal_friday.adapters.store.pages import SqlPages
from gal_friday.adapters.store.reviews import MemoryReviews, SqlReviews
from gal_friday.adapters.store.sql import SqlStore

__all__ = ["MemoryReviews", "MemoryStore", "SqlHistory", "SqlPages", "SqlReviews", "SqlStore"]
