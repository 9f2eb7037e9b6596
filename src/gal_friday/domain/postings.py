"""From one event to the entries that bring the book to what the exchange's records say of it.

The exchange's own records are posted under the exchange's ids, and what the book has otherwise is taken back; what
both sides have alike is left alone. Nothing is posted that no record says.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TypeVar

from msgspec.structs import replace

from gal_friday.domain import quantity
from gal_friday.domain.adjustment import AdjustmentType, PostFill, Posting, PostMovement, PostOrder, TakeBack
from gal_friday.domain.case import Case
from gal_friday.domain.compare.stake import net
from gal_friday.domain.finding import AmountMismatch, Differs, DiscrepancyType, InternalOnly, Key
from gal_friday.domain.quantity import ZERO
from gal_friday.domain.records import BOOKS_OWN_KINDS, FILL_LEG_KINDS, LIVE_STATUSES, Fill, Kind, Movement
from gal_friday.domain.roll_up import roll_up

Row = TypeVar("Row", Fill, Movement)

_DUPLICATED = (DiscrepancyType.FILL_DUPLICATED, DiscrepancyType.MOVEMENT_DUPLICATED)


def postings_of(case: Case, event: str, keys: Sequence[Key], at: datetime) -> Iterator[Posting]:
    """Yield what the exchange's records say has to be posted for one event; nothing where they say nothing."""
    kinds = {key.kind for key in keys}
    if kinds & {Kind.FILLS, Kind.MOVEMENTS}:
        doubled = only_doubled(case, keys)
        yield from _fill_postings(case, event, doubled)
        yield from _row_postings(case, event, keys, doubled)
    for key in keys:
        if key.kind is Kind.ORDERS:
            yield from _order_postings(case, key, at)


def only_doubled(case: Case, keys: Iterable[Key]) -> bool:
    """Say whether all that is wrong with the records of an event is that the book has them more than once."""
    told = [case.unlike[key] for key in keys if key.kind is Kind.FILLS]
    told = told or [case.unlike[key] for key in keys if key.kind is Kind.MOVEMENTS]
    return bool(told) and all(
        isinstance(found, Differs) and all(each.type in _DUPLICATED for each in found.mismatches) for found in told
    )


def _fill_postings(case: Case, event: str, doubled: bool) -> Iterator[Posting]:
    finding = case.unlike.get(Key(Kind.FILLS, event))
    if finding is None:
        return
    copies = sum(fill.fill_id == event for fill in case.internal.fills)
    theirs = case.fills["exchange"].get(event)
    if doubled:
        yield TakeBack(Kind.FILLS, event, copies - 1, copies)
        return
    if copies:
        yield TakeBack(Kind.FILLS, event, copies, copies)
    if theirs is not None and not isinstance(finding, InternalOnly):
        yield PostFill(theirs)


def _row_postings(case: Case, event: str, keys: Sequence[Key], doubled: bool) -> Iterator[Posting]:
    named = {key.name for key in keys if key.kind is Kind.MOVEMENTS} | {event} | set(_under_other_ids(case, keys))
    ours = _rows(case.internal.movements, named, event, case)
    theirs = {row.movement_id: row for row in _rows(case.exchange.movements, named, event, case)}
    for name, rows in _by_id(ours).items():
        # Of two contents under one id nobody says which to leave: then both go, and the exchange's takes their place.
        same = name in theirs and all(_content(row) == _content(theirs[name]) for row in rows)
        if same and len(rows) > 1:
            yield TakeBack(Kind.MOVEMENTS, name, len(rows) - 1, len(rows))
        elif not same and not doubled:
            yield TakeBack(Kind.MOVEMENTS, name, len(rows), len(rows))
        if same or doubled:
            theirs.pop(name, None)
    if not doubled:
        yield from (PostMovement(row) for row in theirs.values())


def _under_other_ids(case: Case, keys: Iterable[Key]) -> Iterator[str]:
    """Yield ids of the book's own numbering whose rows were compared with one of the exchange: they add up to it."""
    for key in keys:
        finding = case.unlike[key]
        if key.kind is not Kind.MOVEMENTS or key.part or not isinstance(finding, Differs):
            continue
        compared = [each.internal for each in finding.mismatches if isinstance(each, AmountMismatch)]
        for first in case.rows["exchange"].get(key.name, ())[:1]:
            event = [row for row in case.rows["internal"].get(first.refers_to or "", ()) if _alike(row, first)]
            rows = [row for row in event if row.movement_id not in case.rows["exchange"]]
            if compared == [quantity.total(map(net, rows))]:
                yield from (row.movement_id for row in rows)


def _alike(ours: Movement, theirs: Movement) -> bool:
    return (ours.kind, ours.asset, ours.wallet) == (theirs.kind, theirs.asset, theirs.wallet)


def _rows(rows: Iterable[Movement], named: set[str], event: str, case: Case) -> list[Movement]:
    """Return the recorded rows of an event; what was derived from a fill is no entry of its own."""
    return [
        row
        for row in rows
        if (row.movement_id in named or (row.refers_to in named and row.kind in FILL_LEG_KINDS))
        and not _is_derived(row)
        and row.kind not in BOOKS_OWN_KINDS
    ]


def _by_id(rows: Iterable[Movement]) -> dict[str, list[Movement]]:
    named: dict[str, list[Movement]] = {}
    for row in rows:
        named.setdefault(row.movement_id, []).append(row)
    return named


def _is_derived(row: Movement) -> bool:
    return row.refers_to is not None and row.movement_id == f"{row.refers_to}:{row.asset}"


def _content(row: Movement) -> tuple[object, ...]:
    return row.kind, row.asset, row.wallet, row.amount, row.fee


def _order_postings(case: Case, key: Key, at: datetime) -> Iterator[Posting]:
    finding = case.unlike[key]
    theirs = case.orders["exchange"].get(key.name)
    if theirs is not None and not isinstance(finding, InternalOnly):
        yield PostOrder(theirs)
        return
    ours = next((order for order in case.internal.orders if order.name == key.name), None)
    if isinstance(finding, InternalOnly) and ours is not None and not ours.filled:
        # The exchange, asked for it by its id, does not know it: it never got there.
        yield PostOrder(replace(ours, status="rejected", updated_at=max(at, ours.updated_at or at)))


def type_of(case: Case, postings: Sequence[Posting]) -> AdjustmentType:
    """Return what these postings of evidence do, by the most telling of them."""
    posted = [type(each) for each in postings]
    if PostFill in posted:
        return AdjustmentType.BOOK_FILL
    if PostMovement in posted:
        return AdjustmentType.BOOK_MOVEMENT
    back = [each for each in postings if isinstance(each, TakeBack)]
    if back:
        doubled = all(each.entries < each.of for each in back)
        return AdjustmentType.REVERSE_DUPLICATE if doubled else AdjustmentType.REVERSE_RECORD
    orders = [each.order for each in postings if isinstance(each, PostOrder)]
    known = {name for order in case.internal.orders for name in (order.order_id, order.client_order_id)}
    ended = all(order.status not in LIVE_STATUSES and order.name in known for order in orders)
    return AdjustmentType.CLOSE_ORDER if ended else AdjustmentType.ORDER_STATE


def changes_of(case: Case, postings: Sequence[Posting]) -> dict[str, Decimal]:
    """Return by how much these postings change each balance and position: the event rolled up before and after."""
    gone = Counter({each.record_id: each.entries for each in postings if isinstance(each, TakeBack)})
    posted_fills = [each.fill for each in postings if isinstance(each, PostFill)]
    posted_rows = [each.movement for each in postings if isinstance(each, PostMovement)]
    events = {fill.fill_id for fill in posted_fills} | set(gone)
    events |= {row.refers_to or row.movement_id for row in posted_rows}
    fills = [fill for fill in case.internal.fills if fill.fill_id in events]
    rows = [
        row
        for row in case.internal.movements
        if (row.refers_to in events or row.movement_id in events) and not _is_derived(row)
    ]
    before = _rolled(fills, rows)
    after = _rolled(
        [*_left([(fill.fill_id, fill) for fill in fills], gone), *posted_fills],
        [*_left([(row.movement_id, row) for row in rows], gone), *posted_rows],
    )
    return {key: quantity.subtract(after.get(key, ZERO), before.get(key, ZERO)) for key in before.keys() | after.keys()}


def _left(rows: Iterable[tuple[str, Row]], gone: Counter[str]) -> list[Row]:
    left, still = [], Counter(gone)
    for name, row in rows:
        if still[name]:
            still[name] -= 1
        else:
            left.append(row)
    return left


def _rolled(fills: Sequence[Fill], rows: Sequence[Movement]) -> dict[str, Decimal]:
    rolled = roll_up(fills=fills, movements=rows)
    balances = {str(Key(Kind.BALANCES, row.asset, row.wallet)): row.total for row in rolled.balances}
    return balances | {str(Key(Kind.POSITIONS, row.instrument, row.mode)): row.quantity for row in rolled.positions}
