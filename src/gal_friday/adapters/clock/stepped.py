"""A clock for tests and simulations: time stands still until somebody sleeps or moves it.

With ``auto=True`` the earliest sleeper moves the time itself, so that an hour of waiting costs nothing.
With ``auto=False`` sleepers wait until ``advance`` has moved the time past them. It never waits in real time.
"""

import asyncio
import heapq
from datetime import UTC, datetime, timedelta

_START = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)


class SteppedClock:
    """The ``Clock`` port with time made by hand."""

    def __init__(self, start: datetime = _START, *, auto: bool = True) -> None:
        """Stand at *start*, which must be aware."""
        if start.tzinfo is None:
            raise ValueError(f"{start} has no zone; pass an aware instant")
        self._now = start.astimezone(UTC)
        self._elapsed = 0.0
        self._auto = auto
        self._sleepers: list[tuple[float, int]] = []
        self._arrivals = 0

    def now(self) -> datetime:
        """Return the instant at which this clock stands."""
        return self._now

    def monotonic(self) -> float:
        """Return the seconds that this clock was moved forward in all; ``step_back`` does not touch it."""
        return self._elapsed

    def advance(self, seconds: float) -> None:
        """Move the time forward."""
        if seconds > 0:
            self._elapsed += seconds
            self._now += timedelta(seconds=seconds)

    def step_back(self, seconds: float) -> None:
        """Set the wall clock back, as a machine does that corrects its time."""
        self._now -= timedelta(seconds=seconds)

    async def sleep(self, seconds: float) -> None:
        """Return when the time has come; in ``auto`` mode the earliest sleeper brings it about."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        self._arrivals += 1
        mine = (self._elapsed + seconds, self._arrivals)
        heapq.heappush(self._sleepers, mine)
        try:
            await self._until(mine)
        finally:
            self._sleepers.remove(mine)
            heapq.heapify(self._sleepers)

    async def _until(self, mine: tuple[float, int]) -> None:
        while True:
            # Others that are ready run first: a sleeper never overtakes work that needs no time.
            await asyncio.sleep(0)
            if self._elapsed >= mine[0]:
                return
            if self._auto and self._sleepers[0] == mine:
                self.advance(mine[0] - self._elapsed)
                return
