"""What stands against posting anything for an event, whatever the policy says.

Some of it passes: a key in motion, an order that is still open, a source that was not seen in full. Some of it needs
a person: a name that nobody knows, records of one side that contradict each other (I15).
"""

from collections.abc import Iterable, Iterator, Sequence

from gal_friday.domain.candidate import Bars
from gal_friday.domain.case import Case
from gal_friday.domain.finding import CannotTell, Differs, DiscrepancyType, ExchangeOnly, InternalOnly, Key, Pending
from gal_friday.domain.postings import only_doubled
from gal_friday.domain.records import LIVE_STATUSES, Kind
from gal_friday.domain.report import ReconciliationReport

_NOT_OURS = (DiscrepancyType.IDENTITY_CONFLICT, DiscrepancyType.SOURCE_INCONSISTENT, DiscrepancyType.LEDGER_GAP)


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
