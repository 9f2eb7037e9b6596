"""Balances and holds: one key per asset and wallet, one hold per asset.

Equality is looked for before any arithmetic is done: nearly every key agrees.
"""

from collections.abc import Iterable, Iterator
from decimal import Decimal

from gal_friday.domain import quantity
from gal_friday.domain.assets import Asset, Wallet, is_unresolved
from gal_friday.domain.compare.duplicates import repeated
from gal_friday.domain.compare.view import Lone, View, also_repeated, only_exchange, only_internal
from gal_friday.domain.finding import (
    Agrees,
    AmountMismatch,
    Differs,
    DiscrepancyType,
    Finding,
    Inconsistent,
    Key,
    Pending,
    Stake,
)
from gal_friday.domain.quantity import ZERO
from gal_friday.domain.records import Balance, Kind
from gal_friday.domain.snapshot import Coverage, Side, Snapshot

_BALANCES = Kind.BALANCES
_Rows = dict[Asset, Balance]


def compare_balances(view: View) -> list[Finding]:
    """Return one finding per asset and wallet that either side lists, in no particular order."""
    internal, exchange = _by_wallet(view.internal.balances), _by_wallet(view.exchange.balances)
    findings: list[Finding] = []
    for wallet in internal.keys() | exchange.keys():
        findings += _of_wallet(view, wallet, internal.get(wallet, {}), exchange.get(wallet, {}))
    if _count(internal) < len(view.internal.balances) or _count(exchange) < len(view.exchange.balances):
        return _with_repeats(view, findings)
    return findings


def _by_wallet(rows: Iterable[Balance]) -> dict[Wallet, _Rows]:
    wallets: dict[Wallet, _Rows] = {}
    for row in rows:
        if row.wallet in wallets:
            wallets[row.wallet][row.asset] = row
        else:
            wallets[row.wallet] = {row.asset: row}
    return wallets


def _count(wallets: dict[Wallet, _Rows]) -> int:
    return sum(map(len, wallets.values()))


def _of_wallet(view: View, wallet: Wallet, internal: _Rows, exchange: _Rows) -> list[Finding]:
    findings: list[Finding] = []
    for asset, ours in internal.items():
        theirs = exchange.get(asset)
        if theirs is None:
            findings.append(_only_ours(view, ours))
        elif ours.total == theirs.total:
            findings.append(Agrees(Key(_BALANCES, asset, wallet), ours.total))
        else:
            findings.append(_differing(view, ours, theirs))
    return findings + [_only_theirs(view, exchange[asset]) for asset in exchange.keys() - internal.keys()]


def _with_repeats(view: View, findings: list[Finding]) -> list[Finding]:
    twice = repeated(view, Kind.BALANCES, _place_of, DiscrepancyType.BALANCE_DUPLICATED)
    return [also_repeated(found, twice.get((found.key.name, found.key.part))) for found in findings]


def _place_of(row: Balance) -> tuple[str, str]:
    return row.asset, row.wallet


def _differing(view: View, ours: Balance, theirs: Balance) -> Finding:
    key = Key(_BALANCES, ours.asset, ours.wallet)
    difference = quantity.subtract(theirs.total, ours.total)
    tolerance = view.tolerance(ours.asset, ours.rounded_records + theirs.rounded_records)
    if quantity.absolute(difference) <= tolerance:
        return Agrees(key, ours.total, difference)
    if ours.asset in view.motion.assets:
        return _moving(key)
    stake = Stake(difference, ours.asset)
    mismatch = AmountMismatch(
        DiscrepancyType.BALANCE_MISMATCH, "total", ours.total, theirs.total, difference, stake
    )
    return Differs(key, (mismatch,), ours.asset)


def _only_ours(view: View, ours: Balance) -> Finding:
    key = Key(_BALANCES, ours.asset, ours.wallet)
    if _counts_as_zero(view, ours, view.exchange):
        return Agrees(key, ours.total, quantity.negate(ours.total))
    if ours.asset in view.motion.assets:
        return _moving(key)
    stake = Stake(quantity.negate(ours.total), ours.asset)
    return only_internal(view, _lone(key, ours, stake), doubt=_doubt(view.exchange, ours.asset))


def _only_theirs(view: View, theirs: Balance) -> Finding:
    key = Key(_BALANCES, theirs.asset, theirs.wallet)
    if _counts_as_zero(view, theirs, view.internal):
        return Agrees(key, ZERO, theirs.total)
    if theirs.asset in view.motion.assets:
        return _moving(key)
    stake = Stake(theirs.total, theirs.asset)
    return only_exchange(view, _lone(key, theirs, stake), doubt=_doubt(view.internal, theirs.asset))


def _lone(key: Key, row: Balance, stake: Stake) -> Lone:
    unresolved = is_unresolved(row.asset)
    kind = DiscrepancyType.UNRESOLVED_NAME if unresolved else DiscrepancyType.BALANCE_MISMATCH
    return Lone(key, kind, row.total, row.asset, stake)


def _counts_as_zero(view: View, row: Balance, other: Snapshot) -> bool:
    """Say whether a row that the other side lacks is as good as absent: only total coverage may say so (I5)."""
    small = quantity.absolute(row.total) <= view.tolerance(row.asset, row.rounded_records)
    return small and other.coverage.balances is Coverage.TOTAL


def _doubt(other: Snapshot, asset: Asset) -> str:
    """Return why *asset* may be there under a name that nobody could resolve (I15); empty where it cannot."""
    if is_unresolved(asset):
        return ""
    strangers = sorted(row.asset for row in other.balances if is_unresolved(row.asset) and row.total)
    if not strangers:
        return ""
    return f"the {other.side} side lists {', '.join(strangers)}, which nobody could resolve and which may be it"


def _moving(key: Key) -> Finding:
    return Pending(key, f"{key.name} moved while the two sides were read; the next run will tell")


def compare_holds(view: View) -> list[Finding]:
    """Return one finding per asset of which both sides say what open orders reserve.

    Summed over the spot variants of an asset, because the exchange may show the hold of one variant on another.
    A side that speaks of no hold at all is not compared: missing is unknown, not zero.
    """
    internal, exchange = _holds(view.internal), _holds(view.exchange)
    if not internal or not exchange:
        return []
    assets = sorted(internal.keys() | exchange.keys())
    return [_hold(view, asset, internal.get(asset), exchange.get(asset)) for asset in assets]


def _holds(snapshot: Snapshot) -> dict[Asset, Decimal]:
    holds: dict[Asset, Decimal] = {}
    for row in snapshot.balances:
        if row.held is not None and row.wallet is Wallet.SPOT:
            holds[row.asset] = quantity.add(holds.get(row.asset, ZERO), row.held)
    return holds


def _hold(view: View, asset: Asset, ours: Decimal | None, theirs: Decimal | None) -> Finding:
    key = Key(Kind.HOLDS, asset)
    mine, other = ours or ZERO, theirs or ZERO
    if ours is None or theirs is None:
        lone = Lone(key, DiscrepancyType.HOLD_MISMATCH, mine or other, asset, Stake(mine or other, asset))
        if not mine and not other:
            return Agrees(key)
        return only_exchange(view, lone) if ours is None else only_internal(view, lone)
    difference = quantity.subtract(other, mine)
    if quantity.absolute(difference) <= view.tolerance(asset, 0):
        return Agrees(key, mine, difference)
    if asset in view.motion.assets:
        return _moving(key)
    stake = Stake(difference, asset)
    return Differs(
        key, (AmountMismatch(DiscrepancyType.HOLD_MISMATCH, "held", mine, other, difference, stake),), asset
    )


def contradictions(view: View) -> Iterator[Finding]:
    """Yield a finding for each asset of which one side reserves more than it has."""
    for side in ("internal", "exchange"):
        yield from _held_above_total(view.snapshot(side), side)


def _held_above_total(snapshot: Snapshot, side: Side) -> Iterator[Finding]:
    holds = _holds(snapshot)
    totals: dict[Asset, Decimal] = dict.fromkeys(holds, ZERO)
    for row in snapshot.balances if holds else ():
        if row.wallet is Wallet.SPOT and row.asset in totals:
            totals[row.asset] = quantity.add(totals[row.asset], row.total)
    for asset, held in sorted(holds.items()):
        if held > totals[asset] and held > ZERO:
            found = Inconsistent(
                DiscrepancyType.SOURCE_INCONSISTENT,
                side,
                "held above total",
                quantity.text(held),
                quantity.text(totals[asset]),
                asset,
                Stake(quantity.subtract(held, totals[asset]), asset),
            )
            yield Differs(Key(Kind.SOURCES, f"holds:{asset}", side), (found,), asset)
