"""Time that passes when nobody has anything left to do: a day of waiting costs what happens in it, and nothing more.

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(story(VirtualClock(start)))

Everything that waits inside the loop waits in this time: sleeps, timeouts, retries. Tasks take turns in one order, so
that the same story happens the same way again. Nothing from outside may be waited for: no thread, socket or process.
"""

import asyncio
import selectors
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any


class NothingLeft(RuntimeError):
    """Everybody waits for somebody else, and no time that passes would change that."""


class _Passing(selectors.BaseSelector):
    """Waits for nothing, and lets the time pass instead."""

    def __init__(self) -> None:
        self.elapsed = 0.0
        self._known: dict[Any, selectors.SelectorKey] = {}

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise NothingLeft("every task waits for something that no passing of time brings about")
        self.elapsed += max(0.0, timeout)
        return []

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        self._known[fileobj] = key = selectors.SelectorKey(fileobj, 0, events, data)
        return key

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._known.pop(fileobj)

    def get_key(self, fileobj: Any) -> selectors.SelectorKey:
        return self._known[fileobj]

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._known


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop that never waits: where nothing is ready, its time jumps to the next moment somebody awaits."""

    def __init__(self) -> None:
        """Stand at zero."""
        self._passing = _Passing()
        super().__init__(self._passing)
        # After a year a billionth of a second is less than the next number that a float can be.
        self._clock_resolution = 1e-6

    def time(self) -> float:
        """Return the seconds that have passed."""
        return self._passing.elapsed


class VirtualClock:
    """The ``Clock`` port on the time of the running ``VirtualLoop``."""

    def __init__(self, start: datetime) -> None:
        """Begin at *start*, which must be aware."""
        self._start = start.astimezone(UTC)
        self._jumped = 0.0

    def now(self) -> datetime:
        """Return the instant at which the machine's clock stands."""
        return self._start + timedelta(seconds=self.monotonic() + self._jumped)

    def monotonic(self) -> float:
        """Return the seconds since the start; ``jump`` does not touch it."""
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        """Return after *seconds*; at once for zero or less."""
        await asyncio.sleep(max(0.0, seconds))

    def jump(self, seconds: float) -> None:
        """Set the wall clock forward, or back, as a machine does that corrects its time."""
        self._jumped += seconds
