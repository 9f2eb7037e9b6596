"""The people of a fund: they look at what waits for a decision now and then, approve it, and take alerts on."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from random import Random

from gal_friday.domain.adjustment import AdjustmentState
from gal_friday.domain.errors import GalFridayError
from gal_friday.domain.facts import Actor, KnownBy
from gal_friday.flows.alert import Watch, acknowledge
from gal_friday.flows.decide import Repairs, approve
from gal_friday.ports.adjustments import Adjustments
from gal_friday.simulation.service import Service
from gal_friday.simulation.trouble import Line, half_done

ALICE = Actor("alice", KnownBy.SELF_DECLARED)
_PAUSE_MINUTES = (30, 60, 150)


class People:
    """Whoever looks after the queue."""

    def __init__(self, service: Service, line: Callable[[], Line], chance: Random) -> None:
        """Decide about what this service proposes, every time over a line of its own."""
        self._service, self._line, self._chance = service, line, chance

    async def run(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            await self._service.clock.sleep(60 * self._chance.choice(_PAUSE_MINUTES))
            looking = asyncio.create_task(self._look(self._line()))
            try:
                await asyncio.wait((looking,))
            finally:
                looking.cancel()

    async def _look(self, line: Line) -> None:
        watch = self._service.watch(line)
        with suppress(GalFridayError):
            await self._approve(watch, half_done(self._service.adjustments, line, self._chance))
            await self._take_on(watch)

    async def _approve(self, watch: Watch, adjustments: Adjustments) -> None:
        """Approve what waits; what is overtaken meanwhile, or cannot be written now, is left alone."""

        async def applied(name: str) -> object:
            return await adjustments.apply(name, token=None)

        repairs = Repairs(desk=watch.desk, adjustments=adjustments, four_eyes=True, apply=applied)
        for one in await adjustments.adjustments(states=(AdjustmentState.PROPOSED,), limit=1_000):
            with suppress(GalFridayError):
                await approve(repairs, one.id, ALICE)

    async def _take_on(self, watch: Watch) -> None:
        told = [one for one in await watch.alerts.alerts() if one.told is not None and not one.acknowledged_by]
        if told and self._chance.random() < 0.5:
            await acknowledge(watch, self._chance.choice(told).id, ALICE)
