"""The product as it runs in processes: schedule, turns, runs, repairs, reviews, alerts; nothing of it is made up.

What is kept stays in memory, under the rules that the databases are held to by the same tests, and is shared by all
processes, each of which reaches it over a line of its own. The exchange is asked through the real connector, whose
requests end in ``wire``.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from math import ceil
from random import Random

import httpx2
from msgspec import Struct

from gal_friday.adapters.alerts import MemoryWatched
from gal_friday.adapters.book_sql import MemoryAdjustments, MemoryBook
from gal_friday.adapters.dispatch import TaskDispatcher
from gal_friday.adapters.kraken import KnownNames, KrakenExchange
from gal_friday.adapters.schedule import MemorySchedules
from gal_friday.adapters.simulated import Exchange
from gal_friday.adapters.store import MemoryReviews, MemoryStore
from gal_friday.adapters.store.leases import MemoryLeases
from gal_friday.domain.adjusted import POLICY, Outcome
from gal_friday.domain.adjustment import Adjustment
from gal_friday.domain.conditions import Limits
from gal_friday.domain.materiality import Severity, more_severe
from gal_friday.domain.policy import Mode, Policy
from gal_friday.domain.report import ReconciliationReport
from gal_friday.domain.routing import Route
from gal_friday.domain.schedule import Timing
from gal_friday.flows.alert import Watch
from gal_friday.flows.apply import Repairing
from gal_friday.flows.fetch import Sources
from gal_friday.flows.lease import held
from gal_friday.flows.obstacles import Heeded
from gal_friday.flows.reconcile import reconcile
from gal_friday.flows.review import Desk
from gal_friday.ports.alerts import Channel
from gal_friday.ports.clock import Clock
from gal_friday.ports.errors import BookFailed
from gal_friday.ports.exchange import Call
from gal_friday.service.accounts import Account
from gal_friday.service.scheduler import Scheduler
from gal_friday.service.tell import Pace, Teller
from gal_friday.service.turns import Ran, Turns
from gal_friday.simulation.alerts import KeptAlerts
from gal_friday.simulation.baselines.overheard import Hear, Overheard
from gal_friday.simulation.trouble import Line, half_done, reached

LOOKBACK = timedelta(hours=2)
_TICK_SECONDS = 20.0
"""So often a process looks what others did: in life every few seconds, which would be most of what a world costs."""
_PACE = Pace(tick=60, first_retry=20)
Seen = Callable[[ReconciliationReport, timedelta, int], Awaitable[object]]
"""Told of every report, how long its run took, and how many calls."""


class PostedAdjustments(MemoryAdjustments):
    """Adjustments in memory that remember whose word was posted to which book."""

    posted: Sequence[tuple[Adjustment, str]] = ()
    """Since somebody looked last, each with whose word it was."""

    async def apply(self, adjustment_id: str, *, token: int | None) -> Outcome:
        """Write it into the book; see ``Adjustments``."""
        outcome = await super().apply(adjustment_id, token=token)
        known = await self.adjustment(adjustment_id)
        assert known is not None, "it was applied"
        who = "policy" if known.decided_by == POLICY else "person"
        self.posted = [*self.posted, (known.adjustment, who)]
        return outcome


class Service:
    """What all processes of the product share: what they look after, and what is kept."""

    def __init__(
        self, exchange: Exchange, names: Sequence[str], http: httpx2.AsyncBaseTransport, clock: Clock,
        *, policy: Policy, timing: Timing, seen: Seen, alerts: KeptAlerts, channels: Sequence[Channel],
    ) -> None:  # fmt: skip
        """Look after these accounts; *seen* is told of every run. *clock* is that of the machines it runs on."""
        self.clock, self.policy, self.http, self.seen, self.channels = clock, policy, http, seen, channels
        self.book = MemoryBook(clock=clock)
        self.leases = MemoryLeases(clock=clock)
        self.adjustments = PostedAdjustments(self.book, clock=clock, newest=self.leases.newest)
        self.desk = Desk(MemoryStore(), MemoryReviews(), clock)
        self.schedules = MemorySchedules()
        self.alerts, self.watched = alerts, MemoryWatched()
        self.keys = {name: exchange.issue_key(name, tier="pro") for name in names}
        self.accounts = [Account(name=name, exchange="kraken", timing=timing) for name in names]
        self.hearing: Callable[[str], Hear] | None = None
        """Who is to be told what a run of an account reads."""
        self.known = KnownNames()
        """Names that runs have learned."""
        self.began = asyncio.Event()
        """Set when a run begins."""
        self._begun = clock.now()

    def watch(self, line: Line | None = None) -> Watch:
        """Return what is watched, as it is reached over this line."""
        desk, kept = self.desk, (self.adjustments, self.schedules, self.alerts, self.watched)
        if line is not None:
            desk = Desk(reached(desk.store, line), reached(desk.reviews, line), self.clock)
            kept = tuple(reached(one, line) for one in kept)  # type: ignore[assignment]
        adjustments, schedules, alerts, watched = kept
        return Watch(
            desk=desk,
            adjustments=adjustments,
            schedules=schedules,
            alerts=alerts,
            watched=watched,
            accounts={one.name: one.exchange for one in self.accounts},
            routes=tuple(Route(channel=one.name) for one in self.channels),
            limits=Limits(severity=Severity.MEDIUM, journal_unverified_after=timedelta(days=365)),
            begun=self._begun,
        )


class Process:
    """One process of the product over all accounts."""

    def __init__(self, service: Service, name: str, line: Line, chance: Random) -> None:
        """Reach what *service* keeps over this line."""
        self.line, self._service, self._name, self._clock = line, service, name, service.clock
        self._book = reached(service.book, line, BookFailed)
        self._leases = reached(service.leases, line)
        self._schedules = reached(service.schedules, line)
        self._watch = service.watch(line)
        self.desk = self._watch.desk
        self.adjustments = half_done(service.adjustments, line, chance)

    @asynccontextmanager
    async def running(self, *, at_once: int = 4) -> AsyncIterator[None]:
        """Look after the accounts for as long as the block runs; then end at once, in the middle of whatever it is."""
        teller = Teller(self._watch, self._service.channels, pace=_PACE)
        turns = Turns(
            self._schedules, self.run, lambda: scheduler.timings, self._clock, owner=self._name, heard=teller.wake
        )
        dispatcher = TaskDispatcher(turns.take, at_once=at_once)
        scheduler = Scheduler(
            self._service.accounts, self._schedules, turns, dispatcher, self._leases, self._worst, self._clock,
            tick_seconds=_TICK_SECONDS,
        )  # fmt: skip
        tasks = [asyncio.create_task(one) for one in (scheduler.run(), teller.run())]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            await dispatcher.drain(0)

    async def run(self, account: str) -> Ran:
        """Reconcile one account, and repair what can be proven."""
        spent, began, key = _Spent(), self._clock.monotonic(), self._service.keys[account]
        kraken = KrakenExchange(
            key=key.key, secret=key.secret, clock=self._clock, tier="pro", known=self._service.known,
            http=self._service.http, calls=spent.note,
        )  # fmt: skip
        hearing = self._service.hearing
        exchange = Overheard(kraken, hearing(account)) if hearing else Heeded(kraken)
        async with held(self._leases, account, owner=self._name, clock=self._clock) as lease:
            self._service.began.set()
            report = await reconcile(
                Sources(account, exchange, self._book, self._clock),
                self.desk.store,
                policy=self._service.policy,
                since=self._clock.now() - LOOKBACK,
                repairing=Repairing(
                    mode=Mode.ENFORCE, adjustments=self.adjustments, desk=self.desk, token=lease.token
                ),
            )  # fmt: skip
        await exchange.close()
        self._service.known = self._service.known.with_newer(kraken.known_names)
        took = timedelta(seconds=self._clock.monotonic() - began)
        await self._service.seen(report, took, spent.calls)
        return Ran(report=report, obstacle=exchange.obstacle, until=exchange.until, spent=ceil(spent.points))

    async def _worst(self) -> Mapping[str, Severity]:
        worst: dict[str, Severity] = {}
        for one in await self.desk.store.open_counts():
            worst[one.account] = more_severe(worst.get(one.account, Severity.LOW), one.severity)
        return worst


class _Spent(Struct):
    calls: int = 0
    points: float = 0.0

    def note(self, call: Call) -> None:
        self.calls += 1
        self.points += call.cost
