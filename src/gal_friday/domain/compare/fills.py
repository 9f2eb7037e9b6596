"""Fills, matched by the exchange's id and by nothing else.

Time, price and size are no identity: two fills of one order can share all three.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal

from gal_friday.domain import quantity
from gal_friday.domain.assets import Asset, base_and_quote, is_unresolved
from gal_friday.domain.compare.duplicates import each_once, repeated
from gal_friday.domain.compare.stake import signed, stake_between, stake_of, stake_of_change
from gal_friday.domain.compare.view import Lone, View, also_repeated, before, only_exchange, only_internal
from gal_friday.domain.finding import (
    Agrees,
    AmountMismatch,
    CannotTell,
    Differs,
    DiscrepancyType,
    Finding,
    Key,
    Mismatch,
    Pending,
    Stake,
    TextMismatch,
)
from gal_friday.domain.quantity import ZERO
from gal_friday.domain.records import Fill, Kind

_FILLS = Kind.FILLS
_MISMATCH = DiscrepancyType.FILL_MISMATCH


def compare_fills(view: View) -> list[Finding]:
    """Return one finding per fill id in the window of both sides, in no particular order."""
    internal, exchange = each_once(view.internal.fills, _id), each_once(view.exchange.fills, _id)
    start = view.start(_FILLS)
    findings: list[Finding] = []
    for fill_id, ours in internal.items():
        theirs = exchange.get(fill_id)
        if theirs is not None:
            findings.append(_both(view, ours, theirs))
        elif not before(ours.at, start):
            findings.append(only_internal(view, _lone(ours, DiscrepancyType.FILL_MISSING_EXCHANGE, -1)))
    for fill_id, theirs in exchange.items():
        if fill_id not in internal and not before(theirs.at, start):
            findings.append(only_exchange(view, _lone(theirs, DiscrepancyType.FILL_MISSING_INTERNAL, 1)))
    return _with_repeats(view, findings, internal)


def _id(fill: Fill) -> str:
    return fill.fill_id


def _with_repeats(view: View, findings: list[Finding], booked: Mapping[str, Fill]) -> list[Finding]:
    twice = repeated(view.internal.fills, view.exchange.fills, _id, DiscrepancyType.FILL_DUPLICATED)
    instants = {name: booked[name].at for name in twice if name in booked}
    return (
        [also_repeated(found, twice.get(found.key.name, ()), instants.get(found.key.name)) for found in findings]
        if twice
        else findings
    )


def _lone(fill: Fill, kind: DiscrepancyType, direction: int) -> Lone:
    stake = stake_of(fill)
    effect = stake and Stake(quantity.multiply(stake.amount, Decimal(direction)), stake.asset)
    kind = DiscrepancyType.UNRESOLVED_NAME if is_unresolved(fill.instrument) else kind
    amount = signed(fill.quantity, fill.side)
    return Lone(Key(_FILLS, fill.fill_id), kind, amount, fill.instrument, effect, fill.at)


def _both(view: View, ours: Fill, theirs: Fill) -> Finding:
    key = Key(_FILLS, ours.fill_id)
    mismatches = tuple(_mismatches(view, ours, theirs))
    if mismatches and view.motion.grace and theirs.at > view.cutoff:
        # Its ledger rows may still be on their way, and until then its fee is an estimate.
        return Pending(key, "so young that its fee may not be booked yet", view.until(theirs.at))
    if mismatches:
        return Differs(key, mismatches, theirs.instrument, theirs.at)
    if key in view.watched and (unseen := _fee_unseen(view, ours, theirs)):
        return CannotTell(key, unseen, "exchange")
    return Agrees(key, ours.quantity, quantity.subtract(theirs.quantity, ours.quantity))


def _fee_unseen(view: View, ours: Fill, theirs: Fill) -> str:
    """Return why nobody saw the fee this time, which may be what differs; empty where it was seen, or never is."""
    if ours.fee is None or theirs.fee is not None:
        return ""
    return next((gap.reason for gap in view.exchange.not_checked if gap.kind is Kind.MOVEMENTS), "")


def _mismatches(view: View, ours: Fill, theirs: Fill) -> Iterator[Mismatch]:
    unresolved = is_unresolved(theirs.instrument) or is_unresolved(ours.instrument)
    if ours.instrument != theirs.instrument or unresolved:
        kind = DiscrepancyType.UNRESOLVED_NAME if unresolved else _MISMATCH
        yield TextMismatch(kind, "instrument", ours.instrument, theirs.instrument, stake_of(theirs))
    if ours.side != theirs.side:
        yield TextMismatch(_MISMATCH, "side", ours.side, theirs.side, stake_between(ours, theirs))
    if ours.margin != theirs.margin:
        # One moves the base asset, the other a position: whoever mixes them up has both wrong.
        yield TextMismatch(_MISMATCH, "margin", _traded(ours), _traded(theirs), stake_of(theirs))
    if ours.order_id and theirs.order_id and ours.order_id != theirs.order_id:
        yield TextMismatch(_MISMATCH, "order_id", ours.order_id, theirs.order_id)
    yield from _amounts(view, ours, theirs)
    yield from _fee(view, ours, theirs)


def _traded(fill: Fill) -> str:
    return "on margin" if fill.margin else "spot"


def _amounts(view: View, ours: Fill, theirs: Fill) -> Iterator[Mismatch]:
    yield from _amount("quantity", ours.quantity, theirs.quantity, view.quantity_tolerance(theirs.instrument), theirs)
    # No tolerance: the floor is one for quantities, and a price can be smaller than it.
    yield from _amount("price", ours.price, theirs.price, ZERO, theirs)


def _amount(field: str, ours: Decimal, theirs: Decimal, tolerance: Decimal, fill: Fill) -> Iterator[Mismatch]:
    if ours == theirs:
        return
    difference = quantity.subtract(theirs, ours)
    if quantity.absolute(difference) > tolerance:
        stake = stake_of_change(fill, field, difference)
        yield AmountMismatch(_MISMATCH, field, ours, theirs, difference, stake)


def _fee(view: View, ours: Fill, theirs: Fill) -> Iterator[Mismatch]:
    """Compare fees where both sides state one; a fee that a side does not know is not zero."""
    if ours.fee is None or theirs.fee is None or ours.fee == theirs.fee == ZERO:
        return
    mine, other = _fee_asset(ours), _fee_asset(theirs)
    unresolved = is_unresolved(mine) or is_unresolved(other)
    if mine != other or unresolved:
        kind = DiscrepancyType.UNRESOLVED_NAME if unresolved else _MISMATCH
        stated = (f"{quantity.short(ours.fee)} {mine or '?'}", f"{quantity.short(theirs.fee)} {other or '?'}")
        yield TextMismatch(kind, "fee", *stated, _fee_stake(other, theirs.fee))
    elif ours.fee != theirs.fee:
        difference = quantity.subtract(theirs.fee, ours.fee)
        if quantity.absolute(difference) > _fee_tolerance(view, other, ours.fee, theirs.fee):
            stake = _fee_stake(other, difference)
            yield AmountMismatch(_MISMATCH, "fee", ours.fee, theirs.fee, difference, stake)


def _fee_asset(fill: Fill) -> Asset:
    """Return what the fee is paid in: the quote asset, where the fill does not say otherwise."""
    assets = base_and_quote(fill.instrument)
    return fill.fee_asset or (assets[1] if assets else Asset(""))


def _fee_stake(asset: Asset, fee: Decimal) -> Stake | None:
    """Return what a fee takes from the asset that it is paid in."""
    return Stake(quantity.negate(fee), asset) if asset else None


def _fee_tolerance(view: View, asset: Asset, ours: Decimal, theirs: Decimal) -> Decimal:
    scale = view.scales.assets.get(asset)
    finer = scale is not None and max(quantity.places(ours), quantity.places(theirs)) > scale
    return view.tolerance(asset, 1 if finer else 0)
