"""From findings to discrepancies: named, valued, graded, and met again in every run."""

from typing import Any

import pytest

from gal_friday.domain.assets import Asset
from gal_friday.domain.discrepancy import (
    BalanceDiscrepancy,
    Discrepancy,
    PositionDiscrepancy,
    RecordDiscrepancy,
    stake_assets,
)
from gal_friday.domain.policy import Policy
from gal_friday.domain.report import compare
from tests.domain.build import D, at, balance, exchange, fill, found, internal, movement, order, position

XRP = {Asset("XRP"): D(1)}
BTC = {Asset("BTC"): D(1)}


def discrepancies(ours: object, theirs: object, **more: Any) -> tuple[Discrepancy, ...]:
    left = internal(*(ours if isinstance(ours, list) else [ours]))
    right = exchange(*(theirs if isinstance(theirs, list) else [theirs]))
    return compare(left, right, **more).discrepancies


def one(ours: object, theirs: object, **more: Any) -> Discrepancy:
    (discrepancy,) = discrepancies(ours, theirs, **more)
    return discrepancy


@pytest.mark.parametrize(
    "theirs, severity",
    [("10000.9999", "low"), ("10001", "low"), ("10010", "medium"), ("10100", "high"), ("11000", "critical")],
)
@pytest.mark.parametrize("swap", [False, True])
def test_of_share_and_value_the_more_severe_counts_whatever_the_sign(theirs: str, severity: str, swap: bool) -> None:
    pair = (balance("BTC", "10000"), balance("BTC", theirs))
    assert one(*(pair[::-1] if swap else pair), prices=BTC).severity == severity


@pytest.mark.parametrize(
    "theirs, severity", [("101", "low"), ("101.02", "medium"), ("105.3", "high"), ("112", "critical")]
)
def test_without_a_price_the_share_alone_grades(theirs: str, severity: str) -> None:
    discrepancy = one(balance("BTC", "100"), balance("BTC", theirs))
    assert (discrepancy.severity, discrepancy.value) == (severity, None)


@pytest.mark.parametrize("theirs, severity", [("0.99999999", "low"), ("1", "critical")])
def test_a_difference_worth_less_than_the_trivial_value_is_low_whatever_else_holds(theirs: str, severity: str) -> None:
    assert one(balance("BTC", "0"), balance("BTC", theirs), prices=BTC).severity == severity
    assert one(position("0.00"), position(theirs), prices=XRP).severity == ("low" if severity == "low" else "high")


@pytest.mark.parametrize(
    "ours, theirs, severity",
    [
        ([position("5")], [], "critical"),
        ([position("5")], [position("0")], "critical"),
        ([], [position("-5")], "high"),
        ([position("0")], [position("-5")], "high"),
        ([position("5", instrument="?XXRPZUSD")], [], "critical"),
        ([], [position("5", instrument="?XXRPZUSD")], "high"),
        ([position("100")], [position("100.5")], "low"),
        ([position("100")], [position("-100")], "critical"),
    ],
)
def test_a_position_on_one_side_alone_has_its_floor(ours: list[object], theirs: list[object], severity: str) -> None:
    assert one(ours, theirs).severity == severity


def test_the_value_of_a_position_can_raise_its_floor() -> None:
    assert one([], position("1000"), prices=XRP).severity == "critical"


def test_a_record_is_graded_by_its_value_and_medium_without_one() -> None:
    assert one([], fill(quantity="100", price="10")).severity == "critical"
    assert one([], fill(quantity="1", price="0.5")).severity == "low"
    assert one([], fill(quantity="100", price="10", instrument="BTC/EUR")).severity == "medium"


def test_a_balance_on_one_side_says_which_side_lacks_it() -> None:
    there, back = one(balance("BTC", "1"), []), one([], balance("BTC", "1"))
    assert isinstance(there, BalanceDiscrepancy)
    assert isinstance(back, BalanceDiscrepancy)
    assert (there.missing_on, back.missing_on) == ("exchange", "internal")
    assert (there.internal, there.exchange, there.difference) == (D(1), D(0), D(-1))
    assert (back.internal, back.exchange, back.difference) == (D(0), D(1), D(1))


def test_a_balance_keeps_its_id_when_the_book_begins_to_list_it() -> None:
    absent, wrong = one([], balance("BTC", "1")), one(balance("BTC", "0.5"), balance("BTC", "1"))
    assert absent.id == wrong.id


def test_a_duplicate_beside_an_absence_is_a_discrepancy_of_its_own() -> None:
    lack, twice = discrepancies([balance("BTC", "1")] * 2, [])
    assert isinstance(lack, BalanceDiscrepancy)
    assert lack.missing_on == "exchange"
    assert isinstance(twice, RecordDiscrepancy)
    assert (twice.type, twice.internal, twice.exchange, twice.side) == (
        "balance_duplicated",
        "2 against 1",
        None,
        "internal",
    )


def test_a_contradiction_puts_no_words_into_the_mouth_of_the_other_side() -> None:
    ours = balance("BTC", "1")
    contradiction = one(ours, balance("BTC", "1", "2"))
    assert isinstance(contradiction, RecordDiscrepancy)
    assert (contradiction.internal, contradiction.exchange) == (None, "2 against 1")
    report = compare(internal(ours), exchange(balance("BTC", "1", "2")))
    assert report.manual_review_required[0].issue == "holds:BTC held above total: exchange 2 against 1"


def test_conflicts_on_both_sides_have_two_ids() -> None:
    ours, theirs = [fill(price="1"), fill(price="2")], [fill(price="2"), fill(price="3")]
    ids = [discrepancy.id for discrepancy in discrepancies(ours, theirs)]
    assert len(ids) == len(set(ids)) == 3


def test_two_rows_of_one_event_listed_twice_have_two_ids() -> None:
    rows = [movement("B1", refers_to="T1"), movement("B2", refers_to="T1")]
    ids = [discrepancy.id for discrepancy in discrepancies([*rows, *rows], rows)]
    assert len(ids) == len(set(ids)) == 2


def test_an_id_depends_on_account_and_exchange_and_on_nothing_that_changes() -> None:
    first = one(balance("BTC", "1"), balance("BTC", "2"))
    again = one(balance("BTC", "7"), balance("BTC", "9"), prices=BTC)
    assert first.id == again.id
    other = compare(
        internal(balance("BTC", "1"), exchange="elsewhere"),
        exchange(balance("BTC", "2"), exchange="elsewhere"),
    )
    assert other.discrepancies[0].id != first.id


def test_a_record_on_one_side_has_its_age() -> None:
    discrepancy = one([], fill(minute=-30))
    assert isinstance(discrepancy, RecordDiscrepancy)
    assert (discrepancy.age_seconds, discrepancy.internal, discrepancy.exchange) == (1800, None, "40")


def test_what_is_at_stake_is_told_before_it_is_priced() -> None:
    findings = found([balance("ETH", "1"), fill(), fill()], [balance("BTC", "1")])
    assets = {stake.asset for finding in findings.values() for stake in stake_assets(finding)}
    assert assets == {"ETH", "BTC", "USD"}


def test_a_position_says_its_mode_and_a_cost_its_type() -> None:
    discrepancy = one(position("10", price="1"), position("10", price="2"))
    assert isinstance(discrepancy, PositionDiscrepancy)
    assert (discrepancy.trading_pair, discrepancy.mode, discrepancy.type) == (
        "XRP/USD",
        "net",
        "cost_basis_mismatch",
    )
    assert (discrepancy.internal, discrepancy.exchange, discrepancy.difference) == (D(10), D(20), D(10))


def test_amounts_too_long_for_the_ambient_context_are_valued_and_never_raise() -> None:
    longest = "9" * 40 + "." + "9" * 30
    prices = {Asset("USD"): D(longest), Asset("XRP"): D(longest)}
    policy = Policy(reporting_currency=Asset("EUR"))
    rows = [
        fill(quantity=longest, price=longest),
        order(quantity=longest, price=longest),
        position(longest, price=longest),
        movement("L1", longest),
        balance("XRP", longest),
    ]
    for ours, theirs in ((rows, []), ([], rows), (rows, [position("1", price="2"), fill(quantity="1")])):
        for discrepancy in discrepancies(ours, theirs, prices=prices, policy=policy):
            assert discrepancy.value is None or discrepancy.severity == "critical"


@pytest.mark.parametrize(
    "ours, theirs, age",
    [
        pytest.param(fill(), fill(price="0.7"), 1800, id="a fill: since it was executed"),
        pytest.param([fill(), fill()], [fill()], 1800, id="a fill that is listed twice"),
        pytest.param(movement(), movement(net="41"), 1800, id="a movement: since it was booked"),
        pytest.param(order(), order(price="0.7"), 3600, id="terms of an order: since it was placed"),
        pytest.param(order(), order(status="canceled"), 1800, id="state of an order: since it changed"),
        pytest.param(order(), order(filled="10", updated=-60), None, id="an order that tells no later instant"),
    ],
)
def test_what_both_sides_have_is_wrong_since_its_own_instant(ours: object, theirs: object, age: int | None) -> None:
    sides = [rows if isinstance(rows, list) else [rows] for rows in (ours, theirs)]
    report = compare(internal(*sides[0]), exchange(*sides[1]))
    assert {one.age_seconds for one in report.discrepancies if isinstance(one, RecordDiscrepancy)} == {age}


def test_a_record_newer_than_the_report_is_of_no_negative_age() -> None:
    report = compare(internal(as_of=at(5)), exchange(fill(minute=3), as_of=at(4)))
    assert [one.age_seconds for one in report.discrepancies] == [120]
