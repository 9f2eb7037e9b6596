"""The exchange's answer is older than what the book already knows.

Evidence: the book has a fill that the exchange's answer lacks, newer than anything in it and younger than its
answers may lag behind; or at least three events of any age after the exchange's newest; or the book knows a
later state of an order. Of an exchange that lists only balances: they are what the book's were at one instant.

Not to be confused with a withdrawal or transfer on its way (`in_flight`), or with a record that the exchange
does not know although its answer is newer.
Source: Kraken's stream reports fills up to a minute before its REST answers do.
"""

from gal_friday.domain.case import Case, Lead
from gal_friday.domain.causes.evidence import REST_LAG, Rest, age, both_orders, is_trade
from gal_friday.domain.causes.stopped import last_record, rewound, stopped_before
from gal_friday.domain.finding import Finding
from gal_friday.domain.instants import instant as written
from gal_friday.domain.records import LIVE_STATUSES


def recognise(lead: Lead, case: Case) -> str | None:
    """Return the sentence, where the book is ahead of the exchange's answer."""
    if lead.what != "phantom":
        return None
    instant = stopped_before(lead, case, "exchange")
    if instant is not None:
        return f"the exchange's answer ends at {written(instant)}, and the book knows more"
    newest = last_record(case, "exchange")
    later = newest is None or lead.at > newest
    if not is_trade(lead) or not later or age(lead.at, case) > REST_LAG:
        return None
    return f"fill {lead.event} is so young that the exchange's answer may not show it yet"


def recognise_record(finding: Finding, case: Case) -> str | None:
    """Return the sentence, where the book knows a later state of this order than the exchange told."""
    orders = both_orders(finding, case)
    if orders is None:
        return None
    ours, theirs = orders
    further = ours.filled > theirs.filled or (ours.status not in LIVE_STATUSES and theirs.status in LIVE_STATUSES)
    if not further or ours.updated_at is None or age(ours.updated_at, case) > REST_LAG:
        return None
    if theirs.updated_at is not None and theirs.updated_at >= ours.updated_at:
        return None
    return f"the book knows the order as {ours.status}; the exchange's answer is older and has it {theirs.status}"


def recognise_rest(rest: Rest) -> str | None:
    """Return the sentence, where the exchange's balances are those of an earlier instant."""
    instant = rewound(rest, "exchange")
    return None if instant is None else f"the exchange's balances are those of {written(instant)}"
