"""A purchase booked as a sale, a long as a short, money in as money out.

Evidence: both sides have the event, with opposite signs and the same size; the amount is off by twice that
size.

Not to be confused with another size (`wrong_amount`), with an event that came and was taken back, which has
both signs at the exchange itself, or with a rollover, which is told as itself in whatever it differs.
"""

from gal_friday.domain import quantity
from gal_friday.domain.case import Case, Lead
from gal_friday.domain.causes.evidence import (
    amount_of,
    at_place,
    both_fills,
    both_orders,
    is_trade,
    reversed_by,
    rows_of,
    told,
)
from gal_friday.domain.finding import Finding


def recognise(lead: Lead, case: Case) -> str | None:
    """Return the sentence, where the two sides have this event in opposite directions."""
    if lead.what != "differs" or lead.kind == "rollover":
        return None
    fills = both_fills(lead, case)
    if fills is not None and is_trade(lead):
        ours, theirs = fills
        if ours.side == theirs.side:
            return None
        return f"fill {lead.event} was a {theirs.side} and is booked as a {ours.side}"
    mine, other = (at_place(rows_of(case, side, lead), lead.place) for side in ("internal", "exchange"))
    if not amount_of(mine) or amount_of(mine) != quantity.negate(amount_of(other)) or reversed_by(other):
        return None
    way = "came in" if amount_of(other) > 0 else "went out"
    return f"{lead.kind} {lead.event} of {told(amount_of(other), lead.place.name)} {way}, and the book has the reverse"


def recognise_record(finding: Finding, case: Case) -> str | None:
    """Return the sentence, where an order stands in the book with the other side."""
    orders = both_orders(finding, case)
    if orders is None or orders[0].side == orders[1].side:
        return None
    return f"the order is a {orders[1].side}, and the book has a {orders[0].side}"
