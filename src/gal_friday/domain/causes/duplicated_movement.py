"""The book has a movement twice that is none of a fill: a deposit, a withdrawal, a reward, a transfer.

Evidence: the book lists one id more than once; or it has, beside a movement that the exchange knows, one of the
same kind, second, asset, wallet, amount and fee under an id that the exchange does not know.

Not to be confused with a fill that counted twice (`duplicated_fill`), with two movements of equal size, which the
exchange knows both, or with a withdrawal on its way that is as large as an earlier one.
"""

from gal_friday.domain.case import Case, Lead
from gal_friday.domain.causes.copies import of_fill, original_row


def recognise(lead: Lead, case: Case) -> str | None:
    """Return the sentence, where the book counts this movement more than once."""
    if lead.what == "duplicated":
        return None if of_fill(lead, case) else f"the book has {lead.kind} {lead.event} more than once"
    original = original_row(lead, case)
    if original is None:
        return None
    return f"{lead.kind} {lead.event} is {original.movement_id} once more, under an id of its own"
