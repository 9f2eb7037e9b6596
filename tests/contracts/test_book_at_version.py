"""A book read as it was at a version is the snapshot that was taken then: in memory, SQLite and PostgreSQL."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from gal_friday.adapters.book_sql import MemoryBook, SqlBook
from gal_friday.adapters.clock import SteppedClock
from gal_friday.adapters.simulated.day import trading_day
from gal_friday.adapters.sql import open_engine, upgrade
from gal_friday.bootstrap.demo_book import book_of
from gal_friday.domain.snapshot import Scales
from gal_friday.ports.errors import BookFailed
from tests.postgres.databases import POSTGRESQL, Databases

CLOCK = SteppedClock()


@pytest.fixture(params=["memory", "sqlite", POSTGRESQL])
async def book(
    request: pytest.FixtureRequest, tmp_path: Path, databases: Databases
) -> AsyncIterator[MemoryBook | SqlBook]:
    if request.param == "memory":
        yield MemoryBook(clock=CLOCK)
        return
    async with AsyncExitStack() as stack:
        if request.param == "sqlite":
            engine = open_engine(f"sqlite+aiosqlite:///{tmp_path / 'book.db'}")
            await upgrade(engine)
        else:
            engine = open_engine(await stack.enter_async_context(databases.fresh(tables=True)))
        yield SqlBook(engine, clock=CLOCK)
        await engine.dispose()


async def test_every_version_is_read_again_as_it_was(book: MemoryBook | SqlBook) -> None:
    written = book_of(trading_day(CLOCK.now(), orders=40))
    since, taken = CLOCK.now() - timedelta(days=2), []
    for part in ({}, {"movements": written.movements[:9]}, {"fills": written.fills}, {"orders": written.orders}):
        await book.append(account="main", exchange="kraken", **part)
        taken.append(await book.snapshot(account="main", since=since, scales=Scales()))
    assert len({snapshot.version for snapshot in taken}) == 4
    for snapshot in taken:
        again = await book.snapshot(account="main", since=since, scales=Scales(), version=snapshot.version)
        assert replace(again, as_of=snapshot.as_of) == snapshot


@pytest.mark.parametrize("version", ["99", "-1", "x", ""])
async def test_a_version_that_a_book_never_had_is_refused(book: MemoryBook | SqlBook, version: str) -> None:
    await book.append(account="main", exchange="kraken")
    with pytest.raises(BookFailed, match="never had version"):
        await book.snapshot(account="main", since=CLOCK.now(), scales=Scales(), version=version)
