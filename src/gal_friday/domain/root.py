"""Root causes: one event that went wrong, with everything that it shows itself in.

One missed fill is an order in the wrong state, a fill that is not there, two movements and two balances. It is
one cause with its symptoms, and is counted and valued once.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from msgspec import Struct

from gal_friday.domain.case import Case, once
from gal_friday.domain.cause import Cause
from gal_friday.domain.explanation import Explanation
from gal_friday.domain.finding import CannotTell, Key, Pending
from gal_friday.domain.records import Kind

_NOT_JUDGED = (Pending, CannotTell)


class RootCause(Struct, frozen=True, gc=False):
    """One event and what it shows itself in."""

    cause: Cause
    event: str
    """The id that everything refers to: a fill, an order, a transfer; the key itself where nothing is known."""
    note: str
    """A sentence for people."""
    record_ids: tuple[str, ...]
    symptoms: tuple[str, ...]
    """The keys that differ because of it, sorted."""
    value: Decimal | None = None
    """The largest value among its effects, in the reporting currency; None without a price."""


def events_of(case: Case, explanations: Mapping[Key, Explanation]) -> Mapping[str, list[Key]]:
    """Return the keys that differ, under the event each belongs to, in the order of the findings.

    A key that several events explain stands under each of them; a key that none explains stands alone.
    """
    events: dict[str, list[Key]] = {}
    for key, finding in case.unlike.items():
        if isinstance(finding, _NOT_JUDGED):
            # What cannot be judged yet has no cause yet.
            continue
        for event in _events(case, key, explanations.get(key)):
            events.setdefault(event, []).append(key)
    return events


def _events(case: Case, key: Key, explanation: Explanation | None) -> Iterable[str]:
    match key.kind:
        case Kind.BALANCES | Kind.POSITIONS:
            named = dict.fromkeys(item.event for item in explanation.items if item.event) if explanation else {}
            return tuple(named) or (str(key),)
        case Kind.ORDERS:
            return (_fill_behind(case, key) or key.name,)
        case Kind.MOVEMENTS if not key.part:
            rows = case.rows["exchange"].get(key.name) or case.rows["internal"].get(key.name) or ()
            return (next((case.event_of(row) for row in rows if row.movement_id == key.name), key.name),)
        case Kind.FILLS | Kind.MOVEMENTS:
            return (key.name,)
        case Kind.SOURCES if key.part == "internal" and key.name.startswith("order:"):
            # The book's order speaks of a fill that the book lacks: the fill is what went wrong.
            order = Key(Kind.ORDERS, key.name.partition(":")[2])
            return (_fill_behind(case, order) or (order.name if order in case.unlike else str(key)),)
        case Kind.HOLDS | Kind.SOURCES:
            return (str(key),)


def _fill_behind(case: Case, order: Key) -> str | None:
    """Return the fill that an order's difference comes from: the only one of its fills that differs too."""
    return min(_unlike_fills(case).get(order.name, ()), default=None)


@once
def _unlike_fills(case: Case) -> Mapping[str, set[str]]:
    """Return the fills that differ, by their order."""
    orders: dict[str, set[str]] = {}
    for fill in (*case.internal.fills, *case.exchange.fills):
        if fill.order_id is not None and Key(Kind.FILLS, fill.fill_id) in case.unlike:
            orders.setdefault(fill.order_id, set()).add(fill.fill_id)
    return orders
