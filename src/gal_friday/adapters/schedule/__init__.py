"""Where the schedule of every account is kept: in memory, in SQLite or in PostgreSQL."""

from gal_friday.adapters.schedule.memory import MemorySchedules
from gal_friday.adapters.schedule.sql import SqlSchedules

__all__ = ["MemorySchedules", "SqlSchedules"]
