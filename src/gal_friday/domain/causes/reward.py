"""Income from staking, earn products, dividends or bonuses that the book does not have.

Evidence: the exchange's row says so by its kind. A reward can be taken back: then it is negative.

Not to be confused with a move between one's own wallets, which brings nothing, with what the exchange
dropped into the account (`exchange_adjustment`), or with a reward that the book has with another amount.
"""

from gal_friday.domain.case import Case, Lead
from gal_friday.domain.causes.evidence import lacks_rows, other_version, told


def recognise(lead: Lead, case: Case) -> str | None:
    """Return the sentence, where this reward is missing from the book, alone or beside others that it has."""
    if lead.kind != "reward" or other_version(lead, case):
        return None
    if lead.what != "missing" and not (lead.what == "differs" and lacks_rows(lead, case)):
        return None
    if lead.what == "differs":
        return f"{told(lead.effect, lead.place.name)} of reward {lead.event} was not booked"
    back = "" if lead.moved > 0 else " was taken back, which"
    return f"reward {lead.event} of {told(lead.moved, lead.place.name)}{back} was not booked"
