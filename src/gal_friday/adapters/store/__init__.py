"""Where runs and their reports are kept: in a database, or in memory for a trial."""

from gal_friday.adapters.store.memory import MemoryStore
from gal_friday.adapters.store.sql import SqlStore

__all__ = ["MemoryStore", "SqlStore"]
