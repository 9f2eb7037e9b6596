"""A fill booked with another price.

Evidence: both sides have the fill, of the same side and size, and the price differs; so the quote asset is off
by size times the difference, and the base asset not at all.

Not to be confused with another fee (the price agrees) or another size (`wrong_amount`).
"""

from gal_friday.domain import quantity
from gal_friday.domain.assets import base_and_quote
from gal_friday.domain.case import Case, Lead
from gal_friday.domain.causes.evidence import both_fills, is_trade, told
from gal_friday.domain.records import Kind


def recognise(lead: Lead, case: Case) -> str | None:
    """Return the sentence, where this fill's price is another in the book."""
    fills = both_fills(lead, case)
    if lead.what != "differs" or fills is None or not is_trade(lead) or lead.place.kind is Kind.POSITIONS:
        return None
    ours, theirs = fills
    same = ours.side == theirs.side and ours.quantity == theirs.quantity
    assets = base_and_quote(theirs.instrument)
    in_quote = lead.place.kind is Kind.FILLS or (assets is not None and lead.place.name == assets[1])
    if not same or ours.price == theirs.price or not in_quote:
        return None
    price = told(theirs.price, assets[1] if assets else "a unit")
    return f"fill {lead.event} was done at {price}, not at {quantity.short(ours.price)} as booked"
