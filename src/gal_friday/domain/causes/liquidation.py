"""The exchange closed a position by force.

Evidence: order or trade say so, or the results of one event were booked in several currencies at once, as
collateral was sold. Critical, and never harmless.

Not to be confused with a trade by hand, whose order the book does not know either, or with a missed fill of
the system's own order. Fee credits beside a result are no second currency: they move no amount.
Source: Kraken REST documentation, Get Trades History ("liquidation market").
"""

from gal_friday.domain.case import Case, Lead
from gal_friday.domain.causes.evidence import is_trade, lone_order, nature, nature_of, told
from gal_friday.domain.finding import Finding
from gal_friday.domain.records import Kind


def recognise(lead: Lead, case: Case) -> str | None:
    """Return the sentence, where this belongs to a liquidation that the book does not have."""
    if lead.what != "missing" or not is_trade(lead) or nature(lead, case) != "liquidation":
        return None
    effect = "" if lead.place.kind is Kind.FILLS else f": {told(lead.effect, lead.place.name)}"
    return f"the exchange closed a position by force in {lead.event}{effect}"


def recognise_record(finding: Finding, case: Case) -> str | None:
    """Return the sentence, where an order that nobody placed closed a position by force."""
    order = lone_order(finding, case, "exchange")
    if order is None or nature_of(None, (), order) != "liquidation":
        return None
    return f"order {order.name} is the exchange's own: it closed {told(order.filled, order.instrument)} by force"
