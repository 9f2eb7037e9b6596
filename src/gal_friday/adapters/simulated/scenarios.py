"""Worlds that tests, drills and benchmarks start from, each the same every time for the same seed.

A scenario returns the exchange, the clock it runs on, and the key of its account ``main``. The clock may be
replaced: pass *now* to let a world live on another clock.
"""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import msgspec

from gal_friday.adapters.simulated.clock import VirtualClock
from gal_friday.adapters.simulated.exchange import Exchange
from gal_friday.adapters.simulated.keys import ApiKey
from gal_friday.domain import quantity

MAIN, SAVINGS = "main", "savings"

PRICES = {
    "XXBTZUSD": "60000", "XXBTZEUR": "55000", "XETHZUSD": "3000", "XXRPZUSD": "0.61", "ADAUSD": "0.45",
    "SOLUSD": "150", "DOTUSD": "6.5", "XDGUSD": "0.15", "XTZUSD": "0.9", "ZRXUSD": "0.4", "USDTZUSD": "1",
    "USDCUSD": "1", "ZEURZUSD": "1.09", "AAPLxUSD": "230", "WAVESUSD": "1.2", "XBTCHF": "53000",
}  # fmt: skip


class Scenario(msgspec.Struct, frozen=True):
    """A world ready for use."""

    exchange: Exchange
    clock: VirtualClock
    key: ApiKey


Build = Callable[[int], Scenario]


def virgin(seed: int = 1) -> Scenario:
    """An account that never held anything: Balance has no result at all."""
    return _world(seed)


def quiet(seed: int = 1) -> Scenario:
    """A small account with some of everything: every kind of row, order, position and name."""
    world = _world(seed)
    exchange, clock = world.exchange, world.clock
    exchange.open_account(SAVINGS)
    for step in (_fund, _trade_spot, _earn, _convert, _trade_on_margin, _leave_orders, _move_money):
        step(exchange)
        clock.advance(timedelta(minutes=37))
    return world


def busy(seed: int = 1, *, fills: int = 10_000, ledger_rows: int = 30_000) -> Scenario:
    """An account with many fills and ledger rows, for benchmarks of reading.

    Each fill is two ledger rows; rewards make up the rest. The counts are exact.
    """
    assert ledger_rows >= 2 * fills + 2, "each fill makes two ledger rows, two deposits come first"
    world = _world(seed)
    exchange, clock, chance = world.exchange, world.clock, world.exchange.chance
    exchange.deposit(MAIN, "ZUSD", "50000000")
    exchange.deposit(MAIN, "XXBT", "500")
    rewards = ledger_rows - 2 * fills - 2
    given = 0
    for done in range(fills):
        side = "buy" if chance.random() < 0.5 else "sell"
        price = quantity.multiply(Decimal(chance.randrange(550_000, 650_000)), Decimal("0.1"))
        volume = quantity.multiply(Decimal(chance.randrange(10_000, 5_000_000)), Decimal("0.00000001"))
        placed = exchange.place_order(MAIN, "XXBTZUSD", side, "limit", volume, price, rest=True)
        exchange.fill_order(placed.order, maker=chance.random() < 0.7)
        while given < rewards * (done + 1) // fills:
            exchange.reward(MAIN, "XXBT", "0.0000001", wallet=".F")
            given += 1
        clock.advance(timedelta(seconds=chance.randrange(1, 20)))
    return world


SCENARIOS: dict[str, Build] = {"virgin": virgin, "quiet": quiet, "busy": busy}


def _world(seed: int) -> Scenario:
    clock = VirtualClock()
    exchange = Exchange(clock.now, seed)
    exchange.open_account(MAIN)
    key = exchange.issue_key(MAIN, tier="pro")
    for pair, price in PRICES.items():
        exchange.set_price(pair, price)
    return Scenario(exchange, clock, key)


def _fund(exchange: Exchange) -> None:
    for asset, amount in (
        ("ZUSD", "50000"), ("ZEUR", "8000"), ("CHF", "1200"), ("XXBT", "1.5"), ("XXRP", "4000"),
        ("XXDG", "90000"), ("DOT", "800"), ("XETH", "6"), ("XTZ", "250"), ("ZRX", "900"), ("USDT", "1500"),
        ("WAVES", "30"), ("EUR.HOLD", "500"), ("KFEE", "120"), ("ETH2.S", "0.5"),
    ):  # fmt: skip
        exchange.deposit(MAIN, asset, amount)


def _trade_spot(exchange: Exchange) -> None:
    exchange.place_order(MAIN, "XXBTZUSD", "buy", "market", "0.25", parts=4, cl_ord_id="book-0001")
    partly = exchange.place_order(MAIN, "XXRPZUSD", "buy", "limit", "1000", "0.6", userref=7)
    exchange.fill_order(partly.order, "314")
    exchange.cancel_order(partly.order)
    exchange.place_order(MAIN, "XDGUSD", "sell", "market", "20000", oflags=("fcib",))
    exchange.place_order(MAIN, "AAPLxUSD", "buy", "market", "2")
    exchange.place_order(MAIN, "WAVESUSD", "sell", "market", "10")


def _earn(exchange: Exchange) -> None:
    exchange.allocate(MAIN, "DOT", "300", "28.S")
    exchange.reward(MAIN, "DOT", "0.4321", wallet="28.S", kind="staking")
    exchange.allocate(MAIN, "XETH", "2", ".B")
    exchange.reward(MAIN, "XETH", "0.0011", wallet=".B")
    exchange.switch_on_rewards(MAIN, "XXBT")
    exchange.reward(MAIN, "XXBT", "0.0000123", wallet=".F", subtype="bonusreward")


def _convert(exchange: Exchange) -> None:
    exchange.convert(MAIN, "ZEUR", "1000", "XXBT", "0.0179", fee="9.8")
    exchange.convert_delisted(MAIN, "WAVES", price="1.1")
    exchange.pay_delisted(MAIN)
    exchange.airdrop(MAIN, "XXLM", "12.5")
    exchange.adjust(MAIN, "XXBT", "0.0000000054")


def _trade_on_margin(exchange: Exchange) -> None:
    first = exchange.place_order(MAIN, "XXBTZUSD", "buy", "limit", "0.4", "59000", leverage=5)
    exchange.fill_order(first.order, "0.1")
    exchange.fill_order(first.order, "0.3")
    exchange.place_order(MAIN, "XXBTZUSD", "sell", "market", "0.15", leverage=5)
    exchange.place_order(MAIN, "XXBTZUSD", "sell", "market", "0.05", leverage=3, hedged=True)
    exchange.place_order(MAIN, "XXRPZUSD", "sell", "market", "500", leverage=4)
    exchange.rollover(MAIN)


def _leave_orders(exchange: Exchange) -> None:
    exchange.place_order(MAIN, "XXBTZUSD", "sell", "limit", "0.3", "72000", oflags=("post", "fciq"))
    resting = exchange.place_order(MAIN, "ADAUSD", "buy", "limit", "1000", "0.4", userref=42)
    exchange.amend_order(resting.order, price="0.41")
    exchange.fill_order(resting.order, "250")
    exchange.place_order(MAIN, "XETHZUSD", "sell", "stop-loss", "1", "2500")
    exchange.place_order(MAIN, "XETHZUSD", "sell", "take-profit-limit", "1", "3500", "3490")


def _move_money(exchange: Exchange) -> None:
    sent = exchange.withdraw(MAIN, "XETH", "0.5", fee="0.0035")
    exchange.settle_withdrawal(sent.refid)
    failed = exchange.withdraw(MAIN, "ZUSD", "200", fee="5", booked=True)
    exchange.fail_withdrawal(failed.refid)
    exchange.withdraw(MAIN, "USDT", "100", fee="3")
    exchange.transfer(MAIN, SAVINGS, "ZUSD", "1000")
    exchange.to_futures(MAIN, "USDT", "250")
    exchange.deposit(MAIN, "ZUSD", "75", pending=True)
