"""One worker of a fleet: takes accounts from the queue and gives them their turns, until it is told to stop."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping

from gal_friday.adapters.clock import SystemClock
from gal_friday.bootstrap.database import ready_url
from gal_friday.bootstrap.errors import extra
from gal_friday.bootstrap.notified import alive, tell
from gal_friday.bootstrap.serve import accounts_of
from gal_friday.bootstrap.service import ReconciliationService, owner
from gal_friday.bootstrap.settings import Settings
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
    ready: Callable[[], Awaitable[None]] | None = None,
    run: Run | None = None,
) -> None:
    """Carry out the runs of the queue until *stop* is set; *run* takes the place of reconciling, for measurements.

    Raises:
        BadConfiguration: the extra of a fleet is not installed.
        StoreFailed: the database is no PostgreSQL, or cannot be opened.
    """
    with extra("fleet", "a fleet"):
        from gal_friday.adapters.dispatch import queue

    clock, limits = SystemClock(), settings.service
    async with ReconciliationService(settings) as service, queue.opened(ready_url(settings)) as app:
        schedules = service.opened.schedules
        timings = Timings(accounts_of(settings), schedules, clock)
        turns = Turns(schedules, run or service.run, timings, clock, owner=owner())
        tasks = [
            asyncio.create_task(timings.run(), name="timings"),
            asyncio.create_task(
                queue.work(
                    app,
                    turns.take,
                    clock,
                    at_once=limits.runs_at_once,
                    gone_seconds=limits.lease_seconds,
                    drain_seconds=limits.drain_seconds,
                ),
                name="work",
            ),
            asyncio.create_task(alive(clock), name="watchdog"),
            asyncio.create_task(stop.wait(), name="stop"),
        ]
        try:
            if ready is not None:
                await ready()
            tell("READY=1")
            await asyncio.wait(tasks[1:], return_when=asyncio.FIRST_COMPLETED)
        finally:
            tell("STOPPING=1")
            for task in tasks:
                task.cancel()
            done = await asyncio.gather(*tasks, return_exceptions=True)
        for failure in done:
            if isinstance(failure, Exception):
                raise failure
