"""Recordings in memory, gone with the process."""

from datetime import datetime

from gal_friday.ports.recordings import Conditions, Kept, Packed, kept_of


class MemoryRecordings:
    """``Recordings`` that end with the process."""

    def __init__(self) -> None:
        """Begin empty."""
        self._about: dict[str, Kept] = {}
        self._content: dict[str, Packed] = {}

    async def keep(self, reconciliation_id: str, packed: Packed, conditions: Conditions, *, at: datetime) -> None:
        """Keep a recording; see ``Recordings``."""
        if reconciliation_id not in self._about:
            self._about[reconciliation_id] = kept_of(reconciliation_id, packed, conditions, at)
            self._content[reconciliation_id] = packed

    async def about(self, reconciliation_id: str) -> Kept | None:
        """Return what is known of it; see ``Recordings``."""
        return self._about.get(reconciliation_id)

    async def content(self, reconciliation_id: str) -> Packed | None:
        """Return it; see ``Recordings``."""
        return self._content.get(reconciliation_id)

    async def forget(self, before: datetime) -> int:
        """Remove old contents; see ``Recordings``."""
        old = [name for name in self._content if self._about[name].at < before]
        for name in old:
            del self._content[name]
        return len(old)
