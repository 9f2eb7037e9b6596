"""A margin position was settled in kind: what was owed was paid, and no trade took place.

Evidence: the exchange's row says so by its kind, or order or trade are of the type that settles.

Not to be confused with a trade that closed the position (`missed_fill`, `manual_trade`), or a liquidation.
Source: Kraken REST documentation, Get Trades History ("settle position"), Get Ledgers Info (type settled).
"""

from gal_friday.domain.case import Case, Lead
from gal_friday.domain.causes.evidence import is_trade, lone_order, nature, nature_of, told
from gal_friday.domain.finding import Finding
from gal_friday.domain.records import Kind


def recognise(lead: Lead, case: Case) -> str | None:
    """Return the sentence, where this belongs to a settlement that the book does not have."""
    if lead.what != "missing" or not is_trade(lead) or nature(lead, case) != "settlement":
        return None
    effect = "" if lead.place.kind is Kind.FILLS else f": {told(lead.effect, lead.place.name)}"
    return f"a position was settled in {lead.event}{effect}, and the book does not have it"


def recognise_record(finding: Finding, case: Case) -> str | None:
    """Return the sentence, where an order that settles a position is not in the book."""
    order = lone_order(finding, case, "exchange")
    if order is None or nature_of(None, (), order) != "settlement":
        return None
    return f"order {order.name} settled {told(order.filled, order.instrument)} of a position"
