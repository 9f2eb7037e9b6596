"""The embedded book in SQLite or PostgreSQL.

Append-only: what was written stays, and the database refuses anything else. One call is one transaction
and one version; a call that brings nothing new leaves the version as it is.
"""

from collections.abc import AsyncIterator, Collection, Iterable, Sequence, Set
from datetime import datetime
from typing import Any, TypeVar

from msgspec import MsgspecError
from msgspec.structs import replace
from sqlalchemy import ColumnElement, Table, insert, select, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gal_friday.adapters.book_sql.delivery import delivered, replaced_by
from gal_friday.adapters.book_sql.entries import (
    FillEntry,
    MovementEntry,
    OrderEntry,
    fill_entries,
    movement_entries,
    new_order_entries,
    order_name,
)
from gal_friday.adapters.book_sql.opening import opening_of
from gal_friday.adapters.book_sql.rows import Reader, row_of
from gal_friday.adapters.book_sql.shelf import Entry as Standing
from gal_friday.adapters.book_sql.shelf import Written, standing_plugs, taken_back
from gal_friday.adapters.book_sql.shelf_rows import all_reversals, laid_out, plug_rows, wanted_for, write
from gal_friday.adapters.book_sql.view import (
    BEGINNING,
    Gathering,
    Head,
    at_version,
    check_empty,
    check_exchange,
    unknown_account,
    unreadable_book,
)
from gal_friday.adapters.sql.engine import reading, writing
from gal_friday.adapters.sql.tables import (
    ADJUSTMENTS,
    BOOK_FILLS,
    BOOK_MOVEMENTS,
    BOOK_ORDERS,
    BOOK_REVERSALS,
    BOOKS,
)
from gal_friday.domain.records import Fill, Movement, Order
from gal_friday.domain.snapshot import Scales, Snapshot
from gal_friday.ports.book import Appended
from gal_friday.ports.clock import Clock
from gal_friday.ports.errors import BookFailed

Entry = TypeVar("Entry", FillEntry, MovementEntry)
Record = TypeVar("Record", Fill, Movement, Order)

_ROWS_AT_ONCE = 500  # Enough that asking costs nothing, few enough that their text does not show in memory.
_IDS_PER_QUESTION = 2000  # Far below the 32,766 parameters that either database takes in one statement.


class SqlBook:
    """A ``Book`` and ``BookWriter`` on a database that was brought up to date by ``upgrade``."""

    def __init__(self, engine: AsyncEngine, *, clock: Clock) -> None:
        """Keep the engine, which whoever opened it disposes of, and the clock that stamps entries."""
        self._engine = engine
        self._clock = clock

    async def accounts(self) -> tuple[str, ...]:
        """Return the names of all accounts, sorted.

        Raises:
            BookFailed: the book cannot be read.
        """
        async with reading(self._engine, BookFailed) as connection:
            return tuple(sorted((await connection.execute(select(BOOKS.c.account))).scalars()))

    async def known_fills(self, account: str, ids: Collection[str]) -> frozenset[str]:
        """Return those of these fills that ever reached the book.

        Raises:
            BookFailed: the book cannot be read.
        """
        column, known = BOOK_FILLS.c.fill_id, set[str]()
        async with reading(self._engine, BookFailed) as connection:
            for some in _batches(sorted(ids)):
                query = select(column).where(BOOK_FILLS.c.account == account, column.in_(some))
                known |= set((await connection.execute(query)).scalars())
        return frozenset(known)

    async def append(
        self,
        *,
        account: str,
        exchange: str,
        fills: Sequence[Fill] = (),
        movements: Sequence[Movement] = (),
        orders: Sequence[Order] = (),
    ) -> Appended:
        """Add entries in one transaction; see ``BookWriter``.

        Without any entry the account begins as an empty one.

        Raises:
            BookFailed: nothing was written; sending the same call again is safe.
        """
        async with writing(self._engine, BookFailed) as connection:
            head = await _locked_head(connection, Head(account=account, exchange=exchange))
            check_exchange(head, exchange)
            return await self._add(connection, head, fills, movements, orders)

    async def open_with(self, snapshot: Snapshot) -> Appended:
        """Begin the account's book so that it says what *snapshot* states; see ``opening_of``.

        Raises:
            BookFailed: nothing was written: the book has begun already, or the snapshot cannot open one.
        """
        opening = opening_of(snapshot)
        head = Head(
            account=snapshot.account,
            exchange=snapshot.exchange,
            fills_since=opening.fills_since,
            movements_since=opening.movements_since,
        )
        async with writing(self._engine, BookFailed) as connection:
            known = await _locked_head(connection, head)
            check_empty(known)
            check_exchange(known, head.exchange)
            await connection.execute(
                update(BOOKS)
                .where(BOOKS.c.account == head.account)
                .values(fills_since=head.fills_since, movements_since=head.movements_since)
            )
            return await self._add(connection, known, opening.fills, opening.movements, snapshot.orders)

    async def snapshot(self, *, account: str, since: datetime, scales: Scales, version: str | None = None) -> Snapshot:
        """Return the internal side as it stands, or as it stood at *version*, from one state of the database.

        Nothing of a book ever changes, so what it said at a version is what was added up to it. ``as_of`` is the
        present in either case; see ``Book``.

        Raises:
            BookFailed: the book cannot be read, does not know this account, or never had this version.
        """
        as_of = self._clock.now()
        async with reading(self._engine, BookFailed) as connection:
            head = await head_of(connection, account)
            if head is None:
                raise unknown_account(account)
            head = head if version is None else at_version(head, version)
            gathering = Gathering(head, since=since, scales=scales)
            fallen = taken_back(await all_reversals(connection, account, BOOK_REVERSALS.c.seq <= head.version))
            async for movements in _records(connection, BOOK_MOVEMENTS, Movement, head, fallen):
                gathering.move(movements)
            async for fills in _records(connection, BOOK_FILLS, Fill, head, fallen):
                gathering.fill(fills)
            async for orders in _records(connection, BOOK_ORDERS, Order, head, fallen):
                gathering.order(orders)
            plugs = [row for row in await plug_rows(connection, account) if row.seq <= head.version]
            gathering.plug(standing_plugs(plugs))
        return gathering.snapshot(as_of)

    async def version(self, account: str) -> str | None:
        """Return the version that a snapshot taken now would state; see ``Book``."""
        async with reading(self._engine, BookFailed) as connection:
            head = await head_of(connection, account)
        return None if head is None else str(head.version)

    async def export(self, account: str) -> Snapshot:
        """Return everything that the book has, from its beginning; a new book can be opened with it.

        Raises:
            BookFailed: the book cannot be read, or does not know this account.
        """
        return await self.snapshot(account=account, since=BEGINNING, scales=Scales())

    async def _add(
        self,
        connection: AsyncConnection,
        head: Head,
        fills: Sequence[Fill],
        movements: Sequence[Movement],
        orders: Sequence[Order],
    ) -> Appended:
        account = head.account
        new_fills = await _unknown(connection, BOOK_FILLS, fill_entries(account, fills))
        new_movements = await _unknown(connection, BOOK_MOVEMENTS, movement_entries(account, movements))
        states = await _states(connection, account, orders)
        new_orders = new_order_entries(account, orders, states)
        delivered_ = len(fills) + len(movements) + len(orders)
        new = len(new_fills) + len(new_movements) + len(new_orders)
        if not new:
            return Appended(head.version, 0, delivered_)
        version = head.version + 1
        stamp = {"account": account, "seq": version, "added_at": self._clock.now()}
        await _insert(connection, BOOK_FILLS, new_fills, stamp)
        await _insert(connection, BOOK_MOVEMENTS, new_movements, stamp)
        await _insert(connection, BOOK_ORDERS, new_orders, stamp)
        late, replaced = await _late(connection, head, new_fills, new_movements)
        await write(connection, late, stamp)
        await connection.execute(update(BOOKS).where(BOOKS.c.account == account).values(version=version))
        return Appended(version, new, delivered_ - new, late.gave_way, replaced)


async def _late(
    connection: AsyncConnection, head: Head, fills: Sequence[FillEntry], movements: Sequence[MovementEntry]
) -> tuple[Written, tuple[str, ...]]:
    """Return what else is written because adjustments had booked some of it, or a plug stood for it."""
    known = select(ADJUSTMENTS.c.adjustment_id).where(ADJUSTMENTS.c.account == head.account)
    applied = known.where(ADJUSTMENTS.c.book_version.is_not(None)).limit(1)
    if not (fills or movements) or (await connection.execute(applied)).first() is None:
        return Written(), ()
    wanted = wanted_for([*(one.record for one in fills), *(one.record for one in movements)])
    # The new rows are there already, at the next version: what stood before them is looked at.
    shelf = (await laid_out(connection, head.account, head.version, wanted)).as_of(head.version)
    seq = head.version + 1
    new = [Standing(one.entry_id, one.record, None, seq, line) for line, one in enumerate(fills)]
    new += [Standing(one.entry_id, one.record, None, seq, line) for line, one in enumerate(movements)]
    done = delivered(shelf, new)
    return replace(done, entries=()), replaced_by(done, shelf.entries)


async def head_of(connection: AsyncConnection, account: str, *, lock: bool = False) -> Head | None:
    """Return the head of an account's book; with *lock* nobody else writes there until this transaction ends."""
    query = select(BOOKS).where(BOOKS.c.account == account)
    # SQLite holds the lock on the whole file already; there this adds nothing.
    row = (await connection.execute(query.with_for_update() if lock else query)).mappings().one_or_none()
    return None if row is None else Head(**row)


async def _locked_head(connection: AsyncConnection, fresh: Head) -> Head:
    """Return the head of the account's book, begun now where there is none; others wait until we are done."""
    head = await head_of(connection, fresh.account, lock=True)
    if head is None:
        row = {name: getattr(fresh, name) for name in Head.__struct_fields__}
        if connection.dialect.name == "postgresql":
            # Another program may have begun it in this very moment: then its row is the one.
            await connection.execute(postgresql.insert(BOOKS).values(row).on_conflict_do_nothing())
        else:
            await connection.execute(insert(BOOKS).values(row))
        head = await head_of(connection, fresh.account, lock=True)
        assert head is not None, "either we began it or somebody else did"
    return head


async def _records(
    connection: AsyncConnection, table: Table, kind: type[Record], head: Head, fallen: Set[str]
) -> AsyncIterator[list[Record]]:
    """Give all records of one kind that stand at the head, in the order in which they were added, by portions."""
    columns, reader = table.c, Reader(kind)
    asked = (columns.record, columns.extra, columns.entry_id) if fallen else (columns.record, columns.extra)
    query = select(*asked).where(columns.account == head.account, columns.seq <= head.version)
    result = await connection.stream(query.order_by(columns.seq, columns.line))
    async for rows in result.partitions(_ROWS_AT_ONCE):
        try:
            records = reader.read([row[:2] for row in rows if row[2] not in fallen] if fallen else rows)
        except MsgspecError as error:
            raise unreadable_book(head.account, str(error)) from error
        yield records


async def _unknown(connection: AsyncConnection, table: Table, entries: Sequence[Entry]) -> list[Entry]:
    known: set[str] = set()
    for ids in _batches([entry.entry_id for entry in entries]):
        known.update((await connection.execute(select(table.c.entry_id).where(table.c.entry_id.in_(ids)))).scalars())
    return [entry for entry in entries if entry.entry_id not in known]


async def _states(connection: AsyncConnection, account: str, orders: Iterable[Order]) -> dict[str, list[str]]:
    """Return the states that the book has of these orders, oldest first, by the orders' names."""
    ids = sorted({order.order_id for order in orders if order.order_id is not None})
    client_ids = sorted({str(order.client_order_id) for order in orders if order.order_id is None})
    by_client = BOOK_ORDERS.c.order_id.is_(None)
    wanted: list[ColumnElement[bool]] = [BOOK_ORDERS.c.order_id.in_(some) for some in _batches(ids)]
    wanted += [by_client & BOOK_ORDERS.c.client_order_id.in_(some) for some in _batches(client_ids)]
    states: dict[str, list[str]] = {}
    for some in wanted:
        for order_id, client_id, content in await _contents(connection, account, some):
            states.setdefault(order_name(order_id, client_id), []).append(content)
    return states


async def _contents(connection: AsyncConnection, account: str, wanted: ColumnElement[bool]) -> Sequence[Sequence[Any]]:
    table = BOOK_ORDERS.c
    # What an adjustment said of an order is not what the trading system said: delivering that again stays harmless.
    own = table.adjustment_id.is_(None)
    query = select(table.order_id, table.client_order_id, table.content).where(table.account == account, own, wanted)
    return (await connection.execute(query.order_by(table.seq, table.line))).all()


async def _insert(
    connection: AsyncConnection,
    table: Table,
    entries: Sequence[FillEntry | MovementEntry | OrderEntry],
    stamp: dict[str, Any],
) -> None:
    rows = [stamp | row_of(table, entry.record) | _naming(entry) | {"line": line} for line, entry in enumerate(entries)]
    if rows:
        await connection.execute(insert(table), rows)


def _naming(entry: FillEntry | MovementEntry | OrderEntry) -> dict[str, str]:
    names = {"entry_id": entry.entry_id}
    return names | {"content": entry.content} if isinstance(entry, OrderEntry) else names


def _batches(ids: Sequence[str]) -> Iterable[Sequence[str]]:
    return (ids[at : at + _IDS_PER_QUESTION] for at in range(0, len(ids), _IDS_PER_QUESTION))
