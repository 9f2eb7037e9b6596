"""One run per account at a time (I13): held while it runs, given back however it ends, and no good once it was lost."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from gal_friday.adapters.clock import SteppedClock
from gal_friday.adapters.sql import open_engine, upgrade
from gal_friday.adapters.sql.tables import LEASES
from gal_friday.adapters.store.leases import MemoryLeases, SqlLeases
from gal_friday.domain.verdict import Verdict
from gal_friday.flows.lease import LASTS_SECONDS, held
from gal_friday.ports.errors import AccountBusy, StoreFailed
from gal_friday.ports.leases import Lease
from tests.flows.test_repairs import account
from tests.postgres.databases import POSTGRESQL, Databases

T0 = datetime(2026, 1, 31, 12, tzinfo=UTC)


class Standing(SteppedClock):
    """A clock on which nobody's sleep ends, unless a test lets it."""

    def __init__(self) -> None:
        super().__init__(T0)
        self.asleep = asyncio.Event()
        self.wake = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        """Wait until somebody wakes whoever sleeps, and let that time have passed."""
        self.asleep.set()
        await self.wake.wait()
        self.wake.clear()
        self.advance(seconds)

    async def next(self) -> None:
        """End one sleep, and return when the next has begun."""
        await self.asleep.wait()
        self.asleep.clear()
        self.wake.set()
        await self.asleep.wait()


@pytest.fixture
def clock() -> Standing:
    return Standing()


@pytest.fixture(params=["memory", "sqlite"])
async def leases(request: pytest.FixtureRequest, tmp_path: Path, clock: Standing) -> AsyncIterator[Any]:
    if request.param == "memory":
        yield MemoryLeases(clock=clock)
        return
    engine = open_engine(f"sqlite+aiosqlite:///{tmp_path / 'leases.db'}")
    await upgrade(engine)
    yield SqlLeases(engine, clock=clock)
    await engine.dispose()


async def test_who_comes_second_is_told_who_works_and_until_when(leases: Any, clock: Standing) -> None:
    async with held(leases, "main", owner="process 7 on anna", clock=clock):
        with pytest.raises(AccountBusy, match=r"by process 7 on anna, at the latest until 2026-01-31 12:01:00 UTC"):
            async with held(leases, "main", owner="b", clock=clock):
                pytest.fail("the account was taken")
        async with held(leases, "other", owner="b", clock=clock) as other:
            assert other.account == "other"
    async with held(leases, "main", owner="b", clock=clock) as lease:
        assert lease.owner == "b"


async def test_it_is_given_back_when_the_run_fails(leases: Any, clock: Standing) -> None:
    with pytest.raises(ZeroDivisionError):
        async with held(leases, "main", owner="a", clock=clock):
            raise ZeroDivisionError
    assert await leases.holder("main") is None


async def test_it_is_given_back_when_the_run_is_cancelled(leases: Any, clock: Standing) -> None:
    inside = asyncio.Event()

    async def run() -> None:
        async with held(leases, "main", owner="a", clock=clock):
            inside.set()
            await asyncio.Event().wait()

    running = asyncio.create_task(run())
    await inside.wait()
    assert await leases.holder("main") is not None
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert await leases.holder("main") is None


async def test_it_is_kept_alive_for_as_long_as_the_run_takes(leases: Any, clock: Standing) -> None:
    async with held(leases, "main", owner="a", clock=clock) as lease:
        for _ in range(6):
            await clock.next()
        assert clock.now() - T0 > timedelta(seconds=LASTS_SECONDS)
        last = await leases.holder("main")
        assert last is not None
        assert (last.token, last.owner) == (lease.token, "a")
    assert await leases.holder("main") is None


async def test_one_whose_process_was_killed_ends_by_itself(leases: Any, clock: Standing) -> None:
    killed = await leases.acquire("main", owner="a", seconds=LASTS_SECONDS)
    clock.advance(LASTS_SECONDS - 1)
    with pytest.raises(AccountBusy):
        async with held(leases, "main", owner="b", clock=clock):
            pytest.fail("the account was taken")
    clock.advance(1)
    async with held(leases, "main", owner="b", clock=clock) as lease:
        assert lease.token > killed.token


async def test_who_lost_it_does_not_give_back_what_somebody_else_holds(leases: Any, clock: Standing) -> None:
    async with held(leases, "main", owner="a", clock=clock):
        clock.advance(LASTS_SECONDS)
        other = await leases.acquire("main", owner="b", seconds=LASTS_SECONDS)
    assert await leases.holder("main") == other


class Broken(MemoryLeases):
    """Leases of a database that fails once it has given one."""

    async def renew(self, lease: Lease, *, seconds: int) -> Lease | None:
        raise StoreFailed("the server went away")

    async def release(self, lease: Lease) -> None:
        raise StoreFailed("the server went away")


async def test_a_database_that_fails_meanwhile_does_not_end_the_run(clock: Standing) -> None:
    async with held(Broken(clock=clock), "main", owner="a", clock=clock) as lease:
        await clock.next()
        await clock.next()
    assert lease.token == 1


@pytest.mark.parametrize("kind", ["sqlite", POSTGRESQL])
async def test_a_run_that_lost_its_lease_posts_nothing_and_says_so(
    kind: str, tmp_path: Path, databases: Databases
) -> None:
    async with account(kind, tmp_path, databases) as world:
        await world.write(lacking=(world.missed.fill_id,))
        before = await world.content()
        engine = world.desk.store._engine  # type: ignore[attr-defined]
        leases = SqlLeases(engine, clock=world.clock)
        lease = await leases.acquire("main", owner="a", seconds=LASTS_SECONDS)
        assert lease is not None

        class Paused:
            """Adjustments of a run that is paused before it posts, while somebody else takes the account over."""

            def __getattr__(self, name: str) -> Any:
                return getattr(world.adjustments, name)

            async def apply(self, name: str, *, token: int | None) -> Any:
                async with engine.begin() as connection:
                    await connection.execute(update(LEASES).values(token=LEASES.c.token + 1, owner="b"))
                return await world.adjustments.apply(name, token=token)

        report = await world.run(adjustments=Paused(), token=lease.token)
        assert [one for one in report.error_messages if one.startswith("repairs were stopped: ")]
        assert (report.auto_corrections, await world.content()) == ((), before)
        await world.run(token=lease.token + 1)
        assert await world.totals() == await world.real()
        assert (await world.run(token=lease.token + 1)).verdict is Verdict.RECONCILED
        assert await world.states() == {"verified": 1}
