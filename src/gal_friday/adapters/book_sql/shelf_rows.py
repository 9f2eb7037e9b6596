"""Laying out a part of a book from its tables, and writing what was decided on.

What is laid out are whole events: a fill with all its ledger rows, everything that takes one of them back, and the
plugs at the places that they move. The work depends on the event and not on the size of the book.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import MsgspecError, Struct
from sqlalchemy import ColumnElement, Table, insert, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from gal_friday.adapters.book_sql.rows import Reader, row_of
from gal_friday.adapters.book_sql.shelf import Entry, PlugRow, Reversal, Shelf, Written
from gal_friday.adapters.book_sql.view import unreadable_book
from gal_friday.adapters.sql.tables import BOOK_FILLS, BOOK_MOVEMENTS, BOOK_ORDERS, BOOK_PLUGS, BOOK_REVERSALS
from gal_friday.domain.adjusted import names_of
from gal_friday.domain.adjustment import (
    Adjustment,
    Plug,
    PostFill,
    PostMovement,
    PostOrder,
    TakeBack,
    TakeBackAdjustment,
)
from gal_friday.domain.give_way import event_of, moved_by
from gal_friday.domain.records import FILL_LEG_KINDS, Fill, Kind, Movement, Order

_FILLS, _MOVEMENTS, _ORDERS = BOOK_FILLS.c, BOOK_MOVEMENTS.c, BOOK_ORDERS.c
_BACK, _PLUGS = BOOK_REVERSALS.c, BOOK_PLUGS.c
_AT_ONCE = 2000
"""Ids in one question: far below the parameters that either database takes in one statement."""

_KINDS: dict[Table, type[Fill | Movement | Order]] = {BOOK_FILLS: Fill, BOOK_MOVEMENTS: Movement, BOOK_ORDERS: Order}


class Wanted(Struct, frozen=True, kw_only=True):
    """Which part of a book is to be laid out."""

    events: frozenset[str] = frozenset()
    movements: frozenset[str] = frozenset()
    orders: frozenset[str] = frozenset()
    """By the exchange's id, or the client's."""
    adjustments: frozenset[str] = frozenset()
    """Everything that these wrote."""
    names: frozenset[str] = frozenset()
    """Assets and instruments whose plugs matter."""


def all_wanted(some: Iterable[Wanted]) -> Wanted:
    """Return the part of a book that holds all of these parts."""
    parts = tuple(some)
    return Wanted(
        **{name: frozenset().union(*(getattr(part, name) for part in parts)) for name in Wanted.__struct_fields__}
    )


def wanted_by(adjustment: Adjustment) -> Wanted:
    """Return what has to be looked at before this adjustment is written, and after."""
    events: set[str] = set()
    movements: set[str] = set()
    orders: set[str] = set()
    adjustments: set[str] = set()
    for posting in adjustment.postings:
        match posting:
            case PostFill(fill):
                events.add(fill.fill_id)
            case PostMovement(movement):
                events.add(event_of(movement))
                movements.add(movement.movement_id)
            case PostOrder(order):
                orders.update(name for name in (order.order_id, order.client_order_id) if name is not None)
            case TakeBack(kind=Kind.FILLS, record_id=name):
                events.add(name)
            case TakeBack(record_id=name):
                movements.add(name)
            case TakeBackAdjustment(name):
                adjustments.add(name)
            case Plug():
                continue
    return Wanted(
        events=frozenset(events),
        movements=frozenset(movements),
        orders=frozenset(orders),
        adjustments=frozenset(adjustments),
        names=names_of(adjustment),
    )


def wanted_for(records: Iterable[Fill | Movement]) -> Wanted:
    """Return what has to be looked at before the trading system's records are added."""
    given = tuple(records)
    return Wanted(
        events=frozenset(map(event_of, given)),
        movements=frozenset(one.movement_id for one in given if isinstance(one, Movement)),
        names=frozenset(each.key.split(":", 1)[1].rsplit(":", 1)[0] for each in moved_by(given)),
    )


async def laid_out(connection: AsyncConnection, account: str, version: int, wanted: Wanted) -> Shelf:
    """Return this part of the book, as it stands in this transaction.

    Raises:
        BookFailed: an entry is not what this program wrote.
    """
    laying = _Laying(connection, account)
    if wanted.adjustments:
        await laying.written_by(wanted.adjustments)
    await laying.orders(wanted.orders)
    await laying.events(set(wanted.events), set(wanted.movements))
    await laying.reversals()
    plugs = await plug_rows(connection, account, wanted)
    return Shelf(version=version, entries=[*laying.entries.values()], reversals=[*laying.backs.values()], plugs=plugs)


class _Laying:
    """Collects entries and reversals until whole events are there."""

    def __init__(self, connection: AsyncConnection, account: str) -> None:
        self._connection, self._account = connection, account
        self.entries: dict[str, Entry] = {}
        self.backs: dict[str, Reversal] = {}

    async def written_by(self, adjustments: Iterable[str]) -> None:
        """Add what these adjustments wrote, and what they took back."""
        names = sorted(adjustments)
        found = await self._backs(_BACK.adjustment_id.in_(names))
        for table in _KINDS:
            await self._entries(table, table.c.adjustment_id.in_(names))
        while found:
            ids = [one.takes_back for one in found if one.takes_back not in self.entries]
            for table in _KINDS:
                await self._entries_among(table, table.c.entry_id, ids)
            found = await self._backs(_BACK.reversal_id.in_(ids)) if ids else []

    async def orders(self, names: Iterable[str]) -> None:
        """Add every state of these orders."""
        ids = sorted(names)
        if ids:
            await self._entries(BOOK_ORDERS, or_(_ORDERS.order_id.in_(ids), _ORDERS.client_order_id.in_(ids)))

    async def events(self, events: set[str], movements: set[str]) -> None:
        """Add every fill and row of these events, and of those that they turn out to belong to."""
        events |= {event_of(one.record) for one in self.entries.values() if not isinstance(one.record, Order)}
        asked: set[str] = set()
        while new := sorted(events - asked):
            asked |= events
            await self._entries_among(BOOK_FILLS, _FILLS.fill_id, new)
            await self._entries_among(BOOK_MOVEMENTS, _MOVEMENTS.movement_id, sorted({*new, *movements}))
            legs = _MOVEMENTS.kind.in_(sorted(FILL_LEG_KINDS))
            await self._entries_among(BOOK_MOVEMENTS, _MOVEMENTS.refers_to, new, legs)
            movements = set()
            events |= {event_of(one.record) for one in self.entries.values() if not isinstance(one.record, Order)}
        if movements:
            await self._entries_among(BOOK_MOVEMENTS, _MOVEMENTS.movement_id, sorted(movements))
            await self.events(set(), set())

    async def reversals(self) -> None:
        """Add what takes back any of it, and what takes that back."""
        ids = [*self.entries, *self.backs]
        while ids:
            found: list[Reversal] = []
            for some in _batches(ids):
                found += await self._backs(_BACK.takes_back.in_(some))
            ids = [one.reversal_id for one in found]

    async def _entries_among(
        self, table: Table, column: ColumnElement[Any], ids: Sequence[str], *also: ColumnElement[bool]
    ) -> None:
        for some in _batches(ids):
            await self._entries(table, column.in_(some), *also)

    async def _entries(self, table: Table, *wanted: ColumnElement[bool]) -> None:
        columns = table.c
        reader: Reader[Any] = Reader(_KINDS[table])
        query = select(
            columns.record, columns.extra, columns.entry_id, columns.adjustment_id, columns.seq, columns.line
        ).where(columns.account == self._account, *wanted)
        for text, extra, entry_id, adjustment_id, seq, line in await self._connection.execute(query):
            try:
                (record,) = reader.read([(text, extra)])
            except MsgspecError as error:
                raise unreadable_book(self._account, str(error)) from error
            self.entries[entry_id] = Entry(entry_id, record, adjustment_id, seq, line)

    async def _backs(self, wanted: ColumnElement[bool]) -> list[Reversal]:
        rows = await all_reversals(self._connection, self._account, wanted)
        new = [one for one in rows if one.reversal_id not in self.backs]
        self.backs.update((one.reversal_id, one) for one in new)
        return new


async def all_reversals(connection: AsyncConnection, account: str, *wanted: ColumnElement[bool]) -> list[Reversal]:
    """Return the reversals of an account, or those that are wanted."""
    query = select(_BACK.reversal_id, _BACK.takes_back, _BACK.adjustment_id, _BACK.reason, _BACK.seq, _BACK.line).where(
        _BACK.account == account, *wanted
    )
    return [Reversal(*row) for row in await connection.execute(query)]


async def plug_rows(connection: AsyncConnection, account: str, wanted: Wanted | None = None) -> list[PlugRow]:
    """Return all rows of an account's plugs, or of those that are wanted."""
    query = select(*(_PLUGS[name] for name in PlugRow.__struct_fields__)).where(_PLUGS.account == account)
    if wanted is not None:
        some: list[ColumnElement[bool]] = [_PLUGS.name.in_(sorted(wanted.names))] if wanted.names else []
        if wanted.adjustments:
            theirs = select(_PLUGS.plug_id).where(_PLUGS.adjustment_id.in_(sorted(wanted.adjustments)))
            some.append(_PLUGS.plug_id.in_(theirs))
        if not some:
            return []
        query = query.where(or_(*some))
    return [PlugRow(**dict(row) | {"kind": Kind(row["kind"])}) for row in (await connection.execute(query)).mappings()]


async def write(connection: AsyncConnection, written: Written, stamp: dict[str, Any]) -> None:
    """Add these rows; *stamp* says the account, and when."""
    for table, kind in _KINDS.items():
        rows = [
            row_of(table, one.record)
            | stamp
            | {"entry_id": one.entry_id, "adjustment_id": one.adjustment_id, "seq": one.seq, "line": one.line}
            | ({"content": one.entry_id} if kind is Order else {})
            for one in written.entries
            if isinstance(one.record, kind)
        ]
        if rows:
            await connection.execute(insert(table), rows)
    if written.reversals:
        await connection.execute(insert(BOOK_REVERSALS), [stamp | one._asdict() for one in written.reversals])
    if written.plugs:
        await connection.execute(insert(BOOK_PLUGS), [stamp | _plug(one) for one in written.plugs])


def _plug(row: PlugRow) -> dict[str, Any]:
    return {name: getattr(row, name) for name in row.__struct_fields__} | {"kind": row.kind.value}


def _batches(ids: Sequence[str]) -> Iterable[Sequence[str]]:
    return (ids[at : at + _AT_ONCE] for at in range(0, len(ids), _AT_ONCE))
