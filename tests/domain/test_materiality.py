"""Severity and value: both sides of every threshold, and never the sign."""

import pytest

from gal_friday.domain.assets import Asset
from gal_friday.domain.finding import Stake
from gal_friday.domain.materiality import (
    Severity,
    more_severe,
    rounding_tolerance,
    severity_by_share,
    severity_by_value,
    value_of,
)
from gal_friday.domain.policy import Policy
from tests.domain.build import D

POLICY = Policy()


@pytest.mark.parametrize(
    "difference, severity",
    [
        ("0.9999999999", "low"),
        ("1", "medium"),
        ("4.9999999999", "medium"),
        ("5", "high"),
        ("9.9999999999", "high"),
        ("10", "critical"),
        ("100", "critical"),
    ],
)
def test_the_share_of_the_larger_side_grades(difference: str, severity: str) -> None:
    for sign in (1, -1):
        for ours, theirs in ((D(100), D(1)), (D(-1), D(100)), (D(-100), D(0))):
            assert severity_by_share(D(difference) * sign, ours, theirs, POLICY) == severity


@pytest.mark.parametrize(
    "value, severity",
    [
        ("9.9999999999", "low"),
        ("10", "medium"),
        ("99.9999999999", "medium"),
        ("100", "high"),
        ("999.9999999999", "high"),
        ("1000", "critical"),
    ],
)
def test_the_value_grades(value: str, severity: str) -> None:
    assert severity_by_value(D(value), POLICY) == severity


def test_thresholds_are_those_of_the_policy() -> None:
    strict = Policy(critical_threshold=D("0.001"), critical_value=D("0.01"))
    assert severity_by_share(D("0.1"), D(100), D(100), strict) is Severity.CRITICAL
    assert severity_by_value(D("0.01"), strict) is Severity.CRITICAL


def test_of_several_severities_the_most_severe_counts() -> None:
    assert more_severe(Severity.LOW, Severity.HIGH, Severity.MEDIUM) is Severity.HIGH
    assert more_severe(Severity.CRITICAL, Severity.HIGH) is Severity.CRITICAL


@pytest.mark.parametrize("amount", ["2", "-2"])
def test_a_value_has_no_sign(amount: str) -> None:  # N14
    prices = {Asset("BTC"): D("60000.5")}
    assert value_of(Stake(D(amount), Asset("BTC")), prices, POLICY) == D(120001)
    assert value_of(Stake(D(amount), Asset("USD")), {}, POLICY) == D(2)


def test_without_a_price_there_is_no_value_and_no_small_one_either() -> None:
    assert value_of(Stake(D(2), Asset("BTC")), {}, POLICY) is None
    assert value_of(None, {}, POLICY) is None


def test_the_reporting_currency_needs_no_price() -> None:
    euro = Policy(reporting_currency=Asset("EUR"))
    assert value_of(Stake(D(2), Asset("EUR")), {}, euro) == 2
    assert value_of(Stake(D(2), Asset("USD")), {}, euro) is None


@pytest.mark.parametrize(
    "places, records, tolerance", [(8, 1, "0.000000005"), (4, 3, "0.00015"), (0, 2, "1"), (None, 5, "0"), (8, 0, "0")]
)
def test_rounding_explains_half_a_unit_per_record(places: int | None, records: int, tolerance: str) -> None:
    assert rounding_tolerance(places, records) == D(tolerance)
