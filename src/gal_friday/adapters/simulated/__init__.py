"""A simulated Kraken: a faithful REST server on loopback, its private stream, and a truthful exchange behind them.

For the demo, drills and tests. It never talks to the real exchange, never listens beyond 127.0.0.1, and its
endpoints only read: events are made by calling the ``Exchange`` itself.
"""

from gal_friday.adapters.simulated.clock import RunningClock, VirtualClock
from gal_friday.adapters.simulated.exchange import Exchange
from gal_friday.adapters.simulated.faults import FAULTS, STREAM_FAULTS, Faults
from gal_friday.adapters.simulated.keys import READ_RIGHTS, TRADING_RIGHTS, ApiKey
from gal_friday.adapters.simulated.records import Booked, Execution, Placed
from gal_friday.adapters.simulated.refusal import Refused
from gal_friday.adapters.simulated.scenarios import Scenario
from gal_friday.adapters.simulated.server import SimulatedKraken
from gal_friday.adapters.simulated.world import Quirks

__all__ = [
    "SimulatedKraken",
    "Exchange",
    "VirtualClock",
    "RunningClock",
    "Quirks",
    "FAULTS",
    "STREAM_FAULTS",
    "Faults",
    "ApiKey",
    "READ_RIGHTS",
    "TRADING_RIGHTS",
    "Booked",
    "Execution",
    "Placed",
    "Refused",
    "Scenario",
]
