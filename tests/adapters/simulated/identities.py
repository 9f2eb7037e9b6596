"""The identities K1 to K10, checked from the records of an exchange by plain summing.

Each check computes what must hold by another way than the engine does: from the ledger up, from the fills
up, never from the engine's own totals.
"""

from collections import defaultdict
from decimal import Decimal

from gal_friday.adapters.simulated.account import Account
from gal_friday.adapters.simulated.exchange import Exchange
from gal_friday.adapters.simulated.records import Position
from gal_friday.domain.quantity import absolute, add, half_unit, multiply, negate, subtract, total

ZERO = Decimal(0)


def check_all(exchange: Exchange) -> None:
    for account in exchange.accounts.values():
        check_ledger(account)
        check_orders(exchange, account)
        check_spot_fills(exchange, account)
        check_positions(account)
        check_holds(exchange, account)
        check_worth(exchange, account)
        check_times(account)
    check_transfers(exchange)


def check_ledger(account: Account) -> None:
    """K1, K2, K9: the chain is unbroken, ends at the balance, and adds up to it."""
    running: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for row in account.ledger.rows:
        running[row.asset] = subtract(add(running[row.asset], row.amount), row.fee)
        assert row.balance == running[row.asset]
    assert running == account.balances
    pending: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for each in account.withdrawals.values():
        if each.status == "Pending" and not each.booked:
            pending[each.asset] = add(pending[each.asset], add(each.amount, each.fee))
    for asset in account.balances:
        assert account.balance(asset) == subtract(running[asset], pending[asset])


def check_orders(exchange: Exchange, account: Account) -> None:
    """K3: what an order has executed is the sum of its fills."""
    for order in account.orders.values():
        fills = [fill for fill in account.trades.rows if fill.order == order.id]
        assert [fill.id for fill in fills] == order.trades
        assert total(fill.volume for fill in fills) == order.volume_done <= order.volume
        assert total(fill.cost for fill in fills) == order.cost
        assert total(fill.fee for fill in fills) == order.fee
        assert (order.id in account.open_orders) == order.is_open


def check_spot_fills(exchange: Exchange, account: Account) -> None:
    """K4: the ledger rows of a spot fill are its base, its quote and its fee."""
    rows = defaultdict(list)
    for row in account.ledger.rows:
        rows[row.refid].append(row)
    for fill in account.trades.rows:
        if fill.leverage:
            continue
        pair = exchange.instruments.pair(fill.pair)
        sign = Decimal(1) if fill.side == "buy" else Decimal(-1)
        moved: dict[str, Decimal] = defaultdict(lambda: ZERO)
        for row in rows[fill.id]:
            plain = exchange.instruments.plain_of(row.asset)
            moved[plain] = add(moved[plain], row.amount)
        assert [row.id for row in rows[fill.id]] == fill.ledgers
        assert moved[pair.base] == multiply(sign, fill.volume)
        off = absolute(add(moved[pair.quote], multiply(sign, fill.cost)))
        assert off <= half_unit(exchange.instruments.assets[pair.quote].decimals)
        assert sum(row.fee > 0 for row in rows[fill.id]) <= 1


def check_positions(account: Account) -> None:
    """K5, K6: closed volume is the sum of closing fills, the rest is opening less closing."""
    opened: dict[tuple[str, str], Decimal] = defaultdict(lambda: ZERO)
    for fill in account.trades.rows:
        if fill.opens:
            opened[fill.pair, fill.side] = add(opened[fill.pair, fill.side], fill.volume)
        if fill.closes:
            side = "sell" if fill.side == "buy" else "buy"
            opened[fill.pair, side] = subtract(opened[fill.pair, side], fill.volume)
    left: dict[tuple[str, str], Decimal] = defaultdict(lambda: ZERO)
    for position in account.positions.values():
        closing = [fill.volume for fill in account.trades.rows if fill.position == position.id]
        assert total(closing) == position.closed_volume <= position.volume
        assert (position.id in account.open_positions) == (position.closed_volume < position.volume)
        check_result(account, position)
        key = position.pair, position.side
        left[key] = add(left[key], subtract(position.volume, position.closed_volume))
    assert {key: value for key, value in left.items() if value} == {k: v for k, v in opened.items() if v}


def check_result(account: Account, position: Position) -> None:
    """What a closed position brought is what its closing fills made of its cost, to the last digit."""
    closing = [fill for fill in account.trades.rows if fill.position == position.id]
    if not position.is_open:
        gain = subtract(total(fill.cost for fill in closing), position.cost)
        assert position.net == (gain if position.side == "buy" else negate(gain))
    rows = [account.ledger.get(row) for fill in closing for row in fill.ledgers]
    if all(fill.ordertype != "liquidation market" for fill in closing):
        booked = total(row.amount for row in rows if row and row.kind == "margin")
        tolerance = multiply(half_unit(4), Decimal(len(closing)))
        assert absolute(subtract(booked, position.net)) <= tolerance


def check_holds(exchange: Exchange, account: Account) -> None:
    """K7: holds are what the open spot orders still need."""
    wanted: dict[str, Decimal] = defaultdict(lambda: ZERO)
    shown: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for order in account.open_orders.values():
        pair = exchange.instruments.pair(order.pair)
        left = subtract(order.volume, order.volume_done)
        if order.leverage:
            assert order.hold == 0
        elif order.side == "sell":
            wanted[pair.base] = add(wanted[pair.base], left)
        else:
            at = order.price2 if order.ordertype.endswith("-limit") else order.price
            wanted[pair.quote] = add(wanted[pair.quote], multiply(left, at))
    for asset in {order.hold_asset for order in account.open_orders.values() if order.hold_asset}:
        plain = exchange.instruments.plain_of(asset)
        shown[plain] = add(shown[plain], account.held(asset))
    for asset, amount in wanted.items():
        tolerance = multiply(half_unit(4), Decimal(len(account.open_orders)))
        assert absolute(subtract(amount, shown[asset])) <= tolerance


def check_worth(exchange: Exchange, account: Account) -> None:
    """K8: the figures of TradeBalance hang together."""
    worth = exchange.worth(account)
    assert worth.equity == add(worth.trade, worth.net)
    assert worth.free == subtract(worth.equity, worth.margin)
    assert (worth.level is None) == (worth.margin == 0)
    if worth.level is not None:
        product = multiply(worth.level, worth.margin)
        assert absolute(subtract(product, multiply(Decimal(100), worth.equity))) <= multiply(half_unit(2), worth.margin)


def check_transfers(exchange: Exchange) -> None:
    """K10: what leaves one account by a transfer arrives in another."""
    moved: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for account in exchange.accounts.values():
        for row in account.ledger.rows:
            if row.kind == "transfer" and not row.subtype:
                moved[row.refid] = add(moved[row.refid], row.amount)
    assert all(amount == 0 for amount in moved.values())


def check_times(account: Account) -> None:
    """Times grow strictly, and every id is used once."""
    for history in (account.ledger, account.trades):
        assert history.times == sorted(set(history.times))
    assert len({row.id for row in account.ledger.rows}) == len(account.ledger)
