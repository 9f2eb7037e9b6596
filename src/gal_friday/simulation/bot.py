"""A trading bot and its book: it hears what happens to its account and writes it down, not always rightly.

Whatever reaches it late, twice, wrongly or not at all is planted on purpose, and noted as such: what is wrong in the
book, since when, how it must be called, and by how much the balances are off until it is put right.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

from msgspec import Struct
from msgspec.structs import replace

from gal_friday.adapters.book_sql import MemoryBook
from gal_friday.adapters.simulated import Exchange
from gal_friday.adapters.simulated.happenings import Happening
from gal_friday.domain import quantity
from gal_friday.domain.assets import Asset, Instrument, Wallet
from gal_friday.domain.cause import Cause
from gal_friday.domain.quantity import ZERO
from gal_friday.domain.records import LIVE_STATUSES, Fill, Movement, Order, OrderSide
from gal_friday.domain.roll_up import legs_of
from gal_friday.ports.clock import Clock
from gal_friday.simulation.events import Heard, Scribe
from gal_friday.simulation.planted import Effects, Planted, Record, add

_MISSED = {
    "deposit": Cause.UNBOOKED_DEPOSIT, "withdrawal": Cause.UNBOOKED_WITHDRAWAL, "reward": Cause.REWARD,
    "rollover": Cause.ROLLOVER, "conversion": Cause.CONVERSION, "earn": Cause.EARN_TRANSFER,
    "futures": Cause.INTERNAL_TRANSFER, "adjustment": Cause.EXCHANGE_ADJUSTMENT, "trade": Cause.MISSED_FILL,
    "margin": Cause.MISSED_FILL, "work": Cause.MISSED_FILL,
}  # fmt: skip
"""What it must be called when the book hears nothing of an event."""
_CALLED = {
    Cause.UNBOOKED_WITHDRAWAL: frozenset({Cause.UNBOOKED_WITHDRAWAL, Cause.FAILED_WITHDRAWAL}),
    # Until it is so old that it would have come, nobody can say that it never will.
    Cause.PHANTOM_RECORD: frozenset({Cause.PHANTOM_RECORD, Cause.UNEXPLAINED}),
}


class Errs(Struct, frozen=True, kw_only=True):
    """How often each error of the book happens, by event that could have it."""

    missed: float = 0.0
    doubled: float = 0.0
    late: float = 0.0
    wrong_side: float = 0.0
    wrong_amount: float = 0.0
    wrong_price: float = 0.0
    unbooked_fee: float = 0.0
    missed_cancel: float = 0.0


class Bot:
    """Keeps the book of one account."""

    def __init__(
        self, exchange: Exchange, account: str, book: MemoryBook, chance: Random, clock: Clock, errs: Errs
    ) -> None:
        """Listen to this account and write into *book*."""
        self.exchange, self.account, self.book = exchange, account, book
        self.chance, self.clock, self.errs = chance, clock, errs
        self.planted: list[Planted] = []
        self.deaf = False
        """Whether it hears nothing of what somebody does by hand."""
        self.down_until = clock.now()
        """Before this instant it is not running, and hears nothing."""
        self._owner, self._scribe = exchange.account(account), Scribe(exchange, clock)
        self._happened: list[Happening] = []
        self._arriving: list[tuple[datetime, int, Heard, Planted | None]] = []
        self._heard = 0
        exchange.listeners.append(self._listen)

    def _listen(self, owner: object, happening: Happening) -> None:
        if owner is self._owner:
            self._happened.append(happening)

    def hear(self, kind: str) -> None:
        """Take in what has just happened; it is written down a moment later, or wrongly, or never."""
        happened, self._happened = self._happened, []
        for one in self._scribe.events(kind, happened):
            self._fate(one)

    def begin(self) -> Sequence[Heard]:
        """Return what there was before anything could go wrong."""
        happened, self._happened = self._happened, []
        return [*self._scribe.events("deposit", happened)]

    def due(self, now: datetime) -> Iterable[Heard]:
        """Yield what reaches the book by now, in the order in which it does."""
        self._arriving.sort(key=lambda one: one[:2])
        while self._arriving and self._arriving[0][0] <= now:
            _, _, heard, planted = self._arriving.pop(0)
            if planted is not None and planted.over is None:
                planted.over, planted.by = now, "bot"
            yield heard

    @property
    def next(self) -> datetime | None:
        """When something reaches the book next."""
        return min((one[0] for one in self._arriving), default=None)

    async def write(self, heard: Heard) -> None:
        """Write it down."""
        await self.book.append(
            account=self.account, exchange="kraken", fills=heard.fills, movements=heard.movements, orders=heard.orders
        )

    def all_arrives(self) -> None:
        """Let whatever is on its way arrive now."""
        now = self.clock.now()
        self._arriving = [(now, number, heard, planted) for _, number, heard, planted in self._arriving]

    # What goes wrong.

    def _fate(self, heard: Heard) -> None:
        if self.deaf:
            self._manual(heard)
            return None
        choices: list[tuple[float, Callable[[Heard], None]]] = [
            (self.errs.missed, self._missed), (self.errs.doubled, self._doubled), (self.errs.late, self._late),
        ]  # fmt: skip
        if len(heard.fills) == 1 and not heard.fills[0].margin:
            choices += [(self.errs.wrong_side, self._wrong_side), (self.errs.wrong_amount, self._wrong_amount)]
            choices += [(self.errs.wrong_price, self._wrong_price), (self.errs.unbooked_fee, self._unbooked_fee)]
        drawn = self.chance.random()
        for share, happens in choices:
            drawn -= share
            if drawn < 0:
                return happens(heard) if heard.fills or heard.movements else self._order_alone(heard)
        return self._arrives(heard)

    def _arrives(self, heard: Heard, *, after: float | None = None, planted: Planted | None = None) -> None:
        seconds = self.chance.choice((0.02, 0.1, 0.3, 1.0)) if after is None else after
        self._heard += 1
        self._arriving.append((self.clock.now() + timedelta(seconds=seconds), self._heard, heard, planted))

    def _order_alone(self, heard: Heard) -> None:
        """Miss that an order was canceled or expired; anything else about orders comes with their fills."""
        order = heard.orders[-1]
        if order.status not in ("canceled", "expired"):
            self._arrives(heard)
            return
        self._plant("missed_cancel", heard, Cause.MISSED_CANCEL, {}, (order,))

    def _missed(self, heard: Heard) -> None:
        self._placed(heard)
        self._plant("missed", heard, _MISSED[heard.kind], heard.moved, _lacking(heard))

    def _not_heard(self, heard: Heard) -> None:
        """Miss it because nothing is running: of several events in a row that is told as one, too."""
        if heard.fills or heard.movements:
            self._missed(heard)
        else:
            self._order_alone(heard)
        if heard.fills or heard.movements or heard.orders[-1].status not in LIVE_STATUSES:
            self.planted[-1].lie = "not_running"
            self.planted[-1].causes |= {Cause.STALE_BOOK}

    def _placed(self, heard: Heard) -> None:
        """Know of an order what the bot knows of it by itself: that it was placed."""
        placed = tuple(replace(one, status="open", filled=ZERO, updated_at=one.opened_at) for one in heard.orders)
        if placed and heard.kind != "work":
            self._arrives(Heard(kind="order", orders=placed))

    def _late(self, heard: Heard) -> None:
        self._placed(heard)
        planted = self._plant("late", heard, _MISSED[heard.kind], heard.moved, _lacking(heard))
        self._arrives(heard, after=self.chance.choice((120, 600, 3_600, 4 * 3_600)), planted=planted)

    def _doubled(self, heard: Heard) -> None:
        if len(heard.fills) != 1 or heard.movements:
            self._arrives(heard)
            return
        (fill,) = heard.fills
        self._arrives(replace(heard, fills=(fill, fill)))
        away = {place: quantity.negate(amount) for place, amount in _legs(fill).items()}
        self._plant("doubled", heard, Cause.DUPLICATED_FILL, away, (fill,))

    def _wrong_side(self, heard: Heard) -> None:
        (fill,) = heard.fills
        other = OrderSide.SELL if fill.side is OrderSide.BUY else OrderSide.BUY
        self._written_as("wrong_side", heard, replace(fill, side=other), Cause.WRONG_SIDE)

    def _wrong_amount(self, heard: Heard) -> None:
        (fill,) = heard.fills
        tenfold = replace(fill, quantity=quantity.multiply(fill.quantity, Decimal(10)), cost=None)
        self._written_as("wrong_amount", heard, tenfold, Cause.WRONG_AMOUNT)

    def _wrong_price(self, heard: Heard) -> None:
        (fill,) = heard.fills
        dear = replace(fill, price=quantity.multiply(fill.price, Decimal("1.25")), cost=None)
        self._written_as("wrong_price", heard, dear, Cause.WRONG_PRICE)

    def _unbooked_fee(self, heard: Heard) -> None:
        (fill,) = heard.fills
        if not fill.fee:
            self._arrives(heard)
            return
        self._written_as("unbooked_fee", heard, replace(fill, fee=ZERO), Cause.UNBOOKED_FEE)

    def _written_as(self, lie: str, heard: Heard, wrong: Fill, cause: Cause) -> None:
        """Let the book have *wrong* in place of what was heard."""
        self._arrives(replace(heard, fills=(wrong,)))
        effects = heard.moved
        for place, amount in _legs(wrong).items():
            add(effects, place, quantity.negate(amount))
        self._plant(lie, heard, cause, effects, heard.fills)

    def _manual(self, heard: Heard) -> None:
        """Hear nothing of what somebody did by hand."""
        if heard.fills:
            self._plant("manual_trade", heard, Cause.MANUAL_TRADE, heard.moved, _lacking(heard))
        elif heard.orders:
            self._plant("foreign_order", heard, Cause.FOREIGN_ORDER, {}, heard.orders[-1:])

    def ghost(self) -> None:
        """Believe in an order that never reached the exchange."""
        drawn = "".join(self.chance.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", k=16))
        name, at = f"O{drawn[:5]}-{drawn[5:10]}-{drawn[10:]}", self.clock.now()
        order = Order(
            order_id=name, instrument=Instrument("ETH/USD"), side=OrderSide.SELL, quantity=Decimal("0.75"),
            filled=ZERO, status="open", type="limit", price=Decimal("3450.00"), opened_at=at, updated_at=at,
        )  # fmt: skip
        heard = Heard(kind="order", orders=(order,))
        self._arrives(heard)
        self._plant("ghost_order", heard, Cause.GHOST_ORDER, {}, (), keys=(f"orders:{name}",))

    def phantom(self) -> None:
        """Book a deposit that never came."""
        row = self._made_up(f"{self.chance.randint(20, 900)}.{self.chance.randint(1, 9999):04d}")
        heard = Heard(kind="deposit", movements=(row,))
        self._arrives(heard)
        away = {place: quantity.negate(amount) for place, amount in heard.moved.items()}
        self._plant("phantom", heard, Cause.PHANTOM_RECORD, away, (), keys=(_key(row),))

    def _made_up(self, amount: str) -> Movement:
        drawn = "".join(self.chance.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", k=16))
        name = f"L{drawn[:5]}-{drawn[5:10]}-{drawn[10:]}"
        asset, wallet = Asset("USD"), Wallet.SPOT
        return Movement(name, "deposit", asset, wallet, Decimal(amount), self.clock.now(), refers_to=f"{name}-R")

    def _plant(
        self, lie: str, heard: Heard, cause: Cause, effects: Effects, truth: Sequence[Record],
        *, keys: tuple[str, ...] = (),
    ) -> Planted:  # fmt: skip
        planted = Planted(
            account=self.account,
            lie=lie,
            at=self.clock.now(),
            keys=keys or tuple(_key(one) for one in truth),
            causes=_CALLED.get(cause, frozenset({cause})),
            records=heard.records,
            effects={place: amount for place, amount in effects.items() if amount},
            instrument=next((one.instrument for one in heard.fills if one.margin), None),
            truth=tuple(truth),
        )
        self.planted.append(planted)
        return planted


def _lacking(heard: Heard) -> tuple[Record, ...]:
    """Return what a book lacks that never heard of this: fills and orders, or the rows of other events."""
    # An order that goes on is in another state soon enough.
    ended = tuple(one for one in heard.orders if one.status not in LIVE_STATUSES)
    return (*heard.fills, *ended) if heard.fills else heard.movements


def _legs(fill: Fill) -> Effects:
    effects: Effects = {}
    for leg in legs_of(fill):
        add(effects, (leg.asset, leg.wallet), quantity.subtract(leg.amount, leg.fee))
    return effects


def _key(record: Record) -> str:
    match record:
        case Fill(fill_id=name):
            return f"fills:{name}"
        case Movement(movement_id=name):
            return f"movements:{name}"
        case Order():
            return f"orders:{record.name}"
