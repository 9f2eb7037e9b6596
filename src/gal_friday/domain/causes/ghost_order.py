"""The book believes in an order that the exchange does not know.

Evidence: the exchange, asked for that id, does not know it, neither the client's, and the order is older than any lag.

Not to be confused with an order that has just been sent (`in_flight`), or with one that ended at the exchange
and is known there (`missed_cancel`).
"""

from gal_friday.domain.case import Case
from gal_friday.domain.causes.evidence import REST_LAG, age, known_by_client, lone_order, told
from gal_friday.domain.causes.reserved import order_behind
from gal_friday.domain.finding import Finding


def recognise_record(finding: Finding, case: Case) -> str | None:
    """Return the sentence, where the exchange never heard of this order, or it is what the book reserves for."""
    behind = order_behind(finding, case)
    if behind is not None:
        found = recognise_record(behind, case)
        return None if found is None else f"reserved in the book for it: {found}"
    order = lone_order(finding, case, "internal")
    if order is None or age(order.opened_at, case) <= REST_LAG or known_by_client(order, case, "exchange"):
        return None
    size = f"{order.side} {told(order.quantity, order.instrument)}"
    return f"order {order.name} ({size}) stands in the book as {order.status}, and the exchange does not know it"
