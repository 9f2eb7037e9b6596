"""The fee was taken from another asset than the book believes: the base asset, or fee credits (KFEE).

Evidence: both sides have the event with the same amounts, each with a fee, in two different assets. It shows
in both assets at once: one has too little in the book, the other too much.

Not to be confused with a fee that the book does not have at all (`unbooked_fee`), with a rollover, which is a fee
by itself, or with a renamed asset, where the amount itself stands under another name.
Source: Kraken REST documentation, Get Ledgers Info (fee credits are a row of their own, amount 0).
"""

from gal_friday.domain.case import Case, Lead
from gal_friday.domain.causes.evidence import amount_of, at_place, fees_of, rows_of, told
from gal_friday.domain.finding import Differs, Finding, TextMismatch
from gal_friday.domain.records import Kind


def recognise(lead: Lead, case: Case) -> str | None:
    """Return the sentence, where this asset is one of the two that the fee was booked to and taken from."""
    mine, other = (rows_of(case, side, lead) for side in ("internal", "exchange"))
    if not lead.rows or lead.what == "duplicated" or lead.kind == "rollover" or not mine or not other:
        return None
    ours, theirs = fees_of(mine), fees_of(other)
    gone, come = sorted(ours.keys() - theirs.keys()), sorted(theirs.keys() - ours.keys())
    if not gone or not come or lead.rows[0].asset not in (*gone, *come):
        return None
    if amount_of(at_place(mine, lead.place)) != amount_of(at_place(other, lead.place)):
        return None
    taken = ", ".join(told(theirs[asset], asset) for asset in come)
    return f"the fee on {lead.event} was taken as {taken}, and the book has it in {', '.join(gone)}"


def recognise_record(finding: Finding, case: Case) -> str | None:
    """Return the sentence, where both sides have a fill that differs in nothing but what its fee was taken from."""
    del case
    if not isinstance(finding, Differs) or finding.key.kind is not Kind.FILLS:
        return None
    match finding.mismatches:
        case (TextMismatch(field="fee", internal=ours, exchange=theirs),):
            return f"the fee was {theirs}, and the book has {ours}"
        case _:
            return None
