"""The five kinds of record that either side may hold: balances, positions, orders, fills, movements.

Each is a frozen value with canonical names and exact amounts. A record says only what its source said:
an amount that the source did not give is ``None``, which means unknown and never zero. What cannot be true
of any record is refused at birth: a float or NaN for an amount (I1), no id, a time without a zone, a size
below zero.

Text that stands where a known word is expected (a status, a movement kind) survives as itself (I15);
``known_status`` and ``known_movement_kind`` tell the two apart.
"""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from msgspec import Struct

from gal_friday.domain.assets import Asset, Instrument, Wallet
from gal_friday.domain.errors import MalformedRecord
from gal_friday.domain.quantity import refuse_inexact

Extra = dict[str, Any]
"""Fields of a record that this project does not know; kept, never interpreted."""


class Kind(StrEnum):
    """The kinds of thing that a finding can be about. The first five are kinds of record."""

    __hash__ = str.__hash__

    BALANCES = "balances"
    """The total of one asset in one wallet."""
    POSITIONS = "positions"
    """A margin position in one instrument."""
    ORDERS = "orders"
    """One order."""
    FILLS = "fills"
    """One execution of part of an order."""
    MOVEMENTS = "movements"
    """What one event moved of one asset."""
    HOLDS = "holds"
    """What open orders reserve of one asset, over all its wallets."""
    SOURCES = "sources"
    """Whether the records of one side follow from each other."""


RECORD_KINDS = (Kind.BALANCES, Kind.POSITIONS, Kind.ORDERS, Kind.FILLS, Kind.MOVEMENTS)


class OrderSide(StrEnum):
    """Direction of an order or a fill."""

    __hash__ = str.__hash__

    BUY = "buy"
    """Receives the base asset, or opens a long, or closes a short."""
    SELL = "sell"
    """Gives the base asset, or opens a short, or closes a long."""


class PositionMode(StrEnum):
    """How a position row counts."""

    __hash__ = str.__hash__

    NET = "net"
    """One signed quantity for the instrument; negative is short."""
    LONG = "long"
    """The long part, as a positive quantity."""
    SHORT = "short"
    """The short part, as a positive quantity. A short is not a negative long."""
    LOT = "lot"
    """One opening with its own id and a signed quantity; several of one instrument can be open at once."""


ORDER_STATUSES = frozenset({"pending", "open", "filled", "canceled", "expired", "rejected"})
LIVE_STATUSES = frozenset({"pending", "open"})
ENDED_STATUSES = ORDER_STATUSES - LIVE_STATUSES

MOVEMENT_KINDS = frozenset(
    {
        "opening",
        "plug",
        "trade",
        "fee",
        "deposit",
        "withdrawal",
        "transfer",
        "earn_transfer",
        "reward",
        "conversion",
        "margin",
        "rollover",
        "settlement",
        "exchange_adjustment",
        "delisting",
        "credit",
        "nft",
    }
)


BOOKS_OWN_KINDS = frozenset({"opening", "plug"})
"""Movements that only a book has: what it began with, and what forces it to a number. No exchange lists them."""

FILL_LEG_KINDS = frozenset({"trade", "fee", "margin", "settlement"})
"""Movements that are what one fill moved. A rollover can refer to the same id, and is another event."""


class Balance(Struct, frozen=True, gc=False):
    """How much of one asset one side has in one wallet. Owed is negative."""

    asset: Asset
    wallet: Wallet
    total: Decimal
    held: Decimal | None = None
    """What open orders reserve of the total; None where the source does not say."""
    rounded_records: int = 0
    """How many of the summed records the exchange may have rounded: half a unit of tolerance each."""
    raw: tuple[str, ...] = ()
    """The names under which the source lists it."""
    extra: Extra | None = None

    def __post_init__(self) -> None:
        refuse_inexact(self.total)
        refuse_inexact(self.held)


class Position(Struct, frozen=True, gc=False):
    """A margin position. *quantity* is signed for net and lot, positive for long and short."""

    instrument: Instrument
    mode: PositionMode
    quantity: Decimal
    average_price: Decimal | None = None
    """Cost of what is still open ÷ its quantity, in the quote asset."""
    position_id: str | None = None
    """Given for lots."""
    rounded_records: int = 0
    raw: tuple[str, ...] = ()
    extra: Extra | None = None

    def __post_init__(self) -> None:
        refuse_inexact(self.quantity)
        refuse_inexact(self.average_price)


class Order(Struct, frozen=True, gc=False):
    """One order as one side last knew it."""

    order_id: str | None
    """The exchange's id; None while the trading system does not know it."""
    instrument: Instrument
    side: OrderSide
    quantity: Decimal
    filled: Decimal
    status: str
    client_order_id: str | None = None
    type: str | None = None
    price: Decimal | None = None
    opened_at: datetime | None = None
    updated_at: datetime | None = None
    raw: tuple[str, ...] = ()
    extra: Extra | None = None

    def __post_init__(self) -> None:
        _refuse_size_below_zero(self.quantity)
        _refuse_size_below_zero(self.filled)
        refuse_inexact(self.price)
        _refuse_without_zone(self.opened_at)
        _refuse_without_zone(self.updated_at)

    @property
    def name(self) -> str:
        """The id that people use for it: the exchange's, else the client's."""
        return self.order_id or self.client_order_id or "?"


class Fill(Struct, frozen=True, gc=False):
    """One execution of part of an order."""

    fill_id: str
    instrument: Instrument
    side: OrderSide
    quantity: Decimal
    price: Decimal
    at: datetime
    order_id: str | None = None
    fee: Decimal | None = None
    """In *fee_asset*; negative is a rebate; None where the source does not know it."""
    fee_asset: Asset | None = None
    cost: Decimal | None = None
    """What the exchange charged in the quote asset before the fee; None means quantity × price."""
    margin: bool = False
    """Executed on margin: it opens or closes a position and moves no base asset."""
    position_id: str | None = None
    """The position that it closes."""
    raw: tuple[str, ...] = ()
    extra: Extra | None = None

    def __post_init__(self) -> None:
        _refuse_no_id(self.fill_id, "fill")
        _refuse_size_below_zero(self.quantity)
        refuse_inexact(self.price)
        refuse_inexact(self.fee)
        refuse_inexact(self.cost)
        _refuse_without_zone(self.at)


class Movement(Struct, frozen=True, gc=False):
    """One signed change of one asset in one wallet."""

    movement_id: str
    kind: str
    asset: Asset
    wallet: Wallet
    amount: Decimal
    """Signed, before the fee."""
    at: datetime
    fee: Decimal = Decimal(0)
    """Taken off as well; negative is given back. The wallet changes by amount − fee."""
    refers_to: str | None = None
    """The event that caused it: a fill, a position, a transfer. All legs of one event share it."""
    balance_after: Decimal | None = None
    """Running balance of the wallet after this movement, where the source keeps one."""
    raw: tuple[str, ...] = ()
    extra: Extra | None = None

    def __post_init__(self) -> None:
        _refuse_no_id(self.movement_id, "movement")
        refuse_inexact(self.amount)
        refuse_inexact(self.fee)
        refuse_inexact(self.balance_after)
        _refuse_without_zone(self.at)


Record = Balance | Position | Order | Fill | Movement


def _refuse_no_id(name: str, record: str) -> None:
    if not name:
        raise MalformedRecord(f"a {record} without an id cannot be told from another: give its id")


def _refuse_size_below_zero(size: Decimal) -> None:
    refuse_inexact(size)
    if size < 0:
        raise MalformedRecord(f"a size of {size} is below zero: the side tells the direction")


def _refuse_without_zone(at: datetime | None) -> None:
    if at is not None and at.tzinfo is None:
        raise MalformedRecord(f"{at.isoformat()} has no time zone: give it in UTC")


def known_status(status: str) -> bool:
    """Say whether this order status is one that somebody has given a meaning."""
    return status in ORDER_STATUSES


def known_movement_kind(kind: str) -> bool:
    """Say whether this movement kind is one that somebody has given a meaning."""
    return kind in MOVEMENT_KINDS
