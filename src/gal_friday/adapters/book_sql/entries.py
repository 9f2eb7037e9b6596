"""Which of the delivered records are new entries of the book.

The id of an entry is derived from its content, so that a delivery repeated after a crash meets its own
tracks: account, kind, id of the record, content, and the how-manieth time that content stands in one
call. A record listed twice is two entries; one id with two contents is two entries. Amounts that differ
only in trailing zeros are the same amount, and what nobody interprets is no content: an exchange goes on
telling more of a fill that it told long ago, and two ways of delivery tell the same record differently.

An order has states. The latest one delivered again is not new, nor is a dated one that the book has
already. An undated one may come back (open, pending, open), so there the call decides: if the book ends
with just what this call would have added to it, then the call was delivered before.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from operator import itemgetter
from typing import Any, NamedTuple, TypeVar

import msgspec
from msgspec.structs import replace

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
        content = digest(account, kind, id_of(record), _content(replace(record, raw=(), extra=None)))
        yield _entry_id(content, seen[content]), record
        seen[content] += 1


def _entry_id(content: str, before: int) -> str:
    return digest(content, str(before)) if before else content


def new_order_entries(account: str, orders: Sequence[Order], history: Mapping[str, Sequence[str]]) -> list[OrderEntry]:
    """Return the states that are new, in the order given.

    *history* holds, by ``order_name``, the digests of the states that the book has, oldest first.
    """
    by_name: dict[str, list[tuple[int, str]]] = {}
    for number, order in enumerate(orders):
        name = order_name(order.order_id, order.client_order_id)
        by_name.setdefault(name, []).append((number, digest(account, "order", name, _content(order))))
    new: list[tuple[int, OrderEntry]] = []
    for name, states in by_name.items():
        known = list(history.get(name, ()))
        delivered = [(content, orders[number].updated_at is not None) for number, content in states]
        for at in _new_states(delivered, known):
            number, content = states[at]
            new.append((number, OrderEntry(_entry_id(content, known.count(content)), orders[number], content)))
            known.append(content)
    return [entry for _, entry in sorted(new, key=itemgetter(0))]


def _new_states(delivered: Sequence[tuple[str, bool]], known: Sequence[str]) -> list[int]:
    """Return which of the delivered states are new: none where the book ends with what they would add."""
    for length in range(1, min(len(delivered), len(known)) + 1):
        added = _added(delivered, known[:-length])
        if [delivered[at][0] for at in added] == list(known[-length:]):
            return []
    return _added(delivered, known)


def _added(delivered: Sequence[tuple[str, bool]], known: Sequence[str]) -> list[int]:
    seen = set(known)
    latest = known[-1] if known else None
    added: list[int] = []
    for at, (content, dated) in enumerate(delivered):
        if content != latest and not (dated and content in seen):
            added.append(at)
            seen.add(content)
            latest = content
    return added


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
