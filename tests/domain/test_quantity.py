"""Exact amounts: what may enter, and that nothing which entered is ever rounded or raised on."""

import decimal
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gal_friday.domain import quantity
from gal_friday.domain.errors import MalformedAmount

ENORMOUS = "9" * 40 + "." + "9" * 30
legal = st.builds(
    lambda sign, whole, part: Decimal(f"{sign}{whole}.{part}"),
    st.sampled_from(["", "-"]),
    st.integers(0, 10**40 - 1),
    st.integers(0, 10**30 - 1).map(lambda part: f"{part:030d}"),
)


@pytest.fixture
def _narrow_context() -> Iterator[None]:
    with decimal.localcontext() as context:
        context.prec = 5
        context.rounding = decimal.ROUND_DOWN
        yield


@pytest.mark.parametrize(
    "text, meant",
    [
        ("0.25", "0.25"),
        ("-1500", "-1500"),
        ("+3", "3"),
        (".5", "0.5"),
        ("5.", "5"),
        ("5.4E-9", "0.0000000054"),
        ("1e3", "1000"),
        ("9" * 40, "9" * 40),
        ("0." + "0" * 29 + "1", "0." + "0" * 29 + "1"),
        ("1E+39", "1" + "0" * 39),
        ("1E-30", "0." + "0" * 29 + "1"),
    ],
)
def test_an_amount_is_read_with_exactly_its_digits(text: str, meant: str) -> None:
    assert quantity.text(quantity.parse(text)) == meant


@pytest.mark.parametrize(
    "text",
    [
        *("", " 1", "1 ", "1_000", "1,000", "1'000", "0x10", "--1", "1e", "e5", ".", "-", "1.2.3", "½", "１"),
        *("NaN", "nan", "sNaN", "inf", "Infinity", "-Infinity", "None", "1e9999", "1\n", "١"),
        *("9" * 41, "1E+40", "0." + "0" * 30 + "1", "1E-31", "1e999", "1e-999"),
    ],
)
def test_what_is_no_amount_or_too_long_is_refused(text: str) -> None:
    with pytest.raises(MalformedAmount):
        quantity.parse(text)


@pytest.mark.parametrize("text", ["-0", "-0.000", "0E+500", "-0e-500", "0E-999"])
def test_negative_and_extravagant_zero_are_zero(text: str) -> None:
    assert quantity.text(quantity.parse(text)) == "0"


@pytest.mark.parametrize("value", [0.5, 1, True, "1", None])
def test_only_a_decimal_is_an_amount(value: object) -> None:  # I1
    with pytest.raises(MalformedAmount, match="no Decimal"):
        quantity.exact(value)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["NaN", "sNaN", "Infinity", "-Infinity"])
def test_what_is_not_finite_is_no_amount(text: str) -> None:  # I1
    with pytest.raises(MalformedAmount):
        quantity.exact(Decimal(text))
    with pytest.raises(MalformedAmount):
        quantity.refuse_inexact(Decimal(text))


def test_an_unknown_amount_is_not_refused() -> None:
    quantity.refuse_inexact(None)


@given(left=legal, right=legal, third=legal)
def test_sums_and_products_of_legal_amounts_never_raise_and_never_round(  # I2
    left: Decimal, right: Decimal, third: Decimal
) -> None:
    assert Fraction(quantity.add(left, right)) == Fraction(left) + Fraction(right)
    assert Fraction(quantity.subtract(left, right)) == Fraction(left) - Fraction(right)
    product = quantity.multiply(quantity.multiply(left, right), third)
    assert Fraction(product) == Fraction(left) * Fraction(right) * Fraction(third)


@given(amounts=st.lists(legal, max_size=20))
def test_a_total_does_not_depend_on_the_order(amounts: list[Decimal]) -> None:  # I2
    assert quantity.total(amounts) == quantity.total(reversed(amounts))
    assert Fraction(quantity.total(amounts)) == sum(map(Fraction, amounts))


def test_a_product_of_three_of_the_longest_amounts_is_exact() -> None:
    longest = quantity.parse(ENORMOUS)
    cube = quantity.multiply(quantity.multiply(longest, longest), longest)
    assert Fraction(cube) == Fraction(ENORMOUS) ** 3


def test_what_would_have_to_be_rounded_raises() -> None:  # I2
    tiny = Decimal("1E-150")
    with pytest.raises(decimal.Inexact):
        quantity.add(Decimal("1E+100"), tiny)


@pytest.mark.usefixtures("_narrow_context")
def test_the_ambient_context_changes_nothing() -> None:
    long, other = Decimal("12345678901234567890.123456789"), Decimal("-0.000000001")
    assert quantity.text(quantity.parse("1234567.1234567")) == "1234567.1234567"
    assert quantity.text(quantity.add(long, other)) == "12345678901234567890.123456788"
    assert quantity.text(quantity.subtract(long, other)) == "12345678901234567890.123456790"
    assert quantity.text(quantity.multiply(long, Decimal(1))) == "12345678901234567890.123456789"
    assert quantity.text(quantity.absolute(quantity.negate(long))) == "12345678901234567890.123456789"
    assert quantity.text(quantity.total([long, other, other])) == "12345678901234567890.123456787"
    assert quantity.text(quantity.rounded(long, 8)) == "12345678901234567890.12345679"
    assert quantity.text(quantity.rounded_quotient(Decimal(1), Decimal(3), 12)) == "0.333333333333"
    assert quantity.at_least(long, Decimal("1"), long)
    assert not quantity.at_least(quantity.subtract(long, Decimal("1E-9")), Decimal("1"), long)


@pytest.mark.parametrize("zero", [Decimal("-0"), Decimal("-0.00"), Decimal("0")])
def test_no_operation_gives_a_negative_zero(zero: Decimal) -> None:
    minus = Decimal(-3)
    results = (
        quantity.negate(zero),
        quantity.multiply(zero, minus),
        quantity.multiply(minus, zero),
        quantity.absolute(zero),
        quantity.rounded(Decimal("-0.001"), 2),
        quantity.rounded_quotient(Decimal(-1), Decimal(1000), 2),
    )
    assert [result.is_signed() for result in results] == [False] * 6
    assert not quantity.text(zero).startswith("-")


@pytest.mark.parametrize(
    "dividend, divisor, places, quotient",
    [
        ("1", "3", 4, "0.3333"),
        ("2", "3", 4, "0.6667"),
        ("1", "8", 2, "0.12"),  # a tie goes to the even digit
        ("3", "8", 2, "0.38"),
        ("-1", "8", 2, "-0.12"),
        ("10", "4", 0, "2"),
        ("14", "4", 0, "4"),
        ("0", "7", 3, "0.000"),
    ],
)
def test_a_quotient_is_rounded_half_to_even(dividend: str, divisor: str, places: int, quotient: str) -> None:
    result = quantity.rounded_quotient(Decimal(dividend), Decimal(divisor), places)
    assert quantity.text(result) == quotient


@given(dividend=legal, divisor=legal.filter(bool))
def test_a_quotient_is_rounded_once(dividend: Decimal, divisor: Decimal) -> None:
    result = quantity.rounded_quotient(dividend, divisor, 12)
    assert Fraction(result) == round(Fraction(dividend) / Fraction(divisor) * 10**12) * Fraction(1, 10**12)


def test_division_by_zero_raises() -> None:
    with pytest.raises(ZeroDivisionError):
        quantity.rounded_quotient(Decimal(1), Decimal("0.00"), 2)


@pytest.mark.parametrize(
    "part, share, whole, reached",
    [
        ("0.1", "0.10", "1", True),
        ("0.09999999999999999999999999999999", "0.10", "1", False),
        ("-0.1", "0.10", "1", True),
        ("0.1", "0.10", "-1", True),
    ],
)
def test_a_share_is_reached_at_its_bound_and_without_regard_to_sign(
    part: str, share: str, whole: str, reached: bool
) -> None:
    assert quantity.at_least(Decimal(part), Decimal(share), Decimal(whole)) is reached


@pytest.mark.parametrize(
    "text, plain, short",
    [
        ("1E-8", "0.00000001", "0.00000001"),
        ("1.500", "1.500", "1.5"),
        ("100", "100", "100"),
        ("1E+3", "1000", "1000"),
        ("0.00", "0.00", "0"),
    ],
)
def test_an_amount_is_written_in_plain_digits(text: str, plain: str, short: str) -> None:
    assert (quantity.text(Decimal(text)), quantity.short(Decimal(text))) == (plain, short)


def test_units_and_places() -> None:
    assert quantity.text(quantity.unit(8)) == "0.00000001"
    assert quantity.text(quantity.half_unit(8)) == "0.000000005"
    assert quantity.text(quantity.half_unit(0)) == "0.5"
    assert [quantity.places(Decimal(text)) for text in ("1.50", "1", "1E+3", "1E-8")] == [2, 0, 0, 8]


@pytest.mark.parametrize(
    "text, places, finer",
    [
        ("1.50", 1, False),
        ("1.51", 1, True),
        ("0.00", 0, False),
        ("-0.05", 1, True),
        ("1E+3", 0, False),
        ("7", 2, False),
    ],
)
def test_an_amount_is_finer_where_rounding_would_change_it(text: str, places: int, finer: bool) -> None:
    assert quantity.is_finer(Decimal(text), places) is finer
    assert (quantity.rounded(Decimal(text), places) != Decimal(text)) is finer


FORM = "is not an amount: it is not a decimal number such as 0.25 or -1500"
WHOLE, FRACTION = "it has more than 40 digits before the point", "it has more than 30 digits after the point"


@pytest.mark.parametrize(
    "text, shown, why",
    [
        ("1,5", "'1,5'", "it is not a decimal number such as 0.25 or -1500"),
        ("9" * 41, f"'{'9' * 41}'", WHOLE),
        ("9" * 80, f"'{'9' * 80}'", WHOLE),
        ("9" * 81, f"'{'9' * 76}…'", WHOLE),
        ("0." + "0" * 30 + "1", "'1E-31'", FRACTION),
        ("1." + "0" * 31, f"'1.{'0' * 31}'", FRACTION),
        ("-1e40", "'-1E+40'", WHOLE),
    ],
)
def test_an_amount_that_is_refused_is_shown_with_the_reason(text: str, shown: str, why: str) -> None:
    with pytest.raises(MalformedAmount) as refused:
        quantity.parse(text)
    assert (str(refused.value), refused.value.reason) == (f"{shown} is not an amount: {why}", why)


@pytest.mark.parametrize(
    "wrong, said",
    [
        (0.5, "'0.5' is not an amount: it is no Decimal; make one from text, as in Decimal('0.25')"),
        (Decimal("-Infinity"), "'-Infinity' is not an amount: NaN and infinity are not amounts"),
    ],
)
def test_what_is_no_exact_number_is_refused_with_the_reason(wrong: Any, said: str) -> None:
    for refuse in (quantity.exact, quantity.refuse_inexact, quantity.followed):
        with pytest.raises(MalformedAmount) as refused:
            refuse(wrong)
        assert str(refused.value) == said


@pytest.mark.parametrize(
    "text, kept",
    [
        ("-0.0", "0"),
        ("0.00", "0.00"),
        ("0." + "0" * 30, "0E-30"),
        ("0." + "0" * 31, "0"),
        ("0E+1", "0"),
        ("9" * 40 + "." + "9" * 30, "9" * 40 + "." + "9" * 30),
    ],
)
def test_a_zero_keeps_its_places_where_they_are_those_of_an_amount(text: str, kept: str) -> None:
    assert str(quantity.parse(text)) == kept


def test_what_follows_from_amounts_may_be_longer_than_any_of_them() -> None:
    long = "1" * 50 + "." + "1" * 50
    assert str(quantity.reread(long)) == long
    assert str(quantity.followed(Decimal("-0E-90"))) == "0"
    for text in ("1,5", " 1", "NaN", ""):
        with pytest.raises(MalformedAmount) as refused:
            quantity.reread(text)
        assert str(refused.value) == f"{text!r} {FORM}"


def test_the_sum_of_nothing_is_zero_and_of_one_amount_that_amount() -> None:
    one = Decimal("1.50")
    assert (quantity.total([]), quantity.total([one]) is one) == (Decimal(0), True)
    assert str(quantity.total([one, Decimal("-1.5"), Decimal("0.250")])) == "0.250"


def test_roots_and_powers_are_rounded_half_to_even_as_far_as_they_are_asked_for() -> None:
    assert str(quantity.rounded_root(Decimal(2), 5)) == "1.41421"
    assert str(quantity.rounded_root(Decimal("0.0625"), 1)) == "0.2"
    assert str(quantity.rounded_exp(Decimal(-1), 6)) == "0.367879"
    assert str(quantity.rounded_exp(Decimal("-199.99"), 90)) != "0"
    assert str(quantity.rounded_exp(Decimal(-200), 90)) == "0"


def test_what_is_divided_by_zero_is_told() -> None:
    with pytest.raises(ZeroDivisionError, match=r"^0\.00000001 divided by zero$"):
        quantity.rounded_quotient(Decimal("1E-8"), Decimal("0.0"), 2)


@pytest.mark.parametrize("part, reached", [("5", True), ("4.9", False), ("-5", True)])
def test_a_share_of_a_negative_whole_is_one_of_its_size(part: str, reached: bool) -> None:
    assert quantity.at_least(Decimal(part), Decimal("0.5"), Decimal(-10)) is reached
