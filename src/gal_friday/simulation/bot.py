"""A trading bot and its book: it hears what happens to its account and writes it down, not always rightly.

Whatever reaches it late, twice, wrongly or not at all is planted on purpose, and noted as such: what is wrong in the
book, since when, how it must be called, and by how much the balances are off until it is put right.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from decimal import Decimal
from heapq import heappop, heappush
from random import Random
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from gal_friday.adapters.book_sql import MemoryBook
from gal_friday.adapters.simulated import Exchange
from gal_friday.adapters.simulated.happenings import Happening
from gal_friday.domain import quantity
from gal_friday.domain.assets import Asset, Instrument, Wallet, base_and_quote
from gal_friday.domain.cause import Cause
from gal_friday.domain.quantity import ZERO
from gal_friday.domain.records import LIVE_STATUSES, Fill, Movement, Order, OrderSide
from gal_friday.domain.roll_up import legs_of
from gal_friday.ports.clock import Clock
from gal_friday.simulation.events import Heard, Logged, Scribe
from gal_friday.simulation.planted import Effects, Planted, Record, add

CAUSES = {
    "deposit": Cause.UNBOOKED_DEPOSIT, "withdrawal": Cause.UNBOOKED_WITHDRAWAL, "reward": Cause.REWARD,
    "rollover": Cause.ROLLOVER, "conversion": Cause.CONVERSION, "earn": Cause.EARN_TRANSFER,
    "futures": Cause.INTERNAL_TRANSFER, "adjustment": Cause.EXCHANGE_ADJUSTMENT, "trade": Cause.MISSED_FILL,
    "margin": Cause.MISSED_FILL, "work": Cause.MISSED_FILL, "delisting": Cause.DELISTING,
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
    wrong_fee_asset: float = 0.0
    wrong_account: float = 0.0
    old_name: float = 0.0
    out_of_order: float = 0.0
    missed_cancel: float = 0.0


class _Arriving(Struct, frozen=True, order=True):
    """Something on its way into the book."""

    at: datetime
    number: int
    written: Any
    heard: Any
    ends: Any
    wrong: Any


class Bot:
    """Keeps the book of one account."""

    def __init__(
        self, exchange: Exchange, account: str, book: MemoryBook, chance: Random, clock: Clock, errs: Errs
    ) -> None:
        """Listen to this account and write into *book*."""
        self.exchange, self.account, self.book = exchange, account, book
        self.chance, self.clock, self.errs = chance, clock, errs
        self.planted: list[Planted] = []
        self.log: list[Logged] = []
        """What it wrote, in that order."""
        self.others: Sequence[Bot] = ()
        """Bots whose books it may take for its own."""
        self.deaf_to: tuple[str, Cause] | None = None
        """What happens that it hears nothing of: somebody trades by hand, or the exchange by itself."""
        self.down_until = clock.now()
        """Before this instant it is not running, and hears nothing."""
        self.also: Callable[[str, Heard], object] | None = None
        """Who else is to have what it writes down."""
        self._owner, self._scribe = exchange.account(account), Scribe(exchange, clock)
        self._happened: list[Happening] = []
        self._arriving: list[_Arriving] = []
        self._woken = asyncio.Event()
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

    async def writing(self) -> None:
        """Write down what reaches it, in the order in which it does, until cancelled."""
        while True:
            self._woken.clear()
            now = self.clock.now()
            while self._arriving and self._arriving[0].at <= now:
                await self._write(heappop(self._arriving))
            wait = (self._arriving[0].at - self.clock.now()).total_seconds() if self._arriving else None
            with suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), wait)

    async def _write(self, one: "_Arriving") -> None:
        keys = one.ends.keys if one.ends is not None else ()
        for planted in self.planted:
            # By its keys: it may have been put right meanwhile, and be wrong again since a backup.
            if keys and planted.keys == keys and planted.over is None:
                planted.over, planted.by = self.clock.now(), "bot"
        await self.write(one.written)
        if one.wrong is not None:
            one.wrong.coming = False
        self.log.append(Logged(self.clock.now(), one.heard, one.wrong))

    async def write(self, heard: Heard) -> None:
        """Write it down."""
        if self.also is not None:
            self.also(self.account, heard)
        await self.book.append(
            account=self.account, exchange="kraken", fills=heard.fills, movements=heard.movements, orders=heard.orders
        )

    def all_arrives(self) -> None:
        """Let whatever is on its way arrive now."""
        now = self.clock.now()
        self._arriving = [replace(one, at=now) for one in sorted(self._arriving)]
        self._woken.set()

    # What goes wrong.

    def _fate(self, heard: Heard) -> None:
        if self.deaf_to is not None:
            return self._unheard(heard, *self.deaf_to)
        if self.clock.now() < self.down_until:
            return self.lacks(heard, "not_running")
        drawn = self.chance.random()
        for share, happens in self._choices(heard):
            drawn -= share
            if drawn < 0:
                return happens(heard) if heard.fills or heard.movements else self._order_alone(heard)
        return self._arrives(heard)

    def _choices(self, heard: Heard) -> Iterable[tuple[float, Callable[[Heard], None]]]:
        errs = self.errs
        yield from ((errs.missed, self._missed), (errs.doubled, self._doubled), (errs.late, self._late))
        yield errs.out_of_order, self._out_of_order
        if len(heard.fills) == 1 and not heard.fills[0].margin:
            yield from ((errs.wrong_side, self._wrong_side), (errs.wrong_amount, self._wrong_amount))
            yield from ((errs.wrong_price, self._wrong_price), (errs.unbooked_fee, self._unbooked_fee))
            yield from ((errs.wrong_fee_asset, self._wrong_fee_asset), (errs.wrong_account, self._wrong_account))
        elif heard.kind == "reward":
            yield errs.old_name * 5, self._old_name

    def _arrives(
        self, heard: Heard, *, as_: Heard | None = None, after: float | None = None,
        ends: Planted | None = None, wrong: Planted | None = None,
    ) -> None:  # fmt: skip
        """Let *heard* reach the book later, written down *as_* something else where that is given."""
        seconds = self.chance.choice((0.02, 0.1, 0.3, 1.0)) if after is None else after
        if wrong is not None:
            wrong.coming = True
        self._heard += 1
        at = self.clock.now() + timedelta(seconds=seconds)
        heappush(self._arriving, _Arriving(at, self._heard, as_ or heard, heard, ends, wrong))
        self._woken.set()

    def _order_alone(self, heard: Heard) -> None:
        """Miss that an order was canceled or expired; anything else about orders comes with their fills."""
        order = heard.orders[-1]
        if order.status not in ("canceled", "expired"):
            self._arrives(heard)
            return
        self.plant("missed_cancel", heard, Cause.MISSED_CANCEL, {}, (order,))

    def _missed(self, heard: Heard) -> None:
        self._placed(heard)
        self.plant("missed", heard, CAUSES[heard.kind], heard.moved, _lacking(heard))

    def lacks(self, heard: Heard, lie: str) -> None:
        """Have nothing of it because nothing was running, or it is gone: of several in a row that is told as one, too.

        That an order works still is heard all the same: a bot that begins asks for its open orders.
        """
        before = len(self.planted)
        if heard.fills or heard.movements:
            self._missed(heard)
        else:
            self._order_alone(heard)
        for planted in self.planted[before:]:
            planted.lie = lie
            planted.causes |= {Cause.STALE_BOOK}

    def _placed(self, heard: Heard) -> None:
        """Know of an order what the bot knows of it by itself: that it was placed."""
        if heard.orders and heard.kind != "work":
            self._arrives(Heard(kind="order", orders=_as_placed(heard.orders)))

    def _late(self, heard: Heard) -> None:
        self._placed(heard)
        planted = self.plant("late", heard, CAUSES[heard.kind], heard.moved, _lacking(heard))
        self._arrives(heard, after=self.chance.choice((120, 600, 3_600, 4 * 3_600)), ends=planted)

    def _doubled(self, heard: Heard) -> None:
        if len(heard.fills) != 1 or heard.movements:
            self._arrives(heard)
            return
        (fill,) = heard.fills
        planted = self.plant("doubled", heard, Cause.DUPLICATED_FILL, _away(_legs(fill)), (fill,))
        self._arrives(heard, as_=replace(heard, fills=(fill, fill)), wrong=planted)

    def _out_of_order(self, heard: Heard) -> None:
        """Hear of the fills before their order, and last that it was placed."""
        if not heard.fills:
            self._arrives(heard)
            return
        self._arrives(replace(heard, orders=()), after=0.1)
        self._arrives(Heard(kind="order", orders=heard.orders), after=4)
        if heard.kind != "work":
            self._arrives(Heard(kind="order", orders=_as_placed(heard.orders)), after=9)

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

    def _wrong_fee_asset(self, heard: Heard) -> None:
        (fill,) = heard.fills
        assets = base_and_quote(fill.instrument)
        if assets is None or not fill.fee or fill.fee_asset != assets[1]:
            self._arrives(heard)
            return
        base = assets[0]
        fee = quantity.rounded_quotient(fill.fee, fill.price, 8)
        self._written_as("wrong_fee_asset", heard, replace(fill, fee=fee, fee_asset=base), Cause.FEE_IN_OTHER_ASSET)

    def _written_as(self, lie: str, heard: Heard, wrong: Fill, cause: Cause) -> None:
        """Let the book have *wrong* in place of what was heard."""
        effects = heard.moved
        for place, amount in _legs(wrong).items():
            add(effects, place, quantity.negate(amount))
        planted = self.plant(lie, heard, cause, effects, heard.fills)
        self._arrives(heard, as_=replace(heard, fills=(wrong,)), wrong=planted)

    def _wrong_account(self, heard: Heard) -> None:
        """Take the fills for another account's."""
        if not self.others:
            self._arrives(heard)
            return
        self._placed(heard)
        self.plant("wrong_account", heard, CAUSES[heard.kind], heard.moved, _lacking(heard))
        self.chance.choice(self.others).takes(replace(heard, orders=()))

    def takes(self, heard: Heard) -> None:
        """Take the fills of another account for its own."""
        effects: Effects = {}
        for fill in heard.fills:
            for place, amount in _legs(fill).items():
                add(effects, place, quantity.negate(amount))
        keys = tuple(_key(one) for one in heard.fills)
        planted = self.plant("of_another_account", heard, Cause.PHANTOM_RECORD, effects, (), keys=keys)
        self._arrives(heard, wrong=planted)

    def _old_name(self, heard: Heard) -> None:
        """Book a reward under a name that its asset does not have."""
        (row,) = heard.movements
        wrong = replace(row, asset=Asset("MATIC"))
        effects = heard.moved
        add(effects, (wrong.asset, wrong.wallet), quantity.negate(quantity.subtract(wrong.amount, wrong.fee)))
        planted = self.plant("old_name", heard, Cause.RENAMED_ASSET, effects, (row,))
        self._arrives(heard, as_=replace(heard, movements=(wrong,)), wrong=planted)

    def _unheard(self, heard: Heard, lie: str, cause: Cause) -> None:
        """Hear nothing of what somebody did by hand, or the exchange by itself."""
        if heard.fills or heard.movements:
            self.plant(lie, heard, cause, heard.moved, _lacking(heard))
        elif heard.orders:
            self.plant("foreign_order", heard, Cause.FOREIGN_ORDER, {}, heard.orders[-1:])

    def ghost(self) -> None:
        """Believe in an order that never reached the exchange."""
        drawn = "".join(self.chance.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", k=16))
        name, at = f"O{drawn[:5]}-{drawn[5:10]}-{drawn[10:]}", self.clock.now()
        order = Order(
            order_id=name, instrument=Instrument("ETH/USD"), side=OrderSide.SELL, quantity=Decimal("0.75"),
            filled=ZERO, status="open", type="limit", price=Decimal("3450.00"), opened_at=at, updated_at=at,
        )  # fmt: skip
        heard = Heard(kind="order", orders=(order,))
        planted = self.plant("ghost_order", heard, Cause.GHOST_ORDER, {}, (), keys=(f"orders:{name}",))
        self._arrives(heard, wrong=planted)

    def phantom(self) -> None:
        """Book a deposit that never came."""
        row = self._made_up(f"{self.chance.randint(20, 900)}.{self.chance.randint(1, 9999):04d}")
        heard = Heard(kind="deposit", movements=(row,))
        planted = self.plant("phantom", heard, Cause.PHANTOM_RECORD, _away(heard.moved), (), keys=(_key(row),))
        self._arrives(heard, wrong=planted)

    def _made_up(self, amount: str) -> Movement:
        drawn = "".join(self.chance.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", k=16))
        name = f"L{drawn[:5]}-{drawn[5:10]}-{drawn[10:]}"
        asset, wallet = Asset("USD"), Wallet.SPOT
        return Movement(name, "deposit", asset, wallet, Decimal(amount), self.clock.now(), refers_to=f"{name}-R")

    def plant(
        self, lie: str, heard: Heard, cause: Cause, effects: Effects, truth: Sequence[Record],
        *, keys: tuple[str, ...] = (),
    ) -> Planted:  # fmt: skip
        """Note that from now on this is wrong in the book."""
        planted = Planted(
            account=self.account,
            lie=lie,
            at=self.clock.now(),
            keys=keys or tuple(_key(one) for one in truth),
            causes=_CALLED.get(cause, frozenset({cause})),
            records=heard.records,
            effects={place: amount for place, amount in effects.items() if amount},
            parts=heard.parts,
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


def _as_placed(orders: Sequence[Order]) -> tuple[Order, ...]:
    return tuple(replace(one, status="open", filled=ZERO, updated_at=one.opened_at) for one in orders)


def _away(effects: Effects) -> Effects:
    return {place: quantity.negate(amount) for place, amount in effects.items()}


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
