"""Telling systemd how the service is: ready, alive, stopping. Nothing where systemd did not ask for it.

Source: sd_notify(3): lines of NAME=value in one datagram to the socket that NOTIFY_SOCKET names.
"""

import asyncio
import os
import socket
from contextlib import suppress

from gal_friday.ports.clock import Clock

_BEATS = 3
"""So many times within the watchdog's time it is told that the service lives."""


def tell(text: str) -> None:
    """Tell systemd; whoever does not listen misses nothing that the service needs."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
        out.connect(f"\0{address[1:]}" if address.startswith("@") else address)
        out.sendall(text.encode())


async def alive(clock: Clock) -> None:
    """Tell the watchdog again and again, as long as this loop gets its turn; for ever, where there is none."""
    micros = os.environ.get("WATCHDOG_USEC", "")
    if not micros.isdigit() or not int(micros):
        await asyncio.Event().wait()
    while True:
        tell("WATCHDOG=1")
        await clock.sleep(int(micros) / 1e6 / _BEATS)
