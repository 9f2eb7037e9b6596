"""An order that the system did not place is on the account.

Evidence: the exchange lists it, the book, which lists all of its orders, does not, and it has traded nothing
yet; nor has the book its client's id. What it reserves shows as a hold that the book does not expect.

Not to be confused with an order so young that the book has not heard of it (`in_flight`), with one that has
traded (`manual_trade`), or with what the exchange places itself.
"""

from gal_friday.domain.case import Case
from gal_friday.domain.causes.evidence import REST_LAG, age, known_by_client, lone_order, nature_of, told
from gal_friday.domain.causes.reserved import order_behind
from gal_friday.domain.finding import Finding


def recognise_record(finding: Finding, case: Case) -> str | None:
    """Return the sentence, where nobody here placed this order, or it is what reserves the balance."""
    behind = order_behind(finding, case)
    if behind is not None:
        found = recognise_record(behind, case)
        return None if found is None else f"reserved by it: {found}"
    order = lone_order(finding, case, "exchange")
    if order is None or order.filled or age(order.opened_at, case) <= REST_LAG:
        return None
    if known_by_client(order, case, "internal") or nature_of(None, (), order) != "trade":
        return None
    size = f"{order.side} {told(order.quantity, order.instrument)}"
    return f"order {order.name} ({size}, {order.status}) was not placed by this system"
