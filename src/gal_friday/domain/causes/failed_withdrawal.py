"""A withdrawal that came back, or was never carried out, and of which the book has another part.

Evidence: the exchange's event has both signs, money out and the same money back; or a returning row stands
alone; or the book has a withdrawal that the exchange, a day later, still does not know.

Not to be confused with a deposit (another kind of row), or with a withdrawal that is still on its way.
Source: Kraken REST documentation, Get Ledgers Info (a second row of opposite sign under the same refid).
"""

from gal_friday.domain.case import Case, Lead
from gal_friday.domain.causes.copies import original_row
from gal_friday.domain.causes.evidence import SETTLING_TIME, age, reversed_by, rows_of, told


def recognise(lead: Lead, case: Case) -> str | None:
    """Return the sentence, where the withdrawal did not go out after all."""
    if lead.kind != "withdrawal" or lead.what == "duplicated" or original_row(lead, case):
        return None
    size = told(lead.moved or lead.effect, lead.place.name)
    if lead.what == "phantom":
        lost = age(lead.at, case) > SETTLING_TIME
        return f"withdrawal {lead.event} of {size} stands in the book, and was never carried out" if lost else None
    if reversed_by(rows_of(case, "exchange", lead)) or (lead.what == "missing" and lead.moved > 0):
        way = "came back" if lead.effect > 0 else "went out"
        return f"withdrawal {lead.event} failed, and the {told(lead.effect, lead.place.name)} that {way} is not booked"
    return None
