"""A delisted asset was sold or converted by the exchange.

Evidence: the exchange's row says so by its kind. The row that takes the asset and the row that pays for it can
come days apart, under ids of their own: each is recognised alone.

Not to be confused with a conversion that the owner asked for, or with a renamed asset, whose amount stays.
"""

from gal_friday.domain.case import Case, Lead
from gal_friday.domain.causes.evidence import told


def recognise(lead: Lead, case: Case) -> str | None:
    """Return the sentence, where this part of a delisting is missing from the book."""
    del case
    if lead.kind != "delisting" or lead.what != "missing":
        return None
    size = told(lead.moved, lead.place.name)
    return f"the exchange paid {size} for a delisted asset" if lead.moved > 0 else f"{size} was delisted and taken"
