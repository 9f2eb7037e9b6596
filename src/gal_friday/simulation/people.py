"""The people of a fund: they look at what waits for a decision now and then, approve it, and take alerts on.

In some worlds they differ: one turns down what another would approve, takes back what was right, and decides in the
middle of a run.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from random import Random

from gal_friday.domain.adjusted import IN_THE_BOOK
from gal_friday.domain.adjustment import AdjustmentState, PostFill, Posting, PostMovement
from gal_friday.domain.errors import GalFridayError
from gal_friday.domain.facts import Actor, KnownBy
from gal_friday.domain.review import Reason
from gal_friday.flows.alert import Watch, acknowledge
from gal_friday.flows.decide import Repairs, approve, reject, undo
from gal_friday.flows.review import Desk
from gal_friday.ports.adjustments import Adjustments
from gal_friday.simulation.service import Service
from gal_friday.simulation.trouble import Line, half_done

ALICE, BOB = Actor("alice", KnownBy.SELF_DECLARED), Actor("bob", KnownBy.SELF_DECLARED)
_PAUSE_MINUTES = (30, 60, 150)
_INTO_A_RUN = (0.0, 0.3, 1.0, 4.0)
"""Seconds after a run began."""
_LATELY = timedelta(hours=1)


class People:
    """Whoever looks after the queue."""

    def __init__(
        self, service: Service, line: Callable[[], Line], chance: Random, *,
        taken_back: Callable[[], Awaitable[None]], differing: Random | None = None,
    ) -> None:  # fmt: skip
        """Decide about what this service proposes, every time over a line of its own; in some worlds *differing*.

        What was *taken_back* is told at once: a bot that is late may put it right again before anybody looks.
        """
        self._service, self._line, self._chance, self._differing = service, line, chance, differing
        self._taken_back = taken_back

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
        if self._differing is not None and self._differing.random() < 0.5:
            self._service.began.clear()
            await self._service.began.wait()
            await self._service.clock.sleep(self._differing.choice(_INTO_A_RUN))
        watch = self._service.watch(line)
        repairs = _repairs(watch.desk, half_done(self._service.adjustments, line, self._chance))
        with suppress(GalFridayError):
            if self._differing is not None:
                await self._take_back(repairs, self._differing)
            await self._decide(repairs)
            await self._take_on(watch)

    async def _decide(self, repairs: Repairs) -> None:
        """Approve what waits; what is overtaken meanwhile, or cannot be written now, is left alone."""
        for one in await repairs.adjustments.adjustments(states=(AdjustmentState.PROPOSED,), limit=1_000):
            with suppress(GalFridayError):
                if self._differing is None:
                    await approve(repairs, one.id, ALICE)
                elif self._differing.random() < 0.3 or one.adjustment.reverses is not None:
                    await reject(repairs, one.id, BOB, reason=self._differing.choice([*Reason]), note="looked at")
                else:
                    await approve(repairs, one.id, self._differing.choice((ALICE, BOB)))

    async def _take_back(self, repairs: Repairs, chance: Random) -> None:
        """Take back something that was posted lately: one asks for it, and another one approves."""
        posted = await repairs.adjustments.adjustments(states=[*IN_THE_BOOK], limit=20)
        lately = [one for one in posted if _is_young(one.adjustment.postings, repairs.desk.clock.now())]
        if lately and chance.random() < 0.7:
            with suppress(GalFridayError):
                asked = await undo(repairs, chance.choice(lately).id, ALICE)
                await approve(repairs, asked.kept.id, BOB)
            await self._taken_back()

    async def _take_on(self, watch: Watch) -> None:
        told = [one for one in await watch.alerts.alerts() if one.told is not None and not one.acknowledged_by]
        if told and self._chance.random() < 0.5:
            await acknowledge(watch, self._chance.choice(told).id, ALICE)


def _repairs(desk: Desk, adjustments: Adjustments) -> Repairs:
    async def applied(name: str) -> object:
        return await adjustments.apply(name, token=None)

    return Repairs(desk=desk, adjustments=adjustments, four_eyes=True, apply=applied)


def _is_young(postings: Sequence[Posting], now: datetime) -> bool:
    """Say whether runs will still come upon these records by themselves, once they are gone."""
    ats = [one.fill.at for one in postings if isinstance(one, PostFill)]
    ats += [one.movement.at for one in postings if isinstance(one, PostMovement)]
    return bool(ats) and now - min(ats) < _LATELY
