"""Private endpoints about what an account is and has.

Key, balances, worth, positions, open orders, deposits and withdrawals: the present, never the past.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from msgspec import UNSET

from gal_friday.adapters.simulated.clock import TICKS_PER_SECOND
from gal_friday.adapters.simulated.keys import TOKEN_SECONDS
from gal_friday.adapters.simulated.records import ZERO, Order, Position, Transfer
from gal_friday.adapters.simulated.refusal import UNKNOWN_POSITION, Refused
from gal_friday.adapters.simulated.render import amount, order_row, position_row, signed
from gal_friday.adapters.simulated.request import FOREVER, Request
from gal_friday.adapters.simulated.wire import (
    NO_RESULT,
    WireBalance,
    WireFunding,
    WireKeyInfo,
    WireMarketPosition,
    WirePosition,
    WireTradeBalance,
)
from gal_friday.domain import quantity


def get_api_key_info(request: Request) -> Any:
    """Return what the key may do and see."""
    key = request.key
    return WireKeyInfo(
        api_key_name=key.name,
        api_key=key.key,
        nonce=str(key.nonce),
        nonce_window=str(key.nonce_window),
        permissions=sorted(key.rights),
        iban=request.account.iban,
        valid_until=str(key.valid_until),
        query_from=str(key.query_from),
        query_to=str(key.query_to),
        created_time=str(key.created),
        modified_time=str(key.created),
        last_used=str(key.last_used),
        ip_allowlist=list(key.ip_allowlist) or [""],
    )


def balance(request: Request) -> Any:
    """Return every balance ever held, zero ones too, net of pending withdrawals."""
    if not request.account.balances:
        return NO_RESULT
    return {asset: _shown(request, asset, held) for asset, held in _balances(request)}


def balance_ex(request: Request) -> Any:
    """Return balances with what open spot orders hold, and credit where there is a line."""
    account = request.account
    if not account.balances:
        return NO_RESULT
    rows = {}
    for asset, held in _balances(request):
        decimals = request.exchange.instruments.assets[asset].decimals
        row = WireBalance(_shown(request, asset, held), amount(account.held(asset), decimals))
        if asset in account.credit:
            line, used = account.credit[asset]
            row.credit, row.credit_used = quantity.text(line), quantity.text(used)
        rows[asset] = row
    return rows


def trade_balance(request: Request) -> Any:
    """Return the worth of the account in ``asset``, US dollars by default."""
    currency = request.exchange.instruments.asset(request.text("asset", "ZUSD")).id
    worth = request.exchange.worth(request.account, currency)
    return WireTradeBalance(
        eb=quantity.text(worth.equivalent),
        tb=quantity.text(worth.trade),
        m=quantity.text(worth.margin),
        n=quantity.text(worth.net),
        c=quantity.text(worth.cost),
        v=quantity.text(worth.value),
        e=quantity.text(worth.equity),
        mf=quantity.text(worth.free),
        uv=quantity.text(worth.unexecuted),
        mfo=quantity.text(worth.free_after_orders),
        ml=UNSET if worth.level is None else quantity.text(worth.level),
    )


def open_positions(request: Request) -> Any:
    """Return open positions by id, or with ``consolidation=market`` a list of sums per pair and side."""
    positions = list(request.account.open_positions.values())
    wanted = request.names("txid")
    if wanted:
        known = request.account.open_positions
        if any(each not in known for each in wanted):
            raise Refused(UNKNOWN_POSITION)
        positions = [known[each] for each in wanted]
    if request.text("consolidation") == "market":
        return _consolidated(request, positions)
    return {each.id: _position(request, each) for each in positions}


def open_orders(request: Request) -> Any:
    """Return every open order; one that has just ended stays until its end has reached REST."""
    until = request.fills_until
    orders = {
        order.id: order_row(request.exchange, request.account, order, until=until, trades=request.flag("trades"))
        for order in _open_as_of(request, until)
        if order.opened <= request.orders_until and asked_for(request, order)
    }
    return {"open": orders}


def deposit_status(request: Request) -> Any:
    """Return deposits, newest first."""
    return _funding(request, request.account.deposits.values())


def withdraw_status(request: Request) -> Any:
    """Return withdrawals, newest first."""
    return _funding(request, request.account.withdrawals.values())


def get_websockets_token(request: Request) -> Any:
    """Return a token for the stream, bound to the key that asks."""
    return {"token": request.exchange.issue_token(request.key.key), "expires": TOKEN_SECONDS}


def asked_for(request: Request, order: Order) -> bool:
    """Say whether an order passes the filters ``userref`` and ``cl_ord_id``."""
    userref, client_id = request.text("userref"), request.text("cl_ord_id")
    return (not userref or str(order.userref) == userref) and (not client_id or order.cl_ord_id == client_id)


def _open_as_of(request: Request, until: int) -> list[Order]:
    orders = list(request.account.open_orders.values())
    if until == FOREVER:
        return orders
    closed = request.account.closed_orders
    low, high = closed.window(until, FOREVER)
    return [*orders, *closed.rows[low:high]]


def _balances(request: Request) -> Iterable[tuple[str, Decimal]]:
    account = request.account
    if not request.rows_behind and not request.exchange.quirks.ledger_lag:
        return [(asset, account.balance(asset)) for asset in account.balances]
    until = request.ledger_until
    if request.rows_behind:
        rows = account.ledger.rows
        until = min(until, rows[max(0, len(rows) - 1 - request.rows_behind)].ticks)
    return [(asset, _balance_at(request, asset, until)) for asset in account.balances]


def _balance_at(request: Request, asset: str, until: int) -> Decimal:
    row = request.account.ledger_of(asset).latest(until)
    return row.balance if row else ZERO


def _shown(request: Request, asset: str, held: Decimal) -> str:
    multiplier = request.exchange.rebase_multipliers.get(asset)
    if multiplier is not None and request.text("rebase_multiplier", "rebased") == "rebased":
        held = quantity.multiply(held, multiplier)
    return amount(held, request.exchange.instruments.assets[asset].decimals)


def _position(request: Request, position: Position) -> WirePosition:
    row = position_row(request.exchange, position)
    if request.flag("docalcs"):
        pair = request.exchange.instruments.pair(position.pair)
        row.value = amount(request.exchange.value_of(position), pair.pair_decimals)
        row.net = signed(request.exchange.net_of(position), 4)
    return row


def _consolidated(request: Request, positions: list[Position]) -> list[WireMarketPosition]:
    groups: dict[tuple[str, str], list[Position]] = {}
    for position in positions:
        groups.setdefault((position.pair, position.side), []).append(position)
    return [_market_row(request, members) for members in groups.values()]


def _market_row(request: Request, members: list[Position]) -> WireMarketPosition:
    first, pair = members[0], request.exchange.instruments.pair(members[0].pair)
    row = WireMarketPosition(
        pair=first.pair,
        positions=str(len(members)),
        type=first.side,
        leverage=f"{first.leverage}.00000",
        cost=amount(quantity.total(each.cost for each in members), pair.cost_decimals),
        fee=amount(quantity.total(each.fee for each in members), pair.cost_decimals),
        vol=amount(quantity.total(each.volume for each in members), pair.lot_decimals),
        vol_closed=amount(quantity.total(each.closed_volume for each in members), pair.lot_decimals),
        margin=amount(quantity.total(each.margin for each in members), pair.cost_decimals),
    )
    if request.flag("docalcs"):
        row.value = amount(quantity.total(map(request.exchange.value_of, members)), pair.cost_decimals)
        row.net = signed(quantity.total(map(request.exchange.net_of, members)), pair.cost_decimals)
    return row


def _funding(request: Request, transfers: Iterable[Transfer]) -> list[WireFunding]:
    asset = request.text("asset")
    wanted = request.exchange.instruments.asset(asset).id if asset else None
    return [
        WireFunding(
            method=each.method,
            aclass=request.exchange.instruments.assets[each.asset].aclass,
            asset=each.asset,
            refid=each.refid,
            txid=each.txid,
            info=each.info,
            amount=quantity.text(each.amount),
            fee=quantity.text(each.fee),
            time=each.ticks // TICKS_PER_SECOND,
            status=each.status,
            status_prop=each.note or UNSET,
        )
        for each in reversed(list(transfers))
        if wanted in (None, each.asset)
    ]
