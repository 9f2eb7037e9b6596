"""The service as a whole: schedule, turns and whatever else goes on beside them, until it is told to stop.

Whoever stops it is obeyed in two steps: nothing new begins, what is under way may end, and what does not end in time
is written down as interrupted, so that the next start goes on where this one was.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial
from typing import Any

from gal_friday.adapters.clock import SystemClock
from gal_friday.adapters.dispatch import TaskDispatcher
from gal_friday.bootstrap.alerts import teller_of
from gal_friday.bootstrap.counting import Counting
from gal_friday.bootstrap.database import ready_url
from gal_friday.bootstrap.errors import BadConfiguration, extra
from gal_friday.bootstrap.notified import alive, tell
from gal_friday.bootstrap.preflight import Preflights
from gal_friday.bootstrap.service import ReconciliationService, owner
from gal_friday.bootstrap.settings import Settings
from gal_friday.bootstrap.tracing import watching
from gal_friday.bootstrap.vitals import live_of
from gal_friday.bootstrap.wire import knows_of, points_per_hour, state_folder, stream_of, timing_of
from gal_friday.domain.materiality import Severity, more_severe
from gal_friday.domain.policy import Mode
from gal_friday.domain.report import ReconciliationReport
from gal_friday.domain.schedule import Planned, Timing, Why
from gal_friday.flows.vitals import Live
from gal_friday.ports.clock import Clock
from gal_friday.ports.dispatcher import Dispatcher
from gal_friday.ports.errors import StoreFailed
from gal_friday.ports.steps import Steps
from gal_friday.service.accounts import Account
from gal_friday.service.listening import Listening
from gal_friday.service.scheduler import Scheduler
from gal_friday.service.turns import Turns

_LAST_WORDS_SECONDS = 5.0
"""How long may be told of what the last runs found; the rest waits in the outbox for the next start."""
_LOG = logging.getLogger("gal_friday.service")


class Serving:
    """The parts of a running service, for whoever adds another one."""

    def __init__(self, service: ReconciliationService, queue: Dispatcher | None = None) -> None:
        """Put them together; nothing runs yet. Runs are handed to *queue*, or carried out here."""
        settings, opened = service.settings, service.opened
        clock = SystemClock()
        self.service = service
        self.accounts = accounts_of(settings)
        self.ended = asyncio.Event()
        """Set whenever a turn came to an end; whoever waits for it clears it."""
        self.counting = Counting(service)
        runs, steps = self.counting.run, service.steps
        self.preflights = Preflights(settings, opened)
        self.turns = Turns(opened.schedules, runs, self._timings, clock, owner=owner(), heard=self._heard, steps=steps)
        self.teller = teller_of(settings, opened, clock=clock, steps=service.steps)
        self.dispatcher = queue or TaskDispatcher(self.turns.take, at_once=settings.service.runs_at_once)
        self.scheduler = Scheduler(
            self.accounts, opened.schedules, self.turns, self.dispatcher, opened.leases, self._worst, clock
        )
        self.listening = tuple(self._listening_of(settings, clock))
        self.address = ""
        """Where the API answers; empty where the extra that it needs is not installed."""

    def _listening_of(self, settings: Settings, clock: Clock) -> Iterator[Listening]:
        grace, folder = settings.reconciliation.policy().grace_of, state_folder(settings)
        for name, configured in sorted(settings.accounts.items()):
            stream = stream_of(name, configured, folder)
            if stream is not None:
                knows = knows_of(name, configured, self.service.opened)
                mark = partial(self.mark, name, Why.STREAM)
                yield Listening(name, stream, knows, mark, clock, grace=grace(configured.exchange))

    async def mark(self, account: str, why: Why) -> Planned | None:
        """Make the account due and look at once; return where its schedule stands then.

        Raises:
            StoreFailed: nothing was written.
        """
        planned = await self.turns.mark(account, why)
        self.scheduler.wake()
        return planned

    async def run_now(self, account: str, mode: Mode | None) -> ReconciliationReport:
        """Reconcile the account because somebody asks for it, and take that into its schedule.

        Raises:
            AccountBusy: it is being reconciled at this moment.
        """
        ran = await self.counting.run(account, mode)
        await self.turns.record(ran)
        return ran.report

    def live_of(self, account: str) -> Live:
        """Return what this process knows of an account beside the database."""
        listening = next((one for one in self.listening if one.account == account), None)
        return live_of(
            self.service.settings,
            account,
            paced=self.scheduler.timings.get(account),
            left=self.counting.left.get(account),
            listening=listening,
            key=self.preflights.last(account),
        )

    def connected(self) -> dict[str, bool]:
        """Return whether the stream of each account that has one tells anything at the moment."""
        return {one.account: one.connected for one in self.listening}

    def _timings(self) -> Mapping[str, Timing]:
        return self.scheduler.timings

    def _heard(self, account: str) -> None:
        self.ended.set()
        self.teller.wake(account)
        self.scheduler.wake()

    async def _worst(self) -> Mapping[str, Severity]:
        worst: dict[str, Severity] = {}
        for one in await self.service.opened.store.open_counts():
            worst[one.account] = more_severe(worst.get(one.account, Severity.LOW), one.severity)
        return worst


def accounts_of(settings: Settings) -> tuple[Account, ...]:
    """Return the accounts of the configuration as the schedule takes them."""
    return tuple(
        Account(
            name=name,
            exchange=configured.exchange,
            timing=timing_of(settings, configured),
            key=configured.api_key,
            points_per_hour=points_per_hour(configured),
        )
        for name, configured in sorted(settings.accounts.items())
    )


async def serve(
    settings: Settings, stop: asyncio.Event, *, ready: Callable[[Serving], Awaitable[None]] | None = None
) -> None:
    """Look after every account of the configuration until *stop* is set; *ready* is told when it has begun.

    Raises:
        BadConfiguration: no account is configured, or an extra is missing that the settings ask for.
        StoreFailed: the database cannot be opened.
    """
    if not settings.accounts:
        raise BadConfiguration("no account is configured; `gal-friday init` writes a configuration to fill in")
    async with AsyncExitStack() as stack:
        steps = await stack.enter_async_context(watching(settings))
        service = ReconciliationService(settings, steps=steps)
        stack.push_async_callback(service.stop)
        if not await _started(service, stop):
            return
        with suppress(StoreFailed):  # the next start writes it
            await service.opened.note_policy(settings.reconciliation.policy())
        serving = Serving(service, await stack.enter_async_context(_queue(settings, steps)))
        answering = await stack.enter_async_context(_answering(serving))
        loops: list[asyncio.Task[Any]] = [asyncio.create_task(stop.wait(), name="stop")]
        loops += [asyncio.create_task(one.run(), name="listening") for one in serving.listening]
        telling = asyncio.create_task(serving.teller.run(), name="alerts")
        loops += [asyncio.create_task(serving.scheduler.run(), name="schedule")]
        loops += [asyncio.create_task(alive(SystemClock()), name="watchdog")]
        try:
            if ready is not None:
                await ready(serving)
            tell("READY=1")
            await asyncio.wait((telling, *answering, *loops), return_when=asyncio.FIRST_COMPLETED)
        finally:
            tell("STOPPING=1")
            for loop in loops:
                loop.cancel()
            left = await serving.dispatcher.drain(settings.service.drain_seconds)
            for account in left:
                _LOG.warning("the run of account %s did not end in time and was interrupted", account)
            await serving.teller.drain(telling, _LAST_WORDS_SECONDS)
            done = await asyncio.gather(*loops, return_exceptions=True)
        # None of them ends by itself: what did is a mistake of this program, and must not look like a stop.
        for failure in done:
            if isinstance(failure, Exception):
                raise failure


async def _started(service: ReconciliationService, stop: asyncio.Event) -> bool:
    """Start the service; say whether it did before *stop* was set, which a database that hangs must not outlast."""
    starting, stopping = asyncio.create_task(service.start()), asyncio.create_task(stop.wait())
    await asyncio.wait((starting, stopping), return_when=asyncio.FIRST_COMPLETED)
    (starting if stop.is_set() else stopping).cancel()
    await asyncio.gather(starting, stopping, return_exceptions=True)
    if stop.is_set():
        return False
    await starting
    return True


@asynccontextmanager
async def _answering(serving: Serving) -> AsyncIterator[tuple[asyncio.Task[None], ...]]:
    """Answer calls to the API; give its task, which ends only by mistake, or nothing where the extra is missing."""
    try:
        from gal_friday.bootstrap import api
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] == "gal_friday":
            raise
        _LOG.warning("no API: it needs the extra, pip install 'gal-friday[server]'")
        yield ()
        return
    from gal_friday.bootstrap.metrics import rendered

    opened, metrics = serving.service.opened, serving.counting.metrics
    text = None if metrics is None else rendered(metrics, opened, lambda: serving.scheduler.timings, serving.connected)
    answering = api.answering(
        serving.service,
        schedules=opened.schedules,
        run=serving.run_now,
        metrics=text,
        live=serving.live_of,
        preflights=serving.preflights,
    )
    async with answering as (task, address):
        serving.address = address
        yield (task,)


@asynccontextmanager
async def _queue(settings: Settings, steps: Steps) -> AsyncIterator[Dispatcher | None]:
    """Give what hands runs to the workers of a fleet; None where the service carries them out itself."""
    if settings.service.dispatcher == "tasks":
        yield None
        return
    with extra("fleet", "a fleet"):
        from gal_friday.adapters.dispatch import queue

    async with queue.opened(ready_url(settings)) as app:
        yield queue.QueueDispatcher(app, SystemClock(), steps=steps)
