"""Money went out that the book does not have: a withdrawal, or a deposit taken back.

Evidence: the exchange's ledger has it, and the book has nothing of that row.

Not to be confused with a withdrawal that came back (the event has both signs), or one that the book has and
the exchange does not yet (`in_flight`).
"""

from gal_friday.domain.case import Case, Lead
from gal_friday.domain.causes.evidence import other_version, reversed_by, rows_of, told


def recognise(lead: Lead, case: Case) -> str | None:
    """Return the sentence, where this outflow is missing from the book."""
    if lead.what != "missing" or lead.kind not in ("withdrawal", "deposit") or lead.moved >= 0:
        return None
    if other_version(lead, case):
        return None
    size = told(lead.moved, lead.place.name)
    if lead.kind == "deposit":
        return f"deposit {lead.event} of {size} was taken back"
    if reversed_by(rows_of(case, "exchange", lead)):
        return None
    return f"withdrawal {lead.event} of {size} was not booked"
