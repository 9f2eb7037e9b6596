"""Several programs on one database: no write is lost, versions only grow, and who reads sees one state."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from gal_friday.adapters.book_sql import SqlBook
from gal_friday.adapters.clock import SteppedClock
from gal_friday.adapters.sql import open_engine, upgrade
from gal_friday.adapters.sql.engine import reading, writing
from gal_friday.domain.assets import Asset, Wallet
from gal_friday.domain.records import Movement
from gal_friday.domain.snapshot import Scales
from gal_friday.ports.errors import BookFailed

T0 = datetime(2026, 1, 31, 12, tzinfo=UTC)
CALLS = 12


@pytest.fixture
async def engines(address: str) -> AsyncIterator[tuple[AsyncEngine, AsyncEngine]]:
    """Give two engines on one database with all tables, as two programs have them."""
    one, other = open_engine(address), open_engine(address)
    await upgrade(one)
    yield one, other
    await one.dispose()
    await other.dispose()


def movement(name: str) -> Movement:
    return Movement(name, "deposit", Asset("BTC"), Wallet.SPOT, Decimal("0.00000001"), T0)


async def append(engine: AsyncEngine, *names: str, account: str = "main") -> int:
    book = SqlBook(engine, clock=SteppedClock(T0))
    movements = [movement(name) for name in names]
    return (await book.append(account=account, exchange="kraken", movements=movements)).version


async def kept(engine: AsyncEngine) -> tuple[list[str], str | None]:
    snapshot = await SqlBook(engine, clock=SteppedClock(T0)).snapshot(account="main", since=T0, scales=Scales())
    return [row.movement_id for row in snapshot.movements], snapshot.version


async def one_after_another(engine: AsyncEngine, name: str) -> list[int]:
    return [await append(engine, f"{name}{number}") for number in range(CALLS)]


async def test_two_programs_that_write_one_book_lose_nothing_and_its_version_only_grows(
    engines: tuple[AsyncEngine, AsyncEngine],
) -> None:
    versions = await asyncio.gather(one_after_another(engines[0], "A"), one_after_another(engines[1], "B"))
    assert sorted(versions[0] + versions[1]) == list(range(1, 2 * CALLS + 1))
    assert [sorted(one) == one for one in versions] == [True, True]
    ids, version = await kept(engines[0])
    assert sorted(ids) == sorted(f"{name}{number}" for name in "AB" for number in range(CALLS))
    assert version == str(2 * CALLS)


async def test_two_programs_that_deliver_the_same_keep_it_once(engines: tuple[AsyncEngine, AsyncEngine]) -> None:
    await asyncio.gather(*(one_after_another(engine, "A") for engine in engines))
    ids, version = await kept(engines[1])
    assert sorted(ids) == sorted(f"A{number}" for number in range(CALLS))
    assert version == str(CALLS)


async def test_two_programs_that_begin_one_book_begin_it_once(engines: tuple[AsyncEngine, AsyncEngine]) -> None:
    calls = [append(engine, f"{number}") for number, engine in enumerate(engines * 3)]
    assert sorted(await asyncio.gather(*calls)) == [1, 2, 3, 4, 5, 6]


async def test_who_reads_does_not_wait_for_who_writes_and_sees_nothing_of_it_before_its_end(
    engines: tuple[AsyncEngine, AsyncEngine],
) -> None:
    await append(engines[0], "A")
    async with writing(engines[0], BookFailed) as connection:
        await connection.execute(text("UPDATE books SET version = 7"))
        assert await kept(engines[1]) == (["A"], "1")
    assert await kept(engines[1]) == (["A"], "7")


async def test_who_reads_sees_one_state_from_first_to_last(engines: tuple[AsyncEngine, AsyncEngine]) -> None:
    question = text("SELECT count(*), max(version) FROM books")
    async with reading(engines[0], BookFailed) as connection:
        before = (await connection.execute(question)).one()
        await append(engines[1], "A", account="other")
        assert (await connection.execute(question)).one() == before
    async with reading(engines[0], BookFailed) as connection:
        assert (await connection.execute(question)).one() != before


async def test_who_reads_writes_nothing_on_a_server(engines: tuple[AsyncEngine, AsyncEngine]) -> None:
    async def write() -> None:
        async with reading(engines[0], BookFailed) as connection:
            await connection.execute(text("DELETE FROM books"))

    if engines[0].dialect.name == "postgresql":
        with pytest.raises(BookFailed, match="may only be read"):
            await write()


async def test_a_write_that_fails_in_the_middle_leaves_nothing(engines: tuple[AsyncEngine, AsyncEngine]) -> None:
    await append(engines[0], "A")

    async def fail() -> None:
        async with writing(engines[0], BookFailed) as connection:
            await connection.execute(text("UPDATE books SET version = 7"))
            raise KeyError("ours")

    with pytest.raises(KeyError):
        await fail()
    assert await kept(engines[1]) == (["A"], "1")
    assert await append(engines[1], "B") == 2


async def test_what_was_read_in_a_write_is_still_true_when_it_writes(engines: tuple[AsyncEngine, AsyncEngine]) -> None:
    await append(engines[0], "A")

    async def one_more(engine: AsyncEngine) -> None:
        async with writing(engine, BookFailed) as connection:
            lock = " FOR UPDATE" if engine.dialect.name == "postgresql" else ""
            version = (await connection.execute(text(f"SELECT version FROM books{lock}"))).scalar_one()
            await asyncio.sleep(0)
            await connection.execute(text("UPDATE books SET version = :next"), {"next": version + 1})

    await asyncio.gather(*(one_more(engine) for engine in engines * 4))
    assert (await kept(engines[0]))[1] == "9"
