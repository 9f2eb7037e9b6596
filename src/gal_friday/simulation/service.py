"""The product as it runs in a process: schedule, turns, runs, repairs, reviews, alerts; nothing of it is made up.

What is kept stays in memory, under the rules that the databases are held to by the same tests. The exchange is asked
through the real connector, whose requests end in ``wire``.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from math import ceil

import httpx2
from msgspec import Struct

from gal_friday.adapters.book_sql import MemoryAdjustments, MemoryBook
from gal_friday.adapters.dispatch import TaskDispatcher
from gal_friday.adapters.kraken import KrakenExchange
from gal_friday.adapters.schedule import MemorySchedules
from gal_friday.adapters.simulated import Exchange
from gal_friday.adapters.store import MemoryReviews, MemoryStore
from gal_friday.adapters.store.leases import MemoryLeases
from gal_friday.domain.materiality import Severity, more_severe
from gal_friday.domain.policy import Mode, Policy
from gal_friday.domain.report import ReconciliationReport
from gal_friday.domain.schedule import Timing
from gal_friday.flows.apply import Repairing
from gal_friday.flows.fetch import Sources
from gal_friday.flows.lease import held
from gal_friday.flows.obstacles import Heeded
from gal_friday.flows.reconcile import reconcile
from gal_friday.flows.review import Desk
from gal_friday.ports.clock import Clock
from gal_friday.ports.exchange import Call
from gal_friday.service.accounts import Account
from gal_friday.service.scheduler import Scheduler
from gal_friday.service.turns import Ran, Turns

LOOKBACK = timedelta(hours=2)
Seen = Callable[[ReconciliationReport, datetime, int], Awaitable[object]]
"""Told of every report, when its run began, and how many calls it took."""


class Service:
    """One process of the product over several accounts."""

    def __init__(
        self, exchange: Exchange, names: Sequence[str], http: httpx2.AsyncBaseTransport, clock: Clock,
        *, policy: Policy, timing: Timing, seen: Seen,
    ) -> None:  # fmt: skip
        """Look after these accounts; *seen* is told of every run."""
        self.clock, self.policy = clock, policy
        self.book = MemoryBook(clock=clock)
        self.adjustments = MemoryAdjustments(self.book, clock=clock)
        self.desk = Desk(MemoryStore(), MemoryReviews(), clock)
        self.schedules, self.leases = MemorySchedules(), MemoryLeases(clock=clock)
        self._http, self._seen = http, seen
        self._keys = {name: exchange.issue_key(name, tier="pro") for name in names}
        self._accounts = [Account(name=name, exchange="kraken", timing=timing) for name in names]

    @asynccontextmanager
    async def running(self, *, at_once: int = 4) -> AsyncIterator[None]:
        """Look after the accounts for as long as the block runs; then end at once, in the middle of whatever it is."""
        turns = Turns(self.schedules, self.run, lambda: scheduler.timings, self.clock, owner="the service")
        dispatcher = TaskDispatcher(turns.take, at_once=at_once)
        scheduler = Scheduler(
            self._accounts, self.schedules, turns, dispatcher, self.leases, self._worst, self.clock
        )  # fmt: skip
        task = asyncio.create_task(scheduler.run(), name="schedule")
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            await dispatcher.drain(0)

    async def run(self, account: str) -> Ran:
        """Reconcile one account, and repair what can be proven."""
        spent = _Spent()
        key = self._keys[account]
        exchange = Heeded(
            KrakenExchange(
                key=key.key, secret=key.secret, clock=self.clock, tier="pro", http=self._http, calls=spent.note
            )
        )
        began = self.clock.now()
        async with held(self.leases, account, owner="the service", clock=self.clock) as lease:
            report = await reconcile(
                Sources(account, exchange, self.book, self.clock),
                self.desk.store,
                policy=self.policy,
                since=began - LOOKBACK,
                repairing=Repairing(
                    mode=Mode.ENFORCE, adjustments=self.adjustments, desk=self.desk, token=lease.token
                ),
            )  # fmt: skip
        await exchange.close()
        await self._seen(report, began, spent.calls)
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
