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
from gal_friday.domain.compare.duplicates import Repeats, each_once, of_row, repeated
from gal_friday.domain.compare.view import Lone, View, also_repeated, incomplete_sum, only_exchange, only_internal
from gal_friday.domain.finding import (
    Agrees,
    AmountMismatch,
    CannotTell,
    Differs,
    DiscrepancyType,
    Finding,
    Inconsistent,
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
    open: bool
    """Whether any of the rows is more than a zero."""


def compare_positions(view: View) -> list[Finding]:
    """Return one finding per instrument, per direction or per lot, as the two sides allow."""
    twice = repeated(view.internal.positions, view.exchange.positions, _name_of, DiscrepancyType.POSITION_DUPLICATED)
    ours, theirs = _by_instrument(view.internal), _by_instrument(view.exchange)
    return [
        also_repeated(_part(view, Key(Kind.POSITIONS, name, part), mine, other), _repeats_in(twice, mine, other))
        for name in ours.keys() | theirs.keys()
        for part, mine, other in _parts(ours.get(name, []), theirs.get(name, []))
    ]


def _name_of(row: Position) -> tuple[str, str, str]:
    return row.instrument, row.mode, row.position_id or ""


def _by_instrument(snapshot: Snapshot) -> dict[Instrument, list[Position]]:
    groups: dict[Instrument, list[Position]] = {}
    for row in each_once(snapshot.positions, _name_of).values():
        groups.setdefault(row.instrument, []).append(row)
    return groups


def _repeats_in(
    twice: Repeats[tuple[str, str, str]], ours: Iterable[Position], theirs: Iterable[Position]
) -> tuple[Inconsistent, ...]:
    names = sorted({_name_of(row) for row in (*ours, *theirs)}) if twice else ()
    return tuple(of_row(found, name[2]) for name in names for found in twice.get(name, ()))


def _parts(ours: list[Position], theirs: list[Position]) -> Iterator[tuple[str, list[Position], list[Position]]]:
    if ours and theirs and all_lots(ours) and all_lots(theirs):
        ids = sorted({row.position_id or "" for row in (*ours, *theirs)})
        yield from ((i, _of_lot(ours, i), _of_lot(theirs, i)) for i in ids)
    elif _tells_directions(ours) and _tells_directions(theirs) and (_hedged(ours) or _hedged(theirs)):
        yield PositionMode.LONG, [r for r in ours if _long(r)], [r for r in theirs if _long(r)]
        yield PositionMode.SHORT, [r for r in ours if not _long(r)], [r for r in theirs if not _long(r)]
    else:
        yield PositionMode.NET, ours, theirs


def all_lots(rows: Iterable[Position]) -> bool:
    """Say whether each of them is an opening with its own id."""
    return all(row.mode == PositionMode.LOT for row in rows)


def _of_lot(rows: Iterable[Position], position_id: str) -> list[Position]:
    return [row for row in rows if row.position_id == position_id]


def _tells_directions(rows: Iterable[Position]) -> bool:
    return all(row.mode != PositionMode.NET for row in rows)


def _hedged(rows: Iterable[Position]) -> bool:
    return len({_signed(row) > ZERO for row in rows if row.quantity}) > 1


def _signed(row: Position) -> Decimal:
    return quantity.negate(row.quantity) if row.mode == PositionMode.SHORT else row.quantity


def _long(row: Position) -> bool:
    """Say whether the row belongs to the long part; one of size zero belongs where its mode says."""
    return _signed(row) > ZERO if row.quantity else row.mode != PositionMode.SHORT


def _exposure(rows: list[Position]) -> Exposure | None:
    if not rows:
        return None
    costs = [quantity.multiply(_signed(r), r.average_price) for r in rows if r.average_price is not None]
    # A long and a short taken together have a size, but no cost that another book-keeping would share.
    told = len(costs) == len(rows) and not _hedged(rows)
    return Exposure(
        quantity.total(_signed(row) for row in rows),
        quantity.total(costs) if told else None,
        sum(row.rounded_records for row in rows),
        len(rows),
        any(row.quantity for row in rows),
    )


def _part(view: View, key: Key, mine: list[Position], other: list[Position]) -> Finding:
    ours, theirs = _exposure(mine), _exposure(other)
    past = _past(view, key, ours, theirs)
    before = None if past is None else _judged(view, key, *past)
    if before is not None and key in view.motion.ripe:
        return before
    finding = _judged(view, key, ours, theirs)
    if isinstance(finding, Differs) and _added_up(key, (*mine, *other)):
        finding = incomplete_sum(view, key) or finding
    # What is on its way can hide by its size that the sides differed before.
    agrees = isinstance(finding, Agrees) and (before is None or isinstance(before, Agrees))
    if Instrument(key.name) in view.motion.instruments and not (agrees or isinstance(finding, CannotTell)):
        reason = f"{key.name} was traded while the two sides were read; the next run will tell"
        return Pending(key, reason, view.motion.until(key.name))
    return finding


def _past(
    view: View, key: Key, ours: Exposure | None, theirs: Exposure | None
) -> tuple[Exposure | None, Exposure | None] | None:
    """Return both sides as they were before the instrument began to move; without costs, which nobody knows."""
    known = view.motion.past.positions if view.motion.past else {}
    past = known.get(Instrument(key.name))
    if past is None or key.part != PositionMode.NET:
        return None
    return _then(ours, past.internal), _then(theirs, past.exchange)


def _then(now: Exposure | None, amount: Decimal) -> Exposure | None:
    if now is None and not amount:
        return None
    return Exposure(amount, None, now.rounded_records if now else 0, now.rows if now else 0, bool(amount))


def _added_up(key: Key, rows: Iterable[Position]) -> bool:
    """Say whether lots were summed: a size that a side states for the whole instrument is no sum of ours."""
    return key.part in tuple(PositionMode) and any(row.mode == PositionMode.LOT for row in rows)


def _judged(view: View, key: Key, ours: Exposure | None, theirs: Exposure | None) -> Finding:
    if ours is None or theirs is None:
        return _lone(view, key, ours, theirs)
    mismatches = tuple(_mismatches(view, Instrument(key.name), ours, theirs))
    if mismatches:
        return Differs(key, mismatches, key.name)
    return Agrees(key, ours.quantity, quantity.subtract(theirs.quantity, ours.quantity))


def _lone(view: View, key: Key, ours: Exposure | None, theirs: Exposure | None) -> Finding:
    present, other = (ours, view.exchange) if ours else (theirs, view.internal)
    size = present.quantity if present else ZERO
    effect = quantity.negate(size) if ours else size
    small = quantity.absolute(size) <= view.quantity_tolerance(Instrument(key.name))
    if small and other.coverage.positions == Coverage.TOTAL:
        return Agrees(key, size if ours else ZERO, effect)
    kind = DiscrepancyType.POSITION_MISSING_EXCHANGE if ours else DiscrepancyType.POSITION_MISSING_INTERNAL
    kind = DiscrepancyType.UNRESOLVED_NAME if is_unresolved(key.name) else kind
    lone = Lone(key, kind, size, key.name, _stake(Instrument(key.name), effect))
    only = only_internal if ours else only_exchange
    return only(view, lone, doubt=doubt(other, key.name))


def doubt(other: Snapshot, name: str) -> str:
    """Return why a position may be there under a name that nobody could resolve (I15), or nothing."""
    strangers = sorted({row.instrument for row in other.positions if is_unresolved(row.instrument) and row.quantity})
    if not strangers or is_unresolved(name):
        return ""
    return f"the {other.side} side lists {', '.join(strangers)}, which nobody could resolve and which may be it"


def _mismatches(view: View, name: Instrument, ours: Exposure, theirs: Exposure) -> Iterator[Mismatch]:
    difference = quantity.subtract(theirs.quantity, ours.quantity)
    if quantity.absolute(difference) > view.quantity_tolerance(name):
        stake = _stake(name, difference)
        kind = _kind_of(ours, theirs)
        yield AmountMismatch(kind, "quantity", ours.quantity, theirs.quantity, difference, stake)
    elif is_unresolved(name) and (ours.open or theirs.open):
        # A name that both use and nobody knows is no agreement about what is held (I15).
        kind = DiscrepancyType.UNRESOLVED_NAME
        yield AmountMismatch(kind, "quantity", ours.quantity, theirs.quantity, difference, _stake(name, difference))
    elif ours.cost is not None and theirs.cost is not None and ours.quantity:
        yield from _cost(view, name, ours, theirs)


def _kind_of(ours: Exposure, theirs: Exposure) -> DiscrepancyType:
    """Return what it is that differs. A side whose rows all say zero has no position, and said so."""
    if not theirs.open:
        return DiscrepancyType.POSITION_MISSING_EXCHANGE
    if not ours.open:
        return DiscrepancyType.POSITION_MISSING_INTERNAL
    opposite = (ours.quantity > ZERO > theirs.quantity) or (ours.quantity < ZERO < theirs.quantity)
    return DiscrepancyType.SIDE_MISMATCH if opposite else DiscrepancyType.QUANTITY_MISMATCH


def _cost(view: View, name: Instrument, ours: Exposure, theirs: Exposure) -> Iterator[Mismatch]:
    assert ours.cost is not None
    assert theirs.cost is not None
    difference = quantity.subtract(theirs.cost, ours.cost)
    if quantity.absolute(difference) > _cost_tolerance(view, name, ours, theirs):
        assets = base_and_quote(name)
        stake = assets and Stake(difference, assets[1])
        yield AmountMismatch(DiscrepancyType.COST_BASIS_MISMATCH, "cost", ours.cost, theirs.cost, difference, stake)


def _cost_tolerance(view: View, name: Instrument, ours: Exposure, theirs: Exposure) -> Decimal:
    """Return what rounding can explain: of each record's cost at the exchange's digits, of each average."""
    records = ours.rounded_records + theirs.rounded_records
    by_records = quantity.multiply(
        quantity.half_unit(view.scales.costs.get(name, AVERAGE_PRICE_PLACES)), Decimal(records)
    )
    size = max(quantity.absolute(ours.quantity), quantity.absolute(theirs.quantity))
    rows = Decimal(ours.rows + theirs.rows)
    by_average = quantity.multiply(quantity.multiply(size, quantity.half_unit(AVERAGE_PRICE_PLACES)), rows)
    return max(view.policy.tolerance, quantity.total((by_records, by_average, _by_size(ours, theirs))))


def _by_size(ours: Exposure, theirs: Exposure) -> Decimal:
    """Return what the tolerated difference in size costs: it is not to be reported as another price."""
    assert ours.cost is not None
    gap = quantity.absolute(quantity.subtract(theirs.quantity, ours.quantity))
    if not gap:
        return ZERO
    price = quantity.rounded_quotient(ours.cost, ours.quantity, AVERAGE_PRICE_PLACES)
    return quantity.multiply(gap, quantity.absolute(price))


def _stake(name: Instrument, amount: Decimal) -> Stake | None:
    assets = base_and_quote(name)
    return assets and Stake(amount, assets[0])
