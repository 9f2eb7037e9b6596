"""Movements: first by their own id, then by the event that they belong to.

The exchange may write several rows for one leg of an event (an order served from two wallets), and a book
often knows only the event (a fill) and not the exchange's row ids. So what is left after matching ids is
summed per event, asset and wallet; rows are added up, never overwritten, and each is used once.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal

from msgspec import Struct

from gal_friday.domain import quantity
from gal_friday.domain.assets import Asset, Wallet, is_unresolved
from gal_friday.domain.compare.duplicates import repeated
from gal_friday.domain.compare.stake import net
from gal_friday.domain.compare.view import Lone, View, also_repeated, before, only_exchange, only_internal
from gal_friday.domain.finding import (
    Agrees,
    AmountMismatch,
    Differs,
    DiscrepancyType,
    Finding,
    Key,
    Mismatch,
    Stake,
    TextMismatch,
)
from gal_friday.domain.records import Kind, Movement, known_movement_kind

_MOVEMENTS = Kind.MOVEMENTS
_MISMATCH = DiscrepancyType.MOVEMENT_MISMATCH

# The legs of a fill, whatever either side calls them. All other kinds only match their own.
_LEGS_OF_A_FILL = frozenset({"trade", "fee", "margin"})
_Event = tuple[str, str, Asset, Wallet]


class Leg(Struct, frozen=True):
    """What one event moved of one asset in one wallet: one row, or several taken together."""

    name: str
    kind: str
    asset: Asset
    wallet: Wallet
    net: Decimal
    at: datetime
    rows: tuple[Movement, ...]


def compare_movements(view: View) -> list[Finding]:
    """Return one finding per movement, or per event and asset where only the event tells them together."""
    internal, exchange = _by_id(view.internal.movements), _by_id(view.exchange.movements)
    same = internal.keys() & exchange.keys()
    findings = [_same_id(view, internal[name], exchange[name]) for name in same]
    ours = _by_event(row for name, row in internal.items() if name not in same)
    theirs = _by_event(row for name, row in exchange.items() if name not in same)
    for event in ours.keys() & theirs.keys():
        findings.append(_same_event(view, _leg(event, ours.pop(event)), _leg(event, theirs.pop(event))))
    findings += _left_over(view, ours, theirs)
    return _with_repeats(view, findings)


def _by_id(rows: Iterable[Movement]) -> dict[str, Movement]:
    return {row.movement_id: row for row in rows}


def _with_repeats(view: View, findings: list[Finding]) -> list[Finding]:
    twice = repeated(view, _MOVEMENTS, lambda row: row.movement_id, DiscrepancyType.MOVEMENT_DUPLICATED)
    return [also_repeated(found, twice.get(found.key.name)) for found in findings] if twice else findings


def _by_event(rows: Iterable[Movement]) -> dict[_Event, list[Movement]]:
    events: dict[_Event, list[Movement]] = {}
    for row in rows:
        kind = "leg" if row.kind in _LEGS_OF_A_FILL else row.kind
        events.setdefault((row.refers_to or row.movement_id, kind, row.asset, row.wallet), []).append(row)
    return events


def _leg(event: _Event, rows: list[Movement]) -> Leg:
    name, _, asset, wallet = event
    return Leg(
        name, rows[0].kind, asset, wallet, quantity.total(map(net, rows)), max(r.at for r in rows), tuple(rows)
    )


def _same_id(view: View, ours: Movement, theirs: Movement) -> Finding:
    key = Key(_MOVEMENTS, ours.movement_id)
    mismatches = (*_names(ours, theirs), *_nets(view, net(ours), net(theirs), theirs.asset, (ours, theirs)))
    return Differs(key, mismatches, theirs.asset) if mismatches else Agrees(key, net(ours))


def _names(ours: Movement, theirs: Movement) -> Iterator[Mismatch]:
    if ours.asset != theirs.asset:
        unresolved = is_unresolved(ours.asset) or is_unresolved(theirs.asset)
        kind = DiscrepancyType.UNRESOLVED_NAME if unresolved else _MISMATCH
        yield TextMismatch(kind, "asset", ours.asset, theirs.asset, Stake(net(theirs), theirs.asset))
    if ours.wallet is not theirs.wallet:
        yield TextMismatch(_MISMATCH, "wallet", ours.wallet, theirs.wallet, Stake(net(theirs), theirs.asset))


def _nets(
    view: View, ours: Decimal, theirs: Decimal, asset: Asset, rows: Iterable[Movement]
) -> Iterator[Mismatch]:
    if ours == theirs:
        return
    difference = quantity.subtract(theirs, ours)
    if quantity.absolute(difference) > view.tolerance(asset, _roundable(view, asset, rows)):
        yield AmountMismatch(_MISMATCH, "amount", ours, theirs, difference, Stake(difference, asset))


def _roundable(view: View, asset: Asset, rows: Iterable[Movement]) -> int:
    """Return how many amounts among the rows have more digits than the exchange keeps, and so may be rounded there."""
    scale = view.scales.assets.get(asset)
    if scale is None:
        return 0
    return sum(quantity.places(amount) > scale for row in rows for amount in (row.amount, row.fee))


def _same_event(view: View, ours: Leg, theirs: Leg) -> Finding:
    key = _key(theirs)
    mismatches = tuple(_nets(view, ours.net, theirs.net, theirs.asset, (*ours.rows, *theirs.rows)))
    return Differs(key, mismatches, theirs.asset) if mismatches else Agrees(key, ours.net)


def _left_over(
    view: View, ours: dict[_Event, list[Movement]], theirs: dict[_Event, list[Movement]]
) -> Iterator[Finding]:
    start = view.start(_MOVEMENTS)
    for leg in _legs(ours):
        if not before(leg.at, start):
            yield _only_ours(view, leg)
    for leg in _legs(theirs):
        if not before(leg.at, start):
            yield only_exchange(view, _lone(leg, DiscrepancyType.MOVEMENT_MISSING_INTERNAL, leg.net))


def _legs(events: dict[_Event, list[Movement]]) -> Iterator[Leg]:
    """Yield the legs of fills whole, and everything else row by row under its own id."""
    for event, rows in events.items():
        if event[1] == "leg" and event[0] != rows[0].movement_id:
            yield _leg(event, rows)
        else:
            yield from (_leg((row.movement_id, row.kind, row.asset, row.wallet), [row]) for row in rows)


def _only_ours(view: View, leg: Leg) -> Finding:
    # The opening of a book stands for everything before it; the exchange has no such row.
    if leg.kind == "opening" or not leg.net:
        return Agrees(_key(leg), leg.net)
    effect = quantity.negate(leg.net)
    return only_internal(view, _lone(leg, DiscrepancyType.MOVEMENT_MISSING_EXCHANGE, effect))


def _lone(leg: Leg, kind: DiscrepancyType, effect: Decimal) -> Lone:
    unknown = is_unresolved(leg.asset) or not known_movement_kind(leg.kind)
    kind = DiscrepancyType.UNRESOLVED_NAME if unknown else kind
    return Lone(_key(leg), kind, leg.net, leg.asset, Stake(effect, leg.asset), leg.at)


def _key(leg: Leg) -> Key:
    own_id = len(leg.rows) == 1 and leg.rows[0].movement_id == leg.name
    return Key(_MOVEMENTS, leg.name, "" if own_id else f"{leg.asset}:{leg.wallet}")
