"""The frames of Kraken's WebSocket version 2, field by field, as they stand in JSON.

Unlike REST, amounts are bare JSON numbers (``Raw``, digit for digit) and names are the modern ones. A row
is sparse: a field that is UNSET is absent, and an update carries only what changed.

Source: Kraken WebSocket v2 documentation, Executions, Balances, Status, Heartbeat, Ping.
"""

from typing import Any

import msgspec
from msgspec import UNSET, Raw, UnsetType

Text = str | UnsetType
Number = Raw | UnsetType


class WireFee(msgspec.Struct):
    """A fee in the asset of which it was really taken."""

    asset: str
    qty: Raw


class WireExecution(msgspec.Struct, kw_only=True):
    """A row of the channel executions: a step of an order, or a fill (``exec_type`` trade)."""

    order_id: str
    exec_type: str
    order_status: str
    timestamp: str
    order_userref: int | UnsetType = UNSET
    cl_ord_id: Text = UNSET
    symbol: Text = UNSET
    side: Text = UNSET
    order_type: Text = UNSET
    order_qty: Number = UNSET
    limit_price: Number = UNSET
    limit_price_type: Text = UNSET
    stop_price: Number = UNSET
    time_in_force: Text = UNSET
    fee_ccy_pref: Text = UNSET
    margin: bool | UnsetType = UNSET
    reduce_only: bool | UnsetType = UNSET
    liquidated: bool | UnsetType = UNSET
    position_status: Text = UNSET
    exec_id: Text = UNSET
    trade_id: int | UnsetType = UNSET
    last_qty: Number = UNSET
    last_price: Number = UNSET
    liquidity_ind: Text = UNSET
    cost: Number = UNSET
    fees: list[WireFee] | UnsetType = UNSET
    cum_qty: Number = UNSET
    cum_cost: Number = UNSET
    avg_price: Number = UNSET
    fee_usd_equiv: Number = UNSET
    reason: Text = UNSET
    cancel_reason: Text = UNSET


class WireWallet(msgspec.Struct):
    """One wallet of an asset: type spot or earn; id main, flex, bonded, flexible, liquid, locked."""

    type: str
    id: str
    balance: Raw


class WireHolding(msgspec.Struct):
    """A row of the snapshot of the channel balances."""

    asset: str
    asset_class: str
    balance: Raw
    wallets: list[WireWallet]


class WireEntry(msgspec.Struct):
    """A row of an update of the channel balances: one ledger entry."""

    ledger_id: str
    ref_id: str
    timestamp: str
    type: str
    subtype: str | None
    category: str
    asset: str
    asset_class: str
    wallet_type: str
    wallet_id: str
    amount: Raw
    fee: Raw
    balance: Raw


class WireFrame(msgspec.Struct):
    """A frame of a channel that one has subscribed to."""

    channel: str
    type: str
    data: list[Any]
    sequence: int


class WireReply(msgspec.Struct, kw_only=True):
    """The answer to a request: its result, or why there is none."""

    method: str
    time_in: str
    time_out: str
    req_id: Any | UnsetType = UNSET
    success: bool | UnsetType = UNSET
    result: Any | UnsetType = UNSET
    error: Text = UNSET


HEARTBEAT = b'{"channel":"heartbeat"}'
