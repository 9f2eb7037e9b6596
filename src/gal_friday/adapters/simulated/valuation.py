"""What an account is worth: the figures of TradeBalance, which hang together exactly (K8).

Each figure is rounded once, to four digits, and the others are made from the rounded ones, so e = tb + n
and mf = e − m hold to the last digit. Assets without a price count as nothing.
"""

from collections.abc import Callable
from decimal import Decimal

import msgspec

from gal_friday.adapters.simulated.account import Account
from gal_friday.adapters.simulated.instruments import Pair
from gal_friday.adapters.simulated.margin import open_cost, remaining
from gal_friday.adapters.simulated.records import ZERO, Position
from gal_friday.adapters.simulated.world import World
from gal_friday.domain import quantity

DIGITS = 4


class Worth(msgspec.Struct, frozen=True):
    """The figures of TradeBalance in one currency; ``level`` is None when nothing is open."""

    equivalent: Decimal
    trade: Decimal
    margin: Decimal
    net: Decimal
    cost: Decimal
    value: Decimal
    unexecuted: Decimal
    level: Decimal | None

    @property
    def equity(self) -> Decimal:
        """Return e = tb + n."""
        return quantity.add(self.trade, self.net)

    @property
    def free(self) -> Decimal:
        """Return mf = e − m."""
        return quantity.subtract(self.equity, self.margin)

    @property
    def free_after_orders(self) -> Decimal:
        """Return the free margin once the open orders are executed."""
        return quantity.subtract(self.free, self.unexecuted)


class Valuation(World):
    """Values accounts and positions at the last prices."""

    def worth(self, account: Account, currency: str = "ZUSD") -> Worth:
        """Return what an account is worth in a currency."""
        positions = list(account.open_positions.values())
        margin = self._sum(positions, self._margin_left, currency)
        net = self._sum(positions, self.net_of, currency)
        trade = self._balances(account, currency, collateral_only=True)
        equity = quantity.add(trade, net)
        level = quantity.rounded_quotient(quantity.multiply(equity, Decimal(100)), margin, 2) if margin else None
        return Worth(
            equivalent=self._balances(account, currency, collateral_only=False),
            trade=trade,
            margin=margin,
            net=net,
            cost=self._sum(positions, open_cost, currency),
            value=self._sum(positions, self.value_of, currency),
            unexecuted=self._unexecuted(account, currency),
            level=level,
        )

    def value_of(self, position: Position) -> Decimal:
        """Return the present value of what is left of a position, in its quote currency."""
        pair = self.instruments.pair(position.pair)
        return quantity.multiply(remaining(position), self._last(pair, position))

    def net_of(self, position: Position) -> Decimal:
        """Return the unrealised result of a position: value − cost for a long, cost − value for a short."""
        gain = quantity.subtract(self.value_of(position), open_cost(position))
        return gain if position.side == "buy" else quantity.negate(gain)

    def _last(self, pair: Pair, position: Position) -> Decimal:
        if pair.id in self.prices:
            return self.prices[pair.id]
        return quantity.rounded_quotient(position.cost, position.volume, pair.price_decimals)

    def _margin_left(self, position: Position) -> Decimal:
        left = quantity.multiply(position.margin, remaining(position))
        return quantity.rounded_quotient(left, position.volume, DIGITS)

    def _sum(self, positions: list[Position], figure: Callable[[Position], Decimal], currency: str) -> Decimal:
        amounts = (self._in(figure(each), self.instruments.pair(each.pair).quote, currency) for each in positions)
        return quantity.rounded(quantity.total(amounts), DIGITS)

    def _balances(self, account: Account, currency: str, *, collateral_only: bool) -> Decimal:
        amounts = (
            self._in(account.balance(asset_id), asset_id, currency)
            for asset_id in account.balances
            if not collateral_only
            or self.instruments.assets[self.instruments.plain_of(asset_id)].collateral is not None
        )
        return quantity.rounded(quantity.total(amounts), DIGITS)

    def _unexecuted(self, account: Account, currency: str) -> Decimal:
        holds = (
            self._in(order.hold, order.hold_asset, currency)
            for order in account.open_orders.values()
            if order.hold_asset
        )
        return quantity.rounded(quantity.total(holds), DIGITS)

    def _in(self, amount: Decimal, asset_id: str, currency: str) -> Decimal:
        rate = self.rate(asset_id, currency)
        return ZERO if rate is None else quantity.multiply(amount, rate)
