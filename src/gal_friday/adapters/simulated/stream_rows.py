"""From the records of the engine to the rows of the stream.

Source: Kraken WebSocket v2 documentation, Executions and Balances; wallets of one asset are the suffixes of
REST (Kraken support, "Explanation of ledger fields").
"""

from collections import defaultdict
from decimal import Decimal

from msgspec import UNSET, Raw

from gal_friday.adapters.simulated.account import Account
from gal_friday.adapters.simulated.clock import instant_of
from gal_friday.adapters.simulated.happenings import Filled, Happening, Moved, Stepped
from gal_friday.adapters.simulated.instruments import Asset, Pair
from gal_friday.adapters.simulated.records import LedgerRow, Order, Trade
from gal_friday.adapters.simulated.stream_wire import WireEntry, WireExecution, WireFee, WireHolding, WireWallet
from gal_friday.adapters.simulated.trading import limit_of
from gal_friday.adapters.simulated.world import World
from gal_friday.domain import quantity

EXECUTIONS, BALANCES = "executions", "balances"
SNAP_TRADES = 50  # Kraken WebSocket v2 documentation, Executions, snap_trades.

# How the wallets of earning are called on the socket. What is on hold or tokenized is not streamed.
_WALLETS = {
    "": ("spot", "main"),
    "F": ("earn", "flex"),
    "M": ("earn", "liquid"),
    "B": ("earn", "bonded"),
    "S": ("earn", "locked"),
}
_STATUSES = {"pending": "pending_new", "closed": "filled", "canceled": "canceled", "expired": "expired"}

Row = WireExecution | WireEntry | WireHolding


def row_of(world: World, happening: Happening) -> tuple[str, Row] | None:
    """Return the channel that tells of it, and its row; None for what no channel tells."""
    match happening:
        case Stepped(order, step, ticks):
            return EXECUTIONS, _step(world, order, step, ticks)
        case Filled(order, trade, fee, fee_asset):
            return EXECUTIONS, _fill(world, order, trade, [(fee_asset, fee)])
        case Moved(row):
            entry = _entry(world, row)
            return None if entry is None else (BALANCES, entry)


def snapshot_of_orders(world: World, account: Account) -> list[Row]:
    """Return every open order as it stands."""
    return [_whole(world, order, "new", order.opened) for order in account.open_orders.values()]


def snapshot_of_trades(world: World, account: Account) -> list[Row]:
    """Return the last fifty fills, newest first."""
    newest = account.trades.rows[-SNAP_TRADES:][::-1]
    return [_fill(world, account.orders[trade.order], trade, _fees(account, trade)) for trade in newest]


def snapshot_of_balances(world: World, account: Account) -> list[Row]:
    """Return every asset with its wallets."""
    wallets: defaultdict[str, list[WireWallet]] = defaultdict(list)
    for asset_id, held in account.balances.items():
        asset = world.instruments.asset(asset_id)
        wallet = _wallet(world, asset)
        if wallet is not None:
            plain = world.instruments.plain_of(asset_id)
            wallets[plain].append(WireWallet(*wallet, balance=number(held)))
    return [_holding(world.instruments.asset(plain), each) for plain, each in wallets.items()]


def number(amount: Decimal) -> Raw:
    """Return an amount as a bare JSON number, digit for digit."""
    return Raw(quantity.text(amount).encode())


def moment(ticks: int) -> str:
    """Return an instant as the stream writes it, to the microsecond."""
    return f"{instant_of(ticks):%Y-%m-%dT%H:%M:%S.%f}Z"


def _step(world: World, order: Order, step: str, ticks: int) -> WireExecution:
    """Return a step of an order: all of it at its beginning, then only what changed."""
    if step == "pending_new":
        row = _whole(world, order, step, ticks)
        row.order_status = step
        return row
    row = WireExecution(
        order_id=order.id, exec_type=step, order_status=step if step == "new" else _status(order),
        timestamp=moment(ticks), order_userref=_userref(order), cl_ord_id=order.cl_ord_id or UNSET,
    )  # fmt: skip
    if step == "amended":
        row.order_qty, row.limit_price = number(order.volume), _limit(order)
    if step in ("filled", "canceled", "expired"):
        _add_sums(row, world, order)
    if step in ("canceled", "expired") and order.reason:
        row.reason = row.cancel_reason = order.reason
    return row


def _whole(world: World, order: Order, step: str, ticks: int) -> WireExecution:
    pair = world.instruments.pair(order.pair)
    row = WireExecution(
        order_id=order.id, exec_type=step, order_status=_status(order), timestamp=moment(ticks),
        order_userref=_userref(order), cl_ord_id=order.cl_ord_id or UNSET, symbol=pair.modern, side=order.side,
        order_type=order.ordertype, order_qty=number(order.volume), limit_price=_limit(order),
        limit_price_type="static", stop_price=number(order.price if order.trigger else Decimal(0)),
        time_in_force=order.time_in_force.upper(), fee_ccy_pref="fcib" if "fcib" in order.oflags else "fciq",
        margin=True if order.leverage else UNSET, reduce_only=True if order.reduce_only else UNSET,
    )  # fmt: skip
    _add_sums(row, world, order)
    return row


def _fill(world: World, order: Order, trade: Trade, fees: list[tuple[str, Decimal]]) -> WireExecution:
    pair = world.instruments.pair(trade.pair)
    names = world.instruments
    row = WireExecution(
        order_id=order.id, exec_type="trade", order_status=_status(order), timestamp=moment(trade.ticks),
        order_userref=_userref(order), cl_ord_id=order.cl_ord_id or UNSET, symbol=pair.modern, side=trade.side,
        order_type=order.ordertype, exec_id=trade.id, trade_id=trade.trade_id, last_qty=number(trade.volume),
        last_price=number(trade.price), liquidity_ind="m" if trade.maker else "t", cost=number(trade.cost),
        fees=[WireFee(names.asset(names.plain_of(asset)).modern, number(fee)) for asset, fee in fees if fee],
    )  # fmt: skip
    if trade.leverage:
        row.margin = True
        row.position_status = "opened" if trade.opens else "closing"
        row.liquidated = True if "liquidated" in order.misc else UNSET
    _add_sums(row, world, order)
    return row


def _add_sums(row: WireExecution, world: World, order: Order) -> None:
    pair = world.instruments.pair(order.pair)
    average = (
        quantity.rounded_quotient(order.cost, order.volume_done, pair.price_decimals)
        if order.volume_done
        else Decimal(0)
    )
    row.cum_qty, row.cum_cost, row.avg_price = number(order.volume_done), number(order.cost), number(average)
    row.fee_usd_equiv = number(_in_dollars(world, order, pair))


def _in_dollars(world: World, order: Order, pair: Pair) -> Decimal:
    rate = world.rate(pair.quote, "ZUSD")
    return Decimal(0) if rate is None else quantity.rounded(quantity.multiply(order.fee, rate), 4)


def _fees(account: Account, trade: Trade) -> list[tuple[str, Decimal]]:
    rows = [row for row in map(account.ledger.get, trade.ledgers) if row is not None]
    fees: dict[str, Decimal] = {}
    for row in rows:
        fees[row.asset] = quantity.add(fees.get(row.asset, Decimal(0)), row.fee)
    return list(fees.items())


def _status(order: Order) -> str:
    if order.status in _STATUSES:
        return _STATUSES[order.status]
    # The last fill is told before the order is: it is partially filled until then.
    return "partially_filled" if order.volume_done else "new"


def _limit(order: Order) -> Raw:
    return number(limit_of(order) or Decimal(0))


def _userref(order: Order) -> int:
    return order.userref or 0


def _wallet(world: World, asset: Asset) -> tuple[str, str] | None:
    if not asset.plain:
        return _WALLETS[""]
    # Old products with a bonding time (DOT28.S) are other ids of the same wallet, and are not streamed.
    name, _, suffix = asset.altname.rpartition(".")
    return _WALLETS.get(suffix) if name == world.instruments.asset(asset.plain).altname else None


def _holding(asset: Asset, wallets: list[WireWallet]) -> WireHolding:
    total = quantity.total(quantity.parse(bytes(each.balance).decode()) for each in wallets)
    return WireHolding(asset.modern, asset.aclass, number(total), wallets)


def _entry(world: World, row: LedgerRow) -> WireEntry | None:
    asset = world.instruments.asset(row.asset)
    wallet = _wallet(world, asset)
    if wallet is None:
        return None
    return WireEntry(
        ledger_id=row.id, ref_id=row.refid, timestamp=moment(row.ticks), type=row.kind, subtype=row.subtype or None,
        category=row.kind, asset=world.instruments.asset(world.instruments.plain_of(row.asset)).modern,
        asset_class=row.aclass, wallet_type=wallet[0], wallet_id=wallet[1], amount=number(row.amount),
        fee=number(row.fee), balance=number(row.balance),
    )  # fmt: skip
