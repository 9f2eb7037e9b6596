"""What the database takes is told statement by statement, on both engines, and nothing of what was asked."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncEngine

from gal_friday.adapters.clock import SteppedClock
from gal_friday.adapters.sql.engine import reading, writing
from gal_friday.adapters.sql.timing import kind_of, timed
from gal_friday.ports.errors import StoreFailed

TOOK = 0.25
Listen = Callable[[], list[tuple[str, float]]]


@pytest.fixture
async def listen(engine: AsyncEngine) -> Listen:
    """Give what begins to listen to a database that takes a quarter of a second for each statement."""
    async with writing(engine, StoreFailed) as connection:
        await connection.execute(text("CREATE TABLE held (n INTEGER PRIMARY KEY)"))

    def listening() -> list[tuple[str, float]]:
        clock, told = SteppedClock(), list[tuple[str, float]]()
        timed(engine, clock, lambda kind, seconds: told.append((kind, seconds)))

        @event.listens_for(engine.sync_engine, "before_cursor_execute")
        def takes(*_: Any) -> None:
            clock.advance(TOOK)

        return told

    return listening


async def test_a_read_is_told_with_the_seconds_that_it_took(engine: AsyncEngine, listen: Listen) -> None:
    told = listen()
    async with reading(engine, StoreFailed) as connection:
        await connection.execute(text("SELECT n FROM held"))
    assert told == [("read", TOOK)]


async def test_waiting_for_the_lock_of_sqlite_is_part_of_a_write(engine: AsyncEngine, listen: Listen) -> None:
    told = listen()
    async with writing(engine, StoreFailed) as connection:
        await connection.execute(text("INSERT INTO held VALUES (1)"))
    assert told == [("write", TOOK)] * (2 if engine.dialect.name == "sqlite" else 1)


async def test_a_statement_that_fails_is_not_told_and_the_next_one_is(engine: AsyncEngine, listen: Listen) -> None:
    told = listen()
    with pytest.raises(StoreFailed):
        async with reading(engine, StoreFailed) as connection:
            await connection.execute(text("SELECT n FROM nothing_of_this_name"))
    assert told == []
    async with reading(engine, StoreFailed) as connection:
        await connection.execute(text("SELECT n FROM held"))
    assert told == [("read", TOOK)]


@pytest.mark.parametrize(
    "statement, kind",
    [
        ("SELECT 1", "read"),
        ("\n  select\n1", "read"),
        ("WITH a AS (SELECT 1) SELECT * FROM a", "read"),
        ("INSERT INTO held VALUES (1)", "write"),
        ("UPDATE held SET n = 2", "write"),
        ("DELETE FROM held", "write"),
        ("BEGIN IMMEDIATE", "write"),
        ("BEGIN", None),
        ("PRAGMA journal_mode", None),
        ("CREATE TABLE a (n INTEGER)", None),
        ("", None),
    ],
)
def test_what_does_neither_is_no_kind(statement: str, kind: str | None) -> None:
    assert kind_of(statement) == kind
