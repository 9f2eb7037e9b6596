"""Between records and rows of the book's tables.

A row holds its record twice. ``record`` and ``extra`` are its text, and only from them is it read back: every
digit as it was written, in one step and without a copy. The typed columns are for whoever asks the tables in
SQL. Both are made here, in one go, of the same values, and the database refuses to change a row.

The text is JSON: the fields that are known, in the order of the record, amounts as strings of plain digits,
instants in UTC. ``extra`` holds the other fields as their source wrote them, numbers as numbers.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Generic, TypeVar

import msgspec
from msgspec.structs import fields, force_setattr
from sqlalchemy import Table

from gal_friday.adapters.sql.tables import BOOK_FILLS, BOOK_MOVEMENTS, BOOK_ORDERS
from gal_friday.domain.records import Extra, Fill, Movement, Order

Record = TypeVar("Record", Fill, Movement, Order)

_Met = dict[Any, Any]
"""Values that were met before, up to a bound."""

_MET_MAX = 1000
"""More than an account has names, and far fewer than it has ids."""

_KNOWN = msgspec.json.Encoder(decimal_format="string")
_UNKNOWN = msgspec.json.Encoder(decimal_format="number")
_UNKNOWN_AGAIN = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)
_KEPT_AS_TEXT = ("raw", "extra")
_FIELDS: dict[Table, tuple[str, ...]] = {
    BOOK_FILLS: Fill.__struct_fields__,
    BOOK_MOVEMENTS: Movement.__struct_fields__,
    BOOK_ORDERS: Order.__struct_fields__,
}
# What is not known is not written, but where a record has no default for it.
_LEFT_OUT: dict[type, frozenset[str]] = {
    kind: frozenset(field.name for field in fields(kind) if field.default is None) for kind in (Fill, Movement, Order)
}
_REPEATED: dict[type, tuple[str, ...]] = {
    Fill: ("instrument", "fee_asset"),
    Movement: ("kind", "asset"),
    Order: ("instrument", "status", "type"),
}


def row_of(table: Table, record: Fill | Movement | Order) -> dict[str, Any]:
    """Return the columns of one record: the typed ones, its text, and the text of what is not known."""
    row = {name: getattr(record, name) for name in _FIELDS[table] if name not in _KEPT_AS_TEXT}
    for name in ("side", "wallet"):
        if name in row:
            row[name] = row[name].value
    row["record"] = _text(record, row)
    row["extra"] = None if record.extra is None else _UNKNOWN.encode(record.extra).decode()
    return row


def _text(record: Fill | Movement | Order, row: Mapping[str, Any]) -> str:
    left_out = _LEFT_OUT[type(record)]
    written = {name: _plain(value) for name, value in row.items() if value is not None or name not in left_out}
    return _KNOWN.encode(written | {"raw": record.raw} if record.raw else written).decode()


def _plain(value: Any) -> Any:
    kind = type(value)
    if kind is Decimal:
        return format(value, "f")
    return value.astimezone(UTC) if kind is datetime else value


class Reader(Generic[Record]):
    """Makes records of one kind from their rows. What many of them share is kept once.

    Nobody else has seen these records yet, so giving one the equal value of another breaks no promise.
    """

    def __init__(self, kind: type[Record]) -> None:
        """Begin one read."""
        self._decode: Callable[[str], Record] = msgspec.json.Decoder(kind).decode
        self._repeated = _REPEATED[kind]
        self._words: _Met = {}
        self._raws: _Met = {}
        self._zeros: _Met = {}
        self._event: str | None = None
        self._extras: _Met = {}
        self._extra_words: _Met = {}

    def read(self, rows: Iterable[Sequence[Any]]) -> list[Record]:
        """Return the records of these rows, each its text and the text of what is not known, in their order.

        Raises:
            msgspec.MsgspecError: a text is not what ``row_of`` wrote; somebody else did.
        """
        return [self._record(text, extra) for text, extra in rows]

    def _record(self, text: str, extra: str | None) -> Record:
        record = self._decode(text)
        for name in self._repeated:
            value = getattr(record, name)
            first = self._words.get(value) or _met(self._words, value)
            if first is not value:
                force_setattr(record, name, first)
        if record.raw:
            force_setattr(record, "raw", self._raws.get(record.raw) or self._new_raw(record.raw))
        if type(record) is Movement:
            self._share_of_movement(record)
        if extra is not None:
            force_setattr(record, "extra", self._extras.get(extra) or self._new_extra(extra))
        return record

    def _share_of_movement(self, movement: Movement) -> None:
        if not movement.fee:
            # By its text: 0.00 is equal to 0, and not the same.
            force_setattr(movement, "fee", self._zeros.setdefault(str(movement.fee), movement.fee))
        # The legs of one event stand together; no other event has its id.
        if movement.refers_to == self._event:
            force_setattr(movement, "refers_to", self._event)
        else:
            self._event = movement.refers_to

    def _new_raw(self, raw: tuple[str, ...]) -> tuple[str, ...]:
        # What stands first is a name; what follows may be told once and never again.
        name = raw[0]
        shared = (self._words.get(name) or _met(self._words, name), *raw[1:])
        if len(self._raws) < _MET_MAX:
            self._raws[shared] = shared
        return shared

    def _new_extra(self, text: str) -> Extra:
        extra: Extra = _UNKNOWN_AGAIN.decode(text)
        _share(extra, self._extra_words)
        if len(self._extras) < _MET_MAX:
            self._extras[text] = extra
        return extra


def _met(known: _Met, value: Any) -> Any:
    if len(known) < _MET_MAX:
        known[value] = value
    return value


def _share(extra: Extra, words: _Met) -> None:
    find = words.get
    for name, value in extra.items():
        if type(value) is str:
            first = find(value)
            if first is None:
                _met(words, value)
            elif first is not value:
                extra[name] = first
        elif type(value) is dict:
            _share(value, words)


for _table, _names in _FIELDS.items():
    assert set(_names) - {"raw"} <= set(_table.columns.keys()), f"{_table.name} lacks a field of its record"
