"""Who is known here: tokens, people, sessions; and what makes, checks and counts their secrets."""

from gal_friday.adapters.access.chance import SystemChance
from gal_friday.adapters.access.memory import MemoryAccess
from gal_friday.adapters.access.sql import SqlAccess
from gal_friday.adapters.access.throttle import MemoryThrottle

__all__ = ["MemoryAccess", "MemoryThrottle", "SqlAccess", "SystemChance"]
