"""A trade that somebody made by hand: its order is none of the system's own.

Evidence: the exchange has the fill, the book lists all of its orders, and the fill's order is not among them,
neither by the exchange's id nor by the client's.

Not to be confused with a missed fill (the order is known), with an order of somebody else that is still open
and has filled nothing (`foreign_order`), or with what the exchange did by force.
"""

from gal_friday.domain.case import Case, Lead
from gal_friday.domain.causes.evidence import (
    REST_LAG,
    age,
    booked,
    fill_of,
    is_trade,
    known_by_client,
    lone_order,
    nature,
    nature_of,
    told,
    whose,
)
from gal_friday.domain.finding import Finding


def recognise(lead: Lead, case: Case) -> str | None:
    """Return the sentence, where the fill belongs to an order that the book does not know."""
    if lead.what != "missing" or not is_trade(lead) or booked(lead, case) or nature(lead, case) != "trade":
        return None
    fill = fill_of(lead, case)
    if fill is None or whose(fill, case) != "foreign":
        return None
    size = told(fill.quantity, fill.instrument)
    return f"fill {fill.fill_id} ({fill.side} {size}) belongs to order {fill.order_id}, which the book does not know"


def recognise_record(finding: Finding, case: Case) -> str | None:
    """Return the sentence, where an order that the book does not know has traded."""
    order = lone_order(finding, case, "exchange")
    if order is None or not order.filled or age(order.opened_at, case) <= REST_LAG:
        return None
    if known_by_client(order, case, "internal"):
        return None
    if nature_of(None, (), order) != "trade":
        return None
    return f"order {order.name} is not the book's own and traded {told(order.filled, order.instrument)}"
