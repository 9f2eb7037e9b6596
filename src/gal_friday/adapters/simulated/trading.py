"""Orders: placing, filling, amending, canceling, expiring, and what a new price sets off.

A market order, and a limit order that crosses the last price, executes at once as taker; a resting limit
order executes as maker when the price reaches it; a stop or take-profit becomes a market or limit order
when the price touches its trigger. ``fill_order`` forces a fill of any size and price instead.
"""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

from gal_friday.adapters.simulated.account import Account
from gal_friday.adapters.simulated.clock import ticks_of
from gal_friday.adapters.simulated.fills import Deal, evenly
from gal_friday.adapters.simulated.happenings import Stepped
from gal_friday.adapters.simulated.instruments import Pair
from gal_friday.adapters.simulated.margin import Margin, remaining
from gal_friday.adapters.simulated.records import ZERO, Execution, Order, Placed
from gal_friday.adapters.simulated.refusal import INSUFFICIENT_FUNDS, UNKNOWN_ORDER, Refused, invalid
from gal_friday.adapters.simulated.world import Amount, exact, scaled_price, scaled_volume
from gal_friday.domain import quantity

TRIGGERED = {
    "stop-loss": "market", "take-profit": "market", "stop-loss-limit": "limit", "take-profit-limit": "limit",
}  # fmt: skip
ORDER_TYPES = ("market", "limit", *TRIGGERED)


class Trading(Margin):
    """The order book of one's own orders."""

    def place_order(
        self, account: str, pair: str, side: str, ordertype: str, volume: Amount, price: Amount | None = None,
        price2: Amount | None = None, *, leverage: int = 0, oflags: tuple[str, ...] = ("fciq",),
        reduce_only: bool = False, hedged: bool = False, userref: int | None = None,
        cl_ord_id: str | None = None, time_in_force: str = "gtc", trigger: str | None = None,
        starts: datetime | None = None, expires: datetime | None = None,
        close: tuple[str, Amount] | None = None, parts: int = 1, rest: bool = False,
    ) -> Placed:  # fmt: skip
        """Place an order and return its id with the fills it got at once.

        *price* is the limit, or the trigger of a stop or take-profit, whose limit is *price2*. *hedged*
        opens a margin position even against an opposite one. *close* = (ordertype, price) is the
        conditional close placed when the order is filled. *parts* cuts the first execution into so many
        fills; *rest* leaves even a market order unfilled, to be filled by ``fill_order``.

        Raises:
            Refused: unknown pair, malformed volume or price, not enough funds.
        """
        owner, on = self.account(account), self.instruments.pair(pair)
        if side not in ("buy", "sell") or ordertype not in ORDER_TYPES:
            raise invalid("ordertype")
        order = Order(
            id=self.ids.order(), pair=on.id, side=side, ordertype=ordertype, volume=scaled_volume(on, volume),
            price=ZERO if price is None else scaled_price(on, price),
            price2=ZERO if price2 is None else scaled_price(on, price2),
            opened=self.stamp(), leverage=leverage, oflags=oflags, reduce_only=reduce_only, hedged=hedged,
            userref=userref, cl_ord_id=cl_ord_id, time_in_force=time_in_force,
            trigger=trigger or ("last" if ordertype in TRIGGERED else None),
            starts=ticks_of(starts) if starts else 0, expires=ticks_of(expires) if expires else 0,
            close=None if close is None else (close[0], scaled_price(on, close[1])),
        )  # fmt: skip
        self._accept(owner, order, on)
        if order.starts > ticks_of(self.now()):
            order.status = "pending"
            return Placed(order.id)
        return Placed(order.id, () if rest else self._try_at_once(owner, order, on, parts))

    def fill_order(
        self, order_id: str, volume: Amount | None = None, price: Amount | None = None, *, maker: bool = True
    ) -> tuple[Execution, ...]:
        """Force a fill: all that is left unless *volume* is given, at the order's price unless *price* is.

        A margin fill that closes several positions comes back as one execution per position.

        Raises:
            Refused: the order is unknown or no longer open, the volume exceeds what is left, or the
                wallets do not hold what the fill spends.
        """
        owner, order = self._open_order(order_id)
        pair = self.instruments.pair(order.pair)
        left = quantity.subtract(order.volume, order.volume_done)
        part = left if volume is None else scaled_volume(pair, volume)
        if part > left:
            raise invalid("volume")
        at = limit_of(order) or self.price(pair) if price is None else scaled_price(pair, price)
        return self._execute(owner, order, pair, Deal(part, at, maker))

    def cancel_order(self, order_id: str, reason: str = "User requested") -> None:
        """Cancel an open order; what it has executed stays real."""
        owner, order = self._open_order(order_id)
        self._finish(owner, order, "canceled", reason)

    def expire_order(self, order_id: str) -> None:
        """Let an open order expire."""
        owner, order = self._open_order(order_id)
        self._finish(owner, order, "expired", "Order expired")

    def expire_due(self, account: str | None = None) -> list[str]:
        """Expire every order whose expiry has passed, start every pending one whose time has come; of one account."""
        now, expired = ticks_of(self.now()), []
        for owner in self.accounts.values() if account is None else [self.account(account)]:
            for order in list(owner.open_orders.values()):
                if order.expires and order.expires <= now:
                    self._finish(owner, order, "expired", "Order expired")
                    expired.append(order.id)
                elif order.status == "pending" and order.starts <= now:
                    order.status = "open"
                    self.tell(owner, Stepped(order, "new", ticks_of(self.now())))
                    self._try_at_once(owner, order, self.instruments.pair(order.pair), 1)
        return expired

    def amend_order(self, order_id: str, *, volume: Amount | None = None, price: Amount | None = None) -> str:
        """Change size or price of an open order, which keeps its id; return the id of the amendment."""
        owner, order = self._open_order(order_id)
        pair = self.instruments.pair(order.pair)
        wanted = order.volume if volume is None else scaled_volume(pair, volume)
        if wanted <= order.volume_done:
            raise invalid("volume")
        before = (order.volume, order.price, order.hold)
        order.volume = wanted
        order.price = order.price if price is None else scaled_price(pair, price)
        order.hold = ZERO
        try:
            self._reserve(owner, order, pair)
        except Refused:
            order.volume, order.price, order.hold = before
            raise
        order.misc = [*(word for word in order.misc if word != "amended"), "amended"]
        amend_id = self.ids.amend()
        amended = self.stamp()
        order.amends = [*order.amends, _amendment(amend_id, order, amended)]
        self.tell(owner, Stepped(order, "amended", amended))
        return amend_id

    def set_price(self, pair: str, price: Amount, *, match: bool = True) -> tuple[Execution, ...]:
        """Move the last price of a pair, and execute every order that this reaches unless *match* is off."""
        on = self.instruments.pair(pair)
        self.prices[on.id] = scaled_price(on, price)
        self.opening_prices.setdefault(on.id, self.prices[on.id])
        return self._match(on) if match else ()

    def _match(self, pair: Pair) -> tuple[Execution, ...]:
        executions: list[Execution] = []
        for owner in self.accounts.values():
            for order in [order for order in owner.open_orders.values() if order.pair == pair.id]:
                executions.extend(self._reached(owner, order, pair))
        return tuple(executions)

    def _reached(self, owner: Account, order: Order, pair: Pair) -> tuple[Execution, ...]:
        last = self.prices[pair.id]
        if order.status != "open" or not order.is_open:
            return ()
        if order.ordertype in TRIGGERED and "touched" not in order.misc:
            if not triggers(order, last):
                return ()
            order.misc = [*order.misc, "touched"]
            return self._unless_refused(lambda: self._try_at_once(owner, order, pair, 1))
        limit = limit_of(order)
        if limit is None or not crosses(order, limit, last):
            return ()
        left = quantity.subtract(order.volume, order.volume_done)
        return self._unless_refused(lambda: self._execute(owner, order, pair, Deal(left, limit, maker=True)))

    def _try_at_once(self, owner: Account, order: Order, pair: Pair, parts: int) -> tuple[Execution, ...]:
        """Execute a new order against the last price, as far as its type allows."""
        last = self.prices.get(pair.id)
        if order.ordertype in TRIGGERED and "touched" not in order.misc:
            return ()
        limit = limit_of(order)
        if limit is not None and (last is None or not crosses(order, limit, last)):
            return ()
        if "post" in order.oflags:
            self._finish(owner, order, "canceled", "Post only order")
            return ()
        at = self.price(pair)
        executions: list[Execution] = []
        left = quantity.subtract(order.volume, order.volume_done)
        for part in evenly(left, parts, pair.lot_decimals):
            if order.is_open:
                executions.extend(self._execute(owner, order, pair, Deal(part, at)))
        return tuple(executions)

    def _accept(self, owner: Account, order: Order, pair: Pair) -> None:
        if order.leverage and order.leverage not in pair.leverage:
            raise Refused("EOrder:Invalid leverage")
        if order.ordertype == "market" and not order.leverage:
            self.price(pair)
        self._reserve(owner, order, pair)
        owner.orders[order.id] = owner.open_orders[order.id] = order
        self.order_owner[order.id] = owner
        self.tell(owner, Stepped(order, "pending_new", order.opened))
        if order.starts <= ticks_of(self.now()):
            self.tell(owner, Stepped(order, "new", order.opened))

    def _execute(self, owner: Account, order: Order, pair: Pair, deal: Deal) -> tuple[Execution, ...]:
        if not order.leverage:
            executions = [self.spot_fill(owner, order, pair, deal)]
        else:
            executions = self.margin_fill(owner, order, pair, deal)
        if order.volume_done == order.volume:
            self._finish(owner, order, "closed", None)
            self._conditional_close(owner, order, pair)
        elif order.reduce_only and not any(remaining(each) for each in self.against(owner, order, pair)):
            self._finish(owner, order, "canceled", "Reduce only order")
        else:
            order.hold = hold_of(order, pair, self)
        return tuple(executions)

    def _conditional_close(self, owner: Account, order: Order, pair: Pair) -> None:
        """Place the close that was asked for with the order: an order of its own, refid the parent."""
        if order.close is None:
            return
        ordertype, price = order.close
        child = Order(
            id=self.ids.order(), pair=pair.id, side="sell" if order.side == "buy" else "buy",
            ordertype=ordertype, volume=order.volume_done, price=price, price2=ZERO, opened=self.stamp(),
            leverage=order.leverage, refid=order.id, userref=order.userref,
            trigger="last" if ordertype in TRIGGERED else None,
        )  # fmt: skip
        self._unless_refused(lambda: self._accept(owner, child, pair))

    def _finish(self, owner: Account, order: Order, status: str, reason: str | None) -> None:
        order.status, order.reason, order.closed, order.hold = status, reason, self.stamp(), ZERO
        if status != "closed" and order.volume_done:
            order.misc = [*order.misc, "partial"]
        owner.open_orders.pop(order.id, None)
        owner.closed_orders.append(order.id, order.closed, order)
        self.tell(owner, Stepped(order, "filled" if status == "closed" else status, order.closed))

    def _reserve(self, owner: Account, order: Order, pair: Pair) -> None:
        """Put the order's hold on the wallet that can bear it: the plain one, else ``.F``, else shared."""
        if order.leverage:
            return
        spent = self.instruments.asset(pair.quote if order.side == "buy" else pair.base)
        flexible = self.instruments.variant(spent.id, ".F")
        wanted = hold_of(order, pair, self)
        free, flexible_free = owner.free(spent.id), owner.free(flexible.id)
        if quantity.add(max(free, ZERO), max(flexible_free, ZERO)) < wanted:
            raise Refused(INSUFFICIENT_FUNDS)
        # With auto-earn the hold on one variant can exceed that variant's balance.
        order.hold_asset = spent.id if free >= wanted or free >= flexible_free else flexible.id
        order.hold = wanted

    def _open_order(self, order_id: str) -> tuple[Account, Order]:
        owner = self.order_owner.get(order_id)
        if owner is None or order_id not in owner.open_orders:
            raise Refused(UNKNOWN_ORDER)
        return owner, owner.open_orders[order_id]

    @staticmethod
    def _unless_refused(act: Callable[[], tuple[Execution, ...] | None]) -> tuple[Execution, ...]:
        """Let an order rest that the price has reached but the funds do not cover."""
        try:
            return act() or ()
        except Refused:
            return ()


def limit_of(order: Order) -> Decimal | None:
    """Return the limit price of an order; None for one that takes any price."""
    if order.ordertype == "limit":
        return order.price
    return order.price2 if TRIGGERED.get(order.ordertype) == "limit" else None


def crosses(order: Order, limit: Decimal, last: Decimal) -> bool:
    """Say whether the last price is at least as good as the limit."""
    return last <= limit if order.side == "buy" else last >= limit


def triggers(order: Order, last: Decimal) -> bool:
    """Say whether the last price sets off a stop or take-profit."""
    falling = (order.side == "sell") == order.ordertype.startswith("stop")
    return last <= order.price if falling else last >= order.price


def hold_of(order: Order, pair: Pair, market: Trading) -> Decimal:
    """Return what an open spot order reserves: the remaining base, or the remaining cost in quote (K7)."""
    left = quantity.subtract(order.volume, order.volume_done)
    if order.leverage:
        return ZERO
    if order.side == "sell":
        return left
    at = limit_of(order) or order.price or market.prices.get(pair.id, ZERO)
    cost = quantity.multiply(left, at)
    if market.quirks.hold_includes_fee:
        cost = quantity.multiply(cost, exact("1.004"))
    return quantity.rounded(cost, market.instruments.asset(pair.quote).decimals)


def _amendment(amend_id: str, order: Order, ticks: int) -> dict[str, str]:
    return {
        "amend_id": amend_id,
        "order_qty": quantity.text(order.volume),
        "remaining_qty": quantity.text(quantity.subtract(order.volume, order.volume_done)),
        "limit_price": quantity.text(order.price),
        "timestamp": str(ticks // 10_000),
    }
