"""The rows of the journal as bytes, whatever stands in them: who verifies must not stumble over what is wrong.

Read in parts, in order, within one state of the database. Nothing here judges.
"""

from collections.abc import AsyncIterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, LargeBinary, Table, cast, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from gal_friday.adapters.sql.tables import JOURNAL_ENTRIES, JOURNAL_HEADS

AT_ONCE = 5000
"""Rows in memory at one time."""


class EntryRow(NamedTuple):
    """An entry as it is stored."""

    seq: int
    kind: bytes
    at: bytes
    account: bytes
    subject: bytes
    actor: bytes
    entry: bytes
    leaf: bytes


class HeadRow(NamedTuple):
    """A head as it is stored."""

    number: int
    journal: bytes
    size: int
    root: bytes
    frontier: bytes
    at: bytes
    key_id: bytes
    signature: bytes


async def entry_rows(connection: AsyncConnection, *, after: int = 0) -> AsyncIterator[Sequence[EntryRow]]:
    """Yield all entries *after* one in the order of their sequence, some at a time."""
    async for rows in in_parts(connection, JOURNAL_ENTRIES, EntryRow._fields, after=after):
        yield [EntryRow(*row) for row in rows]


async def head_rows(connection: AsyncConnection, *, after: int = 0) -> AsyncIterator[Sequence[HeadRow]]:
    """Yield all heads *after* one in the order of their numbers, some at a time."""
    async for rows in in_parts(connection, JOURNAL_HEADS, HeadRow._fields, after=after):
        yield [HeadRow(*row) for row in rows]


async def in_parts(
    connection: AsyncConnection,
    table: Table,
    names: Sequence[str],
    *,
    at_once: int = AT_ONCE,
    keys: int = 1,
    after: int | None = None,
) -> AsyncIterator[Sequence[Sequence[Any]]]:
    """Yield rows in the order of the first columns, which are the key; every text behind them as its bytes.

    *after* is the key of a row, where it is one number, and those up to it are left out.
    """
    key = [table.c[name] for name in names[:keys]]
    columns = [raw(table.c[name], connection) for name in names[keys:]]
    last: Any = None if after is None else (after,)
    while True:
        query = select(*key, *columns).order_by(*key).limit(at_once)
        rows = (await connection.execute(query if last is None else query.where(tuple_(*key) > last))).all()
        if not rows:
            return
        last = tuple(rows[-1][:keys])
        yield rows if connection.dialect.name == "sqlite" else [tuple(map(_as_bytes, row)) for row in rows]


def raw(column: ColumnElement[Any], connection: AsyncConnection) -> ColumnElement[Any]:
    """Return the column as it lies there: SQLite keeps in a text what is no UTF-8, and cannot give it as a text."""
    if connection.dialect.name != "sqlite" or column.type.python_type is int:
        return column
    return cast(column, LargeBinary)


def _as_bytes(value: Any) -> Any:
    return value.encode() if isinstance(value, str) else value
