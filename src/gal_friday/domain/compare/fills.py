"""Fills, matched by the exchange's id and by nothing else.

Time, price and size are no identity: two fills of one order can share all three.
"""

from collections.abc import Iterable, Iterator
from decimal import Decimal

from gal_friday.domain import quantity
from gal_friday.domain.assets import is_unresolved
from gal_friday.domain.compare.duplicates import repeated
from gal_friday.domain.compare.stake import signed, stake_of
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
from gal_friday.domain.records import Fill, Kind

_FILLS = Kind.FILLS
_MISMATCH = DiscrepancyType.FILL_MISMATCH


def compare_fills(view: View) -> list[Finding]:
    """Return one finding per fill id in the window of both sides, in no particular order."""
    internal, exchange = _by_id(view.internal.fills), _by_id(view.exchange.fills)
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
    return _with_repeats(view, findings)


def _by_id(fills: Iterable[Fill]) -> dict[str, Fill]:
    return {fill.fill_id: fill for fill in fills}


def _with_repeats(view: View, findings: list[Finding]) -> list[Finding]:
    twice = repeated(view, _FILLS, lambda fill: fill.fill_id, DiscrepancyType.FILL_DUPLICATED)
    return [also_repeated(found, twice.get(found.key.name)) for found in findings] if twice else findings


def _lone(fill: Fill, kind: DiscrepancyType, direction: int) -> Lone:
    stake = stake_of(fill)
    effect = stake and Stake(quantity.multiply(stake.amount, Decimal(direction)), stake.asset)
    return Lone(Key(_FILLS, fill.fill_id), kind, signed(fill.quantity, fill.side), fill.instrument, effect, fill.at)


def _both(view: View, ours: Fill, theirs: Fill) -> Finding:
    key = Key(_FILLS, ours.fill_id)
    mismatches = tuple(_mismatches(view, ours, theirs))
    return Differs(key, mismatches, theirs.instrument) if mismatches else Agrees(key, ours.quantity)


def _mismatches(view: View, ours: Fill, theirs: Fill) -> Iterator[Mismatch]:
    if ours.instrument != theirs.instrument:
        unresolved = is_unresolved(theirs.instrument) or is_unresolved(ours.instrument)
        kind = DiscrepancyType.UNRESOLVED_NAME if unresolved else _MISMATCH
        yield TextMismatch(kind, "instrument", ours.instrument, theirs.instrument, stake_of(theirs))
    if ours.side is not theirs.side:
        yield TextMismatch(_MISMATCH, "side", ours.side, theirs.side, stake_of(theirs))
    if ours.order_id and theirs.order_id and ours.order_id != theirs.order_id:
        yield TextMismatch(_MISMATCH, "order_id", ours.order_id, theirs.order_id)
    yield from _amounts(view, ours, theirs)
    yield from _fee(view, ours, theirs)


def _amounts(view: View, ours: Fill, theirs: Fill) -> Iterator[Mismatch]:
    for field in ("quantity", "price"):
        mine, other = getattr(ours, field), getattr(theirs, field)
        if mine != other:
            difference = quantity.subtract(other, mine)
            if quantity.absolute(difference) > view.policy.tolerance:
                yield AmountMismatch(_MISMATCH, field, mine, other, difference, _effect(field, theirs, difference))


def _effect(field: str, fill: Fill, difference: Decimal) -> Stake | None:
    """Return what a wrong quantity or price does to the quote side of the fill."""
    whole = stake_of(fill)
    if whole is None:
        return None
    other = fill.price if field == "quantity" else fill.quantity
    return Stake(signed(quantity.multiply(difference, other), fill.side), whole.asset)


def _fee(view: View, ours: Fill, theirs: Fill) -> Iterator[Mismatch]:
    """Compare fees where both sides state one; a fee that a side does not know is not zero."""
    if ours.fee is None or theirs.fee is None:
        return
    if ours.fee_asset != theirs.fee_asset and (ours.fee or theirs.fee):
        yield TextMismatch(
            _MISMATCH,
            "fee",
            f"{quantity.short(ours.fee)} {ours.fee_asset or '?'}",
            f"{quantity.short(theirs.fee)} {theirs.fee_asset or '?'}",
            _fee_stake(theirs, theirs.fee),
        )
    elif ours.fee != theirs.fee:
        difference = quantity.subtract(theirs.fee, ours.fee)
        if quantity.absolute(difference) > _fee_tolerance(view, ours, theirs):
            stake = _fee_stake(theirs, difference)
            yield AmountMismatch(_MISMATCH, "fee", ours.fee, theirs.fee, difference, stake)


def _fee_stake(fill: Fill, fee: Decimal) -> Stake | None:
    """Return what a fee takes from the asset that it is paid in."""
    return None if fill.fee_asset is None else Stake(quantity.negate(fee), fill.fee_asset)


def _fee_tolerance(view: View, ours: Fill, theirs: Fill) -> Decimal:
    if ours.fee is None or theirs.fee is None or theirs.fee_asset is None:
        return view.policy.tolerance
    scale = view.scales.assets.get(theirs.fee_asset)
    finer = scale is not None and max(quantity.places(ours.fee), quantity.places(theirs.fee)) > scale
    return view.tolerance(theirs.fee_asset, 1 if finer else 0)
