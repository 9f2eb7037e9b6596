"""The clock of this machine, for whoever stands above the adapters."""

from gal_friday.adapters.clock import SystemClock
from gal_friday.ports.clock import Clock


def system_clock() -> Clock:
    """Return the clock that tells the real time."""
    return SystemClock()
