"""An order ended on the exchange, and the book did not notice.

Evidence: the exchange says canceled, expired or rejected, the book says it lives, and no fill is missing.

Not to be confused with an order that was filled (`missed_fill`), one that the exchange does not know at all
(`ghost_order`), or with an answer of the exchange that is older than what the book knows (`stale_exchange`).
"""

from gal_friday.domain.case import Case
from gal_friday.domain.causes.evidence import both_orders
from gal_friday.domain.causes.reserved import order_behind
from gal_friday.domain.finding import Finding
from gal_friday.domain.records import LIVE_STATUSES

_ENDED = ("canceled", "expired", "rejected")


def recognise_record(finding: Finding, case: Case) -> str | None:
    """Return the sentence, where the order is over and the book still waits, or reserves, for it."""
    behind = order_behind(finding, case)
    if behind is not None:
        found = recognise_record(behind, case)
        return None if found is None else f"reserved in the book for {behind.key.name}: {found}"
    orders = both_orders(finding, case)
    if orders is None or orders[0].filled != orders[1].filled:
        return None
    ours, theirs = orders
    if ours.status not in LIVE_STATUSES or theirs.status not in _ENDED:
        return None
    return f"the order is {theirs.status} at the exchange, and the book still has it {ours.status}"
