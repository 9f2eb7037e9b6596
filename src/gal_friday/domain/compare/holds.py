"""Holds: what open orders reserve of an asset, one key per asset.

Summed over the spot rows of an asset, because the exchange may show the hold of one row on another. What a
side does not say is unknown, never zero: an asset is compared only where both sides speak of its hold.
"""

from collections.abc import Iterator
from decimal import Decimal

from msgspec import Struct

from gal_friday.domain import quantity
from gal_friday.domain.assets import Asset, Wallet, is_unresolved
from gal_friday.domain.compare.balances import doubt, moving, place_of
from gal_friday.domain.compare.duplicates import each_once
from gal_friday.domain.compare.view import Lone, View, only_exchange, only_internal
from gal_friday.domain.finding import (
    Agrees,
    AmountMismatch,
    Differs,
    DiscrepancyType,
    Finding,
    Inconsistent,
    Key,
    Stake,
)
from gal_friday.domain.quantity import ZERO
from gal_friday.domain.records import Balance, Kind
from gal_friday.domain.snapshot import Coverage, Side, Snapshot

_HOLD = DiscrepancyType.HOLD_MISMATCH


class Holds(Struct, frozen=True):
    """What one side says about holds."""

    said: dict[Asset, Decimal]
    unsaid: frozenset[Asset]
    """Assets that it lists without saying what of them is held."""


def holds_of(snapshot: Snapshot) -> Holds:
    """Return what this side says is held of each asset; a row that is listed twice counts once."""
    if not speaks_of_holds(snapshot):
        return Holds({}, frozenset())
    said: dict[Asset, Decimal] = {}
    rows = _spot(snapshot)
    unsaid = frozenset(row.asset for row in rows if row.held is None)
    for row in rows:
        if row.held is not None and row.asset not in unsaid:
            said[row.asset] = quantity.add(said.get(row.asset, ZERO), row.held)
    return Holds(said, unsaid)


def speaks_of_holds(snapshot: Snapshot) -> bool:
    """Say whether this side says what is held of anything at all."""
    # Asked of every comparison, and mostly in vain: a list and its count take half the time of any().
    return [row.held for row in snapshot.balances].count(None) < len(snapshot.balances)


def _spot(snapshot: Snapshot) -> list[Balance]:
    return [row for row in each_once(snapshot.balances, place_of).values() if row.wallet == Wallet.SPOT]


def compare_holds(view: View) -> list[Finding]:
    """Return one finding per asset of whose hold both sides speak, and each side's own contradictions."""
    ours, theirs = holds_of(view.internal), holds_of(view.exchange)
    if not ours.said and not theirs.said:
        return []
    own = [*_contradictions(view, "internal", ours), *_contradictions(view, "exchange", theirs)]
    if not ours.said or not theirs.said:
        return own
    assets = (ours.said.keys() | theirs.said.keys()) - ours.unsaid - theirs.unsaid
    return own + [_hold(view, asset, ours.said.get(asset), theirs.said.get(asset)) for asset in sorted(assets)]


def _hold(view: View, asset: Asset, ours: Decimal | None, theirs: Decimal | None) -> Finding:
    key = Key(Kind.HOLDS, asset)
    mine, other = ours or ZERO, theirs or ZERO
    difference = quantity.subtract(other, mine)
    absent_is_zero = _absent_is_zero(view, ours, theirs)
    if quantity.absolute(difference) <= view.tolerance(asset, 0) and absent_is_zero:
        return Agrees(key, mine, difference)
    if asset in view.motion.held:
        return moving(view, key)
    stake = Stake(difference, asset)
    kind = DiscrepancyType.UNRESOLVED_NAME if is_unresolved(asset) else _HOLD
    if theirs is None:
        lone = Lone(key, kind, mine, asset, stake)
        return only_internal(view, lone, doubt=doubt(view.exchange, asset))
    if ours is None:
        lone = Lone(key, kind, other, asset, stake)
        return only_exchange(view, lone, doubt=doubt(view.internal, asset))
    return Differs(key, (AmountMismatch(_HOLD, "held", mine, other, difference, stake),), asset)


def _absent_is_zero(view: View, ours: Decimal | None, theirs: Decimal | None) -> bool:
    """Say whether the side that lacks the asset, if one does, was seen in full (I5)."""
    lacking = view.exchange if theirs is None else view.internal if ours is None else None
    return lacking is None or lacking.coverage.balances == Coverage.TOTAL


def _contradictions(view: View, side: Side, holds: Holds) -> Iterator[Finding]:
    """Yield a finding for each asset of which one side, seen in full, reserves more than it has."""
    snapshot = view.snapshot(side)
    if not holds.said or snapshot.coverage.balances != Coverage.TOTAL:
        return
    totals: dict[Asset, Decimal] = dict.fromkeys(holds.said, ZERO)
    for row in _spot(snapshot):
        if row.asset in totals:
            totals[row.asset] = quantity.add(totals[row.asset], row.total)
    for asset, held in sorted(holds.said.items()):
        above = quantity.subtract(held, totals[asset])
        if held > ZERO and above > view.tolerance(asset, 0):
            found = Inconsistent(
                DiscrepancyType.SOURCE_INCONSISTENT,
                side,
                "held above total",
                quantity.text(held),
                quantity.text(totals[asset]),
                asset,
                Stake(above, asset),
            )
            yield Differs(Key(Kind.SOURCES, f"holds:{asset}", side), (found,), asset)
