"""What several recognisers ask about records that the book has once more, under an id of its own.

Equal size alone makes no copy: the record that it would be a copy of must be known to both sides, and be the same
in all that was done, to the second.
"""

from collections.abc import Mapping

from gal_friday.domain.case import Case, Lead, once
from gal_friday.domain.causes.evidence import is_trade, other_version
from gal_friday.domain.records import Fill, Movement


def of_fill(lead: Lead, case: Case) -> bool:
    """Say whether the lead is a fill, or what one moved; a fee may stand alone."""
    return is_trade(lead) and (lead.kind != "fee" or case.fill(lead.event) is not None)


def original_fill(copy: Fill, case: Case) -> Fill | None:
    """Return the fill of both sides that is the same execution; an order's id is needed to say so."""
    if copy.fill_id in case.fills["exchange"] or copy.order_id is None:
        return None
    return _known_fills(case).get(_execution(copy))


@once
def _known_fills(case: Case) -> Mapping[tuple[object, ...], Fill]:
    """Return the fills that both sides have, by what was done."""
    return {_execution(fill): fill for fill in case.internal.fills if fill.fill_id in case.fills["exchange"]}


def _execution(fill: Fill) -> tuple[object, ...]:
    second = fill.at.replace(microsecond=0)
    return fill.order_id, fill.instrument, fill.side, fill.quantity, fill.price, second


def original_row(lead: Lead, case: Case) -> Movement | None:
    """Return the movement of both sides that is the same as the lead's, which only the book has."""
    if lead.what != "phantom" or len(lead.rows) != 1 or is_trade(lead) or other_version(lead, case):
        return None
    return _known_rows(case).get(_content(lead.rows[0]))


@once
def _known_rows(case: Case) -> Mapping[tuple[object, ...], Movement]:
    """Return the movements that both sides have, by what was moved."""
    theirs = {row.movement_id for row in case.exchange.movements}
    return {_content(row): row for row in case.internal.movements if row.movement_id in theirs}


def _content(row: Movement) -> tuple[object, ...]:
    return row.kind, row.asset, row.wallet, row.amount, row.fee, row.at.replace(microsecond=0)
