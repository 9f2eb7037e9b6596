"""A market that does not stand still: it trades while it is read, and a bot writes it down a moment later.

One virtual clock moves both. Every request to the simulated Kraken takes fifty milliseconds, in which about one
fill happens; its REST answers lag behind by a time drawn for every run. The bot hears of everything through a
stream with a small delay of its own, and some of it never or twice: those are the planted faults, and nothing
else may be reported. Chance is seeded; no real time passes.
"""

from collections import deque
from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

import httpx2
from msgspec import Struct

from gal_friday.adapters.book_sql import MemoryBook
from gal_friday.adapters.clock import SteppedClock
from gal_friday.adapters.kraken import KrakenExchange
from gal_friday.adapters.simulated import Exchange
from gal_friday.adapters.simulated.answer import HttpRequest
from gal_friday.adapters.simulated.clock import instant_of
from gal_friday.adapters.simulated.instruments import Asset as SimulatedAsset
from gal_friday.adapters.simulated.records import Booked, Execution
from gal_friday.adapters.simulated.refusal import Refused
from gal_friday.adapters.simulated.service import Service
from gal_friday.domain import quantity
from gal_friday.domain.assets import Asset, Instrument, Wallet
from gal_friday.domain.quantity import ZERO
from gal_friday.domain.records import Fill, Movement, Order, OrderSide
from gal_friday.domain.roll_up import legs_of
from gal_friday.flows.fetch import Sources

ACCOUNT = "main"
EVENTS_PER_SECOND = 10
"""An event makes two fills on average: twenty fills a second."""
REQUEST_SECONDS = 0.05

_START = datetime.fromisoformat("2026-03-01T12:00:00+00:00")
_PAIRS = (("XXBTZUSD", "60000.0", "0.01"), ("XETHZUSD", "3000.00", "0.2"), ("SOLUSD", "150.00", "3"),
          ("XXRPZUSD", "0.6000", "500"), ("XETHXXBT", "0.05000", "0.1"))  # fmt: skip
_FUNDS = (("ZUSD", "50000000"), ("XXBT", "500"), ("XETH", "9000"), ("SOL", "90000"), ("XXRP", "9000000"))
_STATUSES = {"closed": "filled"}


class Fault(Struct, frozen=True):
    """Something that the book never heard, or heard twice, and what is wrong with it since."""

    at: datetime
    key: str
    """The finding that must name it, as text, while it lies in the window."""
    effects: dict[Asset, list[Decimal]]
    """exchange − internal, by asset: amounts to be added up."""
    records: frozenset[str]
    """Ids of fill, order or row that may be named beside it."""
    instrument: Instrument | None = None
    """Where it changed a position."""


class _Message(Struct, frozen=True):
    """What the stream delivers, and when."""

    due: datetime
    fills: tuple[Fill, ...] = ()
    movements: tuple[Movement, ...] = ()
    orders: tuple[Order, ...] = ()


class Market(httpx2.AsyncBaseTransport):
    """One account that trades without a pause, as seen through HTTP and through the bot's book."""

    def __init__(self, seed: int, *, faults: float = 0.002, margin: float = 0.03) -> None:
        """Stand at the first instant, with funds that both sides know.

        *faults* and *margin* are the shares of events that go wrong and of orders on margin.
        """
        self.chance = Random(f"{seed} market")
        self.clock = SteppedClock(start=_START)
        self.time = _START
        self.exchange = Exchange(lambda: self.time, seed=seed)
        self.account = self.exchange.open_account(ACCOUNT)
        self.book = MemoryBook(clock=self.clock)
        self.faults: list[Fault] = []
        self.fills = 0
        self._fault_share, self._margin_share = faults, margin
        self._service = Service(self.exchange, enforce_limits=False)
        self._stream: deque[_Message] = deque()
        self._resting: list[str] = []
        self._next = _START
        for pair, price, _ in _PAIRS:
            self.exchange.set_price(pair, price)
        key = self.exchange.issue_key(ACCOUNT)
        kraken = KrakenExchange(key=key.key, secret=key.secret, clock=self.clock, tier="none", http=self)
        self.sources = Sources(ACCOUNT, kraken, self.book, self.clock)

    async def open(self, *, seconds: float) -> None:
        """Fund both sides, and let so much time pass."""
        for asset, amount in _FUNDS:
            booked = self.exchange.deposit(ACCOUNT, asset, amount)
            rows = tuple(self._movement(row) for row in booked.ledgers)
            await self.book.append(account=ACCOUNT, exchange="kraken", movements=rows)
        await self.pass_time(seconds)

    async def pass_time(self, seconds: float) -> None:
        """Let this time pass, with everything that happens in it."""
        self.clock.advance(seconds)
        await self._catch_up()

    def draw_lags(self) -> None:
        """Let the exchange's answers lag behind by other times from now on, up to half a minute."""
        for name in ("fill_lag", "ledger_lag", "new_order_lag"):
            setattr(self.exchange.quirks, name, timedelta(seconds=self.chance.choice((0, 1, 5, 12, 30))))

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Answer one request; the market goes on while it is under way."""
        await self.pass_time(REQUEST_SECONDS)
        headers = {name.lower(): value for name, value in request.headers.items()}
        query, body = request.url.query.decode(), await request.aread()
        answer = self._service.answer(HttpRequest(request.method, request.url.path, query, headers, body))
        return httpx2.Response(answer.status, headers={"content-type": answer.content_type}, content=answer.body)

    # What happens.

    async def _catch_up(self) -> None:
        now = self.clock.now()
        while self._next <= now:
            self.time = self._next
            self._happen()
            self._next += timedelta(seconds=self.chance.expovariate(EVENTS_PER_SECOND))
        self.time = now
        while self._stream and self._stream[0].due <= now:
            due = self._stream.popleft()
            await self.book.append(
                account=ACCOUNT, exchange="kraken", fills=due.fills, movements=due.movements, orders=due.orders
            )

    def _happen(self) -> None:
        drawn = self.chance.random()
        if drawn < 0.01:
            self._deposited(self.exchange.deposit(ACCOUNT, *self._some_money()))
        elif drawn < 0.15 and self._resting:
            self._work_on(self.chance.choice(self._resting))
        elif drawn < 0.25:
            self._rest()
        else:
            self._trade()

    def _some_money(self) -> tuple[str, str]:
        asset, _ = self.chance.choice(_FUNDS)
        return asset, f"{self.chance.randint(1, 900)}.{self.chance.randint(0, 99):02d}"

    def _trade(self) -> None:
        pair, _, lot = self.chance.choice(_PAIRS)
        side, volume = self.chance.choice(("buy", "sell")), self._volume(lot)
        leverage = 3 if pair.endswith("ZUSD") and self.chance.random() < self._margin_share else 0
        parts = self.chance.choice((1, 2, 3, 4))
        try:
            placed = self.exchange.place_order(ACCOUNT, pair, side, "market", volume, leverage=leverage, parts=parts)
        except Refused:
            return
        self._executed(placed.order, placed.executions)

    def _rest(self) -> None:
        pair, price, lot = self.chance.choice(_PAIRS)
        placed = self.exchange.place_order(ACCOUNT, pair, "buy", "limit", self._volume(lot), price, rest=True)
        self._resting.append(placed.order)
        self._tell(orders=(self._order(placed.order),))

    def _work_on(self, order_id: str) -> None:
        """Fill a part of a resting order, or all of it, or cancel it."""
        order = self.account.orders[order_id]
        if self.chance.random() < 0.2:
            self.exchange.cancel_order(order_id)
            self._resting.remove(order_id)
            self._tell(orders=(self._order(order_id),))
            return
        left = quantity.subtract(order.volume, order.volume_done)
        part = quantity.rounded(quantity.multiply(left, quantity.parse("0.4")), 3)
        whole = not part or self.chance.random() < 0.4
        execution = self.exchange.fill_order(order_id, left if whole else part, maker=True)
        if whole:
            self._resting.remove(order_id)
        self._executed(order_id, (execution,) if isinstance(execution, Execution) else tuple(execution))

    def _volume(self, lot: str) -> str:
        return quantity.text(quantity.multiply(quantity.parse(lot), quantity.parse(str(self.chance.randint(1, 4)))))

    # What the bot hears of it.

    def _tell(self, **records: tuple[Fill, ...] | tuple[Movement, ...] | tuple[Order, ...]) -> None:
        """Put a message on the stream; messages never overtake each other."""
        due = self.time + timedelta(seconds=self.chance.choice((0.02, 0.1, 0.3, 1.0)))
        last = self._stream[-1].due if self._stream else due
        self._stream.append(_Message(max(due, last), **records))  # type: ignore[arg-type]

    def _executed(self, order_id: str, executions: Iterable[Execution]) -> None:
        order = self._order(order_id)
        for execution in executions:
            self.fills += 1
            fill = self._fill(execution)
            drawn = self.chance.random()
            if drawn < self._fault_share / 2:
                self._plant(fill, order, quantity.parse("1"))
            elif drawn < self._fault_share:
                self._plant(fill, order, quantity.parse("-1"))
                self._tell(fills=(fill, fill))
            else:
                self._tell(fills=(fill,))
        self._tell(orders=(order,))

    def _deposited(self, booked: Booked) -> None:
        rows = tuple(self._movement(row) for row in booked.ledgers)
        if self.chance.random() > 20 * self._fault_share:
            self._tell(movements=rows)
            return
        effects: dict[Asset, list[Decimal]] = {row.asset: [quantity.subtract(row.amount, row.fee)] for row in rows}
        self.faults.append(Fault(rows[0].at, f"movements:{rows[0].movement_id}", effects, frozenset(booked.ledgers)))

    def _plant(self, fill: Fill, order: Order, sign: Decimal) -> None:
        effects: dict[Asset, list[Decimal]] = {}
        for leg in legs_of(fill):
            moved = quantity.subtract(leg.amount, leg.fee)
            effects.setdefault(leg.asset, []).append(quantity.multiply(moved, sign))
        named = frozenset({fill.fill_id, order.order_id or ""})
        instrument = fill.instrument if fill.margin else None
        self.faults.append(Fault(fill.at, f"fills:{fill.fill_id}", effects, named, instrument))

    def _fill(self, execution: Execution) -> Fill:
        trade = self.account.trades.get(execution.trade)
        assert trade is not None, "it has just been made"
        pair = self.exchange.instruments.pair(trade.pair)
        rows = [row for each in execution.ledgers if (row := self.account.ledger.get(each)) is not None]
        paid = [row for row in rows if row.fee]
        cost = next((quantity.absolute(row.amount) for row in rows if row.asset == pair.quote), None)
        return Fill(
            fill_id=trade.id,
            instrument=Instrument(pair.modern),
            side=OrderSide(trade.side),
            quantity=trade.volume,
            price=trade.price,
            at=instant_of(trade.ticks),
            order_id=trade.order,
            fee=paid[0].fee if paid else ZERO,
            fee_asset=self._asset(paid[0].asset if paid else pair.quote),
            cost=None if trade.leverage else cost,
            margin=bool(trade.leverage),
        )

    def _movement(self, row_id: str) -> Movement:
        row = self.account.ledger.get(row_id)
        assert row is not None, "it has just been booked"
        at = instant_of(row.ticks)
        return Movement(
            row.id, row.kind, self._asset(row.asset), Wallet.SPOT, row.amount, at, row.fee, refers_to=row.refid
        )

    def _order(self, order_id: str) -> Order:
        order = self.account.orders[order_id]
        return Order(
            order_id=order.id,
            instrument=Instrument(self.exchange.instruments.pair(order.pair).modern),
            side=OrderSide(order.side),
            quantity=order.volume,
            filled=order.volume_done,
            status=_STATUSES.get(order.status, order.status),
            type=order.ordertype,
            price=order.price if order.ordertype == "limit" else None,
            opened_at=instant_of(order.opened),
            updated_at=self.time,
        )

    def _asset(self, asset_id: str) -> Asset:
        asset: SimulatedAsset = self.exchange.instruments.asset(asset_id)
        return Asset(asset.modern)
