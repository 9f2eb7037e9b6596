"""The book has a fill twice.

Evidence: the book lists one id more than once; or it has, beside a fill that the exchange knows, one of the
same order, instant, side, size and price under an id that the exchange does not know.

Not to be confused with two fills of equal size, which the exchange knows both: size and price are no identity;
or with a movement of its own that counted twice (`duplicated_movement`).
"""

from collections.abc import Mapping, Sequence

from gal_friday.domain import quantity
from gal_friday.domain.case import Case, Lead, once
from gal_friday.domain.causes.copies import of_fill, original_fill
from gal_friday.domain.causes.evidence import both_orders, is_trade
from gal_friday.domain.finding import Differs, DiscrepancyType, Finding, Inconsistent
from gal_friday.domain.records import Fill, Kind

_TWICE = (DiscrepancyType.FILL_DUPLICATED, DiscrepancyType.ORDER_DUPLICATED)


def recognise(lead: Lead, case: Case) -> str | None:
    """Return the sentence, where the book counts this fill more than once."""
    if lead.what == "duplicated":
        return f"the book has fill {lead.event} more than once" if of_fill(lead, case) else None
    if lead.what != "phantom" or not is_trade(lead):
        return None
    copy = case.fills["internal"].get(lead.event)
    original = original_fill(copy, case) if copy else None
    return None if original is None else f"fill {lead.event} is {original.fill_id} once more, under an id of its own"


def recognise_record(finding: Finding, case: Case) -> str | None:
    """Return the sentence, where an order is filled further in the book because a fill counted twice."""
    if isinstance(finding, Differs) and any(_twice(mismatch) for mismatch in finding.mismatches):
        return "the book lists it more than once"
    orders = both_orders(finding, case)
    if orders is None:
        return _of_book(finding, case)
    ours, theirs = orders
    copies = _copies(case).get(ours.order_id or "", ())
    surplus = quantity.subtract(ours.filled, theirs.filled)
    if surplus <= 0 or surplus != quantity.total(fill.quantity for fill in copies):
        return None
    return f"the book counted {', '.join(sorted({fill.fill_id for fill in copies}))} twice"


def _twice(mismatch: object) -> bool:
    return isinstance(mismatch, Inconsistent) and mismatch.type in _TWICE and mismatch.side == "internal"


def _of_book(finding: Finding, case: Case) -> str | None:
    """Say whether the book's own order and fills contradict each other because one counted twice."""
    if finding.key.kind is not Kind.SOURCES or finding.key.part != "internal":
        return None
    copies = _copies(case).get(finding.key.name.removeprefix("order:"), ())
    return f"the book counted {', '.join(sorted({fill.fill_id for fill in copies}))} twice" if copies else None


@once
def _copies(case: Case) -> Mapping[str, Sequence[Fill]]:
    """Return the fills that the book counts beyond the first time, under their orders."""
    seen: set[str] = set()
    copies: dict[str, list[Fill]] = {}
    for fill in case.internal.fills:
        if fill.order_id and (fill.fill_id in seen or original_fill(fill, case) is not None):
            copies.setdefault(fill.order_id, []).append(fill)
        seen.add(fill.fill_id)
    return copies
