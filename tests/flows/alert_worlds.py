"""A world in which something is wrong: reports, discrepancies, keys; and channels that keep what they hear."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

from msgspec.structs import replace

from gal_friday.adapters.alerts import MemoryAlerts, MemoryWatched
from gal_friday.adapters.book_sql import MemoryAdjustments, MemoryBook
from gal_friday.adapters.clock import SteppedClock
from gal_friday.adapters.journal import MemoryJournal
from gal_friday.adapters.schedule import MemorySchedules
from gal_friday.adapters.store import MemoryReviews, MemoryStore
from gal_friday.domain.alert import Notice
from gal_friday.domain.alerting import Rules
from gal_friday.domain.conditions import Limits
from gal_friday.domain.routing import Route
from gal_friday.domain.schedule import Planned, Step
from gal_friday.flows.alert import Watch, carry, conditions
from gal_friday.flows.review import Desk
from gal_friday.ports.alerts import Undelivered
from tests.contracts.test_store_contract import T0, report, run


class Heard:
    """A channel that keeps what it is told, once it is let."""

    def __init__(self, name: str = "ops") -> None:
        self.name = name
        self.heard: list[tuple[datetime, Notice]] = []
        self.refuses = 0
        self.hangs = asyncio.Event()
        self.hangs.set()
        self.clock: SteppedClock | None = None
        self.closed = False

    async def send(self, notice: Notice) -> None:
        await self.hangs.wait()
        if self.refuses:
            self.refuses -= 1
            raise Undelivered("the receiver is down")
        self.heard.append((self.clock.now() if self.clock is not None else notice.at, notice))

    async def close(self) -> None:
        self.closed = True

    @property
    def said(self) -> list[str]:
        return [f"{one.what.value} {one.kind.value}" for _, one in self.heard]


class World:
    """Accounts, what is known of them, and who watches."""

    def __init__(
        self,
        *accounts: str,
        routes: tuple[Route, ...] = (Route(channel="ops"),),
        rules: Rules = Rules(),  # noqa: B008 - a frozen value
        limits: Limits = Limits(),  # noqa: B008
    ) -> None:
        self.clock = SteppedClock(T0, auto=False)
        self.journal = MemoryJournal(self.clock)
        self.store, self.reviews = MemoryStore(self.journal.append), MemoryReviews(self.journal.append)
        self.schedules, self.watched = MemorySchedules(), MemoryWatched()
        self.alerts = MemoryAlerts(self.journal.append)
        names = accounts or ("main",)
        self.watch = Watch(
            desk=Desk(self.store, self.reviews, self.clock),
            adjustments=MemoryAdjustments(MemoryBook(clock=self.clock), clock=self.clock),
            schedules=self.schedules,
            alerts=self.alerts,
            watched=self.watched,
            accounts=dict.fromkeys(names, "kraken"),
            routes=routes,
            rules=rules,
            limits=limits,
            begun=T0,
        )

    def after(self, **span: float) -> None:
        self.clock.advance(timedelta(**span).total_seconds())

    async def look(self) -> list[str]:
        """Look once, and return what is told now."""
        known = {one.notice.key for one in await self.alerts.outbox(limit=1000)}
        await carry(self.watch, await conditions(self.watch))
        after = [one.notice for one in await self.alerts.outbox(limit=1000) if one.notice.key not in known]
        return sorted({f"{one.what.value} {one.kind.value} {one.account or one.exchange}" for one in after})

    async def told(self) -> list[str]:
        """Look, wait for what belongs together, look again, and return all that is told."""
        first = await self.look()
        self.after(seconds=1)
        return sorted(first + await self.look())

    async def plan(self, account: str = "main", **fields: object) -> None:
        known = await self.schedules.one(account) or Planned(account=account, due=T0 + timedelta(days=300))
        await self.schedules.save(Step(replace(known, **fields)))

    async def step(self, account: str, move: Callable[[Planned], Step | None]) -> None:
        """Move the schedule of an account on."""
        known = await self.schedules.one(account)
        assert known is not None
        step = move(known)
        assert step is not None
        await self.schedules.save(step)

    async def differs(self, account: str = "main", *, minute: int = 0) -> None:
        """Record a run in which a balance differs, critically."""
        made = report(f"rec_{account}_{minute}", minute=minute, account=account)
        await self.store.save_report(made, run(account=account, at=minute))
