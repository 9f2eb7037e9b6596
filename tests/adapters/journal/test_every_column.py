"""Every column of the first, a middle and the last entry and head is sealed, and so is the tail; on either database."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import Table, select, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gal_friday.adapters.journal import SigningKey, verify
from gal_friday.adapters.sql.engine import reading, writing
from gal_friday.adapters.sql.tables import JOURNAL_ENTRIES, JOURNAL_HEADS
from gal_friday.ports.errors import StoreFailed
from tests.adapters.journal.conftest import Append, fact

BATCHES, PER_BATCH = 5, 3
SIZE = 2 + BATCHES * PER_BATCH
ENTRIES, HEADS = (1, SIZE // 2, SIZE), (1, 3, BATCHES)
PLACES = [(JOURNAL_ENTRIES, number) for number in ENTRIES] + [(JOURNAL_HEADS, number) for number in HEADS]


@pytest.fixture
async def written(engine: AsyncEngine, append: Append) -> AsyncEngine:
    """Give a journal of some entries under several heads, without the triggers that guard it."""
    for batch in range(BATCHES):
        await append(*(fact(batch * PER_BATCH + number) for number in range(PER_BATCH)))
    async with writing(engine, StoreFailed) as connection:
        for statement in [one async for one in _unguarding(connection)]:
            await connection.execute(text(statement))
    return engine


async def _unguarding(connection: AsyncConnection) -> AsyncIterator[str]:
    """Yield what drops the triggers on the journal, as whoever owns the tables can."""
    if connection.dialect.name == "sqlite":
        found = await connection.execute(text("SELECT name FROM sqlite_schema WHERE type = 'trigger'"))
        for (name,) in found.all():
            yield f"DROP TRIGGER {name}"
    else:
        for table in (JOURNAL_ENTRIES, JOURNAL_HEADS):
            yield f"ALTER TABLE {table.name} DISABLE TRIGGER USER"


def altered(value: Any) -> Any:
    """Return something else of the same type: the last digit or letter is another one."""
    if isinstance(value, int):
        return value + 1_000
    last = "0" if value[-1:] != "0" else "1"
    return value[:-1] + last


def test_a_change_changes() -> None:
    assert [altered(each) for each in (7, "ab", "a0", "")] == [1_007, "a0", "a1", "0"]


@pytest.mark.parametrize("kind", [JOURNAL_ENTRIES, JOURNAL_HEADS], ids=lambda table: table.name)
async def test_every_column_that_is_altered_is_found(written: AsyncEngine, key: SigningKey, kind: Table) -> None:
    own = next(iter(kind.primary_key.columns))
    for table, number in PLACES:
        for column in table.columns if table is kind else ():
            before = await value_of(written, table, own.name, number, column.name)
            other = altered(before)
            await put(written, table, column.name, other, f"{own.name} = {number}")
            found = (await verify(written, trusted=[key.id], own=key.id)).broken
            assert found is not None, f"{table.name} {number}: {column.name} was altered to {other!r}"
            now = other if column is own else number
            await put(written, table, column.name, before, f"{own.name} = {now}")
    assert (await verify(written, trusted=[key.id], own=key.id)).broken is None


async def value_of(engine: AsyncEngine, table: Table, own: str, number: int, column: str) -> Any:
    """Return what is stored there, in the type in which it is stored."""
    async with reading(engine, StoreFailed) as connection:
        query = text(f"SELECT {column} FROM {table.name} WHERE {own} = {number}")
        return (await connection.execute(query)).scalar_one()


async def put(engine: AsyncEngine, table: Table, column: str, value: Any, where: str) -> None:
    async with writing(engine, StoreFailed) as connection:
        change = text(f"UPDATE {table.name} SET {column} = :value WHERE {where}")
        assert (await connection.execute(change, {"value": value})).rowcount == 1


@pytest.mark.parametrize(
    "statements",
    [
        [f"DELETE FROM journal_entries WHERE seq = {SIZE}"],
        [f"DELETE FROM journal_entries WHERE seq > {SIZE - PER_BATCH}"],
        [f"DELETE FROM journal_heads WHERE number = {BATCHES}"],
        [
            f"DELETE FROM journal_entries WHERE seq = {SIZE}",
            f"DELETE FROM journal_heads WHERE number = {BATCHES}",
        ],
    ],
    ids=["the last entry", "the last transaction", "the last head", "the last entry and its head"],
)
async def test_a_tail_that_was_cut_is_found(written: AsyncEngine, statements: list[str]) -> None:
    async with writing(written, StoreFailed) as connection:
        for statement in statements:
            await connection.execute(text(statement))
    found = (await verify(written)).broken
    assert found is not None


async def test_what_was_not_altered_is_whole(written: AsyncEngine, key: SigningKey) -> None:
    found = await verify(written, trusted=[key.id], own=key.id)
    assert (found.broken, found.entries, found.heads) == (None, SIZE, BATCHES)
    async with reading(written, StoreFailed) as connection:
        heads = (await connection.execute(select(JOURNAL_HEADS))).all()
    assert len(heads) == BATCHES
