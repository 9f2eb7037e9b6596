"""A fill of the system's own order that never reached the book.

Evidence: the exchange has the fill or its ledger rows, the book does not, and the book knows the order. Where
nobody can tell whose order it was (the book lists none, or the trade history was not read), a fill is taken
for the system's own.

Not to be confused with a trade by hand (the book lists its orders, and this is none of them), with a fee that
alone was forgotten (the book has the fill), or with what the exchange did itself (liquidation, settlement).
"""

from collections.abc import Mapping, Sequence

from gal_friday.domain import quantity
from gal_friday.domain.case import Case, Lead, once
from gal_friday.domain.causes.evidence import (
    booked,
    both_orders,
    fill_of,
    is_trade,
    known_by_client,
    lone_order,
    nature,
    told,
    whose,
)
from gal_friday.domain.finding import Differs, DiscrepancyType, Finding, Key
from gal_friday.domain.records import Fill, Kind, Order

_LISTED = DiscrepancyType.ORDER_FILLS_MISMATCH


def recognise(lead: Lead, case: Case) -> str | None:
    """Return the sentence, where the book lacks this fill of its own order or one leg of it."""
    if lead.what != "missing" or not is_trade(lead) or nature(lead, case) != "trade":
        return None
    fill, owner = fill_of(lead, case), whose(fill_of(lead, case), case)
    if booked(lead, case):
        return f"the book has fill {lead.event}, but not this leg of it" if lead.moved else None
    if owner == "foreign" or (fill is None and not lead.moved):
        return None
    return f"{_told(fill, lead)} never reached the book{'' if owner == 'own' else '; whose order it was is not known'}"


def _told(fill: Fill | None, lead: Lead) -> str:
    if fill is None:
        return f"trade {lead.event}"
    order = f" of order {fill.order_id}" if fill.order_id else ""
    return f"fill {fill.fill_id}{order} ({fill.side} {told(fill.quantity, fill.instrument)})"


def recognise_record(finding: Finding, case: Case) -> str | None:
    """Return the sentence, where an order stands still in the book because a fill of it is missing there."""
    orders = both_orders(finding, case) or _under_two_ids(finding, case)
    missing = _missing_of(finding, orders, case)
    if orders is not None and orders[1].filled > orders[0].filled:
        behind = f": {', '.join(missing)} never reached the book" if missing else ""
        ours, theirs = quantity.short(orders[0].filled), told(orders[1].filled, orders[1].instrument)
        return f"the book has the order filled to {ours}, the exchange to {theirs}{behind}"
    if orders is None and missing and _of_book(finding):
        return f"{', '.join(missing)} of this order never reached the book"
    return None


def _under_two_ids(finding: Finding, case: Case) -> tuple[Order, Order] | None:
    """Return the book's and the exchange's version of an order that the client's id alone tells to be one."""
    lone = lone_order(finding, case, "internal") or lone_order(finding, case, "exchange")
    if lone is None:
        return None
    ours, theirs = (known_by_client(lone, case, side) for side in ("internal", "exchange"))
    return (ours, theirs) if ours is not None and theirs is not None else None


def _missing_of(finding: Finding, orders: tuple[Order, Order] | None, case: Case) -> Sequence[str]:
    if finding.key.kind not in (Kind.ORDERS, Kind.SOURCES):
        return ()
    name = orders[1].order_id if orders else None
    return _missing(case).get(name or finding.key.name.removeprefix("order:"), ())


@once
def _missing(case: Case) -> Mapping[str, Sequence[str]]:
    """Return the fills that the book lacks, under the orders they belong to."""
    found: dict[str, list[str]] = {}
    for fill_id, fill in sorted(case.fills["exchange"].items()):
        if fill.order_id and fill_id not in case.fills["internal"] and Key(Kind.FILLS, fill_id) in case.unlike:
            found.setdefault(fill.order_id, []).append(fill_id)
    return found


def _of_book(finding: Finding) -> bool:
    return (
        isinstance(finding, Differs)
        and finding.key.kind is Kind.SOURCES
        and finding.key.part == "internal"
        and any(mismatch.type is _LISTED for mismatch in finding.mismatches)
    )
