"""The ground the simulated exchange stands on: clock, chance, instruments, prices, accounts.

Every balance changes in ``book`` and nowhere else, so the running balance of each asset id follows from
its rows (K2) and equals the balance (K1) at every moment.
"""

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal
from random import Random

import msgspec

from gal_friday.adapters.simulated.account import Account
from gal_friday.adapters.simulated.clock import Now, VirtualClock, ticks_of
from gal_friday.adapters.simulated.happenings import Happening, Listener, Moved
from gal_friday.adapters.simulated.ids import IdSource
from gal_friday.adapters.simulated.instrument_table import standard
from gal_friday.adapters.simulated.instruments import Asset, Instruments, Pair
from gal_friday.adapters.simulated.records import ZERO, LedgerRow
from gal_friday.adapters.simulated.refusal import Refused, invalid
from gal_friday.domain import quantity

Amount = Decimal | str


class Quirks(msgspec.Struct):
    """Habits of the exchange that differ in time, between accounts, or that nobody has settled.

    Change the fields at any moment; they alter answers, never the state behind them.
    """

    # A fill reaches TradesHistory, and the state of its order, this much later.
    fill_lag: timedelta = timedelta()
    # Ledger rows, and the balances that follow from them, show this much later.
    ledger_lag: timedelta = timedelta()
    # A new order is absent from every answer for this long.
    new_order_lag: timedelta = timedelta()
    # An export is Queued for this long.
    export_delay: timedelta = timedelta()
    wrong_count_under_filter: bool = False
    # Kraken REST documentation does not say whether one unknown id fails a whole QueryOrders list.
    unknown_id_fails_list: bool = True
    refid_none_as_text: bool = False
    hold_includes_fee: bool = False
    # A leg of a tiny trade that rounds to nothing is left out of the ledger.
    drop_zero_legs: bool = False
    # The fee lists of AssetPairs are being emptied.
    lists_fees: bool = True
    # A stream that has nothing to say sends a heartbeat this often.
    heartbeat: timedelta = timedelta(seconds=1)
    # A stream without a subscription is closed after this long.
    stream_idle: timedelta = timedelta(seconds=60)


class World:
    """State shared by everything that can happen on the exchange."""

    def __init__(self, now: Now | None = None, seed: int = 1, instruments: Instruments | None = None) -> None:
        self.now: Now = now or VirtualClock().now
        self.chance = Random(seed)
        self.ids = IdSource(self.chance)
        # Reading must not change the ids of what happens next.
        self.reading_ids = IdSource(Random(f"{seed} reading"))
        self.seed = seed
        self.instruments = instruments or standard()
        self.quirks = Quirks()
        self.status = "online"
        self.accounts: dict[str, Account] = {}
        self.prices: dict[str, Decimal] = {}
        self.opening_prices: dict[str, Decimal] = {}
        # Tokenized stocks: shown quantity = held quantity × multiplier, without any ledger row.
        self.rebase_multipliers: dict[str, Decimal] = {}
        self.order_owner: dict[str, Account] = {}
        self.position_owner: dict[str, Account] = {}
        self.transfer_owner: dict[str, Account] = {}
        # Proceeds of delisted assets that are still to be paid, per account.
        self.owed: dict[str, list[tuple[Asset, Decimal]]] = {}
        self.listeners: list[Listener] = []
        self._last_stamp = 0
        self._trade_numbers: dict[str, int] = {}

    def open_account(self, name: str, *, fee_volume: Amount = ZERO, uses_fee_credits: bool = False) -> Account:
        """Open an empty account and return it; *fee_volume* in US dollars decides its fee tier."""
        assert name not in self.accounts, f"account {name!r} exists already"
        account = self.accounts[name] = Account(name, self.ids.account())
        account.fee_volume = exact(fee_volume)
        account.uses_fee_credits = uses_fee_credits
        return account

    def account(self, name: str) -> Account:
        """Return the account of that name."""
        return self.accounts[name]

    def set_credit(self, account: str, asset: str, line: Amount, used: Amount = ZERO) -> None:
        """Give an account a credit line in an asset, of which *used* is drawn."""
        held = self.instruments.asset(asset)
        self.account(account).credit[held.id] = (scaled(held, line), scaled(held, used))

    def tell(self, account: Account, happening: Happening) -> None:
        """Tell everybody who listens that something happened on an account."""
        for listener in self.listeners:
            listener(account, happening)

    def stamp(self) -> int:
        """Return the time of the next row in ticks: strictly growing, up to a millisecond before now."""
        wanted = ticks_of(self.now()) - self.chance.randrange(10_000)
        self._last_stamp = max(wanted, self._last_stamp + 1)
        return self._last_stamp

    def rename_pair(self, name: str, new_id: str) -> None:
        """List a pair under another id; orders and trades of before keep naming it by the old one."""
        old = self.instruments.pair(name).id
        self.instruments.rename_pair(name, new_id)
        for kept in (self.prices, self.opening_prices, self._trade_numbers):
            if old in kept:
                kept[new_id] = kept.pop(old)  # type: ignore[assignment] # each gets back what it held

    def next_trade_number(self, pair: Pair) -> int:
        """Return the next public trade number of a pair."""
        number = self._trade_numbers.get(pair.id, 1_000_000 + len(self._trade_numbers) * 31_337) + 1
        self._trade_numbers[pair.id] = number
        return number

    def book(
        self,
        account: Account,
        refid: str,
        kind: str,
        asset: Asset,
        amount: Decimal,
        fee: Decimal = ZERO,
        subtype: str = "",
    ) -> str:
        """Write one ledger row, move the balance by amount − fee, and return the id of the row."""
        before = account.balances.get(asset.id, ZERO)
        after = quantity.subtract(quantity.add(before, amount), fee)
        row = LedgerRow(
            id=self.ids.ledger(),
            ticks=self.stamp(),
            refid=refid,
            kind=kind,
            subtype=subtype,
            aclass=asset.aclass,
            asset=asset.id,
            amount=quantity.rounded(amount, asset.decimals),
            fee=quantity.rounded(fee, asset.decimals),
            balance=quantity.rounded(after, asset.decimals),
        )
        account.balances[asset.id] = row.balance
        account.ledger.append(row.id, row.ticks, row)
        self.tell(account, Moved(row))
        return row.id

    def price(self, pair: Pair) -> Decimal:
        """Return the last price of a pair.

        Raises:
            Refused: nobody has set one.
        """
        try:
            return self.prices[pair.id]
        except KeyError:
            raise Refused("EService:Market in cancel_only mode") from None

    def rate(self, asset_id: str, target: str) -> Decimal | None:
        """Return the price of one unit of an asset in another; None when no chain of pairs gives it."""
        source = self.instruments.plain_of(asset_id)
        if source == target:
            return Decimal(1)
        direct = self._quoted(source, target)
        if direct is not None or "ZUSD" in (source, target):
            return direct
        to_dollar, dollar_to = self._quoted(source, "ZUSD"), self._quoted("ZUSD", target)
        return None if to_dollar is None or dollar_to is None else quantity.multiply(to_dollar, dollar_to)

    def _quoted(self, source: str, target: str) -> Decimal | None:
        pair = self.instruments.between(source, target)
        if pair and pair.id in self.prices:
            return self.prices[pair.id]
        pair = self.instruments.between(target, source)
        if pair and self.prices.get(pair.id):
            return quantity.rounded_quotient(Decimal(1), self.prices[pair.id], 12)
        return None


def exact(amount: Amount) -> Decimal:
    """Return an amount given as text or Decimal."""
    return quantity.parse(amount) if isinstance(amount, str) else quantity.exact(amount)


def scaled(asset: Asset, amount: Amount) -> Decimal:
    """Return *amount* with exactly the digits of the asset.

    Raises:
        Refused: it has more digits than the asset keeps.
    """
    return _cut(exact(amount), asset.decimals, "amount")


def scaled_volume(pair: Pair, volume: Amount) -> Decimal:
    """Return a positive volume with exactly the digits of the pair."""
    wanted = _cut(exact(volume), pair.lot_decimals, "volume")
    if wanted <= 0:
        raise invalid("volume")
    return wanted


def scaled_price(pair: Pair, price: Amount) -> Decimal:
    """Return a positive price with exactly the digits of the pair."""
    wanted = _cut(exact(price), pair.pair_decimals, "price")
    if wanted <= 0:
        raise invalid("price")
    return wanted


def rounded_to(asset: Asset, amount: Decimal) -> Decimal:
    """Return an amount rounded to the digits of the asset."""
    return quantity.rounded(amount, asset.decimals)


def proportional(parts: Iterable[Decimal], amount: Decimal, decimals: int) -> list[Decimal]:
    """Return *amount* split in the proportion of *parts*; the last share takes what rounding leaves."""
    weights = list(parts)
    whole = quantity.total(weights)
    shares = [quantity.rounded_quotient(quantity.multiply(amount, weight), whole, decimals) for weight in weights[:-1]]
    return [*shares, quantity.subtract(amount, quantity.total(shares))]


def _cut(amount: Decimal, decimals: int, argument: str) -> Decimal:
    result = quantity.rounded(amount, decimals)
    if result != amount:
        raise invalid(argument)
    return result
