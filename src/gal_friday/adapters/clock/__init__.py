"""Clocks: the system's own, one that moves only when it is told to, and those of a recorded run.

This is the only place of the project that reads the time. Everybody else is handed a ``Clock``.
"""

from gal_friday.adapters.clock.recorded import PlayedClock, RecordingClock
from gal_friday.adapters.clock.stepped import SteppedClock
from gal_friday.adapters.clock.system import SystemClock
from gal_friday.adapters.clock.virtual import NothingLeft, VirtualClock, VirtualLoop

__all__ = [
    "NothingLeft",
    "PlayedClock",
    "RecordingClock",
    "SteppedClock",
    "SystemClock",
    "VirtualClock",
    "VirtualLoop",
]
