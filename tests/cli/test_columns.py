"""Amounts in columns keep every digit; only a value is ever rounded, and says so."""

from decimal import Decimal

import pytest

from gal_friday.cli.columns import aligned, amount, signed, worth


def test_amounts_stand_point_under_point() -> None:
    assert aligned(["book", "1.5", "10000", "-0.00000001"]) == [
        "          book",
        "    1.5       ",
        "10000         ",
        "   -0.00000001",
    ]


@pytest.mark.parametrize(
    "difference,text", [("0.250", "+0.25"), ("-24.460", "-24.46"), ("0", "0"), ("-0.00000001", "-0.00000001")]
)
def test_a_difference_carries_its_sign_and_all_its_digits(difference: str, text: str) -> None:
    assert signed(Decimal(difference)) == text


@pytest.mark.parametrize(
    "value,text",
    [
        ("15000", "≈ 15,000.00 USD"),
        ("0.005", "< 0.01 USD"),
        ("0.01", "≈ 0.01 USD"),
        ("0", "0 USD"),
        ("123456789012345678901234567890.126", "≈ 123,456,789,012,345,678,901,234,567,890.13 USD"),
    ],
)
def test_a_value_is_rounded_and_says_so(value: str, text: str) -> None:
    assert worth(Decimal(value), "USD") == text


def test_a_difference_without_a_price_is_worth_nothing_we_know() -> None:
    assert worth(None, "USD") == ""


def test_words_of_a_record_are_left_as_they_are() -> None:
    assert [amount("1.500", exact=True), amount("1.500", exact=False), amount(None, exact=True)] == [
        "1.5",
        "1.500",
        "nothing",
    ]
