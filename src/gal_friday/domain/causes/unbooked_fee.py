"""A fee was charged that the book does not have, or has in another size.

Evidence: both sides have the event with the same amounts, and the fee differs; or a row that moves nothing
but a fee belongs to an event that the book has, or stands alone.

Not to be confused with a fee taken from another asset (the book has one too), with the fee of a fill that is
missing as a whole, or with the rollover of a position, which is an event of its own.
"""

from decimal import Decimal

from gal_friday.domain import quantity
from gal_friday.domain.case import Case, Lead
from gal_friday.domain.causes.evidence import (
    amount_of,
    at_place,
    booked,
    fees_of,
    fill_of,
    nature,
    rows_of,
    told,
)
from gal_friday.domain.finding import AmountMismatch, Differs, Finding
from gal_friday.domain.quantity import ZERO
from gal_friday.domain.records import Kind


def recognise(lead: Lead, case: Case) -> str | None:
    """Return the sentence, where only a fee stands between the two sides."""
    if not lead.rows or lead.kind == "rollover" or lead.what not in ("missing", "differs"):
        return None
    if (lead.what == "missing" and lead.moved) or nature(lead, case) != "trade":
        return None
    mine, other = (at_place(rows_of(case, side, lead), lead.place) for side in ("internal", "exchange"))
    if amount_of(mine) != amount_of(other):
        return None
    ours, theirs = fees_of(mine), fees_of(other)
    if ours == theirs or _in_other_asset(lead, case) or (not mine and not _whole(lead, case)):
        return None
    charged, had = (fees.get(lead.rows[0].asset, ZERO) for fees in (theirs, ours))
    if not had:
        noun = "fee" if charged > 0 else "rebate"
        return f"a {noun} of {told(charged, lead.place.name)} on {lead.event} was not booked"
    return f"the fee on {lead.event} was {_fee(charged, lead.place.name)}, not {quantity.short(had)} as booked"


def _fee(charged: Decimal, asset: str) -> str:
    """Return a fee with its sign: below zero it is a rebate."""
    return f"{quantity.short(charged)} {asset}".rstrip()


def _whole(lead: Lead, case: Case) -> bool:
    """Say whether the fee is all that is missing: the book has the event, or there is no other part of it."""
    return booked(lead, case) or (fill_of(lead, case) is None and not amount_of(rows_of(case, "exchange", lead)))


def _in_other_asset(lead: Lead, case: Case) -> bool:
    ours, theirs = (fees_of(rows_of(case, side, lead)).keys() for side in ("internal", "exchange"))
    return bool(ours - theirs) and bool(theirs - ours)


def recognise_record(finding: Finding, case: Case) -> str | None:
    """Return the sentence, where both sides have a fill that differs in nothing but a fee."""
    del case
    if not isinstance(finding, Differs) or finding.key.kind is not Kind.FILLS:
        return None
    match finding.mismatches:
        # Where price or size differ as well, the fee follows from them.
        case (AmountMismatch(field="fee", internal=ours, exchange=theirs, stake=stake),):
            return f"the fee was {_fee(theirs, stake.asset if stake else '')}, not {quantity.short(ours)} as booked"
        case _:
            return None
