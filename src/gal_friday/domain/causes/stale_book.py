"""The book stopped being written at some instant; everything after it is missing.

Evidence: the book has nothing after its newest record, and the exchange has at least three events after it
that the book would have written down: fills of the system's own orders, and kinds of movement that it keeps.
Of a book that lists only balances: they are what the exchange's were at one instant, all of them.

This is about the whole side, and outweighs what each missing record is. Not to be confused with one socket
that dropped (later records are there), or with kinds of record that the book never keeps.
"""

from gal_friday.domain.case import Case, Lead
from gal_friday.domain.causes.evidence import Rest
from gal_friday.domain.causes.stopped import events_after, rewound, stopped_before
from gal_friday.domain.instants import instant as written


def recognise(lead: Lead, case: Case) -> str | None:
    """Return the sentence, where this is one of the many things missing since the book stopped."""
    instant = stopped_before(lead, case, "internal") if lead.what == "missing" else None
    if instant is None:
        return None
    events = events_after(case, "internal", instant)
    return f"the book stopped at {written(instant)}: {events} events since then are missing"


def recognise_rest(rest: Rest) -> str | None:
    """Return the sentence, where the book's balances are those of an earlier instant."""
    instant = rewound(rest, "internal")
    return None if instant is None else f"the book's balances are those of {written(instant)}"
