"""The clock of the machine. Nothing else in the project asks the operating system for the time."""

import asyncio
import time
from datetime import UTC, datetime


class SystemClock:
    """The ``Clock`` port on the machine's own clocks."""

    def now(self) -> datetime:
        """Return the present instant, aware, in UTC, to the microsecond."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds since some fixed past instant; never steps back."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Return after *seconds*; at once for zero or less."""
        await asyncio.sleep(max(0.0, seconds))
