"""Verdict and status: incomplete wins, and what was not looked at is never green (I6)."""

import pytest

from gal_friday.domain.records import Kind
from gal_friday.domain.report import ReconciliationReport, compare
from gal_friday.domain.snapshot import Coverage, Coverages, NotChecked
from tests.domain.build import ALL, balance, covering, exchange, fill, internal, order

SAME = balance("BTC", "1")
OTHER = balance("BTC", "2")
LATE = fill(minute=1, instrument="BTC/USD", order_id=None)


def judged(report: ReconciliationReport) -> tuple[str, str]:
    return report.verdict, report.status


def test_everything_compared_and_equal_is_reconciled() -> None:
    assert judged(compare(internal(SAME), exchange(SAME))) == ("reconciled", "success")


def test_what_differs_outranks_what_is_pending() -> None:
    rows = [SAME, balance("ETH", "1"), LATE]
    assert judged(compare(internal(*rows), exchange(OTHER, LATE))) == ("discrepancies", "partial")


def test_what_is_pending_is_not_reconciled() -> None:
    assert judged(compare(internal(SAME, LATE), exchange(OTHER, LATE))) == ("pending", "partial")


@pytest.mark.parametrize("theirs", [SAME, OTHER])
@pytest.mark.parametrize("kind", ["balances", "positions", "orders", "fills", "movements"])
@pytest.mark.parametrize("coverage", [Coverage.PARTIAL, Coverage.NONE])
def test_incomplete_wins_over_everything(theirs: object, kind: str, coverage: Coverage) -> None:  # I6
    for blind in ("internal", "exchange"):
        left = internal(SAME, coverage=covering(kind, coverage) if blind == "internal" else ALL)
        right = exchange(theirs, coverage=covering(kind, coverage) if blind == "exchange" else ALL)
        report = compare(left, right)
        assert report.verdict == "incomplete"
        assert [(gap.kind, gap.side) for gap in report.not_checked] == [(kind, blind)]


def test_a_key_that_cannot_be_told_is_incomplete_though_all_was_covered() -> None:  # I6, I15
    report = compare(internal(SAME), exchange(balance("?XFOO", "1")))
    assert judged(report) == ("incomplete", "partial")


def test_a_gap_that_a_reader_named_counts_whatever_the_coverage_says() -> None:  # I6
    for kind in (Kind.BALANCES, Kind.HOLDS, Kind.SOURCES):
        gap = NotChecked(kind, "the third page was unreadable")
        report = compare(internal(SAME), exchange(SAME, not_checked=(gap,)))
        assert report.verdict == "incomplete"
        assert report.not_checked == (NotChecked(kind, "the third page was unreadable", "exchange"),)


def test_every_named_reason_is_told() -> None:
    gaps = tuple(NotChecked(Kind.FILLS, reason) for reason in ("page 3", "page 5"))
    right = exchange(SAME, coverage=covering("fills", Coverage.PARTIAL), not_checked=gaps)
    assert [gap.reason for gap in compare(internal(SAME), right).not_checked] == ["page 3", "page 5"]


def test_a_kind_that_neither_side_covers_is_no_part_of_the_comparison_and_said_so() -> None:
    only = Coverages(balances=Coverage.TOTAL)
    report = compare(internal(SAME, coverage=only), exchange(SAME, coverage=only))
    assert judged(report) == ("reconciled", "success")
    assert {gap.kind for gap in report.not_checked} == {"positions", "orders", "fills", "movements"}


def test_a_kind_that_neither_side_covers_but_one_lists_is_a_gap() -> None:  # I6
    only = Coverages(balances=Coverage.TOTAL)
    report = compare(internal(SAME, fill(), coverage=only), exchange(SAME, coverage=only))
    assert report.verdict == "incomplete"
    assert report.total_discrepancies == 0


def test_a_kind_left_out_on_request_is_said_and_has_no_weight() -> None:
    report = compare(internal(SAME, order()), exchange(SAME), only=[Kind.BALANCES])
    assert judged(report) == ("reconciled", "success")
    left_out = [gap.kind for gap in report.not_checked if "on request" in gap.reason]
    assert left_out == ["positions", "orders", "fills", "movements"]


def test_kinds_may_be_named_as_plain_text() -> None:
    report = compare(internal(SAME), exchange(OTHER, order()), only=["balances"])  # type: ignore[list-item]
    assert (report.verdict, report.total_discrepancies) == ("discrepancies", 1)


def test_coverage_may_be_given_as_plain_text() -> None:
    total = Coverages(balances="total")  # type: ignore[arg-type]
    report = compare(internal(SAME, coverage=total), exchange(coverage=total))
    assert (report.verdict, report.total_discrepancies) == ("discrepancies", 1)


def test_nothing_covered_is_no_comparison() -> None:  # N14
    report = compare(internal(coverage=Coverages()), exchange(coverage=Coverages()))
    assert judged(report) == ("incomplete", "failed")


def test_two_sides_that_were_seen_in_full_and_list_nothing_are_no_agreement_and_no_failure() -> None:  # N14
    assert judged(compare(internal(), exchange())) == ("incomplete", "partial")
    assert judged(compare(internal(SAME), exchange(SAME), only=[Kind.ORDERS])) == ("incomplete", "partial")


@pytest.mark.parametrize("coverage", [Coverage.PARTIAL, Coverage.NONE])
def test_nothing_listed_by_a_side_that_saw_no_kind_in_full_is_a_failure(coverage: Coverage) -> None:  # N14
    blind = Coverages(balances=coverage)
    assert judged(compare(internal(), exchange(coverage=blind))) == ("incomplete", "failed")


def test_a_run_in_which_no_key_could_be_told_has_failed() -> None:
    blind = covering("balances", Coverage.NONE)
    assert judged(compare(internal(SAME), exchange(coverage=blind))) == ("incomplete", "failed")


def test_an_empty_side_under_total_coverage_is_a_discrepancy_and_no_gap() -> None:
    assert judged(compare(internal(SAME), exchange())) == ("discrepancies", "partial")


def test_holds_that_one_side_does_not_tell_are_said_without_weight() -> None:
    report = compare(internal(SAME), exchange(balance("BTC", "1", "0.1")))
    assert report.verdict == "reconciled"
    assert [(gap.kind, gap.side) for gap in report.not_checked] == [("holds", "internal")]
