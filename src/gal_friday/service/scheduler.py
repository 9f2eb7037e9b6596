"""The loop that sees to it that every account is reconciled in time: looks what is due, and hands it over.

It holds no state of its own: whatever it knows is in the schedules, so that it may be killed at any instant and
several may run at once. A run that nobody did in time, and one whose process is gone, are told.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

from gal_friday.domain.materiality import Severity
from gal_friday.domain.schedule import (
    Planned,
    Step,
    Timing,
    abandoned,
    begun_with,
    first_served,
    is_due,
    missed,
    started,
)
from gal_friday.ports.clock import Clock
from gal_friday.ports.dispatcher import Dispatcher
from gal_friday.ports.errors import StoreFailed
from gal_friday.ports.leases import Leases
from gal_friday.ports.schedules import Schedules
from gal_friday.service.accounts import Account, timings_of
from gal_friday.service.turns import Turns

_LOG = logging.getLogger("gal_friday.service")
TICK_SECONDS = 1.0
"""So often is looked at what other processes may have marked; marks of this one wake it."""
_AT_ONCE = 1_000
_YOUNG = timedelta(seconds=15)
"""A run that began so lately may not have its lease yet."""
_GONE_EVERY = 10
"""Ticks between two looks for runs whose process is gone."""
_AFTER_FAILURE_SECONDS = 5.0

Worst = Callable[[], Awaitable[Mapping[str, Severity]]]
"""Returns the worst severity that is open, by account."""


class Scheduler:
    """Hands accounts that are due to a dispatcher."""

    def __init__(
        self,
        accounts: Sequence[Account],
        schedules: Schedules,
        turns: Turns,
        dispatcher: Dispatcher,
        leases: Leases,
        worst: Worst,
        clock: Clock,
        *,
        tick_seconds: float = TICK_SECONDS,
    ) -> None:
        """Look after *accounts*; the schedules of others are left alone."""
        self._tick_seconds = tick_seconds
        self._accounts = {one.name: one for one in accounts}
        self._schedules, self._turns, self._dispatcher, self._leases = schedules, turns, dispatcher, leases
        self._worst, self._clock = worst, clock
        self._wake = asyncio.Event()
        self._ticks = 0
        self.timings: Mapping[str, Timing] = {one.name: one.timing for one in accounts}
        """How often each account is run at the moment: as configured, or as its key's call budget can bear."""

    def wake(self) -> None:
        """Look again at once: something was marked, or ended."""
        self._wake.set()

    async def run(self) -> None:
        """Go on until cancelled. A database that goes away is waited for."""
        await self._until_done(self.start)
        while True:
            await self._until_done(self.tick)
            await self._rest()
            self._wake.clear()

    async def start(self) -> None:
        """Make every account due, and tell what was missed while nobody looked."""
        for name in self._accounts:
            known = await self._schedules.one(name)
            if known is None:
                await self._schedules.save(begun_with(name, self._clock.now()))
            else:
                await self._turns.step(name, lambda one: started(one, self._clock.now(), self.timings[one.account]))

    async def tick(self) -> None:
        """Look once: tell what was missed, and hand over what is due, the riskiest first."""
        if self._ticks % _GONE_EVERY == 0:
            await self._end_what_is_gone()
            known = {one.account: one for one in await self._schedules.all()}
            self.timings = timings_of(self._accounts.values(), known)
        self._ticks += 1
        now = self._clock.now()
        due = [one for one in await self._schedules.due(now, limit=_AT_ONCE) if one.account in self._accounts]
        for one in due:
            if missed(one, now, self.timings[one.account]) is not None:
                await self._turns.step(one.account, self._missed)
        ready = [one for one in due if is_due(one, now)]
        if not ready:
            return
        for one in first_served(ready, await self._worst()):
            if not await self._dispatcher.dispatch(one.account):
                return

    def _missed(self, one: Planned) -> Step | None:
        return missed(one, self._clock.now(), self.timings[one.account])

    async def _end_what_is_gone(self) -> None:
        now = self._clock.now()
        for one in await self._schedules.under_way():
            young = one.begun is not None and now - one.begun < _YOUNG
            if one.account not in self._accounts or young or await self._leases.holder(one.account) is not None:
                continue
            _LOG.warning("the run of account %s by %s ended without a report", one.account, one.owner)
            await self._turns.step(one.account, partial(self._gone, one.begun))

    def _gone(self, begun: datetime | None, one: Planned) -> Step | None:
        return abandoned(one, self._clock.now()) if one.begun == begun else None

    async def _rest(self) -> None:
        """Wait for the next tick, or until somebody wakes."""
        both = (asyncio.create_task(self._wake.wait()), asyncio.create_task(self._clock.sleep(self._tick_seconds)))
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in both:
                one.cancel()
            await asyncio.wait(both)

    async def _until_done(self, what: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                return await what()
            except StoreFailed as failure:
                _LOG.error("the schedule cannot be read or written: %s", failure)
                await self._clock.sleep(_AFTER_FAILURE_SECONDS)
