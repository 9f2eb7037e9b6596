"""What one side's own records say about each other.

The exchange states a balance and keeps a ledger whose newest row says what the balance is after it (K1). Where
the two differ, one of them lags behind, or money is on its way out; the balance then proves nothing.
"""

from collections.abc import Mapping
from decimal import Decimal

from gal_friday.domain import quantity
from gal_friday.domain.assets import Asset, Wallet
from gal_friday.domain.records import Balance
from gal_friday.domain.snapshot import Coverage, Snapshot

Place = tuple[Asset, Wallet]


def unproven_balances(snapshot: Snapshot) -> Mapping[Place, str]:
    """Return, for each balance that the ledger of the same side contradicts, what the two say.

    Only where the ledger was read in full and shows a row for every name that the balance is made of:
    a name that did not move in the window is neither proven nor contradicted.
    """
    if not snapshot.movements or snapshot.coverage.movements != Coverage.TOTAL:
        return {}
    newest = {row.raw[0]: row.balance_after for row in snapshot.movements if row.raw and row.balance_after is not None}
    return {
        (row.asset, row.wallet): _told(row, told)
        for row in snapshot.balances
        if (told := _by_ledger(row, newest)) is not None and told != row.total
    }


def _by_ledger(row: Balance, newest: Mapping[str, Decimal]) -> Decimal | None:
    """Return what the ledger says the balance is, or None where it does not say."""
    parts = [newest.get(name) for name in row.raw]
    known = [part for part in parts if part is not None]
    return quantity.total(known) if known and len(known) == len(parts) else None


def _told(row: Balance, by_ledger: Decimal) -> str:
    return (
        f"the exchange states {quantity.short(row.total)} {row.asset}, its own ledger {quantity.short(by_ledger)}: "
        f"one of them lags behind, or a withdrawal is on its way; run again"
    )
