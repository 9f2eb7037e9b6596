"""One worker of a fleet: takes accounts from the queue and gives them their turns, until it is told to stop."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from gal_friday.adapters.clock import SystemClock
from gal_friday.bootstrap.counting import Counting
from gal_friday.bootstrap.database import ready_url
from gal_friday.bootstrap.errors import extra
from gal_friday.bootstrap.notified import alive, tell
from gal_friday.bootstrap.serve import accounts_of
from gal_friday.bootstrap.service import ReconciliationService, owner
from gal_friday.bootstrap.settings import Settings
from gal_friday.bootstrap.tracing import watching
from gal_friday.domain.schedule import Timing
from gal_friday.ports.clock import Clock
from gal_friday.ports.errors import StoreFailed
from gal_friday.ports.schedules import Schedules
from gal_friday.service.accounts import Account, timings_of
from gal_friday.service.turns import Run, Turns

_LOOKED_EVERY_SECONDS = 30.0


class Timings:
    """How often each account is run, looked up now and then: what a run costs of a key's budget changes slowly."""

    def __init__(self, accounts: tuple[Account, ...], schedules: Schedules, clock: Clock) -> None:
        """Begin with what is configured."""
        self._accounts, self._schedules, self._clock = accounts, schedules, clock
        self._known: Mapping[str, Timing] = {one.name: one.timing for one in accounts}

    def __call__(self) -> Mapping[str, Timing]:
        """Return how often each account is run at the moment."""
        return self._known

    async def run(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            with contextlib.suppress(StoreFailed):  # what was known holds
                known = {one.account: one for one in await self._schedules.all()}
                self._known = timings_of(self._accounts, known)
            await self._clock.sleep(_LOOKED_EVERY_SECONDS)


async def work(
    settings: Settings,
    stop: asyncio.Event,
    *,
    ready: Callable[[str], Awaitable[None]] | None = None,
    run: Run | None = None,
) -> None:
    """Carry out the runs of the queue until *stop* is set; *run* takes the place of reconciling, for measurements.

    *ready* is told when it waits for runs, with the address at which it can be watched; empty where there is none.

    Raises:
        BadConfiguration: the extra of a fleet is not installed, or it cannot be watched where it is to be.
        StoreFailed: the database is no PostgreSQL, or cannot be opened.
    """
    with extra("fleet", "a fleet"):
        from gal_friday.adapters.dispatch import queue

    clock, limits = SystemClock(), settings.service
    async with (
        watching(settings) as steps,
        ReconciliationService(settings, steps=steps) as service,
        queue.opened(ready_url(settings)) as app,
        _watched(service, counting := Counting(service)) as (answering, address),
    ):
        schedules = service.opened.schedules
        timings = Timings(accounts_of(settings), schedules, clock)
        turns = Turns(schedules, run or counting.run, timings, clock, owner=owner(), steps=steps)
        working = queue.work(
            app,
            turns.take,
            clock,
            at_once=limits.runs_at_once,
            gone_seconds=limits.lease_seconds,
            drain_seconds=limits.drain_seconds,
        )
        tasks = [
            asyncio.create_task(timings.run(), name="timings"),
            asyncio.create_task(working, name="work"),
            asyncio.create_task(alive(clock), name="watchdog"),
            asyncio.create_task(stop.wait(), name="stop"),
        ]
        try:
            if ready is not None:
                await ready(address)
            tell("READY=1")
            await asyncio.wait((*tasks[1:], *answering), return_when=asyncio.FIRST_COMPLETED)
        finally:
            tell("STOPPING=1")
            await _ended(tasks)


async def _ended(tasks: Sequence[asyncio.Task[Any]]) -> None:
    """End them all, and raise what one of them broke off with."""
    for task in tasks:
        task.cancel()
    for failure in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(failure, Exception):
            raise failure


@asynccontextmanager
async def _watched(
    service: ReconciliationService, counting: Counting
) -> AsyncIterator[tuple[tuple[asyncio.Task[None], ...], str]]:
    """Answer who watches this worker, where that is wanted; give the task, which ends only by mistake, and where."""
    port, metrics = service.settings.service.metrics_port, counting.metrics
    if port is None:
        yield (), ""
        return
    with extra("server", "service.metrics_port"):
        from gal_friday.bootstrap import api

    async def counted() -> bytes:
        assert metrics is not None  # the same extra has it
        return metrics.text()

    async with api.watched(service, port, counted) as (task, address):
        yield (task,), address
