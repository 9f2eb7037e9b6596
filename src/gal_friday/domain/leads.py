"""From findings about records to leads: what each leftover record does to a balance or a position.

The comparison of movements and fills by id has already decided what is left over; nothing is matched here
again, so that a record is consumed once.
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from gal_friday.domain import quantity
from gal_friday.domain.case import Case, Lead, Place, What
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
    TextMismatch,
)
from gal_friday.domain.quantity import ZERO
from gal_friday.domain.records import Fill, Kind, Movement, PositionMode
from gal_friday.domain.snapshot import Side

_MOVED_TO_ANOTHER_PLACE = ("asset", "wallet")


def leads_of(case: Case) -> Mapping[Place, tuple[Lead, ...]]:
    """Return the leads of every place, oldest first. A lead without effect is none."""
    places: dict[Place, list[Lead]] = {}
    for finding in case.unlike.values():
        for lead in _of_finding(case, finding):
            if lead.effect:
                places.setdefault(lead.place, []).append(lead)
    return {place: tuple(sorted(leads, key=_age)) for place, leads in places.items()}


def _age(lead: Lead) -> tuple[str, str]:
    return lead.at.isoformat(), lead.event


def _of_finding(case: Case, finding: Finding) -> Iterator[Lead]:
    match finding.key.kind:
        case Kind.MOVEMENTS:
            yield from _of_movement(case, finding)
        case Kind.FILLS:
            yield from _of_fill(case, finding)
        case _:
            return


def _of_movement(case: Case, finding: Finding) -> Iterator[Lead]:
    ours, theirs = (_rows(case, side, finding.key) for side in ("internal", "exchange"))
    match finding:
        case ExchangeOnly(amount=amount):
            yield from _moved(case, "missing", amount, theirs)
        case InternalOnly(amount=amount):
            yield from _moved(case, "phantom", quantity.negate(amount), ours)
        case Differs(mismatches=mismatches):
            for mismatch in mismatches:
                yield from _differing(case, mismatch, ours, theirs)
        case _:
            return


def _rows(case: Case, side: Side, key: Key) -> tuple[Movement, ...]:
    """Return the rows of one side that a finding is about."""
    rows = case.rows[side].get(key.name, ())
    if not key.part:
        return tuple(row for row in rows if row.movement_id == key.name)
    return tuple(row for row in rows if f"{key.part}:".startswith(f"{row.asset}:{row.wallet}:"))


def _moved(case: Case, what: What, effect: Decimal, rows: Sequence[Movement]) -> Iterator[Lead]:
    if not rows:
        return
    first = rows[0]
    yield Lead(
        place=Place(Kind.BALANCES, first.asset, first.wallet),
        what=what,
        effect=effect,
        event=case.event_of(first),
        record_ids=tuple(dict.fromkeys(map(_record_id, rows))),
        at=max(row.at for row in rows),
        kind=first.kind,
        rows=tuple(rows),
    )


def _record_id(row: Movement) -> str:
    """Return the id of the record that a row stands for: a leg that was derived from a fill stands for the fill."""
    derived = row.refers_to is not None and row.movement_id == f"{row.refers_to}:{row.asset}"
    return row.refers_to if derived and row.refers_to else row.movement_id


def _differing(
    case: Case,
    mismatch: AmountMismatch | TextMismatch | Inconsistent,
    ours: Sequence[Movement],
    theirs: Sequence[Movement],
) -> Iterator[Lead]:
    match mismatch:
        case AmountMismatch(difference=difference):
            yield from _moved(case, "differs", difference, theirs)
        case TextMismatch(field=field) if field in _MOVED_TO_ANOTHER_PLACE:
            yield from _moved(case, "differs", quantity.negate(quantity.total(map(net, ours))), ours)
            yield from _moved(case, "differs", quantity.total(map(net, theirs)), theirs)
        case Inconsistent(type=DiscrepancyType.MOVEMENT_DUPLICATED, side="internal", stake=stake) if stake:
            yield from _moved(case, "duplicated", stake.amount, ours)
        case _:
            return


def _of_fill(case: Case, finding: Finding) -> Iterator[Lead]:
    """Yield what a margin fill does to its position; a spot fill shows in its movements."""
    ours = case.fills["internal"].get(finding.key.name)
    theirs = case.fills["exchange"].get(finding.key.name)
    match finding:
        case ExchangeOnly() if theirs is not None and theirs.margin:
            yield _traded("missing", theirs, _size(theirs))
        case InternalOnly() if ours is not None and ours.margin:
            yield _traded("phantom", ours, quantity.negate(_size(ours)))
        case Differs(mismatches=mismatches) if ours is not None and theirs is not None and theirs.margin:
            yield _traded("differs", theirs, quantity.subtract(_size(theirs), _size(ours)))
            for copies in _copies(mismatches):
                yield _traded("duplicated", ours, quantity.multiply(_size(ours), Decimal(-copies)))
        case _:
            return


def _size(fill: Fill) -> Decimal:
    return signed(fill.quantity, fill.side)


def _copies(mismatches: Sequence[AmountMismatch | TextMismatch | Inconsistent]) -> Iterator[int]:
    for mismatch in mismatches:
        match mismatch:
            case Inconsistent(type=DiscrepancyType.FILL_DUPLICATED, side="internal", stated=stated):
                yield int(stated) - 1
            case _:
                continue


def _traded(what: What, fill: Fill, effect: Decimal) -> Lead:
    return Lead(
        place=Place(Kind.POSITIONS, fill.instrument, PositionMode.NET),
        what=what,
        effect=effect,
        event=fill.fill_id,
        record_ids=(fill.fill_id,),
        at=fill.at,
        kind="fill",
        fill=fill,
    )


def missing_rows(case: Case, rows: Sequence[Movement]) -> Lead:
    """Return these rows of the exchange, of one place, as what the book lacks."""
    (lead,) = _moved(case, "missing", quantity.total(map(net, rows)), rows)
    return lead


def total_of(leads: Sequence[Lead]) -> Decimal:
    """Return what the leads add up to."""
    return quantity.total(lead.effect for lead in leads) if leads else ZERO
