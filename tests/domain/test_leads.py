"""What a spot fill moves, where no movements speak for it."""

from decimal import Decimal

import pytest

from gal_friday.domain.assets import Asset
from gal_friday.domain.case import Case
from gal_friday.domain.compare import compare_snapshots
from gal_friday.domain.explanation import Explanation
from gal_friday.domain.leads import leads_about
from gal_friday.domain.records import Fill, Kind
from gal_friday.domain.report import ReconciliationReport, compare
from gal_friday.domain.snapshot import Coverage, Coverages, Snapshot
from tests.domain.build import balance, exchange, fill, internal, movement, position

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


def test_a_fill_on_margin_is_worth_what_it_did_to_the_position_in_units_of_what_is_traded() -> None:
    missed = fill(margin=True)
    report = compare(internal(), exchange(position("40"), missed), prices={Asset("XRP"): Decimal("0.6")})
    assert [(root.event, root.value) for root in report.root_causes] == [("TX", Decimal("24.0"))]


def test_what_a_fill_on_margin_did_stands_with_the_side_that_has_it() -> None:
    for ours, theirs, side in (
        (internal(), exchange(position("40"), fill(margin=True)), "exchange"),
        (internal(position("40"), fill(margin=True)), exchange(), "internal"),
    ):
        case = Case(ours, theirs, compare_snapshots(ours, theirs))
        told = [lead for finding in case.unlike.values() for lead in leads_about(finding, case)]
        assert [lead.side for lead in told if lead.place.kind is Kind.POSITIONS] == [side]


def test_an_explanation_that_rests_on_an_amount_says_how_many_chance_would_give() -> None:
    both = movement("D0", "100", kind="deposit", minute=-90), movement("D1", "812.40517733", kind="deposit")
    report = compare(
        internal(balance("BTC", "1000"), balance("XRP", "1000"), *both),
        exchange(balance("BTC", "1000"), balance("XRP", "187.59482267"), *both),
    )
    (bridge,) = bridges(report)
    assert (bridge.residual, bridge.proven) == (Decimal(0), True)
    assert Decimal(bridge.expected_accidents or 0) == Decimal("8.4221735E-11")
