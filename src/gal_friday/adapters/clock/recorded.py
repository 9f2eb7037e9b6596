"""Clocks of a recorded run: one that takes down every reading, and one that says them again.

The second never looks at the machine's time and never waits.
"""

import asyncio
from datetime import datetime

from gal_friday.ports.clock import Clock
from gal_friday.ports.recordings import Playing, Tape


class RecordingClock:
    """Another clock, with every reading taken down."""

    def __init__(self, clock: Clock, tape: Tape) -> None:
        """Read *clock*."""
        self._clock, self._tape = clock, tape

    def now(self) -> datetime:
        """Return the present instant."""
        return self._tape.instant(self._clock.now())

    def monotonic(self) -> float:
        """Return seconds since some fixed past instant."""
        return self._tape.second(self._clock.monotonic())

    async def sleep(self, seconds: float) -> None:
        """Return after *seconds*."""
        await self._clock.sleep(seconds)


class PlayedClock:
    """The readings of a recorded run, one after the other."""

    def __init__(self, playing: Playing) -> None:
        """Begin where the run began."""
        self._playing = playing

    def now(self) -> datetime:
        """Return the instant that the run was told at this place."""
        return self._playing.instant()

    def monotonic(self) -> float:
        """Return the seconds that the run was told at this place."""
        return self._playing.second()

    async def sleep(self, seconds: float) -> None:
        """Return at once: that time has passed."""
        del seconds
        await asyncio.sleep(0)
