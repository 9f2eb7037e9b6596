"""Between records and rows of the book's tables.

A row is written and read by position of the record's own fields, so a field that is added to a record
and not to its table fails at import, not in production.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import Column, Table

from gal_friday.adapters.sql.tables import BOOK_FILLS, BOOK_MOVEMENTS, BOOK_ORDERS
from gal_friday.domain.assets import Wallet
from gal_friday.domain.exact_json import kept, parsed
from gal_friday.domain.records import Extra, Fill, Movement, Order, OrderSide

_SIDES = {side.value: side for side in OrderSide}
_WALLETS = {wallet.value: wallet for wallet in Wallet}
_ENCODER = msgspec.json.Encoder(decimal_format="number")
_FIELDS: dict[Table, tuple[str, ...]] = {
    BOOK_FILLS: Fill.__struct_fields__,
    BOOK_MOVEMENTS: Movement.__struct_fields__,
    BOOK_ORDERS: Order.__struct_fields__,
}


def columns_of(table: Table) -> list[Column[Any]]:
    """Return the columns that hold the record itself, in the order of its fields."""
    return [table.columns[name] for name in _FIELDS[table]]


def row_of(table: Table, record: Fill | Movement | Order) -> dict[str, Any]:
    """Return the columns of one record."""
    row = {name: getattr(record, name) for name in _FIELDS[table]}
    for name in ("side", "wallet"):
        if name in row:
            row[name] = row[name].value
    row["raw"] = msgspec.json.encode(record.raw).decode() if record.raw else None
    row["extra"] = None if record.extra is None else _ENCODER.encode(record.extra).decode()
    return row


def fills_from(rows: Iterable[Sequence[Any]]) -> list[Fill]:
    """Return the fills that these rows hold."""
    fields = Fill.__struct_fields__
    return [Fill(*_back(row, fields.index("side"), _SIDES)) for row in rows]


def movements_from(rows: Iterable[Sequence[Any]]) -> list[Movement]:
    """Return the movements that these rows hold."""
    fields = Movement.__struct_fields__
    return [Movement(*_back(row, fields.index("wallet"), _WALLETS)) for row in rows]


def orders_from(rows: Iterable[Sequence[Any]]) -> list[Order]:
    """Return the orders that these rows hold."""
    fields = Order.__struct_fields__
    return [Order(*_back(row, fields.index("side"), _SIDES)) for row in rows]


def _back(row: Sequence[Any], at: int, words: dict[str, Any]) -> Iterable[Any]:
    *values, raw, extra = row  # the last two fields of every record
    values[at] = words[values[at]]
    return (*values, tuple(msgspec.json.decode(raw)) if raw else (), _extra(extra))


def _extra(text: str | None) -> Extra | None:
    if text is None:
        return None
    return {name: kept(value) for name, value in parsed(text.encode()).items()}


for _table, _names in _FIELDS.items():
    assert set(_names) <= set(_table.columns.keys()), f"{_table.name} lacks a field of its record"
    assert _names[-2:] == ("raw", "extra"), f"{_table.name}: raw and extra are the last fields"
