"""Asked for and not yet arrived.

Evidence: the book has a withdrawal or own transfer that the exchange's ledger does not show yet, and it is
younger than such things take; one leg of an own transfer stands alone and is young; an order is younger than the
exchange's answers may lag behind.

Not to be confused with the same when it is old: a withdrawal never carried out, a ghost order, an order of
somebody else. What was due and did not come is no longer in flight. Nor is a deposit that only the book has: money
that comes in is on the account once the exchange has credited it, and until then the book has it too early, or for
no reason. Which of the two, no record says, however young it is.
"""

from gal_friday.domain.case import Case, Lead
from gal_friday.domain.causes.copies import original_row
from gal_friday.domain.causes.evidence import (
    REST_LAG,
    age,
    lone_order,
    takes,
    told,
)
from gal_friday.domain.causes.transfers import in_transit
from gal_friday.domain.finding import Finding
from gal_friday.domain.instants import instant as written

_SENT = ("withdrawal", "transfer", "earn_transfer")
"""What the owner sends; what comes in is the sender's to send."""


def recognise(lead: Lead, case: Case) -> str | None:
    """Return the sentence, where this is on its way and not yet due."""
    if lead.kind not in _SENT or original_row(lead, case):
        return None
    if lead.what == "phantom" and age(lead.at, case) <= takes(lead.kind):
        way = f"is on its way {_since(lead)}; the exchange's ledger does not show it yet"
        return f"{lead.kind} {lead.event} of {told(lead.moved, lead.place.name)} {way}"
    if lead.what == "missing" and in_transit(lead, case):
        seen = f"has been seen {_since(lead)}; the other is on its way"
        return f"one leg of {lead.event}, {told(lead.moved, lead.place.name)}, {seen}"
    return None


def _since(lead: Lead) -> str:
    return f"since {written(lead.at)}"


def recognise_record(finding: Finding, case: Case) -> str | None:
    """Return the sentence, where an order is too young for the other side to know it."""
    order = lone_order(finding, case, "internal") or lone_order(finding, case, "exchange")
    if order is None or age(order.opened_at, case) > REST_LAG:
        return None
    return f"order {order.name} is only just placed; the other side may not know it yet"
