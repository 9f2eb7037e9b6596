"""What every keeper of leases promises (I13), held against memory, SQLite and PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gal_friday.adapters.clock import SteppedClock
from gal_friday.adapters.sql import open_engine, upgrade
from gal_friday.adapters.store.leases import MemoryLeases, SqlLeases
from gal_friday.ports.leases import Lease
from tests.postgres.databases import POSTGRESQL, Databases

AnyLeases = MemoryLeases | SqlLeases
T0 = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock(T0)


@pytest.fixture(params=["memory", "sqlite", POSTGRESQL])
async def leases(
    request: pytest.FixtureRequest, tmp_path: Path, databases: Databases, clock: SteppedClock
) -> AsyncIterator[AnyLeases]:
    if request.param == "memory":
        yield MemoryLeases(clock=clock)
        return
    async with AsyncExitStack() as stack:
        if request.param == "sqlite":
            engine = open_engine(f"sqlite+aiosqlite:///{tmp_path / 'leases.db'}")
            await upgrade(engine)
        else:
            engine = open_engine(await stack.enter_async_context(databases.fresh(tables=True)))
        yield SqlLeases(engine, clock=clock)
        await engine.dispose()


async def taken(leases: AnyLeases, owner: str = "a", account: str = "main") -> Lease:
    lease = await leases.acquire(account, owner=owner, seconds=60)
    assert lease is not None
    return lease


async def test_an_account_has_one_lease_at_a_time(leases: AnyLeases) -> None:  # I13
    lease = await taken(leases)
    assert await leases.acquire("main", owner="b", seconds=60) is None
    assert await leases.acquire("main", owner="a", seconds=60) is None
    assert await leases.holder("main") == lease


async def test_accounts_do_not_wait_for_each_other(leases: AnyLeases) -> None:
    await taken(leases)
    assert (await taken(leases, account="other")).account == "other"


async def test_a_lease_that_was_given_back_can_be_taken(leases: AnyLeases) -> None:
    lease = await taken(leases)
    await leases.release(lease)
    assert await leases.holder("main") is None
    assert (await taken(leases, "b")).token > lease.token


@pytest.mark.parametrize("seconds, free", [(59.9, False), (60, True)])
async def test_a_lease_ends_by_itself(leases: AnyLeases, clock: SteppedClock, seconds: float, free: bool) -> None:
    await taken(leases)
    clock.advance(seconds)
    assert (await leases.acquire("main", owner="b", seconds=60) is not None) is free


async def test_tokens_only_grow(leases: AnyLeases, clock: SteppedClock) -> None:
    tokens = []
    for _ in range(4):
        tokens.append((await taken(leases)).token)
        clock.advance(61)
    assert tokens == sorted(set(tokens))


async def test_who_was_paused_for_too_long_cannot_renew(leases: AnyLeases, clock: SteppedClock) -> None:
    paused = await taken(leases)
    clock.advance(61)
    other = await taken(leases, "b")
    assert await leases.renew(paused, seconds=60) is None
    await leases.release(paused)
    assert await leases.holder("main") == other


async def test_a_renewed_lease_lasts_longer_under_the_same_token(leases: AnyLeases, clock: SteppedClock) -> None:
    lease = await taken(leases)
    clock.advance(50)
    renewed = await leases.renew(lease, seconds=60)
    assert renewed is not None
    assert renewed.token == lease.token
    clock.advance(50)
    assert await leases.acquire("main", owner="b", seconds=60) is None


async def test_of_many_who_ask_at_once_one_gets_it(leases: AnyLeases) -> None:
    asked = await asyncio.gather(*(leases.acquire("main", owner=str(n), seconds=60) for n in range(8)))
    assert len([lease for lease in asked if lease is not None]) == 1
