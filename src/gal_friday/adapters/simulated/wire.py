"""The rows of Kraken's answers, field by field, as they stand in JSON.

Amounts are text with the digits of their asset or pair; times are JSON numbers written digit for digit
(``Raw``), never through a binary float. A field that is UNSET is absent from the answer, a field that is
None is null: Kraken tells the two apart. The tests hold these fields against real answers.

Source: Kraken REST documentation, and answers of 2021 to 2026 seen in public clients.
"""

from typing import Any

import msgspec
from msgspec import UNSET, Raw, UnsetType

Opt = str | UnsetType
NOUGHT = Raw(b"0")


class WireDescription(msgspec.Struct):
    """``descr`` of an order: it names the pair by altname."""

    pair: str
    aclass: str
    type: str
    ordertype: str
    price: str
    price2: str
    leverage: str
    order: str
    close: str


class WireOrder(msgspec.Struct):
    """A row of OpenOrders, ClosedOrders and QueryOrders."""

    refid: str | None
    userref: int | None
    status: str
    opentm: Raw
    starttm: Raw
    expiretm: Raw
    descr: WireDescription
    vol: str
    vol_exec: str
    cost: str
    fee: str
    price: str
    stopprice: str
    limitprice: str
    misc: str
    oflags: str
    time_in_force: Opt = UNSET
    cl_ord_id: Opt = UNSET
    trigger: Opt = UNSET
    margin: bool | UnsetType = UNSET
    closetm: Raw | UnsetType = UNSET
    reason: str | UnsetType | None = UNSET
    trades: list[str] | UnsetType = UNSET


class WireTrade(msgspec.Struct):
    """A row of TradesHistory and QueryTrades."""

    ordertxid: str
    postxid: str
    pair: str
    aclass: str
    time: Raw
    type: str
    ordertype: str
    tradeordertype: str
    price: str
    cost: str
    fee: str
    vol: str
    margin: str
    leverage: str
    misc: str
    trade_id: int
    maker: bool
    posstatus: Opt = UNSET
    cprice: Opt = UNSET
    ccost: Opt = UNSET
    cfee: Opt = UNSET
    cvol: Opt = UNSET
    cmargin: Opt = UNSET
    net: Opt = UNSET
    trades: list[str] | UnsetType = UNSET
    ledgers: list[str] | UnsetType = UNSET


class WireLedger(msgspec.Struct):
    """A row of Ledgers and QueryLedgers."""

    refid: str
    time: Raw
    type: str
    subtype: str
    aclass: str
    asset: str
    amount: str
    fee: str
    balance: str


class WirePosition(msgspec.Struct, kw_only=True):
    """A row of OpenPositions; note ``class`` here, ``aclass`` in TradesHistory."""

    ordertxid: str
    posstatus: str
    pair: str
    class_: str = msgspec.field(name="class")
    time: Raw
    type: str
    ordertype: str
    cost: str
    fee: str
    vol: str
    vol_closed: str
    margin: str
    terms: str
    rollovertm: str
    misc: str
    oflags: str
    leverage: Opt = UNSET
    value: Opt = UNSET
    net: Opt = UNSET


class WireMarketPosition(msgspec.Struct):
    """A row of OpenPositions with ``consolidation=market``: a list, without ids and times."""

    pair: str
    positions: str
    type: str
    leverage: str
    cost: str
    fee: str
    vol: str
    vol_closed: str
    margin: str
    value: Opt = UNSET
    net: Opt = UNSET


class WireBalance(msgspec.Struct):
    """A row of BalanceEx."""

    balance: str
    hold_trade: str
    credit: Opt = UNSET
    credit_used: Opt = UNSET


class WireTradeBalance(msgspec.Struct):
    """TradeBalance; ``ml`` is absent when nothing is open."""

    eb: str
    tb: str
    m: str
    n: str
    c: str
    v: str
    e: str
    mf: str
    uv: str
    mfo: str
    ml: Opt = UNSET


class WireAsset(msgspec.Struct):
    """A row of Assets."""

    aclass: str
    altname: str
    decimals: int
    display_decimals: int
    status: str
    collateral_value: Raw | UnsetType = UNSET


class WirePair(msgspec.Struct):
    """A row of AssetPairs."""

    altname: str
    aclass_base: str
    base: str
    aclass_quote: str
    quote: str
    lot: str
    cost_decimals: int
    pair_decimals: int
    lot_decimals: int
    lot_multiplier: int
    leverage_buy: list[int]
    leverage_sell: list[int]
    fees: list[tuple[int, Raw]]
    fees_maker: list[tuple[int, Raw]]
    fee_volume_currency: str
    margin_call: int
    margin_stop: int
    ordermin: str
    costmin: str
    tick_size: str
    status: str
    execution_venue: str
    wsname: Opt = UNSET
    long_position_limit: int | UnsetType = UNSET
    short_position_limit: int | UnsetType = UNSET


class WireTicker(msgspec.Struct, kw_only=True):
    """A row of Ticker."""

    a: list[str]
    b: list[str]
    c: list[str]
    v: list[str]
    p: list[str]
    t: list[int]
    low: list[str] = msgspec.field(name="l")
    h: list[str]
    o: str


class WireKeyInfo(msgspec.Struct):
    """GetApiKeyInfo: times are unix seconds as text, "0" for none."""

    api_key_name: str
    api_key: str
    nonce: str
    nonce_window: str
    permissions: list[str]
    iban: str
    valid_until: str
    query_from: str
    query_to: str
    created_time: str
    modified_time: str
    last_used: str
    ip_allowlist: list[str]


class WireFunding(msgspec.Struct):
    """A row of DepositStatus and WithdrawStatus."""

    method: str
    aclass: str
    asset: str
    refid: str
    txid: str
    info: str
    amount: str
    fee: str
    time: int
    status: str
    status_prop: Opt = msgspec.field(name="status-prop", default=UNSET)


class WireExport(msgspec.Struct):
    """A row of ExportStatus; everything is text."""

    id: str
    descr: str
    format: str
    report: str
    subtype: str
    status: str
    flags: str
    fields: str
    createdtm: str
    expiretm: str
    starttm: str
    completedtm: str
    datastarttm: str
    dataendtm: str
    aclass: str
    asset: str
    delete: Opt = UNSET


class NoResult(msgspec.Struct, frozen=True):
    """The answer has no ``result`` at all, as Balance for an account that never held anything."""


NO_RESULT = NoResult()
_ENCODER = msgspec.json.Encoder()


def encode(value: Any) -> bytes:
    """Return the JSON of a value."""
    return _ENCODER.encode(value)


def envelope(result: Any, errors: list[str] | None = None) -> bytes:
    """Return the answer that carries a result."""
    if isinstance(result, NoResult):
        return encode({"error": errors or []})
    return encode({"error": errors or [], "result": result})


def error_envelope(*errors: str) -> bytes:
    """Return the answer that carries errors and no result."""
    return encode({"error": list(errors)})
