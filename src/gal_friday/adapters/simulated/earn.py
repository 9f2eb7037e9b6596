"""Earning: moving an asset into staked, bonded and flexible wallets and back, and the rewards on it.

Wallets are suffixes on the altname (``XBT.F``, ``DOT28.S``); ``.F`` is spendable spot money under another
name, the others are not.
"""

from gal_friday.adapters.simulated.cash import Cash
from gal_friday.adapters.simulated.records import ZERO, Booked
from gal_friday.adapters.simulated.world import Amount

STAKING = ".S"


class Earn(Cash):
    """Allocations and rewards."""

    def allocate(self, account: str, asset: str, amount: Amount, wallet: str = ".B") -> Booked:
        """Move an amount into an earning wallet.

        The wallet is a suffix. ``.S`` and ``28.S`` book the older transfer rows (spottostaking and
        stakingfromspot), all others earn/allocation.
        """
        plain = self.instruments.asset(asset)
        target = self.instruments.variant(plain.id, wallet)
        if wallet.endswith(STAKING):
            return self.move(account, plain.id, target.id, amount, subtypes=("spottostaking", "stakingfromspot"))
        return self.move(account, plain.id, target.id, amount, kind="earn", subtypes=("allocation", "allocation"))

    def deallocate(self, account: str, asset: str, amount: Amount, wallet: str = ".B") -> Booked:
        """Move an amount back out of an earning wallet."""
        plain = self.instruments.asset(asset)
        source = self.instruments.variant(plain.id, wallet)
        if wallet.endswith(STAKING):
            return self.move(account, source.id, plain.id, amount, subtypes=("stakingtospot", "spotfromstaking"))
        return self.move(account, source.id, plain.id, amount, kind="earn", subtypes=("deallocation", "deallocation"))

    def switch_on_rewards(self, account: str, asset: str) -> Booked | None:
        """Switch auto-earn on: the free spot balance moves to ``.F``, and what later fills bring goes there.

        Returns the booking of the move, or None when there was nothing to move.
        """
        owner, plain = self.account(account), self.instruments.asset(asset)
        owner.auto_earn.add(plain.id)
        free = owner.free(plain.id)
        if free <= 0:
            return None
        target = self.instruments.variant(plain.id, ".F")
        return self.move(account, plain.id, target.id, free, kind="earn", subtypes=("autoallocation", "autoallocation"))

    def reward(
        self, account: str, asset: str, amount: Amount, *, wallet: str = "", kind: str = "earn",
        subtype: str = "reward", fee: Amount = ZERO,
    ) -> Booked:  # fmt: skip
        """Credit a reward to a wallet: ``kind`` is earn, staking or dividend.

        Staking and dividend rows carry no subtype.
        """
        plain = self.instruments.asset(asset)
        target = self.instruments.variant(plain.id, wallet) if wallet else plain
        return self.grant(account, target.id, amount, fee=fee, kind=kind, subtype=subtype if kind == "earn" else "")
