"""Accounts that are looked after: on time, one at a time, whatever fails, stops or is killed. Time is made by hand."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from gal_friday.adapters.clock import SteppedClock
from gal_friday.adapters.dispatch import TaskDispatcher
from gal_friday.adapters.schedule import MemorySchedules
from gal_friday.adapters.store.leases import MemoryLeases
from gal_friday.domain.facts import Actor, FactKind, KnownBy
from gal_friday.domain.materiality import Severity
from gal_friday.domain.report import ReconciliationReport, compare
from gal_friday.domain.schedule import Obstacle, Planned, Step, Timing, Why, paused
from gal_friday.domain.snapshot import Snapshot
from gal_friday.flows.lease import held
from gal_friday.ports.errors import AccountBusy, BookFailed, StoreFailed
from gal_friday.service import turns
from gal_friday.service.accounts import Account
from gal_friday.service.scheduler import Scheduler
from gal_friday.service.turns import Ran, Turns
from tests.domain.build import ALL

T0 = datetime(2026, 3, 1, tzinfo=UTC)
MINUTE = Timing(interval=timedelta(minutes=1), jitter_percent=0)
_ROUNDS = 25


def _report(account: str, at: datetime) -> ReconciliationReport:
    sides = [
        Snapshot(side=side, account=account, exchange="kraken", as_of=at, coverage=ALL)
        for side in ("internal", "exchange")
    ]
    return compare(*sides)


class World:
    """Accounts, what their runs come to, and the processes that look after them."""

    def __init__(self, *names: str, timing: Timing = MINUTE, points_per_hour: int | None = None) -> None:
        self.clock = SteppedClock(T0, auto=False)
        self.accounts = [
            Account(name=name, exchange="kraken", timing=timing, points_per_hour=points_per_hour) for name in names
        ]
        self.schedules, self.leases = MemorySchedules(), MemoryLeases(clock=self.clock)
        self.runs: list[tuple[str, datetime]] = []
        self.seconds = 2.0
        self.spent = 0
        self.fails: dict[str, Exception] = {}
        self.obstacles: dict[str, tuple[Obstacle, datetime | None]] = {}
        self.under_way: set[str] = set()
        self.worst: dict[str, Severity] = {}

    async def run(self, account: str, owner: str = "p") -> Ran:
        """Take so many seconds; two of one account at once are what must never be."""
        async with held(self.leases, account, owner=owner, clock=self.clock):
            assert account not in self.under_way, "I13"
            self.under_way.add(account)
            try:
                self.runs.append((account, self.clock.now()))
                await self.clock.sleep(self.seconds)
            finally:
                self.under_way.discard(account)
        if account in self.fails:
            raise self.fails[account]
        obstacle, until = self.obstacles.get(account, (None, None))
        report = _report(account, self.clock.now())
        return Ran(report=report, obstacle=obstacle, until=until, spent=self.spent)

    @asynccontextmanager
    async def process(self, owner: str = "p", *, at_once: int = 4) -> AsyncIterator[Scheduler]:
        """Look after the accounts for as long as the block runs, then be gone as if killed."""

        async def worst() -> Mapping[str, Severity]:
            return self.worst

        turns = Turns(
            self.schedules, lambda name: self.run(name, owner), lambda: scheduler.timings, self.clock, owner=owner
        )
        dispatcher = TaskDispatcher(turns.take, at_once=at_once)
        scheduler = Scheduler(self.accounts, self.schedules, turns, dispatcher, self.leases, worst, self.clock)
        task = asyncio.create_task(scheduler.run())
        try:
            yield scheduler
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            await dispatcher.drain(0)

    async def until(self, seconds: float) -> None:
        """Let time pass, half a second after the other; in each everybody does what there is to do."""
        for _ in range(round(seconds * 2)):
            self.clock.advance(0.5)
            for _ in range(_ROUNDS):
                await asyncio.sleep(0)

    async def planned(self, account: str = "main") -> Planned:
        found = await self.schedules.one(account)
        assert found is not None
        return found

    def times(self, account: str = "main") -> list[float]:
        """Return at which seconds the account was run."""
        return [(at - T0).total_seconds() for name, at in self.runs if name == account]

    def told(self, kind: FactKind) -> list[str]:
        """Return the reasons that facts of this kind gave."""
        return [str(fact.body.get("reason", "")) for fact in self.schedules.told if fact.kind == kind]


async def test_an_account_is_run_at_the_start_and_then_every_interval() -> None:
    world = World("main")
    async with world.process():
        await world.until(200)
    assert [round(at / 60) for at in world.times()] == [0, 1, 2, 3]
    assert world.told(FactKind.RUN_SKIPPED) == []


async def test_every_one_of_many_accounts_is_run_in_time() -> None:
    names = [f"a{n}" for n in range(60)]
    world = World(*names, timing=replace(MINUTE, late_after=timedelta(minutes=5)))
    async with world.process():
        await world.until(300)
    assert {len(world.times(name)) for name in names} <= {5, 6}
    assert world.told(FactKind.RUN_SKIPPED) == []


async def test_no_more_are_run_at_once_than_allowed() -> None:
    world, most = World(*(f"a{n}" for n in range(9))), 0
    async with world.process(at_once=3):
        for _ in range(40):
            most = max(most, len(world.under_way))
            await world.until(0.5)
    assert most == 3


async def test_the_riskiest_account_is_run_first_where_there_is_room_for_one() -> None:
    world = World("a", "b", "c")
    world.worst = {"c": Severity.CRITICAL, "b": Severity.LOW}
    async with world.process(at_once=1):
        await world.until(20)
    assert [name for name, _ in world.runs[:3]] == ["c", "b", "a"]


async def test_a_mark_makes_an_account_run_at_once() -> None:
    world = World("main")
    async with world.process() as scheduler:
        await world.until(10)
        await scheduler._turns.mark("main", Why.STREAM)
        scheduler.wake()
        await world.until(10)
    assert [round(at) for at in world.times()] == [0, 10]


async def test_a_mark_during_a_run_makes_another_one_follow() -> None:
    world = World("main")
    async with world.process() as scheduler:
        await world.until(1)
        await scheduler._turns.mark("main", Why.STREAM)
        await world.until(8)
    assert len(world.times()) == 2


async def test_two_processes_never_run_one_account_at_once() -> None:  # I13
    names = [f"a{n}" for n in range(10)]
    world = World(*names)
    async with world.process("p"), world.process("q"):
        await world.until(300)
    assert {len(world.times(name)) for name in names} <= {5, 6}


async def test_a_restart_goes_on_where_the_last_process_was() -> None:
    world = World("main")
    async with world.process():
        await world.until(70)
    before = await world.planned()
    async with world.process("q"):
        await world.until(70)
    after = await world.planned()
    assert after.revision > before.revision
    assert len(world.times()) >= 4


async def test_a_run_that_was_stopped_with_the_service_is_done_again() -> None:
    world = World("main")
    world.seconds = 30
    async with world.process():
        await world.until(5)
    assert (await world.planned()).begun is None
    assert "the service stopped during the run" in world.told(FactKind.RUN_SKIPPED)[0]
    async with world.process("q"):
        await world.until(50)
    assert (await world.planned()).last_report


async def test_a_run_that_is_interrupted_ends_in_time_though_nothing_can_be_written_down(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(turns, "_LAST_WORD_SECONDS", 0.01)
    world = World("main")
    world.seconds = 30
    async with asyncio.timeout(5), world.process():
        await world.until(5)
        monkeypatch.setattr(world.schedules, "one", lambda _: asyncio.Event().wait())
    monkeypatch.undo()
    assert (await world.planned()).begun is not None


async def test_a_run_whose_process_was_killed_is_told_and_done_again() -> None:
    world = World("main")
    await world.schedules.save(Step(Planned(account="main", due=T0, begun=T0, owner="killed", last_begun=T0)))
    async with world.process():
        await world.until(60)
    assert "ended without a report" in world.told(FactKind.RUN_SKIPPED)[0]
    assert (await world.planned()).last_report


async def test_while_somebody_else_works_on_the_account_it_is_waited_for_and_no_failure() -> None:
    world = World("main")
    async with held(world.leases, "main", owner="a person", clock=world.clock), world.process():
        await world.until(20)
        assert (await world.planned()).failures == 0
    async with world.process("q"):
        await world.until(20)
    assert "is being reconciled already" in world.told(FactKind.RUN_SKIPPED)[0]
    assert (await world.planned()).last_report


@pytest.mark.parametrize("failure", [BookFailed("the file is gone"), RuntimeError("a mistake"), AccountBusy("x")])
async def test_one_account_that_fails_stops_no_other(failure: Exception) -> None:
    world = World("bad", "good")
    world.fails["bad"] = failure
    async with world.process():
        await world.until(200)
    assert len(world.times("good")) == 4
    assert (await world.planned("good")).failures == 0


async def test_failures_in_a_row_are_counted_and_waited_for_longer_each_time() -> None:
    world = World("main", timing=replace(MINUTE, interval=timedelta(hours=1)))
    world.fails["main"] = BookFailed("the file is gone")
    async with world.process():
        await world.until(600)
    waits = [round(b - a) for a, b in zip(world.times(), world.times()[1:], strict=False)]
    assert waits == sorted(waits)
    assert (await world.planned()).failures == len(world.times())
    assert 5 <= len(world.times()) <= 7


async def test_a_locked_key_is_left_alone_until_the_lock_ends() -> None:
    world = World("main")
    world.obstacles["main"] = (Obstacle.LOCKOUT, T0 + timedelta(minutes=20))
    async with world.process() as scheduler:
        await world.until(3)
        await scheduler._turns.mark("main", Why.REQUESTED)
        await world.until(1190)
        assert len(world.times()) == 1
        await world.until(10)
    assert len(world.times()) == 2


async def test_an_account_that_nobody_could_run_is_told_once_an_interval() -> None:
    world = World("main", timing=replace(MINUTE, late_after=timedelta(seconds=90)))
    async with held(world.leases, "other", owner="x", clock=world.clock), world.process(at_once=0):
        await world.until(600)
    assert world.told(FactKind.RUN_SKIPPED) == ["nobody ran it in time"]


async def test_a_paused_account_is_not_run_and_every_missed_run_is_told() -> None:
    world = World("main")
    async with world.process() as scheduler:
        await world.until(10)
        by = Actor("ann", KnownBy.SELF_DECLARED)
        await scheduler._turns.step("main", lambda one: paused(one, by, world.clock.now()))
        await world.until(180)
    assert len(world.times()) == 1
    assert world.told(FactKind.RUN_SKIPPED) == ["paused by ann"] * 3


async def test_a_key_with_a_small_budget_is_used_less_often_and_for_whole_reads() -> None:
    # 1,200 points an hour, of which a quarter is left: a run of 45 points fits every three minutes.
    world = World("main", points_per_hour=1200)
    world.spent = 45
    async with world.process():
        await world.until(900)
    # What a run costs is known once there was one.
    assert [round(at / 60) for at in world.times()] == [0, 1, 4, 7, 10, 13]


async def test_a_database_that_goes_away_is_waited_for() -> None:
    world = World("main")
    away = False

    class Flaky(MemorySchedules):
        async def due(self, now: datetime, *, limit: int) -> list[Planned]:
            if away:
                raise StoreFailed("the server is gone")
            return list(await super().due(now, limit=limit))

    world.schedules = Flaky()
    async with world.process():
        await world.until(30)
        away = True
        await world.until(120)
        away = False
        await world.until(30)
    assert len(world.times()) == 2
