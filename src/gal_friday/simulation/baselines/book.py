"""A plain book: one amount for every symbol, as it was written last."""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import TypeVar

from gal_friday.adapters.simulated.account import Account
from gal_friday.adapters.simulated.instruments import Instruments
from gal_friday.domain import quantity
from gal_friday.domain.assets import Asset, Instrument, Wallet
from gal_friday.domain.quantity import ZERO
from gal_friday.domain.records import LIVE_STATUSES, Balance, Fill, Movement, Order, OrderSide, Position
from gal_friday.domain.roll_up import legs_of
from gal_friday.simulation.events import Heard

ONE = Decimal(1)
T = TypeVar("T")


def balance_key(asset: Asset, wallet: Wallet) -> str:
    """Return the key of a balance."""
    return f"balances:{asset}:{wallet.value}"


def position_key(instrument: Instrument) -> str:
    """Return the key of what is open in an instrument, net."""
    return f"positions:{instrument}"


def changes_of(heard: Heard) -> Iterator[tuple[str, Decimal]]:
    """Yield by how much each amount changes when this is written down."""
    told = {row.refers_to for row in heard.movements}
    for fill in heard.fills:
        if fill.margin:
            yield position_key(fill.instrument), signed(fill)
        if fill.fill_id not in told:
            yield from map(_change, legs_of(fill))
    yield from map(_change, heard.movements)


def orders_of(orders: Iterable[Order]) -> dict[str, Decimal]:
    """Return one for every order that works, and zero for every one that has ended."""
    return {f"orders:{one.name}": ONE if one.status in LIVE_STATUSES else ZERO for one in orders}


def balances_of(rows: Iterable[Balance]) -> dict[str, Decimal]:
    """Return the totals that a side lists."""
    return {balance_key(row.asset, row.wallet): row.total for row in rows}


def positions_of(rows: Iterable[Position]) -> dict[str, Decimal]:
    """Return the net quantity of every instrument; lots are signed."""
    return summed((position_key(row.instrument), row.quantity) for row in rows)


def open_at(account: Account, names: Instruments) -> dict[str, Decimal]:
    """Return what is really open at the exchange: positions, net, and orders that work."""
    signed = (
        (position_key(Instrument(names.pair(one.pair).modern)), one.volume, one.closed_volume, one.side == "buy")
        for one in account.open_positions.values()
    )
    left = ((key, quantity.subtract(size, closed), long) for key, size, closed, long in signed)
    net = summed((key, size if long else quantity.negate(size)) for key, size, long in left)
    return net | {f"orders:{name}": ONE for name in account.open_orders}


def _change(row: Movement) -> tuple[str, Decimal]:
    return balance_key(row.asset, row.wallet), quantity.subtract(row.amount, row.fee)


def signed(fill: Fill) -> Decimal:
    """Return by how much a margin fill changes its position."""
    return fill.quantity if fill.side is OrderSide.BUY else quantity.negate(fill.quantity)


def summed(amounts: Iterable[tuple[str, Decimal]]) -> dict[str, Decimal]:
    """Return what stands under each key, added up."""
    sums: dict[str, Decimal] = {}
    for key, amount in amounts:
        sums[key] = quantity.add(sums.get(key, ZERO), amount)
    return sums


def of_kind(amounts: Mapping[str, T], kind: str) -> dict[str, T]:
    """Return what stands under keys of one kind."""
    return {key: one for key, one in amounts.items() if key.startswith(f"{kind}:")}


def of_others(amounts: Mapping[str, T], kind: str) -> dict[str, T]:
    """Return what stands under keys of other kinds."""
    return {key: one for key, one in amounts.items() if not key.startswith(f"{kind}:")}
