"""What can happen between a process and everything that it keeps.

The database is slow, gone or full, or an answer is lost after the step was taken; the process itself stands still for
a while, or is killed in the middle of an await.

Every step of what is kept is whole or was not taken. Who comes back from a pause finds the world as it is by then; who
was killed does nothing more, not even what it does when it is told to stop.
"""

import asyncio
from datetime import timedelta
from inspect import iscoroutinefunction
from random import Random
from typing import Any, TypeVar, cast

from msgspec import Struct

from gal_friday.domain.adjusted import Outcome
from gal_friday.ports.adjustments import Adjustments
from gal_friday.ports.clock import Clock
from gal_friday.ports.errors import StoreFailed, WorldFailed

Port = TypeVar("Port")
_WRITES = frozenset(
    [
        "save_report",
        "save",
        "keep",
        "move",
        "intend",
        "apply",
        "apply_all",
        "settle",
        "acquire",
        "renew",
        "claim",
        "delivered",
        "failed",
        "forget",
    ]
)
_SECONDS = (0.001, 0.004, 0.03, 0.4)
"""How long a step takes that is slow."""

KINDS = ("slow", "gone", "full", "lost", "paused", "killed", "two_workers", "clock_jumps", "restored", "channels")
"""Troubles of the world around the service, each of which a seed may have."""


class Trouble(Struct):
    """How the database is now."""

    kinds: frozenset[str] = frozenset()
    """What there is in this world at all."""
    gone: bool = False
    full: bool = False
    lost: float = 0.0
    """The share of answers that do not come back."""

    def change(self, chance: Random) -> timedelta:
        """Let some of it end and some begin, and return for how long it stays so."""
        self.gone = "gone" in self.kinds and chance.random() < 0.1
        self.full = "full" in self.kinds and chance.random() < 0.1
        self.lost = chance.choice((0.0, 0.003, 0.05)) if "lost" in self.kinds else 0.0
        short = self.gone or self.full or self.lost > 0.01
        return timedelta(seconds=chance.choice((2, 20, 120) if short else (300, 1_800)))

    def calm(self) -> None:
        """End all of it, for good."""
        self.kinds = frozenset()
        self.gone, self.full, self.lost = False, False, 0.0


class Line:
    """The way of one process to everything that it keeps."""

    def __init__(self, trouble: Trouble, chance: Random, clock: Clock) -> None:
        """Share the database's *trouble* with every other process."""
        self._trouble, self._chance, self._clock = trouble, chance, clock
        self._stands_until = 0.0
        self.killed = asyncio.Event()

    def kill(self) -> None:
        """Let nothing that this process does from now on have any effect."""
        self.killed.set()

    @property
    def lost(self) -> float:
        """The share of steps that are lost in the middle."""
        return self._trouble.lost

    def stand_still(self, seconds: float) -> None:
        """Let every step of this process wait for so long."""
        self._stands_until = self._clock.monotonic() + seconds

    async def there(self, name: str, failure: type[WorldFailed]) -> None:
        """Go the way there.

        Raises:
            WorldFailed: of the kind *failure*; nothing was done.
        """
        await self._pass()
        if self._trouble.gone:
            await self._clock.sleep(self._chance.choice(_SECONDS))
            raise failure("the database cannot be reached; look whether it runs")
        if self._trouble.full and name in _WRITES:
            raise failure("no space is left on the disk; make room")

    async def back(self, failure: type[WorldFailed]) -> None:
        """Come back with the answer.

        Raises:
            WorldFailed: of the kind *failure*; what was to be done is done.
        """
        await self._pass()
        if self._trouble.lost and self._chance.random() < self._trouble.lost:
            raise failure("the connection broke before the answer was read; look whether the database runs")

    async def _pass(self) -> None:
        self._unless_killed()
        if "slow" in self._trouble.kinds and self._chance.random() < 0.2:
            await self._clock.sleep(self._chance.choice(_SECONDS))
        while (left := self._stands_until - self._clock.monotonic()) > 0:
            await self._clock.sleep(left)
        self._unless_killed()

    def _unless_killed(self) -> None:
        if self.killed.is_set():
            raise asyncio.CancelledError


class _Reached:
    """Something that is kept, at the end of a line."""

    def __init__(self, kept: Any, line: Line, failure: type[WorldFailed]) -> None:
        self._kept, self._line, self._failure = kept, line, failure

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._kept, name)
        if not iscoroutinefunction(method):
            return method
        line, failure = self._line, self._failure

        async def called(*args: Any, **kwargs: Any) -> Any:
            await line.there(name, failure)
            answer = await method(*args, **kwargs)
            await line.back(failure)
            return answer

        setattr(self, name, called)
        return called


def reached(kept: Port, line: Line, failure: type[WorldFailed] = StoreFailed) -> Port:
    """Return what is kept as it is reached over this line."""
    return cast("Port", _Reached(kept, line, failure))


def half_done(adjustments: Adjustments, line: Line, chance: Random) -> Adjustments:
    """Return adjustments of which some are intended, and then nothing more happens to them."""
    through = reached(adjustments, line)
    whole = through.apply

    async def apply(adjustment_id: str, *, token: int | None) -> Outcome:
        if line.lost and chance.random() < line.lost:
            await through.intend(adjustment_id)
            raise StoreFailed("the connection broke before it was written; look whether the database runs")
        return await whole(adjustment_id, token=token)

    setattr(through, "apply", apply)  # noqa: B010 - a method of this one alone
    return through
