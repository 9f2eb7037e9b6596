"""Balances and positions moved along the rows that are known: to one row of the ledger, or back to an instant.

Both are additions of known rows and therefore exact. Where a row is missing, or may be, there is no answer;
there is never an estimate.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from gal_friday.domain import quantity
from gal_friday.domain.assets import Asset, Instrument, Wallet
from gal_friday.domain.quantity import ZERO
from gal_friday.domain.records import FILL_LEG_KINDS, Balance, Fill, Kind, Movement, OrderSide, PositionMode
from gal_friday.domain.snapshot import Coverage, Snapshot

Place = tuple[Asset, Wallet]

SKEW = timedelta(seconds=5)
"""How far apart the two sides may date one event that has no id in common: nothing is cut so near to one."""


class Brought(Struct, frozen=True):
    """Balances as they are after the newest row."""

    balances: tuple[Balance, ...]
    unplaced: frozenset[Place]
    """Balances that no row between leads to: left as they were read."""


def brought_to_newest(balances: Sequence[Balance], rows: Sequence[Movement], *, before: str | None) -> Brought:
    """Return the balances after the newest of *rows*, which are in booking order.

    The balances were read somewhere after row *before*, which was the newest then, and no later than the newest
    of *rows*. A balance that moved in between must be equal to one of the running balances on the way; it then
    follows from the rest of the way. *before* is looked for by its id; where it lies before all rows, all of
    them came after it.
    """
    names = [row.movement_id for row in rows]
    start = names.index(before) + 1 if before in names else 0
    moved = {(row.asset, row.wallet) for row in rows[start:]}
    earlier, later = _at_places(rows[:start], moved), _at_places(rows[start:], moved)
    found = {(row.asset, row.wallet): row for row in balances}
    unplaced: set[Place] = set()
    for place in sorted(moved):
        balance = found.get(place) or Balance(*place, ZERO, ZERO)
        path = _path(balance.raw, earlier[place], later[place])
        if balance.total in path:
            own_names = {*balance.raw, *(row.raw[0] for row in later[place])}
            found[place] = replace(balance, total=path[-1], raw=tuple(sorted(own_names)))
        else:
            unplaced.add(place)
    return Brought(tuple(found[place] for place in sorted(found)), frozenset(unplaced))


def _at_places(rows: Iterable[Movement], places: Iterable[Place]) -> dict[Place, list[Movement]]:
    groups: dict[Place, list[Movement]] = {place: [] for place in places}
    for row in rows:
        if (row.asset, row.wallet) in groups:
            groups[row.asset, row.wallet].append(row)
    return groups


def _path(names: Collection[str], earlier: Sequence[Movement], later: Sequence[Movement]) -> list[Decimal]:
    """Return the totals of one place before, between and after the later rows; empty where they do not tell."""
    if any(row.balance_after is None or not row.raw for row in (*earlier, *later)):
        return []
    running = {row.raw[0]: row.balance_after or ZERO for row in earlier}
    for row in later:
        # What was there before the first row of a name follows from that row.
        running.setdefault(row.raw[0], quantity.subtract(row.balance_after or ZERO, net(row)))
    if not running.keys() >= set(names):
        return []
    path = [quantity.total(running.values())]
    for row in later:
        running[row.raw[0]] = row.balance_after or ZERO
        path.append(quantity.total(running.values()))
    return path


def net(row: Movement) -> Decimal:
    """Return by how much this row changed its wallet."""
    return quantity.subtract(row.amount, row.fee)


class Amounts(Struct, frozen=True):
    """What the two sides were at the same instant."""

    internal: Decimal
    exchange: Decimal


class Past(Struct, frozen=True):
    """Both sides as they were at one instant, each without every event of which one side has a later row."""

    at: datetime
    balances: Mapping[Place, Amounts]
    positions: Mapping[Instrument, Amounts]
    """Net, signed. Only instruments that were traded on margin since."""


def past_of(
    internal: Snapshot,
    exchange: Snapshot,
    at: datetime,
    *,
    unplaced: Collection[Place] = (),
    positions: tuple[datetime, datetime] | None = None,
) -> Past | None:
    """Return both sides as they were at about *at*, or None where either does not show every row since.

    An event is on one side of the instant as a whole: if either side dates one of its rows later than that, all
    of its rows on both sides are later. The instant moves back from events that have no id in common.
    *positions* are the instants between which the exchange's positions were read.
    """
    both = (internal, exchange)
    rows = [row for side in both for row in side.movements]
    at = _quiet(at, internal.movements, {row.movement_id for row in exchange.movements})
    if not all(_shows(side, Kind.MOVEMENTS, at) and _shows(side, Kind.BALANCES, at) for side in both):
        return None
    late = {_event(row) for row in rows if row.at > at}
    ours, theirs = ({(r.asset, r.wallet): r.total for r in side.balances} for side in both)
    mine, other = (_sums(side.movements, late) for side in both)
    places = (ours.keys() | theirs.keys()) - set(unplaced)
    return Past(at, {
        place: Amounts(_less(ours.get(place), mine.get(place)), _less(theirs.get(place), other.get(place)))
        for place in places if place in mine or place in other
    }, _positions_at(internal, exchange, at, positions) if positions else {})  # fmt: skip


def _shows(side: Snapshot, kind: Kind, at: datetime) -> bool:
    start = side.since.of(kind)
    return side.coverage.of(kind) == Coverage.TOTAL and (start is None or start <= at)


def _is_leg(row: Movement) -> bool:
    return row.kind in FILL_LEG_KINDS and bool(row.refers_to)


def _event(row: Movement) -> str:
    """Return what both sides call the event of this row: the fill, else the row's own id."""
    return row.refers_to or row.movement_id if _is_leg(row) else row.movement_id


def _quiet(at: datetime, ours: Iterable[Movement], theirs: Collection[str]) -> datetime:
    """Return the latest instant up to *at* that no row is near to which the exchange may know by another id."""
    for row in sorted((row for row in ours if not _is_leg(row)), key=_time, reverse=True):
        if abs(row.at - at) <= SKEW and row.movement_id not in theirs:
            at = row.at - SKEW - timedelta(microseconds=1)
    return at


def _time(row: Movement) -> datetime:
    return row.at


def _sums(rows: Iterable[Movement], late: Collection[str]) -> dict[Place, Decimal]:
    """Return what each place moved by in these events."""
    sums: dict[Place, Decimal] = {}
    for row in rows:
        if _event(row) in late:
            place = (row.asset, row.wallet)
            sums[place] = quantity.add(sums.get(place, ZERO), net(row))
    return sums


def _less(amount: Decimal | None, moved: Decimal | None) -> Decimal:
    return quantity.subtract(amount or ZERO, moved or ZERO)


def _positions_at(
    internal: Snapshot, exchange: Snapshot, at: datetime, read: tuple[datetime, datetime]
) -> dict[Instrument, Amounts]:
    both = (internal, exchange)
    if not all(_shows(side, Kind.FILLS, at) and _shows(side, Kind.POSITIONS, at) for side in both):
        return {}
    fills = {fill.fill_id: fill for side in both for fill in side.fills if fill.margin and fill.at > at}
    # The exchange changes a position at once and lists the fill later: what the book has seen counts as well.
    shown = [fill for fill in fills.values() if fill.at <= read[0]]
    unclear = {fill.instrument for fill in fills.values() if read[0] < fill.at <= read[1]}
    mine = [fill for fill in internal.fills if fill.fill_id in fills]
    return {
        name: Amounts(
            _less(_held(internal, name), _traded(mine, name)), _less(_held(exchange, name), _traded(shown, name))
        )
        for name in {fill.instrument for fill in fills.values()} - unclear
    }


def _held(side: Snapshot, name: Instrument) -> Decimal:
    rows = (row for row in side.positions if row.instrument == name)
    return quantity.total(_signed(row.quantity, row.mode is PositionMode.SHORT) for row in rows)


def _traded(fills: Iterable[Fill], name: Instrument) -> Decimal:
    return quantity.total(
        _signed(fill.quantity, fill.side is OrderSide.SELL) for fill in fills if fill.instrument == name
    )


def _signed(amount: Decimal, negative: bool) -> Decimal:
    return quantity.negate(amount) if negative else amount
