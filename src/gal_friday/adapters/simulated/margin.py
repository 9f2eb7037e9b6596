"""Margin: positions, one per opening fill; closing first in, first out; rollover, settling, liquidation.

Opening moves no base and no quote, only a fee row of type ``margin``. Closing books profit or loss on such
a row. One fill never closes parts of two positions: it is booked as one trade per position, so that the
volume closed is the sum of the closing trades that name it (K5).
"""

from decimal import Decimal

import msgspec

from gal_friday.adapters.simulated.account import Account
from gal_friday.adapters.simulated.clock import TICKS_PER_SECOND, ticks_of
from gal_friday.adapters.simulated.fills import Charge, Deal, Fills
from gal_friday.adapters.simulated.happenings import Stepped
from gal_friday.adapters.simulated.instruments import Asset, Pair
from gal_friday.adapters.simulated.records import ZERO, Booked, Execution, Order, Position, Trade
from gal_friday.adapters.simulated.refusal import UNKNOWN_POSITION, Refused
from gal_friday.adapters.simulated.world import Amount, rounded_to, scaled_price, scaled_volume
from gal_friday.domain import quantity

ROLLOVER_TICKS = 4 * 3600 * TICKS_PER_SECOND
ROLLOVER_RATE = Decimal("0.0001")  # "0.0100% per 4 hours"


class Margin(Fills):
    """Opens, closes, rolls over, settles and liquidates positions."""

    def margin_fill(self, owner: Account, order: Order, pair: Pair, deal: Deal) -> list[Execution]:
        """Execute part of a margin order: close what stands against it, open a position with the rest."""
        left, executions = deal.volume, []
        for position in [] if order.hedged else self.against(owner, order, pair):
            part = min(left, remaining(position))
            if part > 0:
                executions.append(self._close(owner, order, pair, position, _resized(deal, part)))
                left = quantity.subtract(left, part)
        if left > 0 and not order.reduce_only:
            executions.append(self._open(owner, order, pair, _resized(deal, left)))
        return executions

    def against(self, owner: Account, order: Order, pair: Pair) -> list[Position]:
        """Return the open positions of a pair that an order of that side closes, oldest first."""
        return [
            position
            for position in owner.open_positions.values()
            if position.pair == pair.id and position.side != order.side
        ]

    def rollover(self, account: str) -> list[Booked]:
        """Charge the rollover fee of every open position now; the refid is the position id."""
        owner = self.account(account)
        return [self._roll(owner, position) for position in owner.open_positions.values()]

    def roll_due(self, account: str) -> list[Booked]:
        """Charge every rollover that has fallen due by now, four hours apart."""
        owner, booked = self.account(account), []
        for position in owner.open_positions.values():
            while position.rollover_at <= ticks_of(self.now()):
                booked.append(self._roll(owner, position))
        return booked

    def settle_position(self, position_id: str, volume: Amount | None = None) -> Execution:
        """Settle a position, or part of it, in kind: a long pays its cost and receives the base.

        Raises:
            Refused: the position is unknown or closed.
        """
        owner, position, pair = self._find(position_id)
        part = remaining(position) if volume is None else scaled_volume(pair, volume)
        basis = self._basis(position, part, pair)
        order = self._forced_order(position, pair, part, "settle-position")
        price = quantity.rounded_quotient(basis, part, pair.price_decimals)
        charge = Charge(ZERO, pair.quote, ZERO)
        trade = self.new_trade(
            owner, order, pair, Deal(part, price), charge,
            position=position.id, margin=self._released(position, basis), ordertype="settle position",
            misc="closing",
        )  # fmt: skip
        trade.cost = basis
        self._mark_closed(owner, position, trade, basis, ZERO)
        base, quote = self.instruments.asset(pair.base), self.instruments.asset(pair.quote)
        base_moves, quote_moves = part, quantity.negate(rounded_to(quote, basis))
        if position.side == "sell":
            base_moves, quote_moves = quantity.negate(base_moves), quantity.negate(quote_moves)
        for asset, amount in ((quote, quote_moves), (base, base_moves)):
            trade.ledgers.append(self.book(owner, trade.id, "settled", asset, amount))
        self.count(owner, order, trade, charge)
        self._finish_forced(owner, order)
        return Execution(trade.id, tuple(trade.ledgers), position.id)

    def liquidate(self, account: str, pair: str | None = None, price: Amount | None = None) -> list[Execution]:
        """Close open positions by force; a loss beyond the quote balance is taken out of other assets.

        Then several ``margin`` rows in different currencies share one refid.
        """
        owner = self.account(account)
        wanted = self.instruments.pair(pair).id if pair else None
        doomed = [position for position in owner.open_positions.values() if wanted is None or position.pair == wanted]
        return [self._liquidate(owner, position, price) for position in doomed]

    def _liquidate(self, owner: Account, position: Position, price: Amount | None) -> Execution:
        pair = self.instruments.pair(position.pair)
        at = self.price(pair) if price is None else scaled_price(pair, price)
        order = self._forced_order(position, pair, remaining(position), "market")
        order.misc = ["liquidated"]
        execution = self._close(
            owner, order, pair, position, Deal(remaining(position), at), ordertype="liquidation market"
        )
        self._finish_forced(owner, order)
        return execution

    def _open(self, owner: Account, order: Order, pair: Pair, deal: Deal) -> Execution:
        charge = self.charge_for(owner, order, pair, deal)
        margin = quantity.rounded_quotient(self.cost_of(pair, deal), Decimal(order.leverage), pair.cost_decimals)
        trade = self.new_trade(owner, order, pair, deal, charge, opens=True, margin=margin)
        position = Position(
            id=trade.id, order=order.id, pair=pair.id, side=order.side, ordertype=order.ordertype,
            opened=trade.ticks, volume=trade.volume, cost=trade.cost, fee=trade.fee, margin=margin,
            leverage=order.leverage, rollover_at=trade.ticks + ROLLOVER_TICKS,
        )  # fmt: skip
        owner.positions[position.id] = owner.open_positions[position.id] = position
        self.position_owner[position.id] = owner
        self._result_rows(owner, trade, pair, ZERO, charge)
        self.count(owner, order, trade, charge)
        return Execution(trade.id, tuple(trade.ledgers), position.id)

    def _close(
        self, owner: Account, order: Order, pair: Pair, position: Position, deal: Deal, ordertype: str = ""
    ) -> Execution:
        charge = self.charge_for(owner, order, pair, deal)
        basis = self._basis(position, deal.volume, pair)
        trade = self.new_trade(
            owner, order, pair, deal, charge,
            position=position.id, margin=self._released(position, basis), ordertype=ordertype, misc="closing",
        )  # fmt: skip
        gain = quantity.subtract(trade.cost, basis)
        profit = gain if position.side == "buy" else quantity.negate(gain)
        self._mark_closed(owner, position, trade, basis, profit)
        self._result_rows(owner, trade, pair, profit, charge, forced=bool(ordertype))
        self.count(owner, order, trade, charge)
        return Execution(trade.id, tuple(trade.ledgers), position.id)

    def _result_rows(
        self,
        owner: Account,
        trade: Trade,
        pair: Pair,
        profit: Decimal,
        charge: Charge,
        *,
        forced: bool = False,
    ) -> None:
        quote = self.instruments.asset(pair.quote)
        fee = charge.amount if charge.asset == quote.id else ZERO
        profit = rounded_to(quote, profit)
        short = quantity.subtract(quantity.subtract(fee, profit), owner.balance(quote.id))
        if forced and short > 0:
            profit = quantity.add(profit, self._sell_collateral(owner, trade, quote, short))
        trade.ledgers.append(self.book(owner, trade.id, "margin", quote, profit, fee))
        self.charge_credits(owner, trade, charge)

    def _sell_collateral(self, owner: Account, trade: Trade, quote: Asset, short: Decimal) -> Decimal:
        """Take collateral worth *short* out of other assets; return how much of it that covered."""
        covered = ZERO
        for asset_id in list(owner.balances):
            asset, rate = self.instruments.assets[asset_id], self.rate(asset_id, quote.id)
            left, held = quantity.subtract(short, covered), owner.balance(asset_id)
            if asset_id == quote.id or asset.collateral is None or not rate or left <= 0 or held <= 0:
                continue
            sold = min(held, quantity.rounded_quotient(left, rate, asset.decimals))
            trade.ledgers.append(self.book(owner, trade.id, "margin", asset, quantity.negate(sold)))
            covered = quantity.add(covered, rounded_to(quote, min(left, quantity.multiply(sold, rate))))
        return covered

    def _mark_closed(self, owner: Account, position: Position, trade: Trade, basis: Decimal, profit: Decimal) -> None:
        position.closed_volume = quantity.add(position.closed_volume, trade.volume)
        position.closed_basis = quantity.add(position.closed_basis, basis)
        position.closed_cost = quantity.add(position.closed_cost, trade.cost)
        position.closed_fee = quantity.add(position.closed_fee, trade.fee)
        position.closed_margin = quantity.add(position.closed_margin, trade.margin)
        position.net = quantity.add(position.net, profit)
        position.closing_trades = [*position.closing_trades, trade.id]
        if not position.is_open:
            del owner.open_positions[position.id]

    def _basis(self, position: Position, volume: Decimal, pair: Pair) -> Decimal:
        """Return the opening cost of a part; the last part takes what rounding has left."""
        if volume > remaining(position):
            raise Refused(UNKNOWN_POSITION)
        if volume == remaining(position):
            return quantity.subtract(position.cost, position.closed_basis)
        return quantity.rounded_quotient(quantity.multiply(position.cost, volume), position.volume, pair.cost_decimals)

    @staticmethod
    def _released(position: Position, basis: Decimal) -> Decimal:
        return quantity.rounded_quotient(basis, Decimal(position.leverage), 10)

    def _roll(self, owner: Account, position: Position) -> Booked:
        quote = self.instruments.asset(self.instruments.pair(position.pair).quote)
        fee = rounded_to(quote, quantity.multiply(open_cost(position), ROLLOVER_RATE))
        row = self.book(owner, position.id, "rollover", quote, ZERO, fee)
        position.rollover_at += ROLLOVER_TICKS
        return Booked(position.id, (row,))

    def _find(self, position_id: str) -> tuple[Account, Position, Pair]:
        owner = self.position_owner.get(position_id)
        if owner is None or position_id not in owner.open_positions:
            raise Refused(UNKNOWN_POSITION)
        position = owner.open_positions[position_id]
        return owner, position, self.instruments.pair(position.pair)

    def _forced_order(self, position: Position, pair: Pair, volume: Decimal, ordertype: str) -> Order:
        """Return the order behind a close that nobody placed."""
        return Order(
            id=self.ids.order(), pair=pair.id, side="sell" if position.side == "buy" else "buy",
            ordertype=ordertype, volume=volume, price=ZERO, price2=ZERO, opened=self.stamp(),
            leverage=position.leverage, reduce_only=True,
        )  # fmt: skip

    def _finish_forced(self, owner: Account, order: Order) -> None:
        owner.orders[order.id] = order
        self.order_owner[order.id] = owner
        order.status, order.closed = "closed", self.stamp()
        owner.closed_orders.append(order.id, order.closed, order)
        self.tell(owner, Stepped(order, "filled", order.closed))


def remaining(position: Position) -> Decimal:
    """Return the volume of a position that is still open."""
    return quantity.subtract(position.volume, position.closed_volume)


def open_cost(position: Position) -> Decimal:
    """Return the opening cost of what is still open."""
    return quantity.subtract(position.cost, position.closed_basis)


def _resized(deal: Deal, volume: Decimal) -> Deal:
    return msgspec.structs.replace(deal, volume=volume)
