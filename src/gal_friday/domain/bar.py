"""What stands against posting anything for an event, whatever the policy says.

Some of it passes: a key in motion, an order that is still open, a source that was not seen in full. Some of it needs
a person: a name that nobody knows, records of one side that contradict each other (I15), what a person decided against.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import TypeVar

from msgspec.structs import replace

from gal_friday.domain.adjusted import Kept
from gal_friday.domain.adjustment import Adjustment, PostOrder, content_of, records_of
from gal_friday.domain.candidate import Bars, Candidate
from gal_friday.domain.case import Case
from gal_friday.domain.finding import CannotTell, Differs, DiscrepancyType, ExchangeOnly, InternalOnly, Key, Pending
from gal_friday.domain.postings import only_doubled
from gal_friday.domain.records import LIVE_STATUSES, Kind
from gal_friday.domain.report import ReconciliationReport

T = TypeVar("T")
_NOT_OURS = (DiscrepancyType.IDENTITY_CONFLICT, DiscrepancyType.SOURCE_INCONSISTENT, DiscrepancyType.LEDGER_GAP)
_OF_SEVERAL_ROWS = 2
"""So many colons are in the part of a key that stands for a sum of rows: asset, wallet and kind."""


def bars_of(report: ReconciliationReport, case: Case, keys: Sequence[Key], places: Iterable[str]) -> Bars:
    """Return what stands against posting for these keys, which would move the amounts at these places."""
    touched = set(places)
    lasting = dict.fromkeys(_lasting(case, keys))
    seen = (*_in_motion(case, keys, touched), *_open_orders(case, keys), *_unseen(report, case, keys))
    passing = dict.fromkeys(seen)
    return Bars(tuple(passing), tuple(lasting))


def _lasting(case: Case, keys: Iterable[Key]) -> Iterator[str]:
    for key in keys:
        finding = case.unlike[key]
        if DiscrepancyType.UNRESOLVED_NAME in _types(finding):
            yield f"{key}: nobody knows this name; name it first, or wait for the exchange's tables"
        if isinstance(finding, Differs) and any(
            each.type in _NOT_OURS and getattr(each, "side", "") == "exchange" for each in finding.mismatches
        ):
            yield f"{key}: the exchange's own records contradict each other"
        if isinstance(finding, Differs) and key.kind is Kind.MOVEMENTS and key.part.count(":") == _OF_SEVERAL_ROWS:
            yield f"{key}: the book numbers these rows itself, and no record says which is which"


def _types(finding: object) -> set[DiscrepancyType]:
    match finding:
        case Differs(mismatches=mismatches):
            return {each.type for each in mismatches}
        case InternalOnly() | ExchangeOnly():
            return {finding.type, *(each.type for each in finding.repeats)}
        case _:
            return set()


def _in_motion(case: Case, keys: Iterable[Key], touched: set[str]) -> Iterator[str]:
    names = {key.name for key in keys}
    for key, finding in case.unlike.items():
        if str(key) in touched or (key.kind is not Kind.HOLDS and key.name in names):
            match finding:
                case Pending(reason=reason):
                    yield f"{key} is in motion: {reason}"
                case CannotTell(reason=reason):
                    yield f"{key} cannot be told: {reason}"
                case _:
                    continue


def _open_orders(case: Case, keys: Sequence[Key]) -> Iterator[str]:
    """Yield the orders that fills of the event belong to and that may still fill.

    That the book has once too often what both sides have does not depend on what else an order fills, as long as
    nothing of the order itself would be posted.
    """
    if only_doubled(case, keys) and not any(key.kind is Kind.ORDERS for key in keys):
        return
    fills = {**case.fills["internal"], **case.fills["exchange"]}
    for key in keys:
        fill = fills.get(key.name) if key.kind is Kind.FILLS else None
        order = case.orders["exchange"].get(fill.order_id) if fill and fill.order_id else None
        if order is not None and order.status in LIVE_STATUSES:
            yield f"order {order.name} is still {order.status}: its fills are booked when it has ended"


def _unseen(report: ReconciliationReport, case: Case, keys: Sequence[Key]) -> Iterator[str]:
    """Yield what of the kinds that matter was not seen in full: a source that is degraded proves nothing."""
    kinds = {key.kind for key in keys} | {Kind.BALANCES}
    fills = [case.fills["exchange"].get(key.name) for key in keys if key.kind is Kind.FILLS]
    if any(fill is not None and fill.fee is None for fill in fills):
        # What a fill cost in fees is said by its movements; without them it would be booked without any.
        kinds.add(Kind.MOVEMENTS)
    for gap in report.not_checked:
        if gap.side is not None and gap.kind in kinds:
            yield f"not all {gap.kind} were seen: {gap.reason}"


def unless_turned_down(candidates: Iterable[Candidate], against: Sequence[Kept]) -> Iterator[Candidate]:
    """Yield the candidates; of what a person decided against nothing is posted, and the same is asked about again."""
    states = {one.id: one.state for one in against}
    records = {record: one.id for one in against for record in _posts(one.adjustment)}
    changes = {change: one.id for one in against for change in _changes(one.adjustment)}
    for one in candidates:
        name = one.adjustment.adjustment_id if one.adjustment is not None else ""
        if name in states:
            told = f"{name}, its repair, is {states[name]} already: a person decided against it"
            yield replace(one, bars=replace(one.bars, lasting=(*one.bars.lasting, told)))
        elif one.adjustment is not None:
            # A part of it, or a number in place of the record that a person took back, would be the same once more.
            plug, made = one.adjustment.is_plug, one.adjustment
            same = _of(changes, _changes(made)) if plug else _of(records, _posts(made))
            yield replace(one, turned_down=same)
        else:
            yield one


def _of(known: Mapping[T, str], some: Iterable[T]) -> str:
    """Return what is known of the first of these that anything is known of."""
    return next((known[one] for one in some if one in known), "")


def _posts(adjustment: Adjustment) -> Collection[tuple[str, ...]]:
    """Return what its postings are about: a record, whatever is posted of it; an order in exactly this state."""
    return [
        (type(one).__name__, *((content_of([one]),) if isinstance(one, PostOrder) else records_of(one)))
        for one in adjustment.postings
    ]


def _changes(adjustment: Adjustment) -> Collection[tuple[str, Decimal]]:
    return [(one.key, one.change) for one in adjustment.effects]
