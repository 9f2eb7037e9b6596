"""The snapshot file, version 1: how any trading system hands its book over, as one JSON object.

Amounts and prices are JSON strings; bare numbers are read exactly too. Times are ISO 8601 with zone and
are kept to the microsecond. A field that this project does not know is kept in ``extra``, of the snapshot
or of its record, and written back. Names of instruments and assets stay as they were written: resolving
aliases happens elsewhere.

What is wrong is refused with source, place (``fills[3].quantity``), reason and the way out. Nothing is
guessed, nothing is dropped, and this module never opens a file. The same id twice is not wrong here: it
is a finding, and both records are kept.

Coverage is never assumed. A kind without a stated coverage is ``none``, whether the file lists records of
it or not. A kind whose stated coverage is ``total`` but whose list is absent from the file counts as not
read, and the snapshot says so: a failed export must not look like an empty account (N1).
"""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import Struct

from gal_friday.domain import quantity
from gal_friday.domain.assets import Wallet
from gal_friday.domain.errors import MalformedSnapshot
from gal_friday.domain.exact_json import (
    Unreadable,
    a_count,
    a_flag,
    a_note,
    a_size,
    a_text,
    a_word,
    an_amount,
    an_instant,
    an_object,
    by_name,
    each,
    kept,
    parsed,
    shown,
    sound,
    written_instant,
)
from gal_friday.domain.records import (
    RECORD_KINDS,
    Balance,
    Fill,
    Kind,
    Movement,
    Order,
    OrderSide,
    Position,
    PositionMode,
)
from gal_friday.domain.snapshot import (
    Coverage,
    Coverages,
    Evidence,
    NotChecked,
    Scales,
    Since,
    Snapshot,
)

FORMAT = "gal-friday/snapshot/1"

Built = TypeVar("Built")


def read_snapshot(data: bytes, *, source: str) -> Snapshot:
    """Return the snapshot that *data* holds, records in the order of the file.

    *source* is what the reader calls it, a path most of the time; every message begins with it.

    Raises:
        MalformedSnapshot: anything that cannot be read exactly, with its place, reason and way out.
    """
    try:
        return _snapshot(parsed(data))
    except Unreadable as wrong:
        raise MalformedSnapshot(": ".join(filter(None, (source, wrong.place, wrong.reason)))) from None


def write_snapshot(snapshot: Snapshot) -> bytes:
    """Return the file that holds *snapshot*, one record a line; reading it gives an equal snapshot back.

    Raises:
        MalformedSnapshot: an instant has no zone, or an unknown field holds what JSON cannot.
    """
    try:
        lines = [b"  " + _ENCODER.encode(name) + b": " + _lines(value) for name, value in _as_file(snapshot).items()]
    except (TypeError, ValueError, RecursionError) as wrong:
        raise MalformedSnapshot(f"snapshot of {snapshot.account!r} cannot be written: {wrong}") from wrong
    return b"{\n" + b",\n".join(lines) + b"\n}\n"


def record_reader(kind: str) -> Callable[[Any], Any]:
    """Return what reads one record of this kind out of JSON that was parsed exactly; it raises ``Unreadable``."""
    return _TABLES[kind].read


def written_record(kind: str, record: Any) -> dict[str, Any]:
    """Return one record of this kind as the file writes it."""
    return _TABLES[kind].write(record)


def _snapshot(top: dict[str, Any]) -> Snapshot:
    if top.get("format") != FORMAT:
        stated = "no format is stated" if "format" not in top else f"unknown format {shown(top['format'])}"
        raise Unreadable(f'{stated}; this version reads "{FORMAT}"', ".format")
    head = _HEAD.read({name: value for name, value in top.items() if name not in _TABLES and name != "format"})
    records: dict[str, Any] = {
        kind: each(top[kind], table.read, f".{kind}") for kind, table in _TABLES.items() if kind in top
    }
    _check_since(head)
    coverage = head.pop("coverage", Coverages())
    absent = [kind for kind in RECORD_KINDS if kind not in top and coverage.of(kind) is Coverage.TOTAL]
    head["not_checked"] = head.get("not_checked", ()) + tuple(NotChecked(kind, _absent(kind)) for kind in absent)
    lowered = dict.fromkeys((kind.value for kind in absent), Coverage.NONE)
    return Snapshot(**head, **records, coverage=msgspec.structs.replace(coverage, **lowered))


def _check_since(head: dict[str, Any]) -> None:
    """Refuse a window that begins behind the reading: nothing would be in it, and nothing would be missed."""
    since: Since = head.get("since", Since())
    for kind in Since.__struct_fields__:
        began = getattr(since, kind)
        if began is not None and began > head["as_of"]:
            raise Unreadable(
                "later than as_of, so nothing can have been read; state when the window began", f".since.{kind}"
            )


def _absent(kind: Kind) -> str:
    return f'coverage says total, but the file has no list of {kind}; write "{kind}": [] if there are none'


def _as_file(snapshot: Snapshot) -> dict[str, Any]:
    records = {kind: getattr(snapshot, kind) for kind in _TABLES}
    covered = {kind for kind in RECORD_KINDS if snapshot.coverage.of(kind) is not Coverage.NONE}
    return (
        {"format": FORMAT}
        | _HEAD.write(snapshot)
        | {
            kind: [_TABLES[kind].write(row) for row in rows]
            for kind, rows in records.items()
            if rows or kind in covered
        }
    )


def _lines(value: Any) -> bytes:
    if not isinstance(value, list) or not value:
        return _ENCODER.encode(value)
    return b"[\n    " + b",\n    ".join(_ENCODER.encode(row) for row in value) + b"\n  ]"


_ENCODER = msgspec.json.Encoder(decimal_format="number")


class _Field(Struct, frozen=True):
    """One field: how it is read and written. *attribute* is its name in the record, where that differs."""

    read: Callable[[Any], Any]
    write: Callable[[Any], Any]
    required: bool = False
    attribute: str = ""

    def needed(self) -> "_Field":
        return msgspec.structs.replace(self, required=True)


class _Table(Generic[Built]):
    """The fields of one kind of object, for both directions. A closed one refuses fields it does not know."""

    def __init__(
        self,
        build: Callable[..., Built],
        *,
        defaults: dict[str, Any] | None = None,
        check: Callable[[Built], None] = lambda _: None,
        closed: bool = False,
        **fields: _Field,
    ) -> None:
        self.build = build
        self.fields = fields
        self.required = [(name, field.attribute or name) for name, field in fields.items() if field.required]
        self.defaults = defaults or {}
        self.check = check
        self.closed = closed

    def read(self, row: Any) -> Built:
        known, extra = self._split(an_object(row))
        for name, attribute in self.required:
            if attribute not in known:
                raise Unreadable("missing, and nothing can stand in for it", f".{name}")
        if not self.closed:
            known["extra"] = extra or None
        built = self.build(**known)
        self.check(built)
        return built

    def _split(self, row: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        known, extra = dict(self.defaults), {}
        name = ""
        try:
            for name, value in row.items():
                field = self.fields.get(name)
                if field is None:
                    extra[self._unknown(name)] = kept(value)
                elif value is not None:
                    known[field.attribute or name] = field.read(value)
        except Unreadable as wrong:
            raise wrong.under(f".{name}") from None
        return known, extra

    def _unknown(self, name: str) -> str:
        if self.closed:
            raise Unreadable(f"unknown; known are {', '.join(self.fields)}")
        return sound(name)

    def write(self, record: Any) -> dict[str, Any]:
        row = {
            name: field.write(value)
            for name, field in self.fields.items()
            if (value := getattr(record, field.attribute or name)) is not None and value != ()
        }
        unknown = {} if self.closed else record.extra or {}
        return row | {name: value for name, value in unknown.items() if name not in self.fields}


def _same(value: Any) -> Any:
    return value


def _optional(table: _Table[Any]) -> _Field:
    return _Field(table.read, table.write)


def _all_of(table: _Table[Any]) -> _Field:
    return _Field(lambda rows: each(rows, table.read), lambda rows: [table.write(row) for row in rows])


def _check_order(order: Order) -> None:
    if order.order_id is None and order.client_order_id is None:
        raise Unreadable("missing, and there is no client_order_id either", ".order_id")


def _check_position(position: Position) -> None:
    match position.mode:
        case PositionMode.LOT if position.position_id is None:
            raise Unreadable("missing; every lot needs its own", ".position_id")
        case PositionMode.LONG | PositionMode.SHORT if position.quantity < 0:
            raise Unreadable(f"must not be negative where mode is {position.mode}", ".quantity")
        case _:
            return


_TEXT = _Field(a_text, _same)
_NOTE = _Field(a_note, _same)
_AMOUNT = _Field(an_amount, quantity.text)
_SIZE = _Field(a_size, quantity.text)
_INSTANT = _Field(an_instant, written_instant)
_COUNT = _Field(a_count, _same)
_WALLET = _Field(a_word(Wallet), _same)
_SIDE = _Field(a_word(OrderSide), _same)
_COVERED = _Field(a_word(Coverage), _same)
_LISTED_AS = _Field(lambda names: each(names, a_note), list, attribute="raw")
_SPOT = {"wallet": Wallet.SPOT}
_SNAPSHOT_SIDE = _Field(a_word({"internal": "internal", "exchange": "exchange"}), _same)

_TABLES: dict[str, _Table[Any]] = {
    "balances": _Table(
        Balance,
        defaults=_SPOT,
        asset=_TEXT.needed(),
        wallet=_WALLET,
        total=_AMOUNT.needed(),
        held=_AMOUNT,
        rounded_records=_COUNT,
        listed_as=_LISTED_AS,
    ),
    "positions": _Table(
        Position,
        check=_check_position,
        instrument=_TEXT.needed(),
        mode=_Field(a_word(PositionMode), _same).needed(),
        quantity=_AMOUNT.needed(),
        average_price=_AMOUNT,
        position_id=_TEXT,
        rounded_records=_COUNT,
        listed_as=_LISTED_AS,
    ),
    "orders": _Table(
        Order,
        defaults={"order_id": None},
        check=_check_order,
        order_id=_TEXT,
        client_order_id=_TEXT,
        instrument=_TEXT.needed(),
        side=_SIDE.needed(),
        type=_TEXT,
        quantity=_SIZE.needed(),
        filled=_SIZE.needed(),
        price=_AMOUNT,
        status=_TEXT.needed(),
        opened_at=_INSTANT,
        updated_at=_INSTANT,
        listed_as=_LISTED_AS,
    ),
    "fills": _Table(
        Fill,
        fill_id=_TEXT.needed(),
        order_id=_TEXT,
        instrument=_TEXT.needed(),
        side=_SIDE.needed(),
        quantity=_SIZE.needed(),
        price=_AMOUNT.needed(),
        cost=_AMOUNT,
        fee=_AMOUNT,
        fee_asset=_TEXT,
        margin=_Field(a_flag, _same),
        position_id=_TEXT,
        at=_INSTANT.needed(),
        listed_as=_LISTED_AS,
    ),
    "movements": _Table(
        Movement,
        defaults=_SPOT,
        movement_id=_TEXT.needed(),
        refers_to=_TEXT,
        kind=_TEXT.needed(),
        asset=_TEXT.needed(),
        wallet=_WALLET,
        amount=_AMOUNT.needed(),
        fee=_AMOUNT,
        balance_after=_AMOUNT,
        at=_INSTANT.needed(),
        listed_as=_LISTED_AS,
    ),
}

_HEAD: _Table[dict[str, Any]] = _Table(
    dict,
    side=_SNAPSHOT_SIDE.needed(),
    account=_TEXT.needed(),
    exchange=_TEXT.needed(),
    as_of=_INSTANT.needed(),
    coverage=_optional(
        _Table(
            Coverages,
            closed=True,
            balances=_COVERED,
            positions=_COVERED,
            orders=_COVERED,
            fills=_COVERED,
            movements=_COVERED,
        )
    ),
    since=_optional(_Table(Since, closed=True, orders=_INSTANT, fills=_INSTANT, movements=_INSTANT)),
    scales=_optional(
        _Table(
            Scales,
            closed=True,
            assets=_Field(by_name(a_count, a_text), _same),
            costs=_Field(by_name(a_count, a_text), _same),
            oldest_first=_Field(a_flag, _same),
        )
    ),
    version=_TEXT,
    not_checked=_all_of(
        _Table(
            NotChecked,
            closed=True,
            kind=_Field(a_word(Kind), _same).needed(),
            reason=_NOTE.needed(),
            side=_SNAPSHOT_SIDE,
        )
    ),
    notes=_Field(lambda notes: each(notes, a_note), list),
    evidence=_all_of(
        _Table(Evidence, closed=True, source=_NOTE.needed(), digest=_NOTE.needed(), pages=_COUNT, rows=_COUNT)
    ),
)
