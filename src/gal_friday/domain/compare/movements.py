"""Movements: first by their own id, then by the event that they belong to.

The exchange may write several rows for one leg of an event (an order served from two rows of one asset), and
a book often knows only the event (a fill) and not the exchange's row ids. So the legs of a fill are always
judged per event, asset and wallet, whatever ids their rows have: their key stays the same when the book
catches up. Everything else is judged under its own id, and per event only where the ids say nothing: in a book
that has the exchange's ids for rows of a kind, two others of that kind are one only if they are of one time. Rows
are added up, never overwritten, and each is used once.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from gal_friday.domain import quantity
from gal_friday.domain.assets import Asset, Wallet, is_unresolved
from gal_friday.domain.audit import Audit
from gal_friday.domain.compare.duplicates import Repeats, each_once, of_row, repeated
from gal_friday.domain.compare.stake import net
from gal_friday.domain.compare.view import (
    Lone,
    View,
    also_repeated,
    before,
    incomplete_sum,
    only_exchange,
    only_internal,
)
from gal_friday.domain.finding import (
    Agrees,
    AmountMismatch,
    Differs,
    DiscrepancyType,
    Finding,
    Inconsistent,
    Key,
    Mismatch,
    Pending,
    Stake,
    TextMismatch,
)
from gal_friday.domain.records import BOOKS_OWN_KINDS, FILL_LEG_KINDS, Kind, Movement, known_movement_kind
from gal_friday.domain.snapshot import Coverage

_MOVEMENTS = Kind.MOVEMENTS
_MISMATCH = DiscrepancyType.MOVEMENT_MISMATCH

_LEG = "leg"
_AT_ONCE = timedelta(minutes=10)
"""So far apart at most two sides tell the time of one movement: a rollover comes every few hours."""


class Event(NamedTuple):
    """What belongs together: what one event moved of one asset in one wallet."""

    name: str
    kind: str
    asset: Asset
    wallet: Wallet


class Sides(NamedTuple):
    """The rows of one event on either side."""

    ours: list[Movement]
    theirs: list[Movement]


def compare_movements(view: View) -> list[Finding]:
    """Return one finding per movement, or per event and asset where only the event tells them together."""
    internal, exchange = each_once(view.internal.movements, _id), each_once(view.exchange.movements, _id)
    twice = repeated(view.internal.movements, view.exchange.movements, _id, DiscrepancyType.MOVEMENT_DUPLICATED)
    own = {name for name in internal.keys() & exchange.keys() if not _one_leg(internal[name], exchange[name])}
    findings = [_told(_same_id(view, internal[name], exchange[name]), twice, (internal[name],)) for name in own]
    numbered = {internal[name].kind for name in own}
    for event, sides in _events(internal, exchange, own).items():
        for part, some in _parts(event, sides) if event.kind in numbered else ((event, sides),):
            findings += [_told(finding, twice, rows) for finding, rows in _of_event(view, part, some)]
    return findings


def _id(row: Movement) -> str:
    return row.movement_id


def _told(finding: Finding, twice: Repeats[str], rows: Sequence[Movement]) -> Finding:
    if isinstance(finding, Agrees) and (unknown := tuple(_unknown(rows))):
        finding = Differs(finding.key, unknown, rows[0].asset, rows[0].at)
    if not twice:
        return finding
    names = sorted({row.movement_id for row in rows})
    repeats = (
        of_row(found, "" if name == finding.key.name else name) for name in names for found in twice.get(name, ())
    )
    return also_repeated(finding, tuple(repeats), rows[0].at)


def _unknown(rows: Iterable[Movement]) -> Iterator[Mismatch]:
    """Yield what nobody knows about rows that agree: two sides that share a riddle have not solved it (I15)."""
    for row in rows:
        if is_unresolved(row.asset) or not known_movement_kind(row.kind):
            field, word = ("name", row.asset) if is_unresolved(row.asset) else ("kind", row.kind)
            yield TextMismatch(DiscrepancyType.UNRESOLVED_NAME, field, word, word, Stake(net(row), row.asset))
            return


def _one_leg(ours: Movement, theirs: Movement) -> bool:
    """Say whether two rows with one id are the same leg of the same fill."""
    return (
        ours.kind in FILL_LEG_KINDS
        and theirs.kind in FILL_LEG_KINDS
        and (ours.asset, ours.wallet) == (theirs.asset, theirs.wallet)
        and bool(ours.refers_to or theirs.refers_to)
    )


def _events(internal: dict[str, Movement], exchange: dict[str, Movement], own: set[str]) -> dict[Event, Sides]:
    events: dict[Event, Sides] = {}
    for name, row in internal.items():
        if name not in own:
            events.setdefault(_event_of(row, row, exchange.get(name)), Sides([], [])).ours.append(row)
    for name, row in exchange.items():
        if name not in own:
            events.setdefault(_event_of(row, internal.get(name), row), Sides([], [])).theirs.append(row)
    return events


def _event_of(row: Movement, ours: Movement | None, theirs: Movement | None) -> Event:
    """Return the event of a row; of two rows with one id, the exchange says which."""
    name = (theirs and theirs.refers_to) or (ours and ours.refers_to) or row.movement_id
    return Event(name, _LEG if row.kind in FILL_LEG_KINDS else row.kind, row.asset, row.wallet)


def _parts(event: Event, sides: Sides) -> Iterator[tuple[Event, Sides]]:
    """Yield the rows of each time apart: a rollover is none of another hour, though both name one position."""
    ours = set(map(_id, sides.ours))
    parts: list[Sides] = []
    last: datetime | None = None
    for row in sorted((*sides.ours, *sides.theirs), key=lambda row: (row.at, row.movement_id)):
        if last is None or row.at - last > _AT_ONCE:
            parts.append(Sides([], []))
        (parts[-1].ours if row.movement_id in ours else parts[-1].theirs).append(row)
        last = row.at
    for part in parts:
        yield event._replace(name=(part.theirs or part.ours)[0].movement_id), part


def _same_id(view: View, ours: Movement, theirs: Movement) -> Finding:
    key = Key(_MOVEMENTS, ours.movement_id)
    mismatches = (*_names(ours, theirs), *_nets(view, theirs.asset, (ours,), (theirs,)))
    return Differs(key, mismatches, theirs.asset, theirs.at) if mismatches else _agrees(key, [ours], [theirs])


def _names(ours: Movement, theirs: Movement) -> Iterator[Mismatch]:
    if ours.asset != theirs.asset:
        unresolved = is_unresolved(ours.asset) or is_unresolved(theirs.asset)
        kind = DiscrepancyType.UNRESOLVED_NAME if unresolved else _MISMATCH
        yield TextMismatch(kind, "asset", ours.asset, theirs.asset, Stake(net(theirs), theirs.asset))
    if ours.wallet != theirs.wallet:
        yield TextMismatch(_MISMATCH, "wallet", ours.wallet, theirs.wallet, Stake(net(theirs), theirs.asset))
    if ours.kind != theirs.kind and not (known_movement_kind(ours.kind) and known_movement_kind(theirs.kind)):
        yield TextMismatch(DiscrepancyType.UNRESOLVED_NAME, "kind", ours.kind, theirs.kind)


def _nets(view: View, asset: Asset, ours: Sequence[Movement], theirs: Sequence[Movement]) -> Iterator[Mismatch]:
    mine, other = _net_of(ours), _net_of(theirs)
    if mine == other:
        return
    difference = quantity.subtract(other, mine)
    if quantity.absolute(difference) > view.tolerance(asset, _roundable(view, asset, (*ours, *theirs))):
        yield AmountMismatch(_MISMATCH, "amount", mine, other, difference, Stake(difference, asset))


def _agrees(key: Key, ours: Sequence[Movement], theirs: Sequence[Movement]) -> Agrees:
    mine = _net_of(ours)
    return Agrees(key, mine, quantity.subtract(_net_of(theirs), mine))


def _net_of(rows: Iterable[Movement]) -> Decimal:
    return quantity.total(map(net, rows))


def _roundable(view: View, asset: Asset, rows: Iterable[Movement]) -> int:
    """Return how many amounts of the rows are finer than what the exchange keeps, and so may be rounded."""
    scale = view.scales.assets.get(asset)
    if scale is None:
        return 0
    return sum(quantity.places(amount) > scale for row in rows for amount in (row.amount, row.fee))


def _of_event(view: View, event: Event, sides: Sides) -> Iterator[tuple[Finding, list[Movement]]]:
    rows = [*sides.ours, *sides.theirs]
    if (sides.ours and sides.theirs) or _fill_known(event, rows):
        finding = _together(view, event, sides)
        if finding is not None:
            yield finding, rows
        return
    start = view.start(_MOVEMENTS)
    for row in rows:
        if not before(row.at, start):
            yield _lone(view, Key(_MOVEMENTS, row.movement_id), [row], ours=bool(sides.ours)), [row]


def _fill_known(event: Event, rows: Iterable[Movement]) -> bool:
    return event.kind == _LEG and any(row.refers_to for row in rows)


def _together(view: View, event: Event, sides: Sides) -> Finding | None:
    """Judge the rows of one event by their sums; None where the event lies before the window."""
    key = _key(event, sides)
    if sides.ours and sides.theirs and not any(_nets(view, event.asset, sides.ours, sides.theirs)):
        return _agrees(key, sides.ours, sides.theirs)
    ours, theirs = _in_window(view, event, sides)
    if ours and theirs:
        return incomplete_sum(view, key) or _differing(view, key, event, ours, theirs)
    if ours or theirs:
        return _lone(view, key, ours or theirs, ours=bool(ours))
    return None


def _in_window(view: View, event: Event, sides: Sides) -> Sides:
    """Return what has to be judged: in the window of both sides, and not already paired off by its id."""
    start = view.start(_MOVEMENTS)
    if event.kind == _LEG:
        # The legs of one fill are of one instant: a window that cuts between them is no reason to part them.
        if all(before(row.at, start) for row in (*sides.ours, *sides.theirs)):
            return Sides([], [])
        start = None
    mine, other = {row.movement_id: row for row in sides.ours}, {row.movement_id: row for row in sides.theirs}
    paired = {name for name in mine.keys() & other.keys() if net(mine[name]) == net(other[name])}
    ours = [row for name, row in mine.items() if name not in paired and not before(row.at, start)]
    return Sides(ours, [row for name, row in other.items() if name not in paired and not before(row.at, start)])


def _key(event: Event, sides: Sides) -> Key:
    if event.kind == _LEG:
        return Key(_MOVEMENTS, event.name, f"{event.asset}:{event.wallet}")
    if len(sides.theirs) == 1:
        return Key(_MOVEMENTS, sides.theirs[0].movement_id)
    return Key(_MOVEMENTS, event.name, f"{event.asset}:{event.wallet}:{event.kind}")


def _differing(view: View, key: Key, event: Event, ours: list[Movement], theirs: list[Movement]) -> Finding:
    mismatches = tuple(_nets(view, event.asset, ours, theirs))
    if not mismatches:
        return _agrees(key, ours, theirs)
    if _later_than(view.cutoff, (*ours, *theirs)):
        reason = "rows of it are newer than the other side's reading; the next run will tell"
        return Pending(key, reason, view.until(max(row.at for row in (*ours, *theirs))))
    return Differs(key, mismatches, event.asset, max((row.at for row in theirs or ours), default=None))


def _later_than(at: datetime, rows: Iterable[Movement]) -> bool:
    return any(row.at > at for row in rows)


def _lone(view: View, key: Key, rows: list[Movement], *, ours: bool) -> Finding:
    first, amount = rows[0], _net_of(rows)
    # The opening of a book stands for everything before it, a plug for what is missing; the exchange has no such row.
    if ours and first.kind in BOOKS_OWN_KINDS:
        return Agrees(key, amount)
    other = view.exchange if ours else view.internal
    unknown = is_unresolved(first.asset) or not all(known_movement_kind(row.kind) for row in rows)
    if not amount and not unknown and other.coverage.movements == Coverage.TOTAL:
        return Agrees(key)
    kind = DiscrepancyType.MOVEMENT_MISSING_EXCHANGE if ours else DiscrepancyType.MOVEMENT_MISSING_INTERNAL
    kind = DiscrepancyType.UNRESOLVED_NAME if unknown else kind
    stake = Stake(quantity.negate(amount) if ours else amount, first.asset)
    lone = Lone(key, kind, amount, first.asset, stake, max(row.at for row in rows))
    return only_internal(view, lone) if ours else only_exchange(view, lone)


def ledger_gaps(audit: Audit) -> list[Finding]:
    """Return a finding for each chain of running balances that rows are missing from. It is the exchange's own."""
    return [
        Differs(
            Key(Kind.SOURCES, f"ledger:{broken.name}", "exchange"),
            (
                Inconsistent(
                    DiscrepancyType.LEDGER_GAP,
                    "exchange",
                    "running balance",
                    broken.moved(),
                    "no row",
                    broken.asset,
                    Stake(broken.amount, broken.asset),
                ),
            ),
            broken.asset,
        )
        for broken in audit.broken
    ]
