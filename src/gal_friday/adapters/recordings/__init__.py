"""Recordings of runs, in the database and in memory. They are kept for a while and never changed."""

from gal_friday.adapters.recordings.memory import MemoryRecordings
from gal_friday.adapters.recordings.sql import SqlRecordings

__all__ = ["MemoryRecordings", "SqlRecordings"]
