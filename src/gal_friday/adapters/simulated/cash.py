"""Money that moves without a trade: deposits, withdrawals, transfers, conversions, gifts and corrections.

Each method books its rows under one refid and returns it with the ids of the rows. Amounts are whole units
of the asset; a withdrawal's amount is what arrives, its fee is taken on top.
"""

from decimal import Decimal

from gal_friday.adapters.simulated.account import Account
from gal_friday.adapters.simulated.instruments import Asset
from gal_friday.adapters.simulated.records import ZERO, Booked, Transfer
from gal_friday.adapters.simulated.refusal import FUNDING_INSUFFICIENT, Refused
from gal_friday.adapters.simulated.world import Amount, World, exact, rounded_to, scaled
from gal_friday.domain import quantity


class Cash(World):
    """Deposits, withdrawals, transfers and conversions."""

    def deposit(self, account: str, asset: str, amount: Amount, *, fee: Amount = ZERO, pending: bool = False) -> Booked:
        """Credit a deposit; a *pending* one is listed by DepositStatus but books nothing yet.

        An id such as ``EUR.HOLD`` deposits into the held wallet; ``release_hold`` frees it.
        """
        owner, held = self.account(account), self.instruments.asset(asset)
        transfer = self._transfer(held, scaled(held, amount), scaled(held, fee), "Pending")
        owner.deposits[transfer.refid] = transfer
        self.transfer_owner[transfer.refid] = owner
        return Booked(transfer.refid) if pending else self.confirm_deposit(transfer.refid)

    def confirm_deposit(self, refid: str) -> Booked:
        """Book a pending deposit."""
        owner = self.transfer_owner[refid]
        transfer = owner.deposits[refid]
        row = self.book(owner, refid, "deposit", self.instruments.asset(transfer.asset), transfer.amount, transfer.fee)
        transfer.status, transfer.booked = "Success", True
        return Booked(refid, (row,))

    def withdraw(self, account: str, asset: str, amount: Amount, *, fee: Amount = ZERO, booked: bool = False) -> Booked:
        """Ask for a withdrawal: the balance falls at once, the ledger row comes when it settles.

        *booked* writes the ledger row at once, while the withdrawal is still pending.

        Raises:
            Refused: not enough funds.
        """
        owner, held = self.account(account), self.instruments.asset(asset)
        transfer = self._transfer(held, scaled(held, amount), scaled(held, fee), "Pending")
        gone = quantity.add(transfer.amount, transfer.fee)
        self._require(owner, held, gone)
        owner.withdrawals[transfer.refid] = transfer
        self.transfer_owner[transfer.refid] = owner
        owner.pending_out[held.id] = quantity.add(owner.pending_out.get(held.id, ZERO), gone)
        return Booked(transfer.refid, self._book_withdrawal(owner, transfer) if booked else ())

    def settle_withdrawal(self, refid: str) -> Booked:
        """Let a pending withdrawal leave for good."""
        owner = self.transfer_owner[refid]
        transfer = owner.withdrawals[refid]
        rows = () if transfer.booked else self._book_withdrawal(owner, transfer)
        transfer.status = "Success"
        return Booked(refid, rows)

    def fail_withdrawal(self, refid: str) -> Booked:
        """Let a withdrawal fail: the row is followed by one of opposite amount and fee, same refid."""
        owner = self.transfer_owner[refid]
        transfer = owner.withdrawals[refid]
        rows = () if transfer.booked else self._book_withdrawal(owner, transfer)
        asset = self.instruments.asset(transfer.asset)
        back = self.book(owner, refid, "withdrawal", asset, transfer.amount, quantity.negate(transfer.fee))
        transfer.status, transfer.note = "Failure", "return"
        return Booked(refid, (*rows, back))

    def cancel_withdrawal(self, refid: str) -> Booked:
        """Cancel a withdrawal that is not in the ledger yet: nothing of it stays there."""
        owner = self.transfer_owner[refid]
        transfer = owner.withdrawals[refid]
        assert not transfer.booked, "a booked withdrawal can only fail"
        self._release(owner, transfer)
        transfer.status, transfer.note = "Failure", "canceled"
        return Booked(refid)

    def release_hold(self, account: str, asset: str, amount: Amount) -> Booked:
        """Move fiat from its ``.HOLD`` wallet to the plain one."""
        plain = self.instruments.asset(asset)
        held = self.instruments.variant(plain.id, ".HOLD")
        return self.move(account, held.id, plain.id, amount)

    def move(
        self,
        account: str,
        source: str,
        target: str,
        amount: Amount,
        *,
        kind: str = "transfer",
        subtypes: tuple[str, str] = ("", ""),
    ) -> Booked:
        """Move an amount between two wallets of one account: two rows, one refid."""
        owner, out_of, into = (
            self.account(account),
            self.instruments.asset(source),
            self.instruments.asset(target),
        )
        moved = scaled(out_of, amount)
        self._require(owner, out_of, moved)
        refid = self.ids.event()
        first = self.book(owner, refid, kind, out_of, quantity.negate(moved), subtype=subtypes[0])
        return Booked(refid, (first, self.book(owner, refid, kind, into, moved, subtype=subtypes[1])))

    def transfer(self, account: str, to_account: str, asset: str, amount: Amount) -> Booked:
        """Move an amount to another account of the same owner: a row in each ledger, same refid (K10)."""
        source, target = self.account(account), self.account(to_account)
        moved_asset = self.instruments.asset(asset)
        moved = scaled(moved_asset, amount)
        self._require(source, moved_asset, moved)
        refid = self.ids.event()
        first = self.book(source, refid, "transfer", moved_asset, quantity.negate(moved))
        return Booked(refid, (first, self.book(target, refid, "transfer", moved_asset, moved)))

    def to_futures(self, account: str, asset: str, amount: Amount) -> Booked:
        """Move an amount to the futures wallet: transfer/spottofutures."""
        return self._futures(account, asset, quantity.negate(exact(amount)), "spottofutures")

    def from_futures(self, account: str, asset: str, amount: Amount) -> Booked:
        """Move an amount back from the futures wallet: transfer/spotfromfutures."""
        return self._futures(account, asset, exact(amount), "spotfromfutures")

    def convert(
        self, account: str, spend: str, spend_amount: Amount, receive: str, receive_amount: Amount,
        *, fee: Amount = ZERO, kinds: tuple[str, str] = ("spend", "receive"),
    ) -> Booked:  # fmt: skip
        """Convert in the app: a spend and a receive row with one refid; the fee is on the spent side.

        No order and no trade come of it: only the ledger knows.
        """
        owner = self.account(account)
        source, target = self.instruments.asset(spend), self.instruments.asset(receive)
        given, charged = scaled(source, spend_amount), scaled(source, fee)
        self._require(owner, source, quantity.add(given, charged))
        refid = self.ids.trade()
        first = self.book(owner, refid, kinds[0], source, quantity.negate(given), charged)
        second = self.book(owner, refid, kinds[1], target, scaled(target, receive_amount))
        return Booked(refid, (first, second))

    def convert_delisted(self, account: str, asset: str, into: str = "ZUSD", price: Amount = "0.01") -> Booked:
        """Take the whole balance of a delisted asset away; ``pay_delisted`` books the proceeds, days later.

        The rows come unpaired: each has a refid of its own.
        """
        owner, gone = self.account(account), self.instruments.asset(asset)
        amount = owner.balance(gone.id)
        assert amount > 0, "there is nothing to convert"
        row = self.book(
            owner, self.ids.event(), "transfer", gone, quantity.negate(amount), subtype="delistingconversion"
        )
        paid = self.instruments.asset(into)
        self.owed.setdefault(account, []).append((paid, rounded_to(paid, quantity.multiply(amount, exact(price)))))
        return Booked(owner.ledger.rows[-1].refid, (row,))

    def pay_delisted(self, account: str) -> Booked:
        """Book the oldest proceeds of a delisting conversion."""
        paid, amount = self.owed[account].pop(0)
        return self.grant(account, paid.id, amount, kind="transfer", subtype="delistingconversion")

    def airdrop(self, account: str, asset: str, amount: Amount, *, dressed_as_transfer: bool = False) -> Booked:
        """Credit an airdrop; at times Kraken dresses one as transfer/spotfromfutures."""
        if dressed_as_transfer:
            return self.grant(account, asset, amount, kind="transfer", subtype="spotfromfutures")
        return self.grant(account, asset, amount, kind="airdrop")

    def adjust(self, account: str, asset: str, amount: Amount) -> Booked:
        """Book an adjustment by the exchange; negative takes away."""
        return self.grant(account, asset, amount, kind="adjustment")

    def grant(
        self, account: str, asset: str, amount: Amount, *, fee: Amount = ZERO, kind: str, subtype: str = ""
    ) -> Booked:
        """Book a single row of any kind, known to clients or not."""
        owner, held = self.account(account), self.instruments.asset(asset)
        refid = self.ids.event()
        row = self.book(owner, refid, kind, held, scaled(held, amount), scaled(held, fee), subtype)
        return Booked(refid, (row,))

    def rebase(self, asset: str, multiplier: Amount) -> None:
        """Change the multiplier of a tokenized stock: shown balances change, no ledger row says so."""
        self.rebase_multipliers[self.instruments.asset(asset).id] = exact(multiplier)

    def _futures(self, account: str, asset: str, amount: Decimal, subtype: str) -> Booked:
        owner, held = self.account(account), self.instruments.asset(asset)
        moved = scaled(held, amount)
        if moved < 0:
            self._require(owner, held, quantity.negate(moved))
        owner.futures[held.id] = quantity.subtract(owner.futures.get(held.id, ZERO), moved)
        return self.grant(account, held.id, moved, kind="transfer", subtype=subtype)

    def _transfer(self, asset: Asset, amount: Decimal, fee: Decimal, status: str) -> Transfer:
        if amount <= 0:
            raise Refused("EFunding:Invalid amount")
        crypto = asset.decimals > 4
        return Transfer(
            refid=self.ids.funding(),
            asset=asset.id,
            amount=amount,
            fee=fee,
            method=asset.modern if crypto else "Bank Frick (SWIFT)",
            txid=f"{self.chance.getrandbits(256):064x}" if crypto else self.ids.event(),
            info=f"bc1q{self.chance.getrandbits(128):032x}",
            ticks=self.stamp(),
            status=status,
        )

    def _book_withdrawal(self, owner: Account, transfer: Transfer) -> tuple[str, ...]:
        self._release(owner, transfer)
        transfer.booked = True
        asset = self.instruments.asset(transfer.asset)
        return (self.book(owner, transfer.refid, "withdrawal", asset, quantity.negate(transfer.amount), transfer.fee),)

    def _release(self, owner: Account, transfer: Transfer) -> None:
        gone = quantity.add(transfer.amount, transfer.fee)
        owner.pending_out[transfer.asset] = quantity.subtract(owner.pending_out[transfer.asset], gone)

    def _require(self, owner: Account, asset: Asset, amount: Decimal) -> None:
        if amount < 0 or owner.free(asset.id) < amount:
            raise Refused(FUNDING_INSUFFICIENT)
