"""From findings about records to leads: what each leftover record does to a balance or a position.

The comparison of movements and fills by id has already decided what is left over; nothing is matched here
again, so that a record is consumed once. Every way in which a record is left over is a lead, with or without an
effect on an amount: a spot fill has none of its own (its movements have), and yet somebody asks why it is missing.
"""

from collections.abc import Collection, Iterator, Sequence
from decimal import Decimal

from msgspec.structs import replace

from gal_friday.domain import quantity
from gal_friday.domain.case import Case, Lead, Place, What
from gal_friday.domain.chain import when
from gal_friday.domain.compare.stake import net, signed
from gal_friday.domain.finding import (
    AmountMismatch,
    Differs,
    DiscrepancyType,
    ExchangeOnly,
    Finding,
    Inconsistent,
    InternalOnly,
    Key,
    Mismatch,
    TextMismatch,
)
from gal_friday.domain.quantity import ZERO
from gal_friday.domain.records import FILL_LEG_KINDS, Fill, Kind, Movement, PositionMode
from gal_friday.domain.roll_up import legs_of
from gal_friday.domain.snapshot import Coverage, Side

_MOVED_TO_ANOTHER_PLACE = ("asset", "wallet")


def leads_about(finding: Finding, case: Case) -> Iterator[Lead]:
    """Yield a lead for each way in which this fill or movement is left over; none for other kinds."""
    match finding.key.kind:
        case Kind.MOVEMENTS:
            yield from _of_movement(case, finding)
        case Kind.FILLS:
            yield from _of_fill(case, finding)
            yield from _of_margin_fill(case, finding)
        case _:
            return


def _of_movement(case: Case, finding: Finding) -> Iterator[Lead]:
    match finding:
        case ExchangeOnly(key=key, amount=amount):
            yield from _moved(case, "missing", amount, _rows(case, "exchange", key), "exchange")
        case InternalOnly(key=key, amount=amount, repeats=repeats):
            ours = _rows(case, "internal", key)
            yield from _moved(case, "phantom", quantity.negate(amount), ours, "internal")
            for repeat in repeats:
                yield from _differing(case, repeat, ours, (), quantity.negate(amount))
        case Differs(key=key, mismatches=mismatches):
            ours, theirs = (_rows(case, side, key) for side in ("internal", "exchange"))
            told = quantity.total(each.difference for each in mismatches if isinstance(each, AmountMismatch))
            if any(map(_of_another_place, mismatches)):
                # The whole of it goes from the one place and comes to the other, once, whatever its size was there.
                yield from _moved(case, "differs", quantity.negate(quantity.total(map(net, ours))), ours, "internal")
                yield from _moved(case, "differs", quantity.total(map(net, theirs)), theirs, "exchange")
                mismatches = tuple([each for each in mismatches if isinstance(each, Inconsistent)])
            for mismatch in mismatches:
                yield from _differing(case, mismatch, ours, theirs, told)
        case _:
            return


def _of_another_place(mismatch: Mismatch) -> bool:
    return isinstance(mismatch, TextMismatch) and mismatch.field in _MOVED_TO_ANOTHER_PLACE


def _rows(case: Case, side: Side, key: Key) -> tuple[Movement, ...]:
    """Return the rows of one side that a finding is about."""
    rows = case.rows[side].get(key.name, ())
    if not key.part:
        return tuple([row for row in rows if row.movement_id == key.name])
    return tuple([row for row in rows if f"{key.part}:".startswith(f"{row.asset}:{row.wallet}:")])


def _moved(case: Case, what: What, effect: Decimal, rows: Sequence[Movement], side: Side) -> Iterator[Lead]:
    if not rows:
        return
    # In the order in which they were booked, whichever way the source lists them (I12).
    rows = sorted(rows, key=when)
    first = rows[0]
    yield Lead(
        place=Place(Kind.BALANCES, first.asset, first.wallet),
        what=what,
        effect=effect,
        event=case.event_of(first),
        record_ids=tuple(dict.fromkeys(map(_record_id, rows))),
        at=rows[-1].at,
        kind=first.kind,
        side=side,
        moved=quantity.total([row.amount for row in rows]),
        rows=tuple(rows),
    )


def _record_id(row: Movement) -> str:
    """Return the id of the record that a row stands for: a leg that was derived from a fill stands for the fill."""
    derived = row.refers_to is not None and row.movement_id == f"{row.refers_to}:{row.asset}"
    return row.refers_to if derived and row.refers_to else row.movement_id


def _differing(
    case: Case, mismatch: Mismatch, ours: Sequence[Movement], theirs: Sequence[Movement], told: Decimal
) -> Iterator[Lead]:
    """Yield what one mismatch does; *told* is what the amounts of all of them do."""
    match mismatch:
        case AmountMismatch(difference=difference):
            yield from _moved(case, "differs", difference, theirs, "exchange")
        case TextMismatch():
            yield from _moved(case, "differs", ZERO, theirs, "exchange")
        case Inconsistent(type=kind, side="internal", stake=stake):
            effect = stake.amount if stake and ours and stake.asset == ours[0].asset else ZERO
            places = {Place(Kind.BALANCES, row.asset, row.wallet) for row in ours}
            if kind is DiscrepancyType.IDENTITY_CONFLICT and not _holds_both(case, places, effect, told):
                effect = ZERO
            yield from _moved(case, "duplicated", effect, ours, "internal")
        case _:
            return


def _holds_both(case: Case, places: Collection[Place], effect: Decimal, told: Decimal) -> bool:
    """Say whether an amount holds both contents of one id: without the other one it is nearer to the exchange's."""
    return all(_nearer(quantity.subtract(case.difference_at(place), told), effect) for place in places)


def _of_fill(case: Case, finding: Finding) -> Iterator[Lead]:
    """Yield in which ways a fill is left over, each with its size; the amounts it moved have leads of their own."""
    for what, side in _ways(finding):
        fill = case.fills[side].get(finding.key.name)
        if fill is not None:
            yield _traded(what, fill, _size(fill), side, Place(Kind.FILLS, fill.instrument, ""))
            yield from _of_legs(case, finding, what, fill, side)


def _of_legs(case: Case, finding: Finding, what: What, fill: Fill, side: Side) -> Iterator[Lead]:
    """Yield what a spot fill moves, where no movements speak for it: they were not seen in full on both sides.

    A leg counts only where it brings the book nearer to the exchange: a balance that its trading system keeps by
    other means may hold what the list of fills lacks.
    """
    if fill.margin or all(each.coverage.movements == Coverage.TOTAL for each in (case.internal, case.exchange)):
        return
    if any(case.rows[each].get(fill.fill_id) for each in ("internal", "exchange") if each != side):
        return
    for leg in _legs_left(case, what, fill, finding):
        place = Place(Kind.BALANCES, leg.asset, leg.wallet)
        effect = net(leg)
        if place in case.amounts and _nearer(case.difference_at(place), effect):
            yield from _moved(case, what, effect, (leg,), side)


def _legs_left(case: Case, what: What, fill: Fill, finding: Finding) -> Iterator[Movement]:
    """Yield the legs with the sign that repairs the book; none for a fill that is booked otherwise."""
    match what, finding:
        case "missing", _:
            rows = [row for row in case.rows["exchange"].get(fill.fill_id, ()) if row.kind in FILL_LEG_KINDS]
            yield from rows or legs_of(fill)
        case "phantom", _:
            yield from (_times(leg, -1) for leg in legs_of(fill))
        case "duplicated", Differs(mismatches=mismatches):
            yield from (_times(leg, -further) for further in _further(mismatches) for leg in legs_of(fill))
        case _:
            return


def _times(leg: Movement, times: int) -> Movement:
    count = Decimal(times)
    return replace(leg, amount=quantity.multiply(leg.amount, count), fee=quantity.multiply(leg.fee, count))


def _further(mismatches: Sequence[Mismatch]) -> Iterator[int]:
    for mismatch in mismatches:
        if isinstance(mismatch, Inconsistent) and mismatch.type is DiscrepancyType.FILL_DUPLICATED:
            yield int(mismatch.stated) - 1


def _nearer(difference: Decimal, effect: Decimal) -> bool:
    return quantity.absolute(quantity.subtract(difference, effect)) < quantity.absolute(difference)


def _ways(finding: Finding) -> Iterator[tuple[What, Side]]:
    match finding:
        case ExchangeOnly():
            yield "missing", "exchange"
        case InternalOnly(repeats=repeats):
            yield "phantom", "internal"
            if any(repeat.side == "internal" for repeat in repeats):
                yield "duplicated", "internal"
        case Differs(mismatches=mismatches):
            if any(isinstance(each, Inconsistent) and each.side == "internal" for each in mismatches):
                yield "duplicated", "internal"
            if not all(isinstance(each, Inconsistent) for each in mismatches):
                yield "differs", "exchange"
        case _:
            return


def _of_margin_fill(case: Case, finding: Finding) -> Iterator[Lead]:
    """Yield what a margin fill does to its position."""
    ours = case.fills["internal"].get(finding.key.name)
    theirs = case.fills["exchange"].get(finding.key.name)
    match finding:
        case ExchangeOnly() if theirs is not None and theirs.margin:
            yield _positioned("missing", theirs, _size(theirs))
        case InternalOnly(repeats=repeats) if ours is not None and ours.margin:
            effect = quantity.negate(_size(ours))
            yield _positioned("phantom", ours, effect)
            yield from _repeated(case, ours, repeats, effect)
        case Differs(mismatches=mismatches) if ours is not None and theirs is not None:
            changes = tuple(_changed(ours, theirs))
            yield from changes
            if ours.margin:
                told = [lead.effect for lead in changes if lead.place == _position_of(ours)]
                yield from _repeated(case, ours, mismatches, quantity.total(told))
        case _:
            return


def _changed(ours: Fill, theirs: Fill) -> Iterator[Lead]:
    """Yield what a fill that both sides have does to positions: the book's goes, the exchange's comes."""
    if ours.margin and theirs.margin and ours.instrument == theirs.instrument:
        yield _positioned("differs", theirs, quantity.subtract(_size(theirs), _size(ours)))
        return
    if ours.margin:
        yield _traded("differs", ours, quantity.negate(_size(ours)), "internal", _position_of(ours))
    if theirs.margin:
        yield _positioned("differs", theirs, _size(theirs))


def _repeated(case: Case, ours: Fill, mismatches: Sequence[Mismatch], told: Decimal) -> Iterator[Lead]:
    """Yield what the book's further entries of a fill do to its position; *told* is what is said of the first."""
    for mismatch in mismatches:
        match mismatch:
            case Inconsistent(type=DiscrepancyType.FILL_DUPLICATED, side="internal", stated=stated):
                yield _positioned("duplicated", ours, quantity.multiply(_size(ours), Decimal(1 - int(stated))))
            case Inconsistent(type=DiscrepancyType.IDENTITY_CONFLICT, side="internal"):
                lead = _positioned("duplicated", ours, quantity.subtract(_size(ours), _size_of_all(case, ours)))
                if _holds_both(case, (lead.place,), lead.effect, told):
                    yield lead
            case _:
                continue


def _size_of_all(case: Case, ours: Fill) -> Decimal:
    """Return what all entries under the id of a fill do to the position together."""
    entries = (each for each in case.internal.fills if each.fill_id == ours.fill_id)
    return quantity.total(_size(each) for each in entries if each.margin and each.instrument == ours.instrument)


def _positioned(what: What, fill: Fill, effect: Decimal) -> Lead:
    side: Side = "internal" if what in ("phantom", "duplicated") else "exchange"
    return _traded(what, fill, effect, side, _position_of(fill))


def _position_of(fill: Fill) -> Place:
    return Place(Kind.POSITIONS, fill.instrument, PositionMode.NET)


def _size(fill: Fill) -> Decimal:
    return signed(fill.quantity, fill.side)


def _traded(what: What, fill: Fill, effect: Decimal, side: Side, place: Place) -> Lead:
    return Lead(
        place=place,
        what=what,
        effect=effect,
        event=fill.fill_id,
        record_ids=(fill.fill_id,),
        at=fill.at,
        kind="fill",
        side=side,
        moved=effect,
        fill=fill,
    )


def missing_rows(case: Case, rows: Sequence[Movement]) -> Lead:
    """Return these rows of the exchange, of one place, as what the book lacks."""
    (lead,) = _moved(case, "missing", quantity.total(map(net, rows)), rows, "exchange")
    return lead
