"""One fill and its money: trade, fee, ledger rows, for spot and for tokenized stocks.

A spot fill books the base and the quote with the trade id as refid (K4). What is spent may come out of two
wallets, the plain one and ``.F``: then each side has two rows, and only their sum is the fill.
"""

from decimal import Decimal
from itertools import pairwise

import msgspec

from gal_friday.adapters.simulated.account import Account
from gal_friday.adapters.simulated.happenings import Filled
from gal_friday.adapters.simulated.instruments import Asset, Pair, percent, schedules
from gal_friday.adapters.simulated.records import NO_POSITION, ZERO, Execution, Order, Trade
from gal_friday.adapters.simulated.refusal import INSUFFICIENT_FUNDS, Refused
from gal_friday.adapters.simulated.world import World, proportional, rounded_to
from gal_friday.domain import quantity

HUNDRED = Decimal(100)


class Deal(msgspec.Struct, frozen=True):
    """What is executed: so much at such a price, as maker or taker."""

    volume: Decimal
    price: Decimal
    maker: bool = False


class Charge(msgspec.Struct, frozen=True):
    """A fee: the estimate in the quote currency that the trade shows, and what the ledger takes."""

    estimate: Decimal
    asset: str
    amount: Decimal


class Fills(World):
    """Executes parts of orders."""

    def cost_of(self, pair: Pair, deal: Deal) -> Decimal:
        """Return volume × price in the digits of the pair's cost."""
        return quantity.rounded(quantity.multiply(deal.volume, deal.price), pair.cost_decimals)

    def charge_for(self, owner: Account, order: Order, pair: Pair, deal: Deal) -> Charge:
        """Return the fee of a fill by the account's tier, in quote, base or fee credits."""
        rate = percent(schedules(pair)[deal.maker], owner.fee_volume)
        estimate = self._share(self.cost_of(pair, deal), rate, pair.cost_decimals)
        credits_due = self._fee_credits(owner, pair, estimate)
        if credits_due is not None:
            return Charge(estimate, "KFEE", credits_due)
        if "fcib" in order.oflags and not order.leverage:
            base = self.instruments.asset(pair.base)
            return Charge(estimate, base.id, self._share(deal.volume, rate, base.decimals))
        quote = self.instruments.asset(pair.quote)
        return Charge(estimate, quote.id, rounded_to(quote, estimate))

    def spot_fill(self, owner: Account, order: Order, pair: Pair, deal: Deal) -> Execution:
        """Execute part of a spot order and book it.

        Raises:
            Refused: the wallets do not hold what the fill spends.
        """
        charge = self.charge_for(owner, order, pair, deal)
        base, quote = self.instruments.asset(pair.base), self.instruments.asset(pair.quote)
        in_quote = rounded_to(quote, self.cost_of(pair, deal))
        buys = order.side == "buy"
        spent, received = (quote, base) if buys else (base, quote)
        out, into = (in_quote, deal.volume) if buys else (deal.volume, in_quote)
        parts = self._wallets(owner, order, spent, out, charge.amount if charge.asset == spent.id else ZERO)
        trade = self.new_trade(owner, order, pair, deal, charge)
        for wallet, part, fee in parts:
            self._leg(owner, trade, wallet, quantity.negate(part), fee)
        if pair.aclass_base == "tokenized_asset":
            self._leg(owner, trade, quote, in_quote)
            self._leg(owner, trade, quote, quantity.negate(in_quote))
        target = self._credit_wallet(owner, received)
        shares = proportional([part for _, part, _ in parts], into, received.decimals) if len(parts) > 1 else [into]
        fees = [charge.amount if charge.asset == received.id else ZERO] + [ZERO] * len(shares)
        for share, fee in zip(shares, fees, strict=False):
            self._leg(owner, trade, target, share, fee)
        self.charge_credits(owner, trade, charge)
        self.count(owner, order, trade, charge)
        return Execution(trade.id, tuple(trade.ledgers))

    def new_trade(
        self, owner: Account, order: Order, pair: Pair, deal: Deal, charge: Charge,
        *, position: str = NO_POSITION, opens: bool = False, margin: Decimal = ZERO, ordertype: str = "",
        misc: str = "",
    ) -> Trade:  # fmt: skip
        """Make the trade of a fill and put it into the history."""
        trade = Trade(
            id=self.ids.trade(),
            ticks=self.stamp(),
            order=order.id,
            pair=pair.id,
            side=order.side,
            ordertype=ordertype or order.ordertype,
            price=quantity.rounded(deal.price, pair.price_decimals),
            cost=self.cost_of(pair, deal),
            fee=charge.estimate,
            volume=deal.volume,
            margin=quantity.rounded(margin, pair.cost_decimals),
            leverage=order.leverage,
            maker=deal.maker,
            trade_id=self.next_trade_number(pair),
            misc=misc,
            position=position,
            opens=opens,
        )
        owner.add_trade(trade)
        return trade

    def charge_credits(self, owner: Account, trade: Trade, charge: Charge) -> None:
        """Book a fee that is paid in fee credits: a row of its own with amount 0."""
        if charge.asset == "KFEE":
            row = self.book(owner, trade.id, "trade", self.instruments.asset("KFEE"), ZERO, charge.amount)
            trade.ledgers.append(row)

    def count(self, owner: Account, order: Order, trade: Trade, charge: Charge) -> None:
        """Add a fill to what its order has executed (K3), and tell of it."""
        order.trades = [*order.trades, trade.id]
        order.volume_done = quantity.add(order.volume_done, trade.volume)
        order.cost = quantity.add(order.cost, trade.cost)
        order.fee = quantity.add(order.fee, trade.fee)
        self.tell(owner, Filled(order, trade, charge.amount, charge.asset))

    def _leg(self, owner: Account, trade: Trade, asset: Asset, amount: Decimal, fee: Decimal = ZERO) -> None:
        if self.quirks.drop_zero_legs and not amount and not fee:
            return
        trade.ledgers.append(self.book(owner, trade.id, "trade", asset, amount, fee))

    def _wallets(
        self, owner: Account, order: Order, asset: Asset, amount: Decimal, fee: Decimal
    ) -> list[tuple[Asset, Decimal, Decimal]]:
        """Return from which wallets *amount* and *fee* come: the order's own first, then the other."""
        plain, flexible = asset, self.instruments.variant(asset.id, ".F")
        wallets = [flexible, plain] if order.hold_asset == flexible.id else [plain, flexible]
        needed = quantity.add(amount, fee)
        parts: list[tuple[Asset, Decimal]] = []
        for wallet in wallets:
            # What other orders reserve is not for this one to spend.
            others = quantity.subtract(owner.held(wallet.id), order.hold if wallet.id == order.hold_asset else ZERO)
            usable = max(ZERO, quantity.subtract(owner.balance(wallet.id), others))
            part = min(usable, needed)
            if part > 0:
                parts.append((wallet, part))
                needed = quantity.subtract(needed, part)
        if needed > 0:
            raise Refused(INSUFFICIENT_FUNDS)
        return _with_fee(parts or [(plain, ZERO)], fee)

    def _credit_wallet(self, owner: Account, asset: Asset) -> Asset:
        return self.instruments.variant(asset.id, ".F") if asset.id in owner.auto_earn else asset

    def _fee_credits(self, owner: Account, pair: Pair, estimate: Decimal) -> Decimal | None:
        rate = self.rate(pair.quote, "ZUSD") if owner.uses_fee_credits else None
        if rate is None:
            return None
        # One fee credit pays one US cent.
        due = quantity.rounded(quantity.multiply(quantity.multiply(estimate, rate), HUNDRED), 2)
        return due if owner.settled("KFEE") >= due else None

    @staticmethod
    def _share(amount: Decimal, rate: Decimal, decimals: int) -> Decimal:
        return quantity.rounded_quotient(quantity.multiply(amount, rate), HUNDRED, decimals)


def _with_fee(parts: list[tuple[Asset, Decimal]], fee: Decimal) -> list[tuple[Asset, Decimal, Decimal]]:
    """Take the fee out of the largest part, so that no row spends less than its fee."""
    largest = max(range(len(parts)), key=lambda place: parts[place][1])
    return [
        (asset, quantity.subtract(part, fee), fee) if place == largest else (asset, part, ZERO)
        for place, (asset, part) in enumerate(parts)
    ]


def evenly(volume: Decimal, parts: int, decimals: int) -> list[Decimal]:
    """Return a volume cut into *parts* nearly equal volumes."""
    if parts == 1:
        return [volume]
    marks = [
        quantity.rounded_quotient(quantity.multiply(volume, Decimal(mark)), Decimal(parts), decimals)
        for mark in range(parts + 1)
    ]
    return [quantity.subtract(later, earlier) for earlier, later in pairwise(marks) if later > earlier]
