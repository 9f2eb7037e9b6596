"""What happens at the exchange, in the words of a book: fills, movements and orders under the exchange's own ids.

It is written down here once more, and not with the reader that the product has for the exchange's rows: a mistake of
that one must not be on both sides.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from msgspec import Struct

from gal_friday.adapters.simulated import Exchange
from gal_friday.adapters.simulated.clock import instant_of
from gal_friday.adapters.simulated.happenings import Filled, Happening, Moved, Stepped
from gal_friday.adapters.simulated.records import LedgerRow, Trade
from gal_friday.adapters.simulated.records import Order as SimulatedOrder
from gal_friday.domain import quantity
from gal_friday.domain.assets import Asset, Instrument, Wallet
from gal_friday.domain.quantity import ZERO
from gal_friday.domain.records import Fill, Movement, Order, OrderSide
from gal_friday.ports.clock import Clock
from gal_friday.simulation.planted import Effects, Place, Planted, add

_KINDS = {
    "staking": "reward", "spend": "conversion", "receive": "conversion", "adjustment": "exchange_adjustment",
    "settled": "settlement", "earn": "earn_transfer",
}  # fmt: skip
_LEGS = ("trade", "margin", "settled")
"""Rows that are what a fill moved."""
_WALLETS = {".S": Wallet.BONDED, ".B": Wallet.BONDED}
_STATUSES = {"closed": "filled"}
_EVENTS = {
    "staking": "reward", "spend": "conversion", "receive": "conversion", "transfer": "futures",
}  # fmt: skip
_DELISTED = "delistingconversion"
_NAMED = ("deposit", "withdrawal", "rollover", "earn", "adjustment")


class Heard(Struct, frozen=True):
    """One event as the bot hears of it."""

    kind: str
    fills: tuple[Fill, ...] = ()
    movements: tuple[Movement, ...] = ()
    orders: tuple[Order, ...] = ()
    also: frozenset[str] = frozenset()
    """Other ids that the event has at the exchange: its transfer, its rows."""
    legs: tuple[Movement, ...] = ()
    """What the fills moved, as the exchange booked it."""

    @property
    def moved(self) -> Effects:
        """What the event did to the balances."""
        effects: Effects = {}
        for row in (*self.movements, *(self.legs if not _has_legs(self.movements) else ())):
            add(effects, (row.asset, row.wallet), quantity.subtract(row.amount, row.fee))
        return effects

    @property
    def parts(self) -> dict[str, Effects]:
        """What each fill, and each row that is none of a fill's, did to the balances, by the id of the record."""
        parts: dict[str, Effects] = {}
        fills = {one.fill_id for one in self.fills}
        for row in {one.movement_id: one for one in (*self.legs, *self.movements)}.values():
            name = str(row.refers_to) if row.kind in _LEGS and row.refers_to in fills else row.movement_id
            add(parts.setdefault(name, {}), (row.asset, row.wallet), quantity.subtract(row.amount, row.fee))
        return parts

    @property
    def records(self) -> frozenset[str]:
        """Every id that may be named because of it."""
        mine = {one.fill_id for one in self.fills} | {one.movement_id for one in self.movements}
        mine |= {str(one.order_id) for one in self.orders} | {str(one.order_id) for one in self.fills}
        return frozenset(mine | self.also)


class Logged(Struct, frozen=True):
    """Something that was written into the book."""

    at: datetime
    heard: Heard
    """What really happened."""
    planted: Planted | None
    """What is wrong with it, where something is."""


class Scribe:
    """Writes down what happens to an account."""

    def __init__(self, exchange: Exchange, clock: Clock) -> None:
        """Know the names of this exchange."""
        self._names, self._clock = exchange.instruments, clock

    def events(self, kind: str, happened: Sequence[Happening]) -> Iterable[Heard]:
        """Yield one event for every order that was touched, and one for every transfer of money."""
        orders: dict[str, SimulatedOrder] = {}
        trades: dict[str, Trade] = {}
        rows: dict[str, list[LedgerRow]] = {}
        for one in happened:
            match one:
                case Stepped(order=order):
                    orders[order.id] = order
                case Filled(order=order, trade=trade):
                    orders[order.id], trades[trade.id] = order, trade
                case Moved(row=row):
                    rows.setdefault(row.refid, []).append(row)
        for order in orders.values():
            mine = [trade for trade in trades.values() if trade.order == order.id]
            legs = {trade.id: [row for row in rows.get(trade.id, []) if row.kind in _LEGS] for trade in mine}
            yield self._traded(kind if mine else "order", order, mine, legs)
        for refid, some in rows.items():
            cash = [row for row in some if not (refid in trades and row.kind in _LEGS)]
            if cash:
                moved = tuple(self._movement(row) for row in cash)
                yield Heard(kind=_event_of(cash[0], kind), movements=moved, also=frozenset({refid}))

    def _traded(
        self, kind: str, order: SimulatedOrder, trades: Sequence[Trade], legs: dict[str, list[LedgerRow]]
    ) -> Heard:
        fills = tuple(self._fill(trade, legs[trade.id]) for trade in trades)
        rows = tuple(self._movement(row) for trade in trades for row in legs[trade.id])
        # A margin fill does not tell what it won or lost: the bot keeps the rows.
        kept = tuple(row for row in rows if row.kind == "margin")
        also = frozenset({row.movement_id for row in rows} | {trade.id for trade in trades})
        return Heard(kind=kind, fills=fills, movements=kept, orders=(self._order(order),), also=also, legs=rows)

    def _fill(self, trade: Trade, rows: Sequence[LedgerRow]) -> Fill:
        pair = self._names.pair(trade.pair)
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
            fee_asset=self.place(paid[0].asset if paid else pair.quote)[0],
            cost=None if trade.leverage else cost,
            margin=bool(trade.leverage),
        )

    def _movement(self, row: LedgerRow) -> Movement:
        asset, wallet = self.place(row.asset)
        kind = "delisting" if row.subtype == _DELISTED else _KINDS.get(row.kind, row.kind)
        return Movement(
            row.id, kind, asset, wallet, row.amount, instant_of(row.ticks), row.fee, refers_to=row.refid
        )  # fmt: skip

    def _order(self, order: SimulatedOrder) -> Order:
        return Order(
            order_id=order.id,
            instrument=Instrument(self._names.pair(order.pair).modern),
            side=OrderSide(order.side),
            quantity=order.volume,
            filled=order.volume_done,
            status=_STATUSES.get(order.status, order.status),
            type=order.ordertype,
            price=order.price if order.ordertype == "limit" else None,
            opened_at=instant_of(order.opened),
            updated_at=self._clock.now(),
        )

    def place(self, asset_id: str) -> Place:
        """Return asset and wallet that this id of the exchange stands for."""
        asset = self._names.asset(asset_id)
        wallet = next((wallet for suffix, wallet in _WALLETS.items() if asset_id.endswith(suffix)), Wallet.SPOT)
        return Asset(self._names.asset(asset.plain).modern if asset.plain else asset.modern), wallet


def _event_of(row: LedgerRow, otherwise: str) -> str:
    if row.subtype == _DELISTED:
        return "delisting"
    return _EVENTS.get(row.kind, row.kind if row.kind in _NAMED else otherwise)


def _has_legs(movements: Iterable[Movement]) -> bool:
    return any(row.kind in _LEGS for row in movements)
