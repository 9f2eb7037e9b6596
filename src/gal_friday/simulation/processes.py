"""Processes of the service: they begin, stand still for a while, end in the middle of what they do, or are killed."""

import asyncio
from collections.abc import Callable
from random import Random
from typing import Any

from gal_friday.ports.clock import Clock
from gal_friday.simulation.service import Process, Service
from gal_friday.simulation.trouble import Line, Trouble

_PAUSES = (20, 70, 200)
"""Seconds that a process stands still: shorter than its lease, longer, and so long that others have taken over."""
_HOUR = 3600.0


class Processes:
    """One process of the service, or two beside each other."""

    def __init__(self, service: Service, trouble: Trouble, chance: Callable[[str], Random], clock: Clock) -> None:
        """Run over what *service* keeps; *chance* returns the chance of a name."""
        self._service, self._trouble, self._chance, self._clock = service, trouble, chance, clock
        self._lines: dict[str, Line] = {}

    def line(self, name: str) -> Line:
        """Return a new line to everything that is kept, in place of the one of this name."""
        self._lines[name] = Line(self._trouble, self._chance(f"{name} line {self._clock.monotonic()}"), self._clock)
        return self._lines[name]

    def kill(self) -> None:
        """Kill everything that runs now."""
        for line in self._lines.values():
            line.kill()

    async def serve(self, until: asyncio.Future[Any]) -> None:
        """Look after the accounts until then; what ends begins anew."""
        names = ("p", "q") if "two_workers" in self._trouble.kinds else ("p",)
        await asyncio.gather(*(self._serve(name, until) for name in names))
        await until

    async def _serve(self, name: str, until: asyncio.Future[Any]) -> None:
        chance, number = self._chance(name), 0
        while not until.done():
            number += 1
            line = self.line(name)
            async with Process(self._service, f"{name}{number}", line, chance).running():
                await self._lives(line, chance, until)
                if "killed" in self._trouble.kinds and chance.random() < 0.7:
                    line.kill()
            await asyncio.wait((until,), timeout=chance.choice((0, 3, 90)))

    async def _lives(self, line: Line, chance: Random, until: asyncio.Future[Any]) -> None:
        """Return when the process is to end."""
        killed = asyncio.ensure_future(line.killed.wait())
        end = self._clock.monotonic() + chance.choice((1, 3, 30)) * _HOUR * chance.random()
        while not (until.done() or killed.done()) and (left := end - self._clock.monotonic()) > 0:
            await asyncio.wait(
                (until, killed), timeout=min(left, chance.expovariate(1 / _HOUR)), return_when=asyncio.FIRST_COMPLETED
            )
            if "paused" in self._trouble.kinds:
                line.stand_still(chance.choice(_PAUSES))
        killed.cancel()
