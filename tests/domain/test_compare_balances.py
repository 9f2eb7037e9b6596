"""Balances: what is equal, what is absent, what is unknown, and what is listed twice."""

from decimal import Decimal

import pytest

from gal_friday.domain.assets import Asset, Wallet
from gal_friday.domain.finding import (
    Agrees,
    AmountMismatch,
    CannotTell,
    Differs,
    DiscrepancyType,
    ExchangeOnly,
    Inconsistent,
    InternalOnly,
    Pending,
    Stake,
)
from gal_friday.domain.policy import Policy
from gal_friday.domain.snapshot import Coverage, Scales
from tests.domain.build import D, balance, covering, exchange, fill, found, internal, movement, only

MISMATCH = DiscrepancyType.BALANCE_MISMATCH
KEY = "balances:BTC:spot"


def test_equal_totals_agree_whatever_their_written_digits() -> None:
    finding = only(balance("BTC", "1.50"), balance("BTC", "1.5"))
    assert isinstance(finding, Agrees)
    assert (finding.amount, finding.difference) == (D("1.5"), D(0))


@pytest.mark.parametrize("theirs", ["1.00000001", "0.99999999"])
def test_a_gap_equal_to_the_tolerance_agrees_and_stays_on_the_record(theirs: str) -> None:
    finding = only(balance("BTC", "1"), balance("BTC", theirs))
    assert isinstance(finding, Agrees)
    assert finding.difference == D(theirs) - 1


@pytest.mark.parametrize(
    "theirs, difference", [("1.000000010000001", "0.000000010000001"), ("0.99999998", "-0.00000002")]
)
def test_a_gap_beyond_the_tolerance_differs_with_its_sign(theirs: str, difference: str) -> None:
    finding = only(balance("BTC", "1"), balance("BTC", theirs))
    expected = AmountMismatch(MISMATCH, "total", D(1), D(theirs), D(difference), Stake(D(difference), Asset("BTC")))
    assert isinstance(finding, Differs)
    assert finding.mismatches == (expected,)


def test_an_asset_has_its_own_tolerance_and_no_other_has_it() -> None:
    policy = Policy(tolerances={Asset("DOGE"): D("0.5")})
    rows = [balance("DOGE", "10"), balance("BTC", "10")]
    other = [balance("DOGE", "10.5"), balance("BTC", "10.5")]
    assert isinstance(found(rows, other, policy=policy)["balances:DOGE:spot"], Agrees)
    assert isinstance(found(rows, other, policy=policy)[KEY], Differs)
    beyond = only(balance("DOGE", "10"), balance("DOGE", "10.50000001"), policy=policy)
    assert isinstance(beyond, Differs)


def test_a_tolerance_of_one_asset_can_be_tighter_than_the_floor() -> None:
    policy = Policy(tolerances={Asset("BTC"): D(0)})
    assert isinstance(only(balance("BTC", "1"), balance("BTC", "1.00000001"), policy=policy), Differs)


@pytest.mark.parametrize("theirs, kind", [("1.00015", Agrees), ("1.00015000000001", Differs)])
def test_rounding_widens_by_half_a_unit_of_the_exchange_s_last_place_per_record(theirs: str, kind: type) -> None:
    ours = balance("USD", "1", rounded_records=2)
    right = exchange(balance("USD", theirs, rounded_records=1), scales=Scales(assets={Asset("USD"): 4}))
    assert isinstance(only(ours, right), kind)


def test_without_a_scale_rounded_records_widen_nothing() -> None:
    ours = balance("USD", "1", rounded_records=1000)
    assert isinstance(only(ours, balance("USD", "1.0001")), Differs)


@pytest.mark.parametrize("lacking", ["internal", "exchange"])
@pytest.mark.parametrize(
    "coverage, kind", [(Coverage.TOTAL, None), (Coverage.PARTIAL, CannotTell), (Coverage.NONE, CannotTell)]
)
def test_absence_is_zero_only_where_coverage_is_total(  # I5, N1
    lacking: str, coverage: Coverage, kind: type | None
) -> None:
    blind = covering("balances", coverage)
    left = internal(coverage=blind) if lacking == "internal" else internal(balance("BTC", "1"))
    right = exchange(coverage=blind) if lacking == "exchange" else exchange(balance("BTC", "1"))
    expected = kind or (ExchangeOnly if lacking == "internal" else InternalOnly)
    finding = only(left, right)
    assert isinstance(finding, expected)
    if isinstance(finding, CannotTell):
        assert finding.side == lacking


@pytest.mark.parametrize("total", ["0", "0.00000001", "-0.00000001"])
def test_absence_agrees_with_a_zero_only_under_total_coverage(total: str) -> None:  # I5
    assert isinstance(only(balance("BTC", total), []), Agrees)
    assert isinstance(only([], balance("BTC", total)), Agrees)
    partial = covering("balances", Coverage.PARTIAL)
    assert isinstance(only(internal(balance("BTC", total)), exchange(coverage=partial)), CannotTell)
    assert isinstance(only(internal(coverage=partial), exchange(balance("BTC", total))), CannotTell)


def test_a_total_just_beyond_the_tolerance_is_missed_where_it_is_absent() -> None:
    finding = only(balance("BTC", "0.00000002"), [])
    assert isinstance(finding, InternalOnly)
    assert (finding.type, finding.stake) == (MISMATCH, Stake(D("-0.00000002"), Asset("BTC")))


def test_what_is_present_under_partial_coverage_is_compared() -> None:
    partial = covering("balances", Coverage.PARTIAL)
    left, right = internal(balance("BTC", "1"), coverage=partial), exchange(balance("BTC", "2"))
    assert isinstance(only(left, right), Differs)


@pytest.mark.parametrize("theirs", ["1", "2"])
def test_rows_without_coverage_are_not_judged(theirs: str) -> None:  # I6
    left = internal(balance("BTC", "1"), coverage=covering("balances", Coverage.NONE))
    finding = only(left, exchange(balance("BTC", theirs)))
    assert isinstance(finding, CannotTell)
    assert "state coverage" in finding.reason


def test_wallets_are_compared_apart() -> None:
    ours = [balance("BTC", "3"), balance("BTC", "0", wallet=Wallet.EARN)]
    theirs = [balance("BTC", "1"), balance("BTC", "2", wallet=Wallet.EARN)]
    findings = found(ours, theirs)
    assert set(findings) == {KEY, "balances:BTC:earn"}
    assert all(isinstance(finding, Differs) for finding in findings.values())


def test_wallets_given_as_plain_text_are_the_same_wallets() -> None:
    ours = balance("BTC", "1", held="0.5", wallet="spot")  # type: ignore[arg-type]
    findings = found(ours, balance("BTC", "1", held="0.5"))
    assert [type(finding) for finding in findings.values()] == [Agrees, Agrees]


def test_an_unresolved_asset_is_reported_as_such() -> None:  # I15
    finding = only([], balance("?XFOO", "5"))
    assert isinstance(finding, ExchangeOnly)
    assert finding.type is DiscrepancyType.UNRESOLVED_NAME


@pytest.mark.parametrize("stranger, doubtful", [("5", True), ("0", False)])
def test_an_asset_may_hide_behind_a_name_nobody_could_resolve(stranger: str, doubtful: bool) -> None:  # I15
    there = found(balance("FOO", "5"), balance("?XFOO", stranger))["balances:FOO:spot"]
    back = found(balance("?XFOO", stranger), balance("FOO", "5"))["balances:FOO:spot"]
    assert isinstance(there, CannotTell if doubtful else InternalOnly)
    assert isinstance(back, CannotTell if doubtful else ExchangeOnly)
    assert not isinstance(there, CannotTell) or "?XFOO" in there.reason


def test_a_balance_listed_twice_in_the_book_counts_once_and_is_told() -> None:
    finding = only([balance("BTC", "1"), balance("BTC", "1")], balance("BTC", "1"))
    assert isinstance(finding, Differs)
    (told,) = finding.mismatches
    assert isinstance(told, Inconsistent)
    assert (told.type, told.side, told.stated) == (DiscrepancyType.BALANCE_DUPLICATED, "internal", "2")


def test_a_balance_listed_twice_at_the_exchange_counts_once() -> None:
    assert isinstance(only(balance("BTC", "1"), [balance("BTC", "1")] * 3), Agrees)


def test_rows_that_differ_only_in_what_nobody_interprets_have_one_content() -> None:
    twice = [balance("BTC", "1", extra={"from": "stream"}), balance("BTC", "1", raw=("XXBT",))]
    assert isinstance(only(balance("BTC", "1"), twice), Agrees)
    told = only(twice, balance("BTC", "1"))
    assert isinstance(told, Differs)
    assert told.mismatches[0].type is DiscrepancyType.BALANCE_DUPLICATED


@pytest.mark.parametrize("swap", [False, True])
def test_two_contents_for_one_balance_are_a_conflict_on_either_side_in_any_order(swap: bool) -> None:
    rows = [balance("BTC", "1"), balance("BTC", "2")]
    rows = rows[::-1] if swap else rows
    for finding, side in ((only(rows, balance("BTC", "2")), "internal"), (only([], rows), "exchange")):
        told = finding.mismatches if isinstance(finding, Differs) else getattr(finding, "repeats", ())
        conflict = told[-1]
        assert isinstance(conflict, Inconsistent)
        assert (conflict.type, conflict.side) == (DiscrepancyType.IDENTITY_CONFLICT, side)
    assert found(rows, balance("BTC", "5")) == found(rows[::-1], balance("BTC", "5"))


def test_conflicts_on_both_sides_are_both_told() -> None:
    finding = only([balance("BTC", "1"), balance("BTC", "2")], [balance("BTC", "2"), balance("BTC", "3")])
    assert isinstance(finding, Differs)
    sides = [told.side for told in finding.mismatches if isinstance(told, Inconsistent)]
    assert sides == ["internal", "exchange"]


def test_a_duplicate_does_not_hide_that_the_other_side_lacks_it() -> None:
    finding = only([balance("BTC", "1")] * 2, [])
    assert isinstance(finding, InternalOnly)
    assert [told.type for told in finding.repeats] == [DiscrepancyType.BALANCE_DUPLICATED]


def test_a_duplicate_does_not_hide_that_the_amounts_differ() -> None:
    finding = only([balance("BTC", "1")] * 2, balance("BTC", "3"))
    assert isinstance(finding, Differs)
    assert [told.type for told in finding.mismatches] == [MISMATCH, DiscrepancyType.BALANCE_DUPLICATED]


@pytest.mark.parametrize("late", [fill(minute=0.1), movement(minute=0.1)])
def test_a_total_touched_after_the_other_reading_is_pending(late: object) -> None:
    findings = found([balance("XRP", "100"), balance("BTC", "1"), late], [balance("XRP", "60"), balance("BTC", "2")])
    assert isinstance(findings["balances:XRP:spot"], Pending)
    assert isinstance(findings[KEY], Differs)


def test_a_total_that_agrees_is_not_pending_whatever_moved() -> None:
    findings = found([balance("XRP", "100"), movement(minute=1)], balance("XRP", "100"))
    assert isinstance(findings["balances:XRP:spot"], Agrees)


def test_no_digit_is_lost_beyond_the_ambient_context() -> None:
    ours, theirs = "1" + "0" * 30 + ".00000002", "1" + "0" * 30
    finding = only(balance("SHIB", ours), balance("SHIB", theirs))
    assert isinstance(finding, Differs)
    assert getattr(finding.mismatches[0], "difference", None) == Decimal("-0.00000002")
