"""The fee for keeping a margin position open, every four hours.

Evidence: the exchange's row says so by its kind; it refers to the position and moves nothing but a fee.

Not to be confused with the fee of the fill that opened the position, although both can refer to the same id.
Source: Kraken support, "Rollover fees".
"""

from gal_friday.domain.case import Case, Lead
from gal_friday.domain.causes.evidence import told


def recognise(lead: Lead, case: Case) -> str | None:
    """Return the sentence, where this rollover is missing from the book or differs there."""
    del case
    if lead.kind != "rollover" or lead.what not in ("missing", "differs"):
        return None
    position = next((row.refers_to for row in lead.rows if row.refers_to), lead.event)
    return f"rollover of position {position} took {told(lead.effect, lead.place.name)} and was not booked"
