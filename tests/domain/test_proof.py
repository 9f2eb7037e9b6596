"""A balance that the exchange's own ledger contradicts proves nothing."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from gal_friday.domain.assets import Asset, Wallet
from gal_friday.domain.compare import compare_snapshots
from gal_friday.domain.finding import Agrees, CannotTell, Differs, Finding
from gal_friday.domain.proof import unproven_balances
from gal_friday.domain.records import Balance, Kind, Movement
from gal_friday.domain.snapshot import Coverage, Coverages, Snapshot

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
EARLIER = datetime(2026, 3, 1, 11, tzinfo=UTC)
BTC = Asset("BTC")


def exchange(
    total: str, *after: tuple[str, str], raw: tuple[str, ...] = ("XXBT",), coverage: Coverage = Coverage.TOTAL
) -> Snapshot:
    rows = tuple(
        Movement(f"L{n}", "deposit", BTC, Wallet.SPOT, Decimal(1), EARLIER, balance_after=Decimal(balance), raw=(name,))
        for n, (name, balance) in enumerate(after)
    )
    return Snapshot(
        side="exchange",
        account="main",
        exchange="kraken",
        as_of=NOON,
        coverage=Coverages(balances=Coverage.TOTAL, movements=coverage),
        balances=(Balance(BTC, Wallet.SPOT, Decimal(total), raw=raw),),
        movements=rows,
    )


def balance_finding(internal: str, theirs: Snapshot) -> Finding:
    ours = Snapshot(
        side="internal",
        account="main",
        exchange="kraken",
        as_of=NOON,
        coverage=Coverages(balances=Coverage.TOTAL),
        balances=(Balance(BTC, Wallet.SPOT, Decimal(internal)),),
    )
    (found,) = compare_snapshots(ours, theirs, only=(Kind.BALANCES,))
    return found


def test_a_balance_that_its_ledger_confirms_is_proven() -> None:
    assert unproven_balances(exchange("2", ("XXBT", "1"), ("XXBT", "2.0"))) == {}


def test_a_balance_is_proven_by_the_newest_row_of_each_name_it_is_made_of() -> None:
    theirs = exchange("5", ("XXBT", "1"), ("XBT.F", "3"), ("XXBT", "2"), raw=("XXBT", "XBT.F"))
    assert unproven_balances(theirs) == {}


def test_a_balance_that_its_ledger_contradicts_is_named_with_both_amounts() -> None:
    (reason,) = unproven_balances(exchange("1.5", ("XXBT", "2"))).values()
    assert "1.5 BTC" in reason
    assert "ledger 2" in reason


@pytest.mark.parametrize(
    "theirs",
    [
        exchange("1.5", ("XXBT", "2"), raw=("XXBT", "XBT.F")),
        exchange("1.5", ("XXBT", "2"), coverage=Coverage.PARTIAL),
        exchange("1.5"),
    ],
    ids=["a name without rows", "a ledger in part", "no rows"],
)
def test_what_the_ledger_does_not_show_is_neither_proven_nor_contradicted(theirs: Snapshot) -> None:
    assert unproven_balances(theirs) == {}


def test_a_difference_from_a_stale_balance_cannot_be_told() -> None:
    assert isinstance(balance_finding("2", exchange("1.5", ("XXBT", "2"))), CannotTell)


def test_a_difference_from_a_proven_balance_is_a_difference() -> None:
    assert isinstance(balance_finding("1.5", exchange("2", ("XXBT", "2"))), Differs)


def test_sides_that_agree_agree_whatever_the_ledger_says() -> None:
    assert isinstance(balance_finding("1.5", exchange("1.5", ("XXBT", "2"))), Agrees)
