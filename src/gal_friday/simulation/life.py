"""What happens on an account of the simulated exchange: its truth, which no book changes.

Trades on spot and margin, resting orders that are filled, canceled or expire, deposits and withdrawals with their
lives, rewards, conversions, transfers. Every event is drawn from the chance it is given, and nothing else.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from decimal import Decimal
from random import Random

from gal_friday.adapters.simulated import Exchange
from gal_friday.adapters.simulated.refusal import Refused
from gal_friday.domain import quantity
from gal_friday.ports.clock import Clock

PAIRS = {
    "XXBTZUSD": ("60000.0", "0.002"),
    "XETHZUSD": ("3000.00", "0.04"),
    "SOLUSD": ("150.00", "0.8"),
    "XXRPZUSD": ("0.6000", "200"),
    "XETHXXBT": ("0.05000", "0.04"),
}
"""The price at the start, and the smallest lot: an order of one lot is worth some 120 dollars."""
FUNDS = {
    "ZUSD": "500000",
    "XXBT": "5",
    "XETH": "90",
    "SOL": "2000",
    "XXRP": "300000",
    "DOT": "5000",
    "ATOM": "800",
}
_MONEY = {"ZUSD": 900, "XXBT": 1, "XETH": 5, "SOL": 40, "XXRP": 900, "DOT": 60}
_LEVERED = ("XXBTZUSD", "XETHZUSD", "SOLUSD", "XXRPZUSD")

Weights = dict[str, float]
WEIGHTS: Weights = {
    "trade": 55,
    "rest": 14,
    "work": 14,
    "margin": 4,
    "deposit": 3,
    "withdrawal": 3,
    "reward": 3,
    "conversion": 2,
    "earn": 1,
    "futures": 1,
    "adjustment": 0.5,
}
"""How often each kind of event comes, beside the others."""


def prices_at_start(exchange: Exchange) -> Mapping[str, Decimal]:
    """Return what one of each asset is worth in dollars when a world begins."""
    names = exchange.instruments
    dollars = {names.pair(pair): Decimal(price) for pair, (price, _) in PAIRS.items() if pair.endswith("USD")}
    return {"USD": Decimal(1), "DOT": Decimal(6), "ATOM": Decimal(4)} | {
        names.asset(pair.base).modern: price for pair, price in dollars.items()
    }


class Life:
    """One account that lives."""

    def __init__(self, exchange: Exchange, account: str, chance: Random, clock: Clock) -> None:
        """Live on this account, which must be open."""
        self.exchange, self.account, self.chance, self.clock = exchange, account, chance, clock
        self._owner = exchange.account(account)
        self._later: list[tuple[object, Callable[[], object]]] = []

    def begin(self) -> None:
        """Put the money in with which everything starts."""
        for asset, amount in FUNDS.items():
            self.exchange.deposit(self.account, asset, amount)

    def happen(self) -> str:
        """Let one event happen, and return its kind; empty where the account could not do it."""
        (kind,) = self.chance.choices([*WEIGHTS], [*WEIGHTS.values()])
        try:
            getattr(self, f"_{kind}")()
        except Refused:
            return ""
        return kind

    def catch_up(self, *, all_of_it: bool = False) -> None:
        """Let happen what time alone brings about: rollovers, orders that expire, transfers that arrive.

        With *all of it* every transfer arrives now: a withdrawal that is pending at the end is in no record.
        """
        self.exchange.roll_due(self.account)
        self.exchange.expire_due(self.account)
        now = self.clock.now()
        due = [do for at, do in self._later if all_of_it or at <= now]  # type: ignore[operator]
        self._later = [(at, do) for at, do in self._later if at > now and not all_of_it]  # type: ignore[operator]
        for do in due:
            do()

    def manual_trade(self) -> None:
        """Trade by hand in the app."""
        self._order(leverage=0)

    def manual_order(self) -> None:
        """Place an order by hand, far from the market, where it rests."""
        pair, (_, lot) = "XXRPZUSD", PAIRS["XXRPZUSD"]
        self.exchange.place_order(self.account, pair, "buy", "limit", self._lots(lot), "0.2000", rest=True)

    def liquidated(self) -> bool:
        """Let the exchange close the positions of one pair by force; say whether there were any."""
        pair = next((one.pair for one in self._owner.open_positions.values()), None)
        if pair is not None:
            self.exchange.liquidate(self.account, pair)
        return pair is not None

    def delisted(self) -> bool:
        """Let the exchange take an asset away that it lists no more, and pay for it hours later; once."""
        if not self._owner.balance("ATOM"):
            return False
        self.exchange.convert_delisted(self.account, "ATOM", price="3.5")
        self._after(lambda: self.exchange.pay_delisted(self.account), (60, 300))
        return True

    # The events, by name.

    def _trade(self) -> None:
        self._walk()
        self._order(leverage=0)

    def _margin(self) -> None:
        self._walk()
        self._order(leverage=self.chance.choice((2, 3)))

    def _rest(self) -> None:
        pair = self.chance.choice([*PAIRS])
        price = self._near(pair, self.chance.choice((-2, 2)))
        side = "buy" if price < self.exchange.prices[self.exchange.instruments.pair(pair).id] else "sell"
        expires = self.clock.now() + timedelta(minutes=self.chance.choice((5, 60, 600)))
        self.exchange.place_order(
            self.account, pair, side, "limit", self._lots(PAIRS[pair][1]), price, rest=True, expires=expires
        )

    def _work(self) -> None:
        """Fill a part of a resting order of the bot, or all of it, or cancel it."""
        resting = sorted(name for name, one in self._owner.open_orders.items() if one.price != Decimal("0.2"))
        if not resting:
            return
        name = self.chance.choice(resting)
        order, drawn = self._owner.open_orders[name], self.chance.random()
        if drawn < 0.3:
            self.exchange.cancel_order(name)
            return
        left = quantity.subtract(order.volume, order.volume_done)
        part = quantity.rounded(quantity.multiply(left, Decimal("0.4")), 3)
        self.exchange.fill_order(name, left if drawn < 0.7 or not part else part, maker=True)

    def _deposit(self) -> None:
        asset, amount = self._some()
        booked = self.exchange.deposit(self.account, asset, amount, pending=True)
        self._after(lambda: self.exchange.confirm_deposit(booked.refid), (0, 10))

    def _withdrawal(self) -> None:
        asset, amount = self._some()
        booked = self.exchange.withdraw(self.account, asset, amount, booked=self.chance.random() < 0.5)
        settle = self.exchange.settle_withdrawal if self.chance.random() < 0.85 else self.exchange.fail_withdrawal
        self._after(lambda: settle(booked.refid), (1, 40))

    def _reward(self) -> None:
        self.exchange.reward(self.account, "DOT", f"0.{self.chance.randint(1000, 9_999_999):07d}", kind="staking")

    def _conversion(self) -> None:
        given = self.chance.randint(20, 400)
        received = f"{given * 2 - self.chance.randint(1, 9)}.{self.chance.randint(0, 9999):04d}"
        self.exchange.convert(self.account, "ZUSD", str(given), "XXRP", received, fee="0.5")

    def _earn(self) -> None:
        if self.chance.random() < 0.6:
            self.exchange.allocate(self.account, "DOT", str(self.chance.randint(5, 60)), wallet=".B")
        else:
            self.exchange.deallocate(self.account, "DOT", str(self.chance.randint(5, 60)), wallet=".B")

    def _futures(self) -> None:
        amount = f"{self.chance.randint(10, 400)}.{self.chance.randint(0, 99):02d}"
        if self.chance.random() < 0.6:
            self.exchange.to_futures(self.account, "ZUSD", amount)
        elif self._owner.futures.get("ZUSD", quantity.ZERO) >= Decimal(amount):
            self.exchange.from_futures(self.account, "ZUSD", amount)

    def _adjustment(self) -> None:
        self.exchange.adjust(self.account, "XXRP", f"{self.chance.randint(1, 90)}.{self.chance.randint(0, 99999):05d}")

    # Their parts.

    def _order(self, *, leverage: int) -> None:
        pair = self.chance.choice(_LEVERED if leverage else [*PAIRS])
        side, volume = self.chance.choice(("buy", "sell")), self._lots(PAIRS[pair][1])
        parts = self.chance.choice((1, 1, 2, 3))
        self.exchange.place_order(self.account, pair, side, "market", volume, leverage=leverage, parts=parts)

    def _walk(self) -> None:
        """Let a price move, by up to a thousandth; resting orders are filled by ``_work`` alone."""
        pair = self.chance.choice([*PAIRS])
        self.exchange.set_price(pair, self._near(pair, self.chance.choice((-1, 1))), match=False)

    def _near(self, pair: str, thousandths: int) -> Decimal:
        on = self.exchange.instruments.pair(pair)
        moved = self.chance.randint(1, 1000) * thousandths
        factor = quantity.add(Decimal(1), quantity.multiply(Decimal(moved), Decimal("0.000001")))
        return quantity.rounded(quantity.multiply(self.exchange.prices[on.id], factor), on.pair_decimals)

    def _lots(self, lot: str) -> str:
        return quantity.text(quantity.multiply(Decimal(lot), Decimal(self.chance.randint(1, 6))))

    def _some(self) -> tuple[str, str]:
        asset = self.chance.choice([*_MONEY])
        return asset, f"{self.chance.randint(0, _MONEY[asset])}.{self.chance.randint(1, 9999):04d}"

    def _after(self, do: Callable[[], object], minutes: tuple[float, float]) -> None:
        at = self.clock.now() + timedelta(minutes=self.chance.uniform(*minutes))
        self._later.append((at, do))
