"""Alerts beside a day of faults: two processes look and deliver, channels refuse and hang, discrepancies come and go.

What must be true of all that was heard is said by ``Watching.wrong``; what still holds after so long and has no alert
is counted while the day goes on.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from random import Random  # noqa: TID251 - only random.Random(seed)

from msgspec.structs import replace

from gal_friday.adapters.alerts import MemoryAlerts, MemoryWatched
from gal_friday.adapters.book_sql import MemoryAdjustments, MemoryBook
from gal_friday.adapters.store import MemoryReviews, MemoryStore
from gal_friday.domain.alert import Notice, What
from gal_friday.domain.alert_groups import grouped
from gal_friday.domain.conditions import Limits
from gal_friday.domain.facts import Actor, KnownBy
from gal_friday.domain.routing import Route
from gal_friday.flows.alert import Watch, acknowledge, conditions
from gal_friday.flows.review import Desk
from gal_friday.ports.alerts import DeliveryState, Undelivered
from gal_friday.service.tell import Pace, Teller
from tests.contracts.test_store_contract import T0 as FIRST
from tests.contracts.test_store_contract import report, run
from tests.flows.alert_worlds import Heard
from tests.service.test_scheduler import World

PACE = Pace(forget=3_600, deadline=15)
_ENOUGH = timedelta(minutes=1)
"""So long something may hold before it must have an alert: a tick and what belongs together."""
_CAROL = Actor("carol", KnownBy.SELF_DECLARED)
_NAMES = ("ops", "boss")


class Unsteady(Heard):
    """A channel that refuses, or hangs as long as an attempt may take: on time made by hand no deadline ends it."""

    async def send(self, notice: Notice) -> None:
        if not self.hangs.is_set():
            assert self.clock is not None
            await self.clock.sleep(PACE.deadline)
            raise Undelivered("no answer")
        await super().send(notice)


class Watching:
    """Two processes that watch a world, and the channels of each."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.alerts, self.store = MemoryAlerts(), MemoryStore()
        self.watch = Watch(
            desk=Desk(self.store, MemoryReviews(), world.clock),
            adjustments=MemoryAdjustments(MemoryBook(clock=world.clock), clock=world.clock),
            schedules=world.schedules,
            alerts=self.alerts,
            watched=MemoryWatched(),
            accounts={one.name: one.exchange for one in world.accounts},
            routes=(Route(channel="ops"), Route(channel="boss", only_escalated=True)),
            limits=Limits(late_after=timedelta(minutes=5)),
            begun=world.clock.now(),
        )
        self.channels = [[Unsteady(name) for name in _NAMES] for _ in range(2)]
        for one in self._every():
            one.clock = world.clock
        self.differing: dict[str, int] = {}
        self.untold: list[str] = []
        self.most = 0
        self._held: dict[str, datetime] = {}

    @asynccontextmanager
    async def telling(self) -> AsyncIterator[None]:
        """Look and deliver for as long as the block runs, from two processes."""
        tellers = [Teller(self.watch, channels, pace=PACE) for channels in self.channels]
        tasks = [asyncio.create_task(one.run()) for one in tellers]
        try:
            yield
        finally:
            for teller, task in zip(tellers, tasks, strict=True):
                await teller.drain(task, 1)

    async def strike(self, chance: Random) -> None:
        """Let the faults of channels change, a discrepancy come or go, and somebody take something on."""
        for one in self._every():
            one.hangs.set()
            one.refuses = chance.choice([0, 0, 0, 2, 40])
        if chance.random() < 0.2:
            chance.choice(self.channels[0]).hangs.clear()
        await self._differ(chance.choice(self.world.accounts).name)
        told = [one for one in await self.alerts.alerts() if one.told is not None and one.acknowledged_by is None]
        if told and chance.random() < 0.3:
            await acknowledge(self.watch, chance.choice(told).id, _CAROL)

    async def calm(self) -> None:
        """End every fault there is."""
        for one in self._every():
            one.hangs.set()
            one.refuses = 0
        for account in [name for name, count in self.differing.items() if count % 2]:
            await self._differ(account)

    async def check(self) -> None:
        """Note what holds for a while and has no alert, and how long the outbox is."""
        now = self.world.clock.now()
        groups = {group.id: group for group in grouped(await conditions(self.watch))}
        self._held = {name: self._held.get(name, now) for name in groups}
        standing = await self.alerts.standing(groups)
        for name, since in self._held.items():
            one = standing.get(name)
            if now - since > _ENOUGH and (one is None or not one.is_open or not (one.told or one.muted)):
                self.untold.append(f"{groups[name].kind} of {groups[name].account} at {now}")
        self.most = max(self.most, len(await self.alerts.outbox(limit=100_000)))

    @property
    def heard(self) -> Sequence[tuple[str, str, int, What]]:
        """Return channel, episode, number and meaning of everything that was heard, in the order of hearing."""
        every = [(at, one.name, notice) for one in self._every() for at, notice in one.heard]
        every.sort(key=lambda one: one[0])
        return [(name, notice.incident, notice.number, notice.what) for _, name, notice in every]

    async def wrong(self) -> list[str]:
        """Return what must not be, in words, once everything is calm again."""
        wrong = [*self.untold, *(f"left open: {one.kind} {one.account}" for one in await self.alerts.alerts())]
        waiting = await self.alerts.outbox(states=[DeliveryState.WAITING, DeliveryState.GIVEN_UP])
        wrong += [f"not told: {one.notice.key} to {one.channel}, {one.state}" for one in waiting]
        episodes: dict[tuple[str, str], list[tuple[int, What]]] = {}
        for channel, incident, number, what in self.heard:
            episodes.setdefault((channel, incident), []).append((number, what))
        for key, told in episodes.items():
            numbers, whats = [number for number, _ in told], [what for _, what in told]
            if numbers != sorted(set(numbers)):
                wrong.append(f"twice or out of order: {key} {told}")
            if whats[-1] is not What.RESOLVED or whats.count(What.RESOLVED) != 1:
                wrong.append(f"not over, or over more than once: {key} {told}")
            if whats.count(What.FIRING) > 1 or whats.count(What.ESCALATED) > 1 + whats.count(What.GREW):
                wrong.append(f"told again without a reason: {key} {told}")
        return wrong

    async def _differ(self, account: str) -> None:
        """Let a balance of the account differ, or agree again."""
        count = self.differing[account] = self.differing.get(account, 0) + 1
        minute = int((self.world.clock.now() - FIRST).total_seconds() // 60)
        name, differs = f"rec_{account}_{count}", bool(count % 2)
        known = await self.store.open_discrepancies(account)
        carried = run(*known, at=minute, account=account, finding="differs" if differs else "agrees")
        # Another one every time: what cleared once comes back under an id of its own.
        carried = replace(carried, opened=tuple(replace(one, id=f"dis_{account}_{count}") for one in carried.opened))
        await self.store.save_report(report(name, minute=minute, account=account, differs=differs), carried)

    def _every(self) -> list[Unsteady]:
        return [one for some in self.channels for one in some]
