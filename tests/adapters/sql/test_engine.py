"""Every connection to SQLite has the settings that durability and append-only tables rest on; each does its work."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from gal_friday.adapters.sql import open_engine, upgrade
from gal_friday.adapters.sql.engine import reading, writing
from gal_friday.ports.errors import StoreFailed

WAL, FULL, ON, FIVE_SECONDS = "wal", 2, 1, 5000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "book.db"


@pytest.fixture
async def engine(path: Path) -> AsyncIterator[AsyncEngine]:
    opened = open_engine(f"sqlite+aiosqlite:///{path}")
    await upgrade(opened)
    yield opened
    await opened.dispose()


async def write(engine: AsyncEngine, statement: str) -> None:
    async with writing(engine, StoreFailed) as connection:
        await connection.execute(text(statement))


def stranger(path: Path) -> sqlite3.Connection:
    """Return a connection of another program, which waits for nothing."""
    return sqlite3.connect(path, isolation_level=None, timeout=0)


@pytest.mark.parametrize(
    "pragma,value",
    [
        ("journal_mode", WAL),
        ("synchronous", FULL),
        ("foreign_keys", ON),
        ("recursive_triggers", ON),
        ("busy_timeout", FIVE_SECONDS),
    ],
)
async def test_every_connection_has_the_setting(engine: AsyncEngine, pragma: str, value: object) -> None:
    async with engine.connect() as first, engine.connect() as second, engine.connect() as third:
        for connection in (first, second, third):
            assert (await connection.exec_driver_sql(f"PRAGMA {pragma}")).scalar_one() == value


async def test_a_write_holds_the_lock_before_its_first_statement(engine: AsyncEngine, path: Path) -> None:
    with closing(stranger(path)) as other:
        async with writing(engine, StoreFailed):
            with pytest.raises(sqlite3.OperationalError, match="database is locked"):
                other.execute("BEGIN IMMEDIATE")
        other.execute("BEGIN IMMEDIATE")


async def test_a_read_holds_no_lock_that_a_write_waits_for(engine: AsyncEngine, path: Path) -> None:
    with closing(stranger(path)) as other:
        async with reading(engine, StoreFailed) as connection:
            await connection.execute(text("SELECT * FROM books"))
            other.execute("INSERT INTO books VALUES('main', 'kraken', 0, NULL, NULL)")


async def test_a_write_waits_for_the_lock_and_then_goes_on(engine: AsyncEngine, path: Path) -> None:
    insert = "INSERT INTO books VALUES('main', 'kraken', 0, NULL, NULL)"
    with closing(stranger(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        waiting = asyncio.create_task(write(engine, insert))
        done, _ = await asyncio.wait([waiting], timeout=0.2)
        assert done == set()
        other.execute("COMMIT")
        await waiting
    with closing(stranger(path)) as other:
        assert other.execute("SELECT account FROM books").fetchall() == [("main",)]


async def test_a_row_that_refers_to_nothing_is_refused(engine: AsyncEngine) -> None:
    with pytest.raises(StoreFailed, match="FOREIGN KEY constraint failed"):
        await write(engine, "INSERT INTO discrepancy_changes VALUES('c', 'none', 'm', 1, '2026', 'o', 's', '', 'r')")


async def test_replacing_a_row_is_removing_it_and_triggers_hear_of_it(engine: AsyncEngine) -> None:
    # This table has a trigger on removal and none on insertion: only recursive_triggers makes it hear of a replacement.
    columns = "'d', 'main', 'kraken', 'k', 't', 'suspected', 'low', '1', '1', '1', '1', '1', NULL, NULL, 1, 0, 1, '{}'"
    await write(engine, f"INSERT INTO discrepancies VALUES({columns})")
    with pytest.raises(StoreFailed, match="a discrepancy is never removed"):
        await write(engine, f"INSERT OR REPLACE INTO discrepancies VALUES({columns})")


async def test_many_programs_that_open_a_new_file_at_once_all_succeed(tmp_path: Path) -> None:
    engines = [open_engine(f"sqlite+aiosqlite:///{tmp_path / 'new.db'}") for _ in range(8)]
    await asyncio.gather(*(upgrade(engine) for engine in engines))
    for engine in engines:
        await write(engine, "INSERT INTO books SELECT 'a' || count(*), 'kraken', 0, NULL, NULL FROM books")
    with closing(stranger(tmp_path / "new.db")) as other:
        assert other.execute("SELECT count(*) FROM books").fetchone() == (8,)
    for engine in engines:
        await engine.dispose()
