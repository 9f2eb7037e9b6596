"""A client of a running service: for trading systems that push their records and ask the gate.

async with Client("http://127.0.0.1:8000", token) as service:
await service.push_fills("main", fills)
"""

from gal_friday.client.calls import Client, Delivered, Status
from gal_friday.client.events import Event
from gal_friday.client.transport import Patience, Problem, Unreachable
from gal_friday.domain.gate import Gate

__all__ = ["Client", "Delivered", "Event", "Gate", "Patience", "Problem", "Status", "Unreachable"]
