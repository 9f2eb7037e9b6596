"""The book of the demo's bot: the exchange's day as a careful bot writes it down, except for ten accidents.

Nine of them have to be explained from the exchange's own records, to the last digit. The tenth is in no record:
it has to stay unexplained, with its full amount.

Each accident is listed with the discrepancies and the cause that it must show itself in, worked out from the
exchange's own rows and not by comparing anything (``demo_check`` holds a report against them).
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from gal_friday.adapters.simulated.account import Account
from gal_friday.adapters.simulated.clock import instant_of
from gal_friday.adapters.simulated.day import ACCOUNT, Day, is_of_bot
from gal_friday.adapters.simulated.instruments import Instruments
from gal_friday.adapters.simulated.records import LedgerRow, Trade
from gal_friday.adapters.simulated.records import Order as SimulatedOrder
from gal_friday.domain import quantity
from gal_friday.domain.assets import Asset, Instrument, Wallet
from gal_friday.domain.cause import Cause
from gal_friday.domain.finding import DiscrepancyType, Key
from gal_friday.domain.records import Fill, Kind, Movement, Order, OrderSide

_KINDS = {"staking": "reward", "transfer": "earn_transfer"}
_STATUSES = {"closed": "filled"}
_GHOST = "OGHOST-AAAAA-BBBBBB"
_TOUCHED = (Asset("DOGE"), Wallet.SPOT)
"""Where somebody corrected the balance by hand: traded all day, and nothing else went wrong with it."""
_CORRECTION = Decimal("417.31")
"""No row of the day is of this size, nor a sum, a swap of digits or a shifted point of them."""


class Expected(Struct, frozen=True, order=True):
    """One discrepancy that a report must show."""

    type: DiscrepancyType
    name: str
    """Asset with its wallet, instrument, or record id."""
    difference: Decimal | None = None
    residual: Decimal = quantity.ZERO
    """What of the difference must be left unexplained."""


class Accident(Struct, frozen=True):
    """One thing that went wrong in the book, in words, and what must be seen of it."""

    story: str
    seen: tuple[Expected, ...]
    cause: Cause | None = None
    """None where the story only says what the others add up to."""
    event: str = ""
    """What the cause must name: the fill, order, transfer or row that it was; without any, what differs."""


class BotBook(Struct, frozen=True):
    """What the bot wrote down, and what is wrong with it."""

    fills: tuple[Fill, ...]
    movements: tuple[Movement, ...]
    orders: tuple[Order, ...]
    accidents: tuple[Accident, ...]


def book_of(day: Day) -> BotBook:
    """Return the bot's book of this day, accidents included."""
    return _Scribe(day).book()


class _Scribe:
    """Writes down the exchange's rows under the bot's names."""

    def __init__(self, day: Day) -> None:
        self.day = day
        self.account: Account = day.exchange.account(ACCOUNT)
        self.names: Instruments = day.exchange.instruments
        self.ledger = {row.id: row for row in self.account.ledger.rows}
        self.trades = {trade.id: trade for trade in self.account.trades.rows}
        first = min(trade.ticks for trade in self.trades.values())
        self.begins: datetime = instant_of(first) - timedelta(minutes=1)
        """When the bot was started: it keeps no row from before, only what there was."""

    def book(self) -> BotBook:
        accidents = tuple(self._accidents())
        return BotBook(tuple(self._fills()), tuple(self._movements()), tuple(self._orders()), accidents)

    # What the bot wrote down.

    def _fills(self) -> Iterator[Fill]:
        unseen = {self.day.fill_of_dropped_socket.trade, *(e.trade for e in self.day.trade_in_app.executions)}
        short = self.day.short.executions[0].trade
        for trade in self.trades.values():
            if trade.id in unseen:
                continue
            fill = self._fill(trade)
            yield replace(fill, side=OrderSide.BUY) if trade.id == short else fill
            if trade.id == self.day.fill_sent_twice.trade:
                yield fill

    def _fill(self, trade: Trade) -> Fill:
        """Return the fill with cost and fee as the ledger charged them, the way the private stream tells a bot."""
        pair = self.names.pair(trade.pair)
        rows = [self.ledger[row] for row in self._ledgers(trade)]
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
            fee=paid[0].fee if paid else quantity.ZERO,
            fee_asset=self._asset(paid[0].asset if paid else pair.quote),
            cost=None if trade.leverage else cost,
            margin=bool(trade.leverage),
        )

    def _ledgers(self, trade: Trade) -> Iterable[str]:
        return trade.ledgers or [row.id for row in self.ledger.values() if row.refid == trade.id]

    def _movements(self) -> Iterator[Movement]:
        unseen = {self.day.deposit, self.day.rollover, self.day.reward}
        yield from self._opening()
        for row in self.ledger.values():
            # The bot books trades as fills; their legs follow from those.
            booked = row.refid not in self.trades or row.kind == "rollover"
            if booked and row.id not in unseen and instant_of(row.ticks) > self.begins:
                yield self._movement(row)

    def _opening(self) -> Iterator[Movement]:
        """Yield what the exchange held when the bot began its book; and the correction, dated before that."""
        held: dict[tuple[Asset, Wallet], Decimal] = {}
        for row in self.ledger.values():
            if instant_of(row.ticks) <= self.begins:
                place = (self._asset(row.asset), self._wallet(row.asset))
                held[place] = quantity.add(held.get(place, quantity.ZERO), _net(row))
        for (asset, wallet), amount in held.items():
            yield Movement(f"opening:{asset}:{wallet}", "opening", asset, wallet, amount, self.begins)
        yield Movement("by-hand", "deposit", *_TOUCHED, _CORRECTION, self.begins - timedelta(days=1))

    def _movement(self, row: LedgerRow) -> Movement:
        return Movement(
            movement_id=row.id,
            kind=_KINDS.get(row.kind, row.kind),
            asset=self._asset(row.asset),
            wallet=self._wallet(row.asset),
            amount=row.amount,
            at=instant_of(row.ticks),
            fee=row.fee,
            refers_to=row.refid,
        )

    def _orders(self) -> Iterator[Order]:
        missed = self.trades[self.day.fill_of_dropped_socket.trade].order
        for order in self.account.orders.values():
            if not is_of_bot(order):
                continue
            written = self._order(order)
            unfilled = replace(written, status="open", filled=quantity.ZERO)
            yield unfilled if order.id == missed else written
        yield self._ghost()

    def _order(self, order: SimulatedOrder) -> Order:
        return Order(
            order_id=order.id,
            instrument=Instrument(self.names.pair(order.pair).modern),
            side=OrderSide(order.side),
            quantity=order.volume,
            filled=order.volume_done,
            status=_STATUSES.get(order.status, order.status),
            client_order_id=order.cl_ord_id,
            type=order.ordertype,
            price=order.price if order.ordertype == "limit" else None,
            opened_at=instant_of(order.opened),
            updated_at=instant_of(order.closed or order.opened),
        )

    def _ghost(self) -> Order:
        at = instant_of(self.trades[self.day.fill_sent_twice.trade].ticks)
        return Order(
            order_id=_GHOST,
            instrument=Instrument("ETH/USD"),
            side=OrderSide.SELL,
            quantity=Decimal("0.75"),
            filled=quantity.ZERO,
            status="open",
            client_order_id="bot-lost",
            type="limit",
            price=Decimal("3450.00"),
            opened_at=at,
            updated_at=at,
        )

    # What is wrong with it.

    def _accidents(self) -> Iterator[Accident]:
        yield self._missed_fill()
        yield self._doubled_fill()
        yield self._traded_in_app()
        yield from self._unbooked()
        yield from self._stray_orders()
        yield self._short_as_long()
        yield self._corrected_by_hand()
        yield self._balances()

    def _missed_fill(self) -> Accident:
        trade = self.trades[self.day.fill_of_dropped_socket.trade]
        state = DiscrepancyType.ORDER_STATE_MISMATCH
        seen = (*self._lacking(trade), Expected(state, trade.order), Expected(state, trade.order, trade.volume))
        story = "the socket dropped, and one fill never reached the book"
        return Accident(story, seen, Cause.MISSED_FILL, trade.id)

    def _lacking(self, trade: Trade) -> tuple[Expected, ...]:
        size = trade.volume if trade.side == "buy" else quantity.negate(trade.volume)
        fill = Expected(DiscrepancyType.FILL_MISSING_INTERNAL, trade.id, size)
        legs = (self.ledger[row] for row in self._ledgers(trade))
        kind = DiscrepancyType.MOVEMENT_MISSING_INTERNAL
        return (fill, *(Expected(kind, trade.id, _net(leg)) for leg in legs))

    def _doubled_fill(self) -> Accident:
        name = self.day.fill_sent_twice.trade
        legs = [Expected(DiscrepancyType.MOVEMENT_DUPLICATED, name)] * len(self.day.fill_sent_twice.ledgers)
        seen = (Expected(DiscrepancyType.FILL_DUPLICATED, name), *legs)
        return Accident("one fill was delivered twice and booked twice", seen, Cause.DUPLICATED_FILL, name)

    def _traded_in_app(self) -> Accident:
        order = self.account.orders[self.day.trade_in_app.order]
        unknown = Expected(DiscrepancyType.ORDER_NOT_TRACKED, order.id, order.volume)
        (execution,) = self.day.trade_in_app.executions
        seen = (unknown, *self._lacking(self.trades[execution.trade]))
        return Accident("somebody sold by hand in the app", seen, Cause.MANUAL_TRADE, execution.trade)

    def _unbooked(self) -> Iterator[Accident]:
        for story, cause, row in (
            ("a deposit was not booked", Cause.UNBOOKED_DEPOSIT, self.ledger[self.day.deposit]),
            ("a rollover fee was not booked", Cause.ROLLOVER, self.ledger[self.day.rollover]),
            ("a staking reward was not booked", Cause.REWARD, self.ledger[self.day.reward]),
        ):
            seen = Expected(DiscrepancyType.MOVEMENT_MISSING_INTERNAL, row.id, _net(row))
            # A rollover refers to the position that it keeps open, which is another event.
            yield Accident(story, (seen,), cause, row.id if cause is Cause.ROLLOVER else row.refid)

    def _stray_orders(self) -> Iterator[Accident]:
        ghost = Expected(DiscrepancyType.ORDER_MISSING_EXCHANGE, _GHOST, Decimal("-0.75"))
        story = "an order that never reached the exchange is still open in the book"
        yield Accident(story, (ghost,), Cause.GHOST_ORDER, _GHOST)
        stranger = self.account.orders[self.day.order_in_app]
        unknown = Expected(DiscrepancyType.ORDER_NOT_TRACKED, stranger.id, stranger.volume)
        story = "an order placed by hand in the app is open, and the book does not know it"
        yield Accident(story, (unknown,), Cause.FOREIGN_ORDER, stranger.id)

    def _short_as_long(self) -> Accident:
        trade = self.trades[self.day.short.executions[0].trade]
        twice = quantity.multiply(trade.volume, Decimal(-2))
        name = self.names.pair(trade.pair).modern
        seen = (
            Expected(DiscrepancyType.SIDE_MISMATCH, name, twice),
            Expected(DiscrepancyType.FILL_MISMATCH, trade.id),
        )
        return Accident("a short was booked as a long", seen, Cause.WRONG_SIDE, trade.id)

    def _corrected_by_hand(self) -> Accident:
        """Return the one accident that the exchange knows nothing of."""
        asset, wallet = _TOUCHED
        short = quantity.negate(_CORRECTION)
        seen = Expected(DiscrepancyType.BALANCE_MISMATCH, f"{asset}:{wallet}", short, residual=short)
        key = str(Key(Kind.BALANCES, asset, wallet))
        story = f"somebody corrected the balance of {asset} by hand; no record explains it"
        return Accident(story, (seen,), Cause.UNEXPLAINED, key)

    def _balances(self) -> Accident:
        """Return what the accidents that are in records together do to the balances."""
        lacking = [self.ledger[row] for row in (self.day.deposit, self.day.rollover, self.day.reward)]
        unseen = (self.day.fill_of_dropped_socket, *self.day.trade_in_app.executions)
        lacking += [self.ledger[row] for each in unseen for row in each.ledgers]
        twice = [self.ledger[row] for row in self.day.fill_sent_twice.ledgers]
        effects: dict[str, Decimal] = {}
        for row, effect in [
            *((r, _net(r)) for r in lacking),
            *((r, quantity.negate(_net(r))) for r in twice),
        ]:
            place = f"{self._asset(row.asset)}:{self._wallet(row.asset)}"
            effects[place] = quantity.add(effects.get(place, quantity.ZERO), effect)
        kind = DiscrepancyType.BALANCE_MISMATCH
        seen = tuple(Expected(kind, place, effect) for place, effect in sorted(effects.items()) if effect)
        return Accident("and so the balances are off", seen)

    def _asset(self, asset_id: str) -> Asset:
        asset = self.names.asset(asset_id)
        return Asset(self.names.asset(asset.plain).modern if asset.plain else asset.modern)

    def _wallet(self, asset_id: str) -> Wallet:
        return Wallet.BONDED if asset_id.endswith(".S") else Wallet.SPOT


def _net(row: LedgerRow) -> Decimal:
    return quantity.subtract(row.amount, row.fee)
