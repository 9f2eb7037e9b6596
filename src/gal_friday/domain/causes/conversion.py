"""One asset turned into another in the exchange's app: no order, no trade, only two rows.

Evidence: the exchange's row says so by its kind. The two halves share an event, or follow each other within a
second under ids of their own.

Not to be confused with a trade, with a renamed asset (same amount, no row), or with the conversion of a
delisted asset, which the exchange does itself.
"""

from datetime import timedelta
from functools import lru_cache

from gal_friday.domain.case import Case, Lead
from gal_friday.domain.causes.evidence import moved, rows_of, told
from gal_friday.domain.compare.stake import net
from gal_friday.domain.records import Movement

_TOGETHER = timedelta(seconds=1)


def recognise(lead: Lead, case: Case) -> str | None:
    """Return the sentence, where this half of a conversion is missing from the book."""
    if lead.kind != "conversion" or lead.what != "missing":
        return None
    verb = "received" if moved(lead) > 0 else "spent"
    half = _other_half(lead, case)
    rest = "; its other half was not seen" if half is None else f" against {told(net(half), half.asset)}"
    return f"{told(lead.effect, lead.place.name)} {verb} in a conversion{rest}"


def _other_half(lead: Lead, case: Case) -> Movement | None:
    found = [row for row in rows_of(case, "exchange", lead) if _opposite(row, lead)]
    if not found:
        near = (row for row in _conversions(case) if abs(row.at - lead.at) <= _TOGETHER)
        found = [row for row in near if _opposite(row, lead)]
    return found[0] if len(found) == 1 else None


@lru_cache(maxsize=2)
def _conversions(case: Case) -> tuple[Movement, ...]:
    return tuple(row for row in case.exchange.movements if row.kind == "conversion")


def _opposite(row: Movement, lead: Lead) -> bool:
    turned = (row.amount > 0) != (moved(lead) > 0)
    return row.kind == "conversion" and row.asset != lead.place.name and turned
