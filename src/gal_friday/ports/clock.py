"""Time, handed in: the rest of the project never looks at a clock of its own."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time and waits."""

    def now(self) -> datetime:
        """Return the present instant, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds since some fixed past instant; never steps back. For durations only."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return after *seconds*; at once for zero or less."""
        ...
