"""Orders, matched by the exchange's id, else by the client's own.

An order is missing from the exchange only if the exchange, asked for that id, does not know it: the reading
says so with total coverage. Being absent from a list of open orders proves nothing.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal

from gal_friday.domain import quantity
from gal_friday.domain.assets import is_unresolved
from gal_friday.domain.compare.duplicates import repeated
from gal_friday.domain.compare.stake import stake_of
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
    TextMismatch,
)
from gal_friday.domain.quantity import ZERO
from gal_friday.domain.records import LIVE_STATUSES, Kind, Order, known_status
from gal_friday.domain.snapshot import Coverage, Side, Snapshot

_ORDERS = Kind.ORDERS
_STATE = DiscrepancyType.ORDER_STATE_MISMATCH
_TERMS = DiscrepancyType.ORDER_TERMS_MISMATCH


def compare_orders(view: View) -> list[Finding]:
    """Return one finding per order that is open on a side or changed within the window of both."""
    partners = _partners(view.internal.orders, view.exchange.orders)
    start = view.start(_ORDERS)
    findings: list[Finding] = []
    matched: set[str] = set()
    for name, ours in _by_name(view.internal.orders).items():
        theirs = partners.get(name)
        if theirs is not None:
            matched.add(theirs.name)
            findings.append(_both(view, ours, theirs))
        elif not _out_of_scope(ours, start):
            findings.append(_only_ours(view, ours))
    for name, theirs in _by_name(view.exchange.orders).items():
        if name not in matched and not _out_of_scope(theirs, start):
            findings.append(only_exchange(view, _lone(theirs, DiscrepancyType.ORDER_NOT_TRACKED)))
    return _with_repeats(view, findings)


def _by_name(orders: Iterable[Order]) -> dict[str, Order]:
    return {order.name: order for order in orders}


def _partners(internal: Iterable[Order], exchange: Iterable[Order]) -> dict[str, Order]:
    """Return the exchange's order for each of ours that has one. A client id that is used twice matches nothing."""
    by_id = {order.order_id: order for order in exchange if order.order_id}
    by_client: dict[str, list[Order]] = {}
    for order in by_id.values():
        by_client.setdefault(order.client_order_id or "", []).append(order)
    found: dict[str, Order] = {}
    for ours in internal:
        if ours.order_id in by_id:
            found[ours.name] = by_id[ours.order_id]
        elif ours.order_id is None and len(same := by_client.get(ours.client_order_id or "", [])) == 1:
            found[ours.name] = same[0]
    return found


def _with_repeats(view: View, findings: list[Finding]) -> list[Finding]:
    twice = repeated(view, _ORDERS, lambda order: order.name, DiscrepancyType.ORDER_DUPLICATED)
    return [also_repeated(found, twice.get(found.key.name)) for found in findings] if twice else findings


def _out_of_scope(order: Order, start: datetime | None) -> bool:
    return order.status not in LIVE_STATUSES and before(order.updated_at, start)


def _only_ours(view: View, ours: Order) -> Finding:
    # A rejected order never reached the exchange: nobody expects to find it there.
    if ours.status == "rejected" and view.exchange.coverage.orders is Coverage.TOTAL:
        return Agrees(Key(_ORDERS, ours.name), ours.quantity)
    return only_internal(view, _lone(ours, DiscrepancyType.ORDER_MISSING_EXCHANGE))


def _lone(order: Order, kind: DiscrepancyType) -> Lone:
    key = Key(_ORDERS, order.name)
    unknown = not known_status(order.status) or is_unresolved(order.instrument)
    kind = DiscrepancyType.UNRESOLVED_NAME if unknown else kind
    return Lone(key, kind, order.quantity, order.instrument, stake_of(order), order.opened_at or order.updated_at)


def _both(view: View, ours: Order, theirs: Order) -> Finding:
    key = Key(_ORDERS, theirs.order_id or ours.name)
    mismatches = (*_state(view, ours, theirs), *_terms(view, ours, theirs))
    if not mismatches:
        return Agrees(key, ours.quantity)
    if _changed_after(ours, view.exchange) or _changed_after(theirs, view.internal):
        return Pending(key, "changed while the two sides were read; the next run will tell")
    return Differs(key, mismatches, theirs.instrument)


def _changed_after(order: Order, other: Snapshot) -> bool:
    return order.updated_at is not None and order.updated_at > other.as_of


def _state(view: View, ours: Order, theirs: Order) -> Iterator[Mismatch]:
    if ours.status != theirs.status:
        known = known_status(ours.status) and known_status(theirs.status)
        kind = _STATE if known else DiscrepancyType.UNRESOLVED_NAME
        yield TextMismatch(kind, "status", ours.status, theirs.status, stake_of(theirs))
    yield from _amount(view, _STATE, "filled", ours.filled, theirs.filled)


def _terms(view: View, ours: Order, theirs: Order) -> Iterator[Mismatch]:
    if ours.instrument != theirs.instrument:
        unresolved = is_unresolved(theirs.instrument) or is_unresolved(ours.instrument)
        kind = DiscrepancyType.UNRESOLVED_NAME if unresolved else _TERMS
        yield TextMismatch(kind, "instrument", ours.instrument, theirs.instrument, stake_of(theirs))
    if ours.side is not theirs.side:
        yield TextMismatch(_TERMS, "side", ours.side, theirs.side, stake_of(theirs))
    yield from _amount(view, _TERMS, "quantity", ours.quantity, theirs.quantity)
    if ours.price is not None and theirs.price is not None:
        yield from _amount(view, _TERMS, "price", ours.price, theirs.price)


def _amount(
    view: View, kind: DiscrepancyType, field: str, ours: Decimal, theirs: Decimal
) -> Iterator[Mismatch]:
    if ours == theirs:
        return
    difference = quantity.subtract(theirs, ours)
    if quantity.absolute(difference) > view.policy.tolerance:
        yield AmountMismatch(kind, field, ours, theirs, difference)


def order_contradictions(view: View) -> Iterator[Finding]:
    """Yield a finding for each order that its own side contradicts: filled above ordered, or not what its fills say."""
    for side in ("internal", "exchange"):
        yield from _of_side(view, view.snapshot(side), side)


def _of_side(view: View, snapshot: Snapshot, side: Side) -> Iterator[Finding]:
    executed = _executed(snapshot)
    for name, order in sorted(_by_name(snapshot.orders).items()):
        found = _contradiction(view, snapshot, order, executed.get(order.order_id or "", ZERO), side)
        if found is not None:
            yield Differs(Key(Kind.SOURCES, f"order:{name}", side), (found,), order.instrument)


def _executed(snapshot: Snapshot) -> dict[str, Decimal]:
    """Return what the fills of each order sum to; a fill that is listed twice counts once here, and is told elsewhere."""
    sums: dict[str, Decimal] = {}
    for fill in {fill.fill_id: fill for fill in snapshot.fills}.values():
        if fill.order_id:
            sums[fill.order_id] = quantity.add(sums.get(fill.order_id, ZERO), fill.quantity)
    return sums


def _contradiction(
    view: View, snapshot: Snapshot, order: Order, executed: Decimal, side: Side
) -> Inconsistent | None:
    stated, found = quantity.text(order.filled), quantity.text(executed)
    if quantity.subtract(order.filled, order.quantity) > view.policy.tolerance:
        ordered = quantity.text(order.quantity)
        kind = DiscrepancyType.SOURCE_INCONSISTENT
        return Inconsistent(kind, side, "filled above ordered", stated, ordered, order.instrument)
    gap = quantity.subtract(executed, order.filled)
    too_much = gap > view.policy.tolerance
    too_little = quantity.negate(gap) > view.policy.tolerance and _saw_all_fills(snapshot, order)
    if too_much or too_little:
        kind = DiscrepancyType.ORDER_FILLS_MISMATCH
        return Inconsistent(kind, side, "filled against its fills", stated, found, order.instrument)
    return None


def _saw_all_fills(snapshot: Snapshot, order: Order) -> bool:
    """Say whether every fill of this order would be in the snapshot: its whole life lies in the window."""
    if snapshot.coverage.fills is not Coverage.TOTAL or order.order_id is None:
        return False
    start = snapshot.since.fills
    return start is None or (order.opened_at is not None and order.opened_at >= start)
