"""The people of a fund: they look at what waits for a decision now and then, and approve it."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from random import Random

from gal_friday.domain.adjustment import AdjustmentState
from gal_friday.domain.errors import GalFridayError
from gal_friday.domain.facts import Actor, KnownBy
from gal_friday.flows.decide import Repairs, approve
from gal_friday.simulation.service import Service

ALICE = Actor("alice", KnownBy.SELF_DECLARED)
_PAUSE_MINUTES = (5, 15, 60)


class People:
    """Whoever looks after the queue."""

    def __init__(self, service: Service, chance: Random, approved: Callable[[str], Awaitable[object]]) -> None:
        """Decide about what this service proposes; *approved* is told the account of what was."""
        self._service, self._chance, self._told = service, chance, approved
        self.approved = 0

    async def run(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            await self._service.clock.sleep(60 * self._chance.choice(_PAUSE_MINUTES))
            await self.look()

    async def look(self) -> None:
        """Approve what waits; what is overtaken meanwhile is left alone."""
        service = self._service

        async def applied(name: str) -> object:
            return await service.adjustments.apply(name, token=None)

        repairs = Repairs(desk=service.desk, adjustments=service.adjustments, four_eyes=True, apply=applied)
        for one in await service.adjustments.adjustments(states=(AdjustmentState.PROPOSED,), limit=1_000):
            with suppress(GalFridayError):
                await approve(repairs, one.id, ALICE)
                self.approved += 1
                await self._told(one.adjustment.account)
