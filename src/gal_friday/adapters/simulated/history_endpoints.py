"""Private endpoints about the past: closed orders, trades, ledger; by page and by id.

Pages of 50, newest first; ``start`` is exclusive, ``end`` inclusive, both unix seconds or an id; ``ofs``
skips rows of what matches now, so a list that grows between two pages shifts under the reader.
"""

from collections.abc import Callable
from typing import Any

from msgspec import Raw

from gal_friday.adapters.simulated.account_endpoints import asked_for
from gal_friday.adapters.simulated.history import History
from gal_friday.adapters.simulated.records import LedgerRow, Order, Trade
from gal_friday.adapters.simulated.refusal import INVALID_ORDER, UNKNOWN_ORDER, Refused, invalid
from gal_friday.adapters.simulated.render import joined, keyed, ledger_row, order_row, trade_row
from gal_friday.adapters.simulated.request import FOREVER, Request
from gal_friday.adapters.simulated.wire import WireOrder, encode

ORDERS_PER_QUERY, TRADES_PER_QUERY, LEDGERS_PER_QUERY = 50, 20, 20

Times = Callable[[Order], tuple[int, ...]]

CLOSE_TIMES: dict[str, Times] = {
    "both": lambda order: (order.opened, order.closed),
    "open": lambda order: (order.opened,),
    "close": lambda order: (order.closed,),
}


def closed_orders(request: Request) -> Any:
    """Return closed, canceled and expired orders; ``closetime`` says which time the window means."""
    which = request.text("closetime", "both")
    if which not in CLOSE_TIMES:
        raise invalid("closetime")
    after, end = request.bounds(_by_open_time(request), FOREVER)
    history = request.account.closed_orders
    unbounded = not request.text("start") and not request.text("end")
    if (which == "close" or unbounded) and not request.text("userref") and not request.text("cl_ord_id"):
        low, high = history.window(after, min(end, request.fills_until))
    else:
        history = _matching(request, CLOSE_TIMES[which], after, end)
        low, high = 0, len(history)
    page = history.page(low, high, request.offset())
    rows = joined(_closed_order(request, order) for order in page)
    return _counted(request, {"closed": rows}, high - low, filtered=False)


def query_orders(request: Request) -> Any:
    """Return orders by id, of any status."""
    wanted = _ids(request, "txid", ORDERS_PER_QUERY)
    rows = {}
    for order_id in wanted:
        order = request.account.orders.get(order_id)
        if order is not None and order.opened <= request.orders_until:
            rows[order_id] = _order(request, order)
        elif request.exchange.quirks.unknown_id_fails_list or len(wanted) == 1:
            raise Refused(UNKNOWN_ORDER)
    return rows


def order_amends(request: Request) -> Any:
    """Return the amendments of an order, the original terms first."""
    order = request.account.orders.get(request.text("order_id"))
    if order is None:
        raise Refused(UNKNOWN_ORDER)
    amends = [{"amend_type": "user", **each} for each in order.amends]
    return {"count": len(amends), "amends": amends}


def trades_history(request: Request) -> Any:
    """Return trades; taker fills of one order are merged unless ``consolidate_taker`` is false."""
    kind = request.text("type", "all")
    merged = request.flag("consolidate_taker", default=True)
    account = request.account
    after, until = request.bounds(account.trades, request.fills_until)
    source: History[list[Trade]] = account.groups if merged else account.single_trades
    if kind != "all":
        source = _of_kind(request, source, kind)
    low, high = source.window(after, until)
    page = source.page(low, high, request.offset())
    rows = [_trade(request, [fill for fill in fills if fill.ticks <= until]) for fills in page]
    return _counted(request, {"trades": joined(rows)}, high - low, filtered=kind != "all")


def query_trades(request: Request) -> Any:
    """Return trades by id."""
    rows = []
    for trade_id in _ids(request, "txid", TRADES_PER_QUERY):
        trade = request.account.trades.get(trade_id)
        if trade is None or not request.sees(trade.ticks, request.fills_until):
            raise Refused(INVALID_ORDER)
        rows.append(_trade(request, [trade]))
    return joined(rows)


def ledgers(request: Request) -> Any:
    """Return ledger rows, filtered by asset, class and type."""
    account = request.account
    names = [name for name in request.names("asset") if name != "all"]
    assets = frozenset(request.exchange.instruments.asset(name).id for name in names)
    kind, aclass = request.text("type", "all"), request.text("aclass", "all")
    source = account.ledger
    if assets or kind != "all" or aclass != "all":
        source = source.view(
            ("ledgers", assets, kind, aclass),
            lambda row: (
                (not assets or row.asset in assets) and kind in ("all", row.kind) and aclass in ("all", row.aclass)
            ),
        )
    after, until = request.bounds(account.ledger, request.ledger_until)
    low, high = source.window(after, until)
    rows = [ledger_row(row) for row in source.page(low, high, request.offset())]
    return _counted(request, {"ledger": joined(rows)}, high - low, filtered=source is not account.ledger)


def query_ledgers(request: Request) -> Any:
    """Return ledger rows by id."""
    rows: list[LedgerRow] = []
    for row_id in _ids(request, "id", LEDGERS_PER_QUERY):
        row = request.account.ledger.get(row_id)
        if row is None or not request.sees(row.ticks, request.ledger_until):
            raise invalid("id")
        rows.append(row)
    return joined(ledger_row(row) for row in rows)


def _ids(request: Request, name: str, most: int) -> list[str]:
    wanted = request.names(name)
    if not wanted or len(wanted) > most:
        raise invalid(name)
    return list(dict.fromkeys(wanted))


def _order(request: Request, order: Order) -> WireOrder:
    return order_row(
        request.exchange,
        request.account,
        order,
        until=request.fills_until,
        trades=request.flag("trades"),
        consolidate=request.flag("consolidate_taker", default=True),
    )


def _closed_order(request: Request, order: Order) -> bytes:
    """Return ``"id":{…}`` of an order whose end has reached REST: it never changes, so its bytes are kept."""
    variant = (request.flag("trades"), request.flag("consolidate_taker", default=True))
    if variant not in order.json:
        order.json[variant] = keyed(order.id, encode(_order(request, order)))
    return order.json[variant]


def _matching(request: Request, times: Times, after: int, end: int) -> History[Order]:
    """Return the ended orders that pass the filters and of which one of the *times* lies in the window."""
    matching: History[Order] = History()
    history = request.account.closed_orders
    for order, closed in zip(history.rows, history.times, strict=True):
        inside = any(after < each <= end for each in times(order))
        if inside and closed <= request.fills_until and asked_for(request, order):
            matching.append(order.id, closed, order)
    return matching


def _trade(request: Request, fills: list[Trade]) -> bytes:
    return trade_row(
        request.exchange,
        request.account,
        fills,
        ledgers=request.flag("ledgers"),
        related=request.flag("trades"),
    )


def _by_open_time(request: Request) -> History[Order]:
    """Return the orders so that an id as ``start`` or ``end`` stands for its opening time."""
    orders: History[Order] = History()
    if any(request.text(name)[:1] == "O" for name in ("start", "end")):
        for order in request.account.orders.values():
            orders.append(order.id, order.opened, order)
    return orders


def _of_kind(request: Request, source: History[list[Trade]], kind: str) -> History[list[Trade]]:
    """Return the trades of one of the kinds that Get Trades History knows."""
    if kind == "any position":
        return source.view(kind, lambda fills: fills[0].leverage > 0)
    if kind == "closing position":
        return source.view(kind, lambda fills: fills[0].closes)
    if kind == "no position":
        return source.view(kind, lambda fills: fills[0].leverage == 0)
    if kind != "closed position":
        raise invalid("type")
    # A position closes later than it opens: this filter cannot remember what it has read.
    closed: History[list[Trade]] = History()
    positions = request.account.positions
    for fills, ticks in zip(source.rows, source.times, strict=True):
        if fills[0].opens and not positions[fills[0].id].is_open:
            closed.append(fills[0].id, ticks, fills)
    return closed


def _counted(request: Request, result: dict[str, Any], count: int, *, filtered: bool) -> dict[str, Any]:
    if request.flag("without_count"):
        return result
    if filtered and request.exchange.quirks.wrong_count_under_filter:
        count += 7
    return {**result, "count": Raw(str(count).encode())}
