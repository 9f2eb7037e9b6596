"""Time of the simulated exchange: a clock that stands still until it is told to move, and row stamps.

Nothing here reads the machine's clock: the caller sets the instant, or passes in a monotonic counter.
A *tick* is 100 nanoseconds since 1970, the finest time Kraken writes (seven decimals); ticks are whole
numbers, so no time passes through a binary float on its way to the wire.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TICKS_PER_SECOND = 10_000_000
TICKS_PER_MICROSECOND = 10
START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

Now = Callable[[], datetime]


class VirtualClock:
    """A clock that only moves when it is moved."""

    def __init__(self, start: datetime = START) -> None:
        self._now = start

    def now(self) -> datetime:
        """Return the present instant, aware, in UTC."""
        return self._now

    def advance(self, by: timedelta) -> None:
        """Move the clock on by *by*."""
        self._now += by

    def set(self, instant: datetime) -> None:
        """Put the clock to *instant*, forwards or backwards."""
        self._now = instant.astimezone(UTC)


class RunningClock:
    """A clock that starts at a chosen instant and runs with a monotonic counter of seconds."""

    def __init__(self, start: datetime, monotonic: Callable[[], float]) -> None:
        self._start = start.astimezone(UTC)
        self._monotonic = monotonic
        self._origin = monotonic()

    def now(self) -> datetime:
        """Return the start plus the time that has passed since this clock was made."""
        return self._start + timedelta(seconds=self._monotonic() - self._origin)

    def advance(self, by: timedelta) -> None:
        """Jump on by *by* and keep running."""
        self._start += by


def ticks_of(instant: datetime) -> int:
    """Return the instant as whole ticks."""
    since = instant - EPOCH
    return (since.days * 86_400 + since.seconds) * TICKS_PER_SECOND + since.microseconds * TICKS_PER_MICROSECOND


def ticks_in(span: timedelta) -> int:
    """Return a span of time as whole ticks."""
    return (span.days * 86_400 + span.seconds) * TICKS_PER_SECOND + span.microseconds * TICKS_PER_MICROSECOND


def instant_of(ticks: int) -> datetime:
    """Return the instant of *ticks*, cut to microseconds."""
    return EPOCH + timedelta(microseconds=ticks // TICKS_PER_MICROSECOND)


def seconds_text(ticks: int) -> str:
    """Return *ticks* as unix seconds with four to seven decimals, digit for digit."""
    seconds, fraction = divmod(ticks, TICKS_PER_SECOND)
    digits = f"{fraction:07d}"
    return f"{seconds}.{digits[:4]}{digits[4:].rstrip('0')}"
