"""What a whole record is worth, as an amount of an asset that has a price.

The sign is that of the record: what the book would gain by having it.
"""

from decimal import Decimal

from gal_friday.domain import quantity
from gal_friday.domain.assets import Instrument, base_and_quote
from gal_friday.domain.finding import Stake
from gal_friday.domain.records import (
    LIVE_STATUSES,
    Balance,
    Fill,
    Movement,
    Order,
    OrderSide,
    Position,
    Record,
)


def stake_of(row: Record) -> Stake | None:
    """Return what the record is about, or None where its names do not tell."""
    match row:
        case Balance():
            return Stake(row.total, row.asset)
        case Movement():
            return Stake(net(row), row.asset)
        case Fill():
            return _priced(row.instrument, row.quantity, row.price, row.side)
        case Order():
            # Open, it reserves all that it may still do; over, only what it did remains.
            size = row.quantity if row.status in LIVE_STATUSES else row.filled
            return _priced(row.instrument, size, row.price, row.side)
        case Position():
            assets = base_and_quote(row.instrument)
            return assets and Stake(row.quantity, assets[0])


def stake_between(ours: Fill | Order, theirs: Fill | Order) -> Stake | None:
    """Return what stands between two versions of one record: a sale for a purchase counts twice."""
    mine, other = stake_of(ours), stake_of(theirs)
    if mine is None or other is None or mine.asset != other.asset:
        return other or mine
    return Stake(quantity.subtract(other.amount, mine.amount), other.asset)


def stake_of_change(row: Fill | Order, field: str, difference: Decimal) -> Stake | None:
    """Return what a difference in quantity (or filled quantity) or in price of this record amounts to."""
    if field == "price":
        return _priced(row.instrument, row.quantity, difference, row.side)
    return _priced(row.instrument, difference, row.price, row.side)


def _priced(name: Instrument, amount: Decimal, price: Decimal | None, side: OrderSide) -> Stake | None:
    """Value it by its own price in the quote asset where it has one, else by its base asset."""
    assets = base_and_quote(name)
    if assets is None:
        return None
    sized = signed(amount, side)
    return Stake(sized, assets[0]) if price is None else Stake(quantity.multiply(sized, price), assets[1])


def signed(amount: Decimal, side: OrderSide) -> Decimal:
    """Return the amount as positive for a purchase, negative for a sale."""
    return amount if side == OrderSide.BUY else quantity.negate(amount)


def net(movement: Movement) -> Decimal:
    """Return by how much the wallet changed: amount − fee."""
    return quantity.subtract(movement.amount, movement.fee) if movement.fee else movement.amount


def about(row: Record) -> str:
    """Return the asset or instrument that the record is about."""
    match row:
        case Balance() | Movement():
            return row.asset
        case Position() | Order() | Fill():
            return row.instrument
