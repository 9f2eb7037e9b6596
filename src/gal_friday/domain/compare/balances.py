"""Balances: one key per asset and wallet.

Equality is looked for before any arithmetic is done: nearly every key agrees.
"""

from collections.abc import Iterable
from decimal import Decimal

from msgspec.structs import replace

from gal_friday.domain import quantity
from gal_friday.domain.assets import Asset, Wallet, is_unresolved, unresolved_among
from gal_friday.domain.compare.duplicates import each_once, repeated
from gal_friday.domain.compare.view import Lone, View, also_repeated, only_exchange, only_internal
from gal_friday.domain.finding import (
    Agrees,
    AmountMismatch,
    CannotTell,
    Differs,
    DiscrepancyType,
    Finding,
    Key,
    Pending,
    Stake,
)
from gal_friday.domain.quantity import ZERO
from gal_friday.domain.records import Balance, Kind
from gal_friday.domain.rewind import Amounts
from gal_friday.domain.snapshot import Coverage, Snapshot

_BALANCES = Kind.BALANCES
_Rows = dict[Asset, Balance]


def compare_balances(view: View) -> list[Finding]:
    """Return one finding per asset and wallet that either side lists, in no particular order."""
    ours, theirs = view.internal.balances, view.exchange.balances
    internal, exchange = _by_wallet(ours), _by_wallet(theirs)
    if _count(internal) == len(ours) and _count(exchange) == len(theirs):
        return _of_wallets(view, internal, exchange)
    repeats = repeated(ours, theirs, place_of, DiscrepancyType.BALANCE_DUPLICATED)
    internal = _by_wallet(each_once(ours, place_of).values())
    exchange = _by_wallet(each_once(theirs, place_of).values())
    findings = _of_wallets(view, internal, exchange)
    return [also_repeated(found, repeats.get((found.key.name, found.key.part), ())) for found in findings]


def _of_wallets(view: View, internal: dict[Wallet, _Rows], exchange: dict[Wallet, _Rows]) -> list[Finding]:
    findings: list[Finding] = []
    for wallet in internal.keys() | exchange.keys():
        findings += _of_wallet(view, wallet, internal.get(wallet, {}), exchange.get(wallet, {}))
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
    unsure = view.motion.assets | {asset for asset, _ in view.unproven} | unresolved_among(internal)
    for asset, ours in internal.items():
        theirs = exchange.get(asset)
        if theirs is None:
            findings.append(_only_ours(view, ours))
        elif ours.total == theirs.total and asset not in unsure:
            findings.append(Agrees(Key(_BALANCES, asset, wallet), ours.total))
        else:
            findings.append(_differing(view, ours, theirs))
    return findings + [_only_theirs(view, theirs) for asset, theirs in exchange.items() if asset not in internal]


def place_of(row: Balance) -> tuple[str, str]:
    """Return what no side may list twice: an asset in a wallet."""
    return row.asset, row.wallet


def _differing(view: View, ours: Balance, theirs: Balance) -> Finding:
    key = Key(_BALANCES, ours.asset, ours.wallet)
    difference = quantity.subtract(theirs.total, ours.total)
    tolerance = view.tolerance(ours.asset, ours.rounded_records + theirs.rounded_records)
    same = quantity.absolute(difference) <= tolerance and not _was_off(view, ours, tolerance)
    if same and _denied(view, key, ours):
        return Pending(key, view.unproven[ours.asset, ours.wallet])
    if same:
        return _unknown(key, ours, difference) if is_unresolved(ours.asset) else Agrees(key, ours.total, difference)
    if (undecided := _undecided(view, key, ours, tolerance)) is not None:
        return undecided
    mine, other = _amounts(view, ours, theirs)
    difference = quantity.subtract(other, mine)
    stake = Stake(difference, ours.asset)
    mismatch = AmountMismatch(DiscrepancyType.BALANCE_MISMATCH, "total", mine, other, difference, stake)
    return Differs(key, (mismatch,), ours.asset)


def _denied(view: View, key: Key, ours: Balance) -> bool:
    """Say whether the exchange's own ledger denies the balance on which both agree, and not yet for many runs."""
    denied = (ours.asset, ours.wallet) in view.unproven and ours.asset not in view.motion.assets
    return denied and key not in view.motion.ripe


def _unknown(key: Key, ours: Balance, difference: Decimal) -> Finding:
    """Return that both hold the same of something that nobody knows: a shared riddle is not solved (I15)."""
    if not ours.total:
        return Agrees(key, ours.total, difference)
    kind, theirs = DiscrepancyType.UNRESOLVED_NAME, quantity.add(ours.total, difference)
    stake = Stake(difference, ours.asset)
    return Differs(key, (AmountMismatch(kind, "total", ours.total, theirs, difference, stake),), ours.asset)


def _amounts(view: View, ours: Balance, theirs: Balance) -> tuple[Decimal, Decimal]:
    """Return what is judged: the totals as read, or of a moving asset those of before it moved."""
    past = _past(view, ours)
    return (past.internal, past.exchange) if past else (ours.total, theirs.total)


def _past(view: View, row: Balance) -> Amounts | None:
    if row.asset not in view.motion.assets or view.motion.past is None:
        return None
    return view.motion.past.balances.get((row.asset, row.wallet))


def _was_off(view: View, row: Balance, tolerance: Decimal) -> bool:
    """Say whether the sides differed before the asset moved: what is on its way can hide that by its size."""
    past = _past(view, row)
    return past is not None and quantity.absolute(quantity.subtract(past.exchange, past.internal)) > tolerance


def _undecided(view: View, key: Key, row: Balance, tolerance: Decimal) -> Finding | None:
    """Return why a difference cannot be judged: the asset moved, or the exchange contradicts itself about it.

    Of an asset that moved, both sides are known as they were before. If they differed then, it is no motion.
    """
    reason = view.unproven.get((row.asset, row.wallet))
    if row.asset in view.motion.assets:
        past = _past(view, row)
        if past is None:
            return moving(view, key)
        if not _was_off(view, row, tolerance):
            difference = quantity.subtract(past.exchange, past.internal)
            return Agrees(key, past.internal, difference) if key in view.motion.ripe else moving(view, key)
    return None if reason is None else CannotTell(key, reason, "exchange")


def _only_ours(view: View, ours: Balance) -> Finding:
    key = Key(_BALANCES, ours.asset, ours.wallet)
    if _counts_as_zero(view, ours, view.exchange):
        return Agrees(key, ours.total, quantity.negate(ours.total))
    if (undecided := _undecided(view, key, ours, view.tolerance(ours.asset, ours.rounded_records))) is not None:
        return undecided
    past = _past(view, ours)
    ours = replace(ours, total=quantity.subtract(past.internal, past.exchange)) if past else ours
    stake = Stake(quantity.negate(ours.total), ours.asset)
    return only_internal(view, _lone(key, ours, stake), doubt=doubt(view.exchange, ours.asset))


def _only_theirs(view: View, theirs: Balance) -> Finding:
    key = Key(_BALANCES, theirs.asset, theirs.wallet)
    if _counts_as_zero(view, theirs, view.internal):
        return Agrees(key, ZERO, theirs.total)
    if (undecided := _undecided(view, key, theirs, view.tolerance(theirs.asset, theirs.rounded_records))) is not None:
        return undecided
    past = _past(view, theirs)
    theirs = replace(theirs, total=quantity.subtract(past.exchange, past.internal)) if past else theirs
    stake = Stake(theirs.total, theirs.asset)
    return only_exchange(view, _lone(key, theirs, stake), doubt=doubt(view.internal, theirs.asset))


def _lone(key: Key, row: Balance, stake: Stake) -> Lone:
    unresolved = is_unresolved(row.asset)
    kind = DiscrepancyType.UNRESOLVED_NAME if unresolved else DiscrepancyType.BALANCE_MISMATCH
    return Lone(key, kind, row.total, row.asset, stake)


def _counts_as_zero(view: View, row: Balance, other: Snapshot) -> bool:
    """Say whether a row that one side lacks is as good as absent; only total coverage may say so (I5)."""
    tolerance = view.tolerance(row.asset, row.rounded_records)
    small = quantity.absolute(row.total) <= tolerance and not _was_off(view, row, tolerance)
    return small and other.coverage.balances == Coverage.TOTAL


def doubt(other: Snapshot, asset: Asset) -> str:
    """Return why *asset* may be there under a name that nobody could resolve (I15), or nothing."""
    if is_unresolved(asset):
        return ""
    strangers = sorted({row.asset for row in other.balances if is_unresolved(row.asset) and row.total})
    if not strangers:
        return ""
    return f"the {other.side} side lists {', '.join(strangers)}, which nobody could resolve and which may be it"


def moving(view: View, key: Key) -> Finding:
    """Return that this asset moved between the two readings; after many times, that nobody can tell."""
    if key in view.motion.ripe and view.motion.past is None:
        reason = f"{key.name} moved in every one of the last runs, and a side does not list what moved it"
        return CannotTell(key, f"{reason}; run again at a quieter time")
    reason = f"{key.name} moved while the two sides were read; the next run will tell"
    return Pending(key, reason, view.motion.until(key.name))
