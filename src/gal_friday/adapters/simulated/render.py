"""From the records of the engine to the rows of the wire.

Rows that can no longer change are rendered once and their bytes kept, so a page is joined, not rendered.
"""

from collections.abc import Iterable
from decimal import Decimal

from msgspec import UNSET, Raw, UnsetType

from gal_friday.adapters.simulated.account import Account
from gal_friday.adapters.simulated.clock import TICKS_PER_SECOND, seconds_text
from gal_friday.adapters.simulated.instruments import Pair
from gal_friday.adapters.simulated.records import LedgerRow, Order, Position, Trade
from gal_friday.adapters.simulated.trading import TRIGGERED, limit_of
from gal_friday.adapters.simulated.wire import (
    NOUGHT,
    WireDescription,
    WireLedger,
    WireOrder,
    WirePosition,
    WireTrade,
    encode,
)
from gal_friday.adapters.simulated.world import World
from gal_friday.domain import quantity

TERMS = "0.0100% per 4 hours"


def time(ticks: int) -> Raw:
    """Return an instant as the JSON number Kraken writes; 0 for none."""
    return Raw(seconds_text(ticks).encode()) if ticks else NOUGHT


def amount(value: Decimal, decimals: int) -> str:
    """Return an amount as text with so many decimals."""
    return quantity.text(quantity.rounded(value, decimals))


def signed(value: Decimal, decimals: int) -> str:
    """Return an amount as text with an explicit plus sign."""
    text = amount(value, decimals)
    return text if text.startswith("-") else f"+{text}"


def joined(rows: Iterable[bytes]) -> Raw:
    """Return rows of the form ``"id":{…}`` as one JSON object."""
    return Raw(b"{" + b",".join(rows) + b"}")


def ledger_row(row: LedgerRow) -> bytes:
    """Return ``"id":{…}`` of a ledger row."""
    if not row.json:
        wire = WireLedger(
            refid=row.refid,
            time=time(row.ticks),
            type=row.kind,
            subtype=row.subtype,
            aclass=row.aclass,
            asset=row.asset,
            amount=quantity.text(row.amount),
            fee=quantity.text(row.fee),
            balance=quantity.text(row.balance),
        )
        row.json = keyed(row.id, encode(wire))
    return row.json


def trade_row(world: World, owner: Account, fills: list[Trade], *, ledgers: bool, related: bool) -> bytes:
    """Return ``"id":{…}`` of a trade: one fill, or the taker fills that a consolidated row stands for."""
    first = fills[0]
    cached = first.json.get((len(fills), ledgers)) if not first.opens else None
    if cached is None:
        cached = keyed(first.id, encode(_trade(world, owner, fills, ledgers=ledgers, related=related)))
        first.json[len(fills), ledgers] = cached
    return cached


def _trade(world: World, owner: Account, fills: list[Trade], *, ledgers: bool, related: bool) -> WireTrade:
    first, pair = fills[0], world.instruments.pair(fills[0].pair)
    cost = quantity.total(fill.cost for fill in fills)
    volume = quantity.total(fill.volume for fill in fills)
    price = first.price if len(fills) == 1 else quantity.rounded_quotient(cost, volume, pair.price_decimals)
    wire = WireTrade(
        ordertxid=first.order,
        postxid=first.position,
        pair=first.pair,
        aclass="forex" if pair.aclass_base == "currency" else pair.aclass_base,
        time=time(first.ticks),
        type=first.side,
        ordertype=first.ordertype,
        tradeordertype=first.ordertype,
        price=quantity.text(price),
        cost=amount(cost, pair.cost_decimals),
        fee=amount(quantity.total(fill.fee for fill in fills), pair.cost_decimals),
        vol=amount(volume, pair.lot_decimals),
        margin=quantity.text(first.margin),
        leverage=str(first.leverage),
        misc=first.misc,
        trade_id=first.trade_id,
        maker=first.maker,
    )
    if ledgers:
        wire.ledgers = [row for fill in fills for row in fill.ledgers]
    if first.opens:
        _add_closing_side(wire, owner.positions[first.id], pair, related=related)
    return wire


def _add_closing_side(wire: WireTrade, position: Position, pair: Pair, *, related: bool) -> None:
    wire.posstatus = "open" if position.is_open else "closed"
    if not position.closed_volume:
        return
    price = quantity.rounded_quotient(position.closed_cost, position.closed_volume, pair.price_decimals)
    wire.cprice = quantity.text(price)
    wire.ccost = amount(position.closed_cost, pair.cost_decimals)
    wire.cfee = amount(position.closed_fee, pair.cost_decimals)
    wire.cvol = amount(position.closed_volume, pair.lot_decimals)
    wire.cmargin = amount(position.closed_margin, pair.cost_decimals)
    wire.net = signed(position.net, 4)
    if related:
        wire.trades = list(position.closing_trades)


def position_row(world: World, position: Position) -> WirePosition:
    """Return a position without its calculated fields."""
    pair = world.instruments.pair(position.pair)
    return WirePosition(
        ordertxid=position.order,
        posstatus="open",
        pair=position.pair,
        class_="forex",
        time=time(position.opened),
        type=position.side,
        ordertype=position.ordertype,
        cost=amount(position.cost, pair.cost_decimals),
        fee=amount(position.fee, pair.cost_decimals),
        vol=amount(position.volume, pair.lot_decimals),
        vol_closed=amount(position.closed_volume, pair.lot_decimals),
        margin=amount(position.margin, pair.cost_decimals),
        terms=TERMS,
        rollovertm=str(position.rollover_at // TICKS_PER_SECOND),
        misc="",
        oflags="",
        leverage=str(position.leverage),
    )


def order_row(
    world: World, owner: Account, order: Order, *, until: int, trades: bool, consolidate: bool = True
) -> WireOrder:
    """Return an order as it stood at *until*: fills and an end after that have not reached REST yet."""
    pair = world.instruments.pair(order.pair)
    fills = [fill for fill in map(owner.trades.get, order.trades) if fill and fill.ticks <= until]
    volume = quantity.total(fill.volume for fill in fills)
    cost = quantity.total(fill.cost for fill in fills)
    ended = 0 < order.closed <= until
    zero = amount(Decimal(0), pair.cost_decimals)
    return WireOrder(
        refid="None" if order.refid is None and world.quirks.refid_none_as_text else order.refid,
        userref=order.userref,
        status=order.status if ended or order.is_open else "open",
        opentm=time(order.opened),
        starttm=time(order.starts),
        expiretm=time(order.expires),
        descr=_description(order, pair),
        vol=amount(order.volume, pair.lot_decimals),
        vol_exec=amount(volume, pair.lot_decimals),
        cost=amount(cost, pair.cost_decimals),
        fee=amount(quantity.total(fill.fee for fill in fills), pair.cost_decimals),
        price=quantity.text(quantity.rounded_quotient(cost, volume, pair.price_decimals)) if volume else zero,
        stopprice=amount(order.price, pair.cost_decimals) if "touched" in order.misc else zero,
        limitprice=amount(order.price2, pair.cost_decimals) if "touched" in order.misc else zero,
        misc=",".join(order.misc),
        oflags=",".join(order.oflags),
        time_in_force=order.time_in_force,
        cl_ord_id=order.cl_ord_id or UNSET,
        trigger=order.trigger or UNSET,
        margin=True if order.leverage else UNSET,
        closetm=time(order.closed) if ended else UNSET,
        reason=order.reason if ended else UNSET,
        trades=_trade_ids(owner, fills, consolidate=consolidate) if trades and fills else UNSET,
    )


def _trade_ids(owner: Account, fills: list[Trade], *, consolidate: bool) -> list[str] | UnsetType:
    if not consolidate:
        return [fill.id for fill in fills]
    return [fill.id for fill in fills if owner.groups.get(fill.id) is not None]


def _description(order: Order, pair: Pair) -> WireDescription:
    leverage = f"{order.leverage}:1" if order.leverage else "none"
    return WireDescription(
        pair=pair.altname,
        aclass="forex" if pair.aclass_base == "currency" else pair.aclass_base,
        type=order.side,
        ordertype=order.ordertype,
        price=amount(order.price, pair.pair_decimals) if order.price else "0",
        price2=amount(order.price2, pair.pair_decimals) if order.price2 else "0",
        leverage=leverage,
        order=_sentence(order, pair, leverage),
        close=_close_sentence(order, pair),
    )


def _sentence(order: Order, pair: Pair, leverage: str) -> str:
    words = f"{order.side} {amount(order.volume, pair.lot_decimals)} {pair.altname} @ "
    if order.ordertype in TRIGGERED:
        words += order.ordertype.removesuffix("-limit").replace("-", " ")
        words += f" {amount(order.price, pair.pair_decimals)}"
        limit = limit_of(order)
        words += "" if limit is None else f" -> limit {amount(limit, pair.pair_decimals)}"
    else:
        words += order.ordertype
        words += f" {amount(order.price, pair.pair_decimals)}" if order.price else ""
    return words if leverage == "none" else f"{words} with {leverage} leverage"


def _close_sentence(order: Order, pair: Pair) -> str:
    if order.close is None:
        return ""
    ordertype, price = order.close
    return f"close position @ {ordertype.replace('-', ' ')} {amount(price, pair.pair_decimals)}"


def keyed(row_id: str, json: bytes) -> bytes:
    """Return a row with its id in front, ready to be joined."""
    return b'"' + row_id.encode() + b'":' + json
