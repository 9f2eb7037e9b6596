"""Who is known here: tokens, people, sessions; and chance for their secrets."""

from gal_friday.adapters.access.chance import SystemChance
from gal_friday.adapters.access.memory import MemoryAccess

__all__ = ["MemoryAccess", "SystemChance"]
