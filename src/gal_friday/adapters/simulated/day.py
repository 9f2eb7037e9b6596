"""A day of trading on the simulated exchange: a thousand orders of a bot, and nine events that a bot can miss.

The day is the exchange's truth only. It knows nothing of any book: which of its events a trading system
missed or got wrong is decided by whoever keeps that book.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

import msgspec

from gal_friday.adapters.simulated.clock import VirtualClock
from gal_friday.adapters.simulated.exchange import Exchange
from gal_friday.adapters.simulated.keys import ApiKey
from gal_friday.adapters.simulated.records import Execution, Order, Placed
from gal_friday.domain import quantity

ACCOUNT = "main"
BOT = "bot-"
"""The bot marks its own orders with a client id that begins so."""

# Pair id, first price, digits of the price, lot of one order and its digits: costs stay within four digits.
_MARKETS = (
    ("XXBTZUSD", "60000.0", 1, "0.012"),
    ("XETHZUSD", "3000.00", 2, "0.25"),
    ("SOLUSD", "150.00", 2, "4.50"),
    ("ADAUSD", "0.4500", 4, "900"),
    ("XXRPZUSD", "0.6000", 4, "700"),
    ("XDGUSD", "0.1200", 4, "3200"),
)
_OPENING = (
    ("ZUSD", "250000"),
    ("ZEUR", "20000"),
    ("XXBT", "2"),
    ("XETH", "30"),
    ("SOL", "400"),
    ("ADA", "60000"),
    ("XXRP", "50000"),
    ("XXDG", "200000"),
    ("DOT", "1500"),
)


class Day(msgspec.Struct, frozen=True):
    """The exchange at the end of the day, and the ids of the events that are easily missed."""

    exchange: Exchange
    clock: VirtualClock
    key: ApiKey
    fill_of_dropped_socket: Execution
    fill_sent_twice: Execution
    trade_in_app: Placed
    order_in_app: str
    deposit: str
    rollover: str
    reward: str
    short: Placed


def trading_day(end: datetime, *, seed: int = 7, orders: int = 900) -> Day:
    """Return a day that ends at *end*: the same *seed* makes the same day, to the last digit."""
    return _Maker(end, seed, orders).day()


class _Maker:
    """Drives the exchange from one event to the next."""

    def __init__(self, end: datetime, seed: int, orders: int) -> None:
        self.end, self.orders = end, orders
        self.clock = VirtualClock(end - timedelta(hours=25))
        self.exchange = Exchange(self.clock.now, seed=seed)
        self.chance = Random(seed)
        self.placed = 0
        self.rollovers: list[str] = []
        self.step = timedelta(hours=20) / orders

    def day(self) -> Day:
        """Let the day happen and return it."""
        exchange = self.exchange
        exchange.open_account(ACCOUNT)
        key = exchange.issue_key(ACCOUNT)
        self._open()
        short = self._short()
        self._trade(self.orders // 3)
        dropped = self._filled("XETHZUSD", "buy", "1.25")
        self._trade(self.orders // 6)
        deposit = exchange.deposit(ACCOUNT, "ZEUR", "2500.00").ledgers[0]
        twice = self._filled("SOLUSD", "buy", "12.50")
        self._trade(self.orders // 6)
        in_app = exchange.place_order(ACCOUNT, "ADAUSD", "sell", "market", "1000")
        reward = exchange.reward(ACCOUNT, "DOT", "1.3047", wallet=".S", kind="staking").ledgers[0]
        self._trade(self.orders // 3)
        waiting = exchange.place_order(ACCOUNT, "XXRPZUSD", "buy", "limit", "1500", "0.4000")
        self._leave_open()
        self.clock.set(self.end)
        return Day(
            exchange, self.clock, key, dropped, twice, in_app, waiting.order, deposit, self.rollovers[2],
            reward, short,
        )  # fmt: skip

    def _open(self) -> None:
        for asset, amount in _OPENING:
            self.exchange.deposit(ACCOUNT, asset, amount)
        for pair, price, _, _ in _MARKETS:
            self.exchange.set_price(pair, price)
        self.exchange.set_price("DOTUSD", "6.0000")
        self.exchange.set_price("DOTEUR", "5.5000")
        self.exchange.set_price("ZEURZUSD", "1.08000")
        self.exchange.allocate(ACCOUNT, "DOT", "1000", wallet=".S")
        self.clock.set(self.end - timedelta(hours=23, minutes=30))

    def _short(self) -> Placed:
        return self.exchange.place_order(
            ACCOUNT, "XXRPZUSD", "sell", "market", "5000", leverage=3, cl_ord_id=self._client_id()
        )

    def _filled(self, pair: str, side: str, volume: str) -> Execution:
        """Place a market order that fills at once, as the bot does."""
        self.clock.advance(self.step)
        placed = self.exchange.place_order(ACCOUNT, pair, side, "market", volume, cl_ord_id=self._client_id())
        return placed.executions[0]

    def _trade(self, orders: int) -> None:
        for _ in range(orders):
            self.clock.advance(self.step)
            self.rollovers += [row for booked in self.exchange.roll_due(ACCOUNT) for row in booked.ledgers]
            self._one_order()

    def _one_order(self) -> None:
        """Place one order: most fill at once in one or more parts, some are canceled half filled."""
        pair, _, digits, lot = self.chance.choice(_MARKETS)
        self.exchange.set_price(pair, self._moved(pair, digits), match=False)
        side = self.chance.choice(("buy", "sell"))
        volume = quantity.multiply(Decimal(lot), Decimal(self.chance.randint(1, 4)))
        if self.chance.random() < 0.1:
            self._half_filled(pair, side, volume)
            return
        parts = self.chance.choice((1, 1, 1, 2))
        self.exchange.place_order(ACCOUNT, pair, side, "market", volume, parts=parts, cl_ord_id=self._client_id())

    def _half_filled(self, pair: str, side: str, volume: Decimal) -> None:
        price = self.exchange.price(self.exchange.instruments.pair(pair))
        placed = self.exchange.place_order(
            ACCOUNT, pair, side, "limit", volume, price, rest=True, cl_ord_id=self._client_id()
        )
        half = quantity.multiply(volume, Decimal("0.5"))
        self.exchange.fill_order(placed.order, half, maker=True)
        self.clock.advance(self.step / 4)
        self.exchange.cancel_order(placed.order)

    def _leave_open(self) -> None:
        """Leave a few of the bot's orders resting far from the market."""
        for pair, price in (("XXBTZUSD", "48000.0"), ("XETHZUSD", "2400.00"), ("SOLUSD", "120.00")):
            self.exchange.place_order(
                ACCOUNT, pair, "buy", "limit", "0.5", price, rest=True, cl_ord_id=self._client_id()
            )

    def _moved(self, pair: str, digits: int) -> Decimal:
        """Return the pair's price a little higher or lower."""
        last = self.exchange.price(self.exchange.instruments.pair(pair))
        basis_points = Decimal(self.chance.randint(-20, 20))
        change = quantity.rounded(quantity.multiply(last, quantity.multiply(basis_points, Decimal("0.0001"))), digits)
        return quantity.rounded(quantity.add(last, change), digits)

    def _client_id(self) -> str:
        self.placed += 1
        return f"{BOT}{self.placed:05d}"


def is_of_bot(order: Order) -> bool:
    """Say whether the bot placed this order itself."""
    return (order.cl_ord_id or "").startswith(BOT)
