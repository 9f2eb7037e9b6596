"""Booked with another amount: a shifted decimal point, two digits transposed, a row of several left out.

Evidence: both sides have the event, in the same direction, with two sizes. Of a book without records: exactly
one row of the exchange would explain the difference if its point were shifted, or the whole balance is the
exchange's with its point shifted. That is a hint, and needs three digits that carry information.

Not to be confused with another price or fee, with an event of which the exchange took a part back, or with a
rollover, which is told as itself in whatever it differs.
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from gal_friday.domain import quantity
from gal_friday.domain.case import Case, Lead, once
from gal_friday.domain.causes.evidence import (
    Rest,
    amount_of,
    at_place,
    both_fills,
    is_trade,
    lacks_rows,
    reversed_by,
    rows_of,
    significant,
    told,
)
from gal_friday.domain.compare.stake import net
from gal_friday.domain.finding import Finding
from gal_friday.domain.records import Fill, Kind
from gal_friday.domain.snapshot import Coverage

_SHIFTS = {places: Decimal(f"1e{places}") for places in (-3, -2, -1, 1, 2, 3)}
_DIGITS = 3
"""A shifted 5 or 100 is found everywhere: fewer digits than this are no evidence."""


def recognise(lead: Lead, case: Case) -> str | None:
    """Return the sentence, where both sides have this event in different size."""
    if lead.what != "differs" or lead.kind == "rollover":
        return None
    # Each row of a reward is one of its own: what the book lacks of them is missing, and no other size.
    if lead.kind == "reward" and lacks_rows(lead, case):
        return None
    fills = both_fills(lead, case)
    if fills is not None and is_trade(lead):
        ours, theirs = fills
        other_size = ours.side == theirs.side and ours.quantity != theirs.quantity
        return _told(f"fill {lead.event}", ours.quantity, theirs.quantity, theirs.instrument) if other_size else None
    return _of_rows(lead, case)


def _of_rows(lead: Lead, case: Case) -> str | None:
    mine, other = (at_place(rows_of(case, side, lead), lead.place) for side in ("internal", "exchange"))
    booked, real = amount_of(mine), amount_of(other)
    if not booked or not real or booked == real or (booked > 0) != (real > 0) or reversed_by(other):
        return None
    if len(other) > len(mine):
        return f"{lead.event} has {len(other)} rows at the exchange, and the book has {len(mine)} of them"
    return _told(f"{'fill' if is_trade(lead) else lead.kind} {lead.event}", booked, real, lead.place.name)


def _told(what: str, booked: Decimal, real: Decimal, name: str) -> str:
    sizes = f"{told(real, name)} and not {quantity.short(quantity.absolute(booked))} as booked"
    return f"{what} was {sizes}{_pattern(booked, real)}"


def _pattern(booked: Decimal, real: Decimal) -> str:
    if _shifted(booked, real):
        return ": the decimal point is shifted"
    one, other = (quantity.short(quantity.absolute(amount)) for amount in (booked, real))
    places = [at for at in range(min(len(one), len(other))) if one[at] != other[at]]
    if len(one) == len(other) and len(places) == 2 and one[places[0]] == other[places[1]]:
        return ": two digits are transposed" if one[places[1]] == other[places[0]] else ""
    return ""


def recognise_record(finding: Finding, case: Case) -> str | None:
    """Return the sentence, where the book's fills would be what its order says, were they of the exchange's size."""
    if finding.key.kind is not Kind.SOURCES or finding.key.part != "internal":
        return None
    order = case.orders["internal"].get(finding.key.name.removeprefix("order:"))
    fills = _of_order(case).get(order.order_id or "", ()) if order else ()
    other = [ours.fill_id for ours, theirs in fills if theirs is not None and ours.quantity != theirs.quantity]
    if order is None or not other or any(theirs is None or ours.side != theirs.side for ours, theirs in fills):
        return None
    if quantity.total(theirs.quantity for _, theirs in fills if theirs is not None) != order.filled:
        return None
    return f"the order is filled as its fills are at the exchange: the book has {', '.join(other)} in another size"


@once
def _of_order(case: Case) -> Mapping[str, Sequence[tuple[Fill, Fill | None]]]:
    """Return the book's fills of each order, beside what the exchange has under their ids."""
    found: dict[str, list[tuple[Fill, Fill | None]]] = {}
    for fill_id, ours in sorted(case.fills["internal"].items()):
        if ours.order_id:
            found.setdefault(ours.order_id, []).append((ours, case.fills["exchange"].get(fill_id)))
    return found


def recognise_rest(rest: Rest) -> str | None:
    """Return the sentence, where one shifted decimal point explains all that is left."""
    case, place = rest.case, rest.place
    if place.kind is not Kind.BALANCES or case.internal.coverage.movements == Coverage.TOTAL:
        return None
    found = [
        (name, amount)
        for name, amount in _known(rest)
        if _shifted(quantity.subtract(amount, rest.residual), amount) and significant(amount) >= _DIGITS
    ]
    if len(found) != 1:
        return None
    name, amount = found[0]
    return f"{name} of {told(amount, place.name)} seems to be booked with its decimal point shifted"


def _known(rest: Rest) -> Iterator[tuple[str, Decimal]]:
    """Yield what may have been booked with its point shifted: each row, and the whole balance."""
    for row in rest.case.standing("exchange", rest.place):
        yield row.movement_id, net(row)
    if rest.residual == rest.case.difference_at(rest.place):
        yield "the balance", rest.case.amounts[rest.place][1]


def _shifted(booked: Decimal, real: Decimal) -> bool:
    shift = _SHIFTS.get(booked.adjusted() - real.adjusted())
    return shift is not None and quantity.multiply(real, shift) == booked != 0
