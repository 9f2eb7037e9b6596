"""What trading systems send, field by field: for the documentation alone. ``domain/pushed`` reads it."""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from gal_friday.domain.assets import Wallet
from gal_friday.domain.pushed import BATCH_MAX
from gal_friday.domain.records import OrderSide, PositionMode
from gal_friday.domain.snapshot import Coverage

Text = Annotated[str, Meta(min_length=1)]
Digits = Annotated[str, Meta(min_length=1, description="Plain digits, at most 40 before and 30 after the point.")]
Amount = Digits | float
"""A string, or a bare number that is read digit by digit and never through a float."""


class FillRecord(Struct, kw_only=True):
    """One execution of part of an order. Fields that nobody knows are kept."""

    fill_id: Text
    instrument: Text
    side: OrderSide
    quantity: Amount
    """Not below zero: the side tells the direction."""
    price: Amount
    at: datetime
    order_id: Text | None = None
    fee: Amount | None = None
    fee_asset: Text | None = None
    cost: Amount | None = None
    margin: bool | None = None
    position_id: Text | None = None


class MovementRecord(Struct, kw_only=True):
    """One signed change of one asset in one wallet. Fields that nobody knows are kept."""

    movement_id: Text
    kind: Text
    asset: Text
    amount: Amount
    at: datetime
    wallet: Wallet | None = None
    fee: Amount | None = None
    refers_to: Text | None = None
    balance_after: Amount | None = None


class OrderRecord(Struct, kw_only=True):
    """One order as the trading system knows it; order_id or client_order_id has to be there."""

    instrument: Text
    side: OrderSide
    quantity: Amount
    filled: Amount
    status: Text
    order_id: Text | None = None
    client_order_id: Text | None = None
    type: Text | None = None
    price: Amount | None = None
    opened_at: datetime | None = None
    updated_at: datetime | None = None


class Fills(Struct, kw_only=True, forbid_unknown_fields=True):
    """A batch of fills of one account."""

    account: Text
    fills: Annotated[list[FillRecord], Meta(max_length=BATCH_MAX)]


class Movements(Struct, kw_only=True, forbid_unknown_fields=True):
    """A batch of movements of one account."""

    account: Text
    movements: Annotated[list[MovementRecord], Meta(max_length=BATCH_MAX)]


class Orders(Struct, kw_only=True, forbid_unknown_fields=True):
    """A batch of orders of one account, each in the state that it has now."""

    account: Text
    orders: Annotated[list[OrderRecord], Meta(max_length=BATCH_MAX)]


class BalanceRecord(Struct, kw_only=True):
    """How much of one asset is in one wallet."""

    asset: Text
    total: Amount
    wallet: Wallet | None = None
    held: Amount | None = None


class PositionRecord(Struct, kw_only=True):
    """A margin position."""

    instrument: Text
    mode: PositionMode
    quantity: Amount
    average_price: Amount | None = None
    position_id: Text | None = None


class Covered(Struct, kw_only=True, forbid_unknown_fields=True):
    """How much of each kind of record the file lists."""

    balances: Coverage | None = None
    positions: Coverage | None = None
    orders: Coverage | None = None
    fills: Coverage | None = None
    movements: Coverage | None = None


class SnapshotFile(Struct, kw_only=True):
    """The snapshot file, version 1 (docs/snapshot-file.md), of the internal side."""

    format: Literal["gal-friday/snapshot/1"]
    side: Literal["internal"]
    account: Text
    exchange: Text
    as_of: datetime
    coverage: Covered | None = None
    balances: list[BalanceRecord] | None = None
    positions: list[PositionRecord] | None = None
    orders: list[OrderRecord] | None = None
    fills: list[FillRecord] | None = None
    movements: list[MovementRecord] | None = None


EXAMPLES: dict[type, object] = {
    Fills: {
        "account": "main",
        "fills": [
            {
                "fill_id": "TX1",
                "order_id": "OX1",
                "instrument": "XRP/USD",
                "side": "buy",
                "quantity": "40",
                "price": "0.6",
                "fee": "0.06",
                "fee_asset": "USD",
                "at": "2026-01-31T11:58:00Z",
            }
        ],
    },
    Movements: {
        "account": "main",
        "movements": [
            {
                "movement_id": "L1",
                "refers_to": "TX1",
                "kind": "trade",
                "asset": "XRP",
                "amount": "40",
                "at": "2026-01-31T11:58:00Z",
            }
        ],
    },
    Orders: {
        "account": "main",
        "orders": [
            {
                "order_id": "OX1",
                "instrument": "XRP/USD",
                "side": "buy",
                "quantity": "100",
                "filled": "40",
                "status": "open",
                "updated_at": "2026-01-31T11:59:00Z",
            }
        ],
    },
    SnapshotFile: {
        "format": "gal-friday/snapshot/1",
        "side": "internal",
        "account": "main",
        "exchange": "kraken",
        "as_of": "2026-01-31T12:00:00Z",
        "coverage": {"balances": "total", "positions": "total"},
        "balances": [{"asset": "BTC", "wallet": "spot", "total": "1.5"}],
        "positions": [],
    },
}
"""One whole call of each kind."""
