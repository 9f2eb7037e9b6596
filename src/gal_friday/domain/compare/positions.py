"""Margin positions, compared in the finest form that both sides can speak.

Lot by lot where both sides list lots; by direction where both tell longs and shorts apart and one of them
holds both at once; else as one signed quantity per instrument. Several lots of one instrument are summed,
never overwritten, and a short is never taken for a long of the same size.
"""

from collections.abc import Iterable, Iterator
from decimal import Decimal

from msgspec import Struct

from gal_friday.domain import quantity
from gal_friday.domain.assets import Instrument, base_and_quote, is_unresolved
from gal_friday.domain.compare.duplicates import repeated
from gal_friday.domain.compare.view import Lone, View, also_repeated, only_exchange, only_internal
from gal_friday.domain.finding import (
    Agrees,
    AmountMismatch,
    Differs,
    DiscrepancyType,
    Finding,
    Key,
    Mismatch,
    Pending,
    Stake,
)
from gal_friday.domain.quantity import ZERO
from gal_friday.domain.records import Kind, Position, PositionMode
from gal_friday.domain.snapshot import Coverage, Snapshot

AVERAGE_PRICE_PLACES = 12
"""Digits to which an average price, a quotient, is rounded when it is derived."""


class Exposure(Struct, frozen=True):
    """Rows of one instrument taken together."""

    quantity: Decimal
    cost: Decimal | None
    """Signed like the quantity; None where a row has no average price."""
    rounded_records: int
    rows: int


def compare_positions(view: View) -> list[Finding]:
    """Return one finding per instrument, per direction or per lot, as the two sides allow."""
    ours, theirs = _by_instrument(view.internal), _by_instrument(view.exchange)
    findings: list[Finding] = []
    for name in ours.keys() | theirs.keys():
        findings += _instrument(view, name, ours.get(name, []), theirs.get(name, []))
    return _with_repeats(view, findings)


def _with_repeats(view: View, findings: list[Finding]) -> list[Finding]:
    twice = repeated(view, Kind.POSITIONS, _name_of, DiscrepancyType.POSITION_DUPLICATED)
    return [also_repeated(found, twice.get((found.key.name, found.key.part))) for found in findings]


def _name_of(row: Position) -> tuple[str, str]:
    return row.instrument, row.position_id or row.mode


def _by_instrument(snapshot: Snapshot) -> dict[Instrument, list[Position]]:
    groups: dict[Instrument, list[Position]] = {}
    for row in snapshot.positions:
        groups.setdefault(row.instrument, []).append(row)
    return groups


def _instrument(view: View, name: Instrument, ours: list[Position], theirs: list[Position]) -> Iterator[Finding]:
    for part, mine, other in _parts(ours, theirs):
        yield _part(view, Key(Kind.POSITIONS, name, part), _exposure(mine), _exposure(other))


def _parts(
    ours: list[Position], theirs: list[Position]
) -> Iterator[tuple[str, list[Position], list[Position]]]:
    if ours and theirs and _all_lots(ours) and _all_lots(theirs):
        ids = sorted({row.position_id or "" for row in (*ours, *theirs)})
        yield from ((i, _of_lot(ours, i), _of_lot(theirs, i)) for i in ids)
    elif _tells_directions(ours) and _tells_directions(theirs) and (_hedged(ours) or _hedged(theirs)):
        yield PositionMode.LONG, [r for r in ours if _signed(r) > 0], [r for r in theirs if _signed(r) > 0]
        yield PositionMode.SHORT, [r for r in ours if _signed(r) < 0], [r for r in theirs if _signed(r) < 0]
    else:
        yield PositionMode.NET, ours, theirs


def _all_lots(rows: Iterable[Position]) -> bool:
    return all(row.mode is PositionMode.LOT for row in rows)


def _of_lot(rows: Iterable[Position], position_id: str) -> list[Position]:
    return [row for row in rows if row.position_id == position_id]


def _tells_directions(rows: Iterable[Position]) -> bool:
    return all(row.mode is not PositionMode.NET for row in rows)


def _hedged(rows: Iterable[Position]) -> bool:
    return len({_signed(row) > ZERO for row in rows if row.quantity}) > 1


def _signed(row: Position) -> Decimal:
    return quantity.negate(row.quantity) if row.mode is PositionMode.SHORT else row.quantity


def _exposure(rows: list[Position]) -> Exposure | None:
    if not rows:
        return None
    costs = [quantity.multiply(_signed(r), r.average_price) for r in rows if r.average_price is not None]
    return Exposure(
        quantity.total(_signed(row) for row in rows),
        quantity.total(costs) if len(costs) == len(rows) else None,
        sum(row.rounded_records for row in rows),
        len(rows),
    )


def _part(view: View, key: Key, ours: Exposure | None, theirs: Exposure | None) -> Finding:
    if Instrument(key.name) in view.motion.instruments and not _same(ours, theirs):
        return Pending(key, f"{key.name} was traded while the two sides were read; the next run will tell")
    if ours is None or theirs is None:
        return _lone(view, key, ours, theirs)
    mismatches = tuple(_mismatches(view, Instrument(key.name), ours, theirs))
    if mismatches:
        return Differs(key, mismatches, key.name)
    return Agrees(key, ours.quantity, quantity.subtract(theirs.quantity, ours.quantity))


def _same(ours: Exposure | None, theirs: Exposure | None) -> bool:
    return ours is not None and theirs is not None and ours.quantity == theirs.quantity


def _lone(view: View, key: Key, ours: Exposure | None, theirs: Exposure | None) -> Finding:
    present, other = (ours, view.exchange) if ours else (theirs, view.internal)
    size = present.quantity if present else ZERO
    if not size and other.coverage.positions is Coverage.TOTAL:
        return Agrees(key)
    kind = DiscrepancyType.POSITION_MISSING_EXCHANGE if ours else DiscrepancyType.POSITION_MISSING_INTERNAL
    kind = DiscrepancyType.UNRESOLVED_NAME if is_unresolved(key.name) else kind
    effect = quantity.negate(size) if ours else size
    lone = Lone(key, kind, size, key.name, _stake(Instrument(key.name), effect))
    return only_internal(view, lone, doubt=_doubt(other, key.name)) if ours else only_exchange(view, lone)


def _doubt(other: Snapshot, name: str) -> str:
    strangers = sorted({row.instrument for row in other.positions if is_unresolved(row.instrument)})
    if not strangers or is_unresolved(name):
        return ""
    return f"the {other.side} side lists {', '.join(strangers)}, which nobody could resolve and which may be it"


def _mismatches(view: View, name: Instrument, ours: Exposure, theirs: Exposure) -> Iterator[Mismatch]:
    difference = quantity.subtract(theirs.quantity, ours.quantity)
    if quantity.absolute(difference) > view.policy.tolerance:
        opposite = (ours.quantity > ZERO > theirs.quantity) or (ours.quantity < ZERO < theirs.quantity)
        kind = DiscrepancyType.SIDE_MISMATCH if opposite else DiscrepancyType.QUANTITY_MISMATCH
        stake = _stake(name, difference)
        yield AmountMismatch(kind, "quantity", ours.quantity, theirs.quantity, difference, stake)
    elif ours.cost is not None and theirs.cost is not None and ours.quantity:
        yield from _cost(view, name, ours, theirs)


def _cost(view: View, name: Instrument, ours: Exposure, theirs: Exposure) -> Iterator[Mismatch]:
    assert ours.cost is not None
    assert theirs.cost is not None
    difference = quantity.subtract(theirs.cost, ours.cost)
    if quantity.absolute(difference) > _cost_tolerance(view, name, ours, theirs):
        assets = base_and_quote(name)
        stake = assets and Stake(difference, assets[1])
        yield AmountMismatch(
            DiscrepancyType.COST_BASIS_MISMATCH, "cost", ours.cost, theirs.cost, difference, stake
        )


def _cost_tolerance(view: View, name: Instrument, ours: Exposure, theirs: Exposure) -> Decimal:
    """Return what rounding can explain: each record's cost at the exchange's digits, each average at its own."""
    records = ours.rounded_records + theirs.rounded_records
    by_records = quantity.multiply(
        quantity.half_unit(view.scales.costs.get(name, AVERAGE_PRICE_PLACES)), Decimal(records)
    )
    size = max(quantity.absolute(ours.quantity), quantity.absolute(theirs.quantity))
    rows = Decimal(ours.rows + theirs.rows)
    by_average = quantity.multiply(quantity.multiply(size, quantity.half_unit(AVERAGE_PRICE_PLACES)), rows)
    return max(view.policy.tolerance, quantity.add(by_records, by_average))


def _stake(name: Instrument, amount: Decimal) -> Stake | None:
    assets = base_and_quote(name)
    return assets and Stake(amount, assets[0])
