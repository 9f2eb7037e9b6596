"""One asset turned into another in the exchange's app: no order, no trade, only two rows.

Evidence: the exchange's row says so by its kind. The two halves share an event, or follow each other within a
second under ids of their own.

Not to be confused with a trade, with a renamed asset (same amount, no row), or with the conversion of a
delisted asset, which the exchange does itself.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import datetime, timedelta

from gal_friday.domain.case import Case, Lead, once
from gal_friday.domain.causes.evidence import rows_of, told
from gal_friday.domain.compare.stake import net
from gal_friday.domain.records import Movement

_TOGETHER = timedelta(seconds=1)


def recognise(lead: Lead, case: Case) -> str | None:
    """Return the sentence, where this half of a conversion is missing from the book."""
    if lead.kind != "conversion" or lead.what != "missing":
        return None
    verb = "received" if lead.moved > 0 else "spent"
    half = _other_half(lead, case)
    rest = "; its other half was not seen" if half is None else f" against {told(net(half), half.asset)}"
    return f"{told(lead.effect, lead.place.name)} {verb} in a conversion{rest}"


def _other_half(lead: Lead, case: Case) -> Movement | None:
    found = [row for row in rows_of(case, "exchange", lead) if _opposite(row, lead)]
    if not found:
        found = [row for row in _near(lead.at, case) if _opposite(row, lead)]
    return found[0] if len(found) == 1 else None


def _near(at: datetime, case: Case) -> Sequence[Movement]:
    rows = _conversions(case)
    first = bisect_left(rows, at - _TOGETHER, key=_when)
    return rows[first : bisect_right(rows, at + _TOGETHER, lo=first, key=_when)]


@once
def _conversions(case: Case) -> Sequence[Movement]:
    """Return the exchange's rows of this kind, oldest first."""
    return sorted((row for row in case.exchange.movements if row.kind == "conversion"), key=_when)


def _when(row: Movement) -> datetime:
    return row.at


def _opposite(row: Movement, lead: Lead) -> bool:
    turned = (row.amount > 0) != (lead.moved > 0)
    return row.kind == "conversion" and row.asset != lead.place.name and turned
