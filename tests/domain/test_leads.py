"""What a spot fill moves, where no movements speak for it."""

from decimal import Decimal

import pytest

from gal_friday.domain.explanation import Explanation
from gal_friday.domain.records import Fill, Kind
from gal_friday.domain.report import ReconciliationReport, compare
from gal_friday.domain.snapshot import Coverage, Coverages, Snapshot
from tests.domain.build import balance, exchange, fill, internal, movement

ONLY_FILLS = Coverages(balances=Coverage.TOTAL, fills=Coverage.TOTAL)
KNOWN = fill("T1", "1", "60000", instrument="BTC/USD", fee="10", fee_asset="USD", minute=-90)
MISSED = fill("T2", "0.13579", "61234.5", instrument="BTC/USD", fee="21.62", fee_asset="USD")
PRICES = {"BTC": Decimal(61000)}


def book(btc: str, usd: str, *fills: Fill) -> Snapshot:
    return internal(balance("BTC", btc), balance("USD", usd), *fills, coverage=ONLY_FILLS)


def kraken(btc: str, usd: str, *fills: Fill) -> Snapshot:
    return exchange(balance("BTC", btc), balance("USD", usd), *fills, coverage=ONLY_FILLS)


def bridges(report: ReconciliationReport) -> list[Explanation]:
    return [one.bridge for one in report.balance_discrepancies if one.bridge is not None]


@pytest.mark.parametrize(
    "ours, theirs, cause, event",
    [
        (book("1", "1000000", KNOWN), kraken("1.13579", "991663.347245", KNOWN, MISSED), "missed_fill", "T2"),
        (book("1.13579", "991663.347245", KNOWN, MISSED), kraken("1", "1000000", KNOWN), "phantom_record", "T2"),
        (book("2", "939990", KNOWN, KNOWN), kraken("1", "1000000", KNOWN), "duplicated_fill", "T1"),
    ],
    ids=["missed", "phantom", "twice"],
)
def test_a_fill_explains_the_balances_where_neither_side_lists_movements(
    ours: Snapshot, theirs: Snapshot, cause: str, event: str
) -> None:
    report = compare(ours, theirs, prices=PRICES)  # type: ignore[arg-type]
    assert [(root.cause, root.event) for root in report.root_causes] == [(cause, event)]
    assert report.explained_share == 1
    assert [bridge.residual for bridge in bridges(report)] == [0, 0]


def test_without_movements_a_fill_is_an_explanation_and_no_proof() -> None:
    report = compare(book("1", "1000000", KNOWN), kraken("1.13579", "991663.347245", KNOWN, MISSED))
    assert not any(bridge.proven for bridge in bridges(report))


def test_a_missed_fill_is_worth_what_it_moved_and_not_its_whole_order() -> None:
    report = compare(
        book("1", "1000000", KNOWN), kraken("1.13579", "991663.347245", KNOWN, MISSED), prices=PRICES  # type: ignore[arg-type]
    )  # fmt: skip
    assert [root.value for root in report.root_causes] == [Decimal("8336.652755")]


def test_a_fill_that_leads_away_from_the_difference_explains_nothing() -> None:
    """The balances hold it already: the trading system keeps them by other means than its list of fills."""
    report = compare(book("1.13579", "991663.347245", KNOWN), kraken("1.13579", "991658.347245", KNOWN, MISSED))
    (usd,) = bridges(report)
    assert usd.items == ()
    assert usd.residual == Decimal(-5)


def test_where_both_sides_list_their_movements_those_speak() -> None:
    rows = (movement("L1", "0.13579", "BTC", refers_to="T2"), movement("L2", "-8336.652755", "USD", refers_to="T2"))
    ours = internal(balance("BTC", "1"), balance("USD", "1000000"))
    theirs = exchange(balance("BTC", "1.13579"), balance("USD", "991663.347245"), MISSED, *rows)
    report = compare(ours, theirs)
    assert {item.record_ids for bridge in bridges(report) for item in bridge.items} == {("L1",), ("L2",)}


def test_what_was_left_out_of_a_comparison_explains_nothing() -> None:
    rows = (movement("L1", "0.13579", "BTC", refers_to="T2"), movement("L2", "-8336.652755", "USD", refers_to="T2"))
    paid = movement("L0", "1000000", "USD", kind="deposit", minute=-400)
    ours = internal(balance("BTC", "1"), balance("USD", "1000000"), paid)
    theirs = exchange(balance("BTC", "1.13579"), balance("USD", "991663.347245"), MISSED, paid, *rows)
    report = compare(ours, theirs, only=[Kind.BALANCES])
    assert {root.cause for root in report.root_causes} == {"unexplained"}
    assert report.explained_share in (None, 0)
