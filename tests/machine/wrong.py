"""How a record that really happened can reach a book wrong."""

from collections.abc import Callable
from decimal import Decimal

from msgspec.structs import replace

from gal_friday.domain import quantity
from gal_friday.domain.records import Fill, Movement, Order, OrderSide

Record = Fill | Movement | Order
TEN = Decimal(10)


def _another_size(record: Record) -> Record:
    match record:
        case Fill(quantity=size):
            return replace(record, quantity=quantity.multiply(size, TEN), cost=None)
        case Movement(amount=amount):
            return replace(record, amount=quantity.multiply(amount, TEN), balance_after=None)
        case Order():
            return record


def _another_side(record: Record) -> Record:
    match record:
        case Fill(side=side):
            return replace(record, side=OrderSide.SELL if side is OrderSide.BUY else OrderSide.BUY)
        case Movement(amount=amount):
            return replace(record, amount=quantity.negate(amount), balance_after=None)
        case Order():
            return record


def _another_fee(record: Record) -> Record:
    return record if isinstance(record, Order) else replace(record, fee=quantity.add(record.fee or Decimal(0), TEN))


def _another_id(record: Record) -> Record:
    match record:
        case Fill(fill_id=name):
            return replace(record, fill_id=f"{name[:-1]}0")
        case Movement(movement_id=name):
            return replace(record, movement_id=f"{name[:-1]}0")
        case Order():
            return record


WRONG: dict[str, Callable[[Record], Record]] = {
    "size": _another_size,
    "side": _another_side,
    "fee": _another_fee,
    "id": _another_id,
}
"""An order is left as it is: the next of its states takes the place of a wrong one."""
