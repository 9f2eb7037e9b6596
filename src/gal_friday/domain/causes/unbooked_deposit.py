"""Money came in that the book does not have.

Evidence: the exchange's ledger has a deposit, the book has nothing of that event.

Not to be confused with income (`reward`), a transfer of one's own, a withdrawal that came back, or a deposit
that was booked and then taken back. A deposit of the same size as some other gap is no explanation of it.
"""

from gal_friday.domain.case import Case, Lead
from gal_friday.domain.causes.evidence import other_version, told


def recognise(lead: Lead, case: Case) -> str | None:
    """Return the sentence, where this deposit is missing from the book."""
    if lead.what != "missing" or lead.kind != "deposit" or lead.moved <= 0 or other_version(lead, case):
        return None
    return f"deposit {lead.event} of {told(lead.moved, lead.place.name)} was not booked"
