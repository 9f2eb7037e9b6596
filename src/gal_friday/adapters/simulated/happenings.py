"""What happens on the exchange, told at the moment at which it happens to whoever listens.

REST is asked and answers; a stream has to be told. The engine calls ``World.tell`` at every step of an
order, every fill and every ledger row; without a listener nothing is made and nothing costs time.
"""

from collections.abc import Callable
from decimal import Decimal

from msgspec import Struct

from gal_friday.adapters.simulated.account import Account
from gal_friday.adapters.simulated.records import LedgerRow, Order, Trade


class Stepped(Struct, frozen=True):
    """An order took a step: pending_new, new, amended, filled, canceled, expired."""

    order: Order
    step: str
    ticks: int


class Filled(Struct, frozen=True):
    """Part of an order was executed; *fee* is what was really taken, of *fee_asset*."""

    order: Order
    trade: Trade
    fee: Decimal
    fee_asset: str


class Moved(Struct, frozen=True):
    """A row was written into the ledger."""

    row: LedgerRow


Happening = Stepped | Filled | Moved
Listener = Callable[[Account, Happening], None]
