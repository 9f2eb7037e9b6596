"""Orders, matched by the exchange's id, else by the client's own.

An order is missing from the exchange only if the exchange, asked for that id, does not know it: the reading
says so with total coverage. Being absent from a list of open orders proves nothing.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal

from gal_friday.domain import quantity
from gal_friday.domain.assets import is_unresolved
from gal_friday.domain.compare.duplicates import each_once, repeated
from gal_friday.domain.compare.stake import stake_between, stake_of, stake_of_change
from gal_friday.domain.compare.view import Lone, View, also_repeated, before, only_exchange, only_internal
from gal_friday.domain.finding import (
    Agrees,
    AmountMismatch,
    Differs,
    DiscrepancyType,
    Finding,
    Inconsistent,
    Key,
    Mismatch,
    Pending,
    Stake,
    TextMismatch,
)
from gal_friday.domain.quantity import ZERO
from gal_friday.domain.records import LIVE_STATUSES, Fill, Kind, Order, known_status
from gal_friday.domain.snapshot import Coverage, Side, Snapshot

_ORDERS = Kind.ORDERS
_STATE = DiscrepancyType.ORDER_STATE_MISMATCH
_TERMS = DiscrepancyType.ORDER_TERMS_MISMATCH

Identity = tuple[str, str]


def compare_orders(view: View) -> list[Finding]:
    """Return one finding per order that is open on a side or changed within the window of both."""
    name_of = _resolver(view.exchange.orders)
    internal = each_once(view.internal.orders, name_of)
    exchange = each_once(view.exchange.orders, name_of)
    start = view.start(_ORDERS)
    findings: list[Finding] = []
    for name, ours in internal.items():
        theirs = exchange.get(name)
        if theirs is not None:
            findings.append(_both(view, Key(_ORDERS, *name), ours, theirs))
        elif not _out_of_scope(ours, start):
            findings.append(_only_ours(view, Key(_ORDERS, *name), ours))
    for name, theirs in exchange.items():
        if name not in internal and not _out_of_scope(theirs, start):
            lone = _lone(Key(_ORDERS, *name), theirs, DiscrepancyType.ORDER_NOT_TRACKED, 1)
            findings.append(only_exchange(view, lone))
    return _with_repeats(view, findings, name_of)


def _resolver(exchange: Sequence[Order]) -> Callable[[Order], Identity]:
    """Return how to name an order, as the exchange does. A client id used twice there names nothing."""
    named = {identity(order): order for order in exchange}
    by_client: dict[str, list[Identity]] = {}
    for name, order in named.items():
        if order.client_order_id:
            by_client.setdefault(order.client_order_id, []).append(name)
    only = {client: names[0] for client, names in by_client.items() if len(names) == 1}

    def name_of(order: Order) -> Identity:
        return identity(order) if order.order_id else only.get(order.client_order_id or "", identity(order))

    return name_of


def identity(order: Order) -> Identity:
    """Return name and part of an order's key: the exchange's id, else the client's, which is another name."""
    return (order.order_id, "") if order.order_id else (order.name, "client")


def _with_repeats(view: View, findings: list[Finding], name_of: Callable[[Order], Identity]) -> list[Finding]:
    twice = repeated(view.internal.orders, view.exchange.orders, name_of, DiscrepancyType.ORDER_DUPLICATED)
    if not twice:
        return findings
    return [also_repeated(found, twice.get((found.key.name, found.key.part), ())) for found in findings]


def _out_of_scope(order: Order, start: datetime | None) -> bool:
    return order.status not in LIVE_STATUSES and before(order.updated_at, start)


def _only_ours(view: View, key: Key, ours: Order) -> Finding:
    # A rejected order never reached the exchange: nobody expects to find it there.
    if ours.status == "rejected" and view.exchange.coverage.orders == Coverage.TOTAL:
        return Agrees(key, ours.quantity)
    return only_internal(view, _lone(key, ours, DiscrepancyType.ORDER_MISSING_EXCHANGE, -1))


def _lone(key: Key, order: Order, kind: DiscrepancyType, direction: int) -> Lone:
    unknown = not known_status(order.status) or is_unresolved(order.instrument)
    kind = DiscrepancyType.UNRESOLVED_NAME if unknown else kind
    stake = stake_of(order)
    effect = stake and Stake(quantity.multiply(stake.amount, Decimal(direction)), stake.asset)
    return Lone(key, kind, order.quantity, order.instrument, effect, order.opened_at or order.updated_at)


def _both(view: View, key: Key, ours: Order, theirs: Order) -> Finding:
    mismatches = (*_state(view, ours, theirs), *_terms(view, ours, theirs))
    if not mismatches:
        return Agrees(key, ours.quantity)
    if _changed_after(ours, view.cutoff) or _changed_after(theirs, view.cutoff):
        return _changing(view, key)
    if theirs.order_id in view.motion.orders:
        return _changing(view, key)
    return Differs(key, mismatches, theirs.instrument, _since(theirs, mismatches))


def _since(theirs: Order, mismatches: Iterable[Mismatch]) -> datetime | None:
    """Return since when the exchange states what the book does not: its terms from the start, its state later."""
    if not any(one.field in ("status", "filled") for one in mismatches):
        return theirs.opened_at
    # An order that did not change since it was placed tells no instant at which its state went wrong.
    return theirs.updated_at if theirs.updated_at != theirs.opened_at else None


def _changing(view: View, key: Key) -> Pending:
    reason = "changed while the two sides were read; the next run will tell"
    return Pending(key, reason, view.motion.until(key.name))


def _changed_after(order: Order, at: datetime) -> bool:
    return order.updated_at is not None and order.updated_at > at


def _state(view: View, ours: Order, theirs: Order) -> Iterator[Mismatch]:
    known = known_status(ours.status) and known_status(theirs.status)
    if ours.status != theirs.status or not known:
        # A word that both use and nobody knows is no agreement about what the order does (I15).
        kind = _STATE if known else DiscrepancyType.UNRESOLVED_NAME
        yield TextMismatch(kind, "status", ours.status, theirs.status, stake_of(theirs))
    tolerance = view.quantity_tolerance(theirs.instrument)
    yield from _amount(_STATE, "filled", ours.filled, theirs.filled, tolerance, theirs)


def _terms(view: View, ours: Order, theirs: Order) -> Iterator[Mismatch]:
    unresolved = is_unresolved(theirs.instrument) or is_unresolved(ours.instrument)
    if ours.instrument != theirs.instrument or unresolved:
        kind = DiscrepancyType.UNRESOLVED_NAME if unresolved else _TERMS
        yield TextMismatch(kind, "instrument", ours.instrument, theirs.instrument, stake_of(theirs))
    if ours.side != theirs.side:
        yield TextMismatch(_TERMS, "side", ours.side, theirs.side, stake_between(ours, theirs))
    tolerance = view.quantity_tolerance(theirs.instrument)
    yield from _amount(_TERMS, "quantity", ours.quantity, theirs.quantity, tolerance, theirs)
    if ours.price is not None and theirs.price is not None:
        # No tolerance: the floor is one for quantities, and a price can be smaller than it.
        yield from _amount(_TERMS, "price", ours.price, theirs.price, ZERO, theirs)


def _amount(
    kind: DiscrepancyType, field: str, ours: Decimal, theirs: Decimal, tolerance: Decimal, order: Order
) -> Iterator[Mismatch]:
    if ours == theirs:
        return
    difference = quantity.subtract(theirs, ours)
    if quantity.absolute(difference) > tolerance:
        yield AmountMismatch(kind, field, ours, theirs, difference, stake_of_change(order, field, difference))


def order_contradictions(view: View) -> Iterator[Finding]:
    """Yield a finding for each order that its own side contradicts: overfilled, or not as its fills say."""
    sides: tuple[Side, ...] = ("internal", "exchange")
    for side in sides:
        yield from _of_side(view, view.snapshot(side), side)


def _of_side(view: View, snapshot: Snapshot, side: Side) -> Iterator[Finding]:
    executed = _executed(snapshot)
    for name, order in sorted(each_once(snapshot.orders, identity).items()):
        found = tuple(_contradictions(view, snapshot, order, executed.get(order.order_id or "", ()), side))
        if found:
            yield Differs(Key(Kind.SOURCES, _source(name), side), found, order.instrument)


def _source(name: Identity) -> str:
    return f"{name[1] or 'order'}:{name[0]}"


def is_changing(view: View, side: Side, source: str) -> bool:
    """Say whether the order that this key of a contradiction names is too young to be held against its fills."""
    snapshot = view.snapshot(side)
    meant = [order for name, order in each_once(snapshot.orders, identity).items() if _source(name) == source]
    fills = _executed(snapshot) if meant else {}
    return any(_still_changing(view, snapshot, each, fills.get(each.order_id or "", ())) for each in meant)


def _executed(snapshot: Snapshot) -> dict[str, list[Fill]]:
    """Return the fills of each order; a fill that is listed twice counts once here, and is told elsewhere."""
    fills: dict[str, list[Fill]] = {}
    for fill in each_once(snapshot.fills, lambda fill: fill.fill_id).values():
        if fill.order_id:
            fills.setdefault(fill.order_id, []).append(fill)
    return fills


def _contradictions(
    view: View, snapshot: Snapshot, order: Order, fills: Sequence[Fill], side: Side
) -> Iterator[Inconsistent]:
    tolerance = view.quantity_tolerance(order.instrument)
    if quantity.subtract(order.filled, order.quantity) > tolerance:
        kind, field = DiscrepancyType.SOURCE_INCONSISTENT, "filled above ordered"
        stated, ordered = quantity.text(order.filled), quantity.text(order.quantity)
        yield Inconsistent(kind, side, field, stated, ordered, order.instrument)
    if _still_changing(view, snapshot, order, fills) or snapshot.coverage.fills == Coverage.NONE:
        return
    executed = quantity.total(fill.quantity for fill in fills)
    gap = quantity.subtract(executed, order.filled)
    if gap > tolerance or (quantity.negate(gap) > tolerance and _saw_all_fills(snapshot, order)):
        kind, field = DiscrepancyType.ORDER_FILLS_MISMATCH, "filled against its fills"
        stated, found = quantity.text(order.filled), quantity.text(executed)
        yield Inconsistent(kind, side, field, stated, found, order.instrument)


def _still_changing(view: View, snapshot: Snapshot, order: Order, fills: Iterable[Fill]) -> bool:
    """Say whether order and fills may be of different instants: one side's own reading takes time as well."""
    instants = [order.updated_at, *(fill.at for fill in fills)]
    cutoff = view.cutoff
    return order.order_id in view.motion.orders or any(at is not None and at > cutoff for at in instants)


def _saw_all_fills(snapshot: Snapshot, order: Order) -> bool:
    """Say whether every fill of this order would be in the snapshot: its whole life lies in the window."""
    if snapshot.coverage.fills != Coverage.TOTAL or order.order_id is None:
        return False
    start = snapshot.since.fills
    return start is None or (order.opened_at is not None and order.opened_at >= start)
