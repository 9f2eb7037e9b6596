"""Schedules of one process, for tests and for those who keep nothing."""

from collections.abc import Sequence
from datetime import datetime

from msgspec.structs import replace

from gal_friday.domain.facts import Fact
from gal_friday.domain.schedule import Planned, Step


class MemorySchedules:
    """``Schedules`` that are gone with the process."""

    def __init__(self) -> None:
        """Begin without any account."""
        self._planned: dict[str, Planned] = {}
        self.told: list[Fact] = []
        """What would have gone into the journal."""

    async def all(self) -> Sequence[Planned]:
        """Return every account, by name; see ``Schedules``."""
        return [self._planned[name] for name in sorted(self._planned)]

    async def one(self, account: str) -> Planned | None:
        """Return where this one stands; see ``Schedules``."""
        return self._planned.get(account)

    async def due(self, now: datetime, *, limit: int) -> Sequence[Planned]:
        """Return those that are due; see ``Schedules``."""
        found = [one for one in self._planned.values() if one.begun is None and one.due <= now]
        return sorted(found, key=lambda one: (one.due, one.account))[:limit]

    async def under_way(self) -> Sequence[Planned]:
        """Return those whose run did not end; see ``Schedules``."""
        return [one for one in await self.all() if one.begun is not None]

    async def save(self, step: Step) -> Planned | None:
        """Write a step, unless somebody was faster; see ``Schedules``."""
        known = self._planned.get(step.planned.account)
        if (known.revision if known is not None else 0) != step.planned.revision:
            return None
        saved = replace(step.planned, revision=step.planned.revision + 1)
        self._planned[saved.account] = saved
        self.told += step.facts
        return saved
