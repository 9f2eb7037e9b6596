"""Which of the delivered records are new entries of the book.

The id of an entry is derived from its content, so that a delivery repeated after a crash meets its own
tracks: account, kind, id of the record, content, and the how-manieth time that content stands in one
call. A record listed twice is two entries; one id with two contents is two entries. Amounts that differ
only in trailing zeros are the same amount.

An order has states. A state that was delivered before, or that is the latest one anyway, is not new. One
that carries no time may come back (open, pending, open): it is new unless it repeats the latest ones.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple, TypeVar

import msgspec

from gal_friday.domain import quantity
from gal_friday.domain.ids import digest
from gal_friday.domain.records import Fill, Movement, Order

Record = TypeVar("Record", Fill, Movement)

_ENCODER = msgspec.json.Encoder(order="deterministic")


class FillEntry(NamedTuple):
    """A fill and the id of its entry."""

    entry_id: str
    record: Fill


class MovementEntry(NamedTuple):
    """A movement and the id of its entry."""

    entry_id: str
    record: Movement


class OrderEntry(NamedTuple):
    """A state of an order, the id of its entry, and the digest of the state."""

    entry_id: str
    record: Order
    content: str


def fill_entries(account: str, fills: Iterable[Fill]) -> list[FillEntry]:
    """Return every fill with the id of its entry, in the order given."""
    return [FillEntry(*pair) for pair in _numbered(account, "fill", fills, lambda fill: fill.fill_id)]


def movement_entries(account: str, movements: Iterable[Movement]) -> list[MovementEntry]:
    """Return every movement with the id of its entry, in the order given."""
    pairs = _numbered(account, "movement", movements, lambda movement: movement.movement_id)
    return [MovementEntry(*pair) for pair in pairs]


def _numbered(
    account: str, kind: str, records: Iterable[Record], id_of: Callable[[Record], str]
) -> Iterable[tuple[str, Record]]:
    seen: Counter[str] = Counter()
    for record in records:
        content = digest(account, kind, id_of(record), _content(record))
        yield _entry_id(content, seen[content]), record
        seen[content] += 1


def _entry_id(content: str, before: int) -> str:
    return digest(content, str(before)) if before else content


def new_order_entries(
    account: str, orders: Sequence[Order], history: Mapping[str, Sequence[str]]
) -> list[OrderEntry]:
    """Return the states that are new, in the order given.

    *history* holds, by ``order_name``, the digests of the states that the book has, oldest first.
    """
    known = {name: list(states) for name, states in history.items()}
    delivered = [(*_named_state(account, order), order) for order in orders]
    repeated = _repeated(delivered, known)
    new: list[OrderEntry] = []
    for name, content, order in delivered:
        states = known.setdefault(name, [])
        before = order.updated_at is not None and content in states
        if name in repeated or before or states[-1:] == [content]:
            continue
        new.append(OrderEntry(_entry_id(content, states.count(content)), order, content))
        states.append(content)
    return new


def _named_state(account: str, order: Order) -> tuple[str, str]:
    name = order_name(order.order_id, order.client_order_id)
    return name, digest(account, "order", name, _content(order))


def _repeated(delivered: Iterable[tuple[str, str, Order]], known: Mapping[str, list[str]]) -> set[str]:
    by_name: dict[str, list[str]] = {}
    for name, content, _ in delivered:
        by_name.setdefault(name, []).append(content)
    return {name for name, states in by_name.items() if known.get(name, [])[-len(states) :] == states}


def order_name(order_id: str | None, client_order_id: str | None) -> str:
    """Return the id of an order together with whose id it is: the two are separate name spaces."""
    return f"order:{order_id}" if order_id is not None else f"client:{client_order_id}"


def _content(record: Fill | Movement | Order) -> bytes:
    return _ENCODER.encode([_plain(getattr(record, name)) for name in record.__struct_fields__])


def _plain(value: Any) -> Any:
    kind = type(value)
    if kind is Decimal:
        return quantity.short(value)
    return value.astimezone(UTC).isoformat() if kind is datetime else value
