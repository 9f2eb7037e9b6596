"""Where the schedule of every account is kept, so that it survives restarts and is one for all processes."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from gal_friday.domain.schedule import Planned, Step


class Schedules(Protocol):
    """Keeps where the schedule of each account stands; what is read back is equal to what was written."""

    async def all(self) -> Sequence[Planned]:
        """Return every account that was ever scheduled, by name.

        Raises:
            StoreFailed: they cannot be read.
        """
        ...

    async def one(self, account: str) -> Planned | None:
        """Return where the schedule of this account stands; None where it never had one.

        Raises:
            StoreFailed: it cannot be read.
        """
        ...

    async def due(self, now: datetime, *, limit: int) -> Sequence[Planned]:
        """Return those that are due, paused ones included, the longest due first; none whose run is under way.

        Raises:
            StoreFailed: they cannot be read.
        """
        ...

    async def under_way(self) -> Sequence[Planned]:
        """Return those whose run began and did not end, by name.

        Raises:
            StoreFailed: they cannot be read.
        """
        ...

    async def save(self, step: Step) -> Planned | None:
        """Write a step and its facts in one transaction (I10), and return how it stands then.

        None where somebody else took a step since this one was read; nothing was written then, and whoever asks
        reads again and decides anew.

        Raises:
            StoreFailed: nothing was written.
        """
        ...
