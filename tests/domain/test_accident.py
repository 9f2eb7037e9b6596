"""The expected number of accidental sums, held against counting them."""

import math
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from itertools import combinations
from random import Random  # noqa: TID251 - seeded

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gal_friday.domain import quantity
from gal_friday.domain.accident import PROOF_BELOW, expected_accidents, grid

D = Decimal

Draw = Callable[[Random, int], list[int]]


def even(draw: Random, rows: int) -> list[int]:
    return [draw.randrange(1, 400) for _ in range(rows)]


def both_signs(draw: Random, rows: int) -> list[int]:
    return [draw.randrange(-500, 500) for _ in range(rows)]


def round_amounts(draw: Random, rows: int) -> list[int]:
    return [draw.randrange(1, 400) * 25 for _ in range(rows)]


def one_whale(draw: Random, rows: int) -> list[int]:
    return [*even(draw, rows - 1), draw.randrange(40_000, 50_000)]


def skewed(draw: Random, rows: int) -> list[int]:
    return [int(draw.lognormvariate(4, 1)) + 1 for _ in range(rows)]


def expected_and_counted(rows: int, size: int, tolerance: int, amounts_of: Draw) -> tuple[Decimal, int]:
    """Add up what is expected and what is there, for targets near where the sums are."""
    draw = Random(f"{rows} {size} {tolerance} {amounts_of.__name__}")
    expected, counted = D(0), 0
    for _ in range(40):
        amounts = amounts_of(draw, rows)
        sums = Counter(sum(each) for each in combinations(amounts, size))
        for _ in range(20):
            target = sum(draw.sample(amounts, size)) + grid(amounts) * draw.randrange(-30, 30)
            expected += expected_accidents(amounts, size, target, tolerance)
            counted += sum(sums[near] for near in range(target - tolerance, target + tolerance + 1))
    return expected, counted


@pytest.mark.parametrize(
    "rows, size, tolerance, amounts_of",
    [
        (16, 3, 1, even),
        (18, 5, 3, even),
        (20, 3, 0, even),
        (16, 4, 2, both_signs),
        (18, 4, 0, round_amounts),
        (18, 5, 60, round_amounts),
        (20, 6, 12, round_amounts),
        (20, 4, 2, one_whale),
        (20, 3, 20, skewed),
    ],
    ids=lambda value: value.__name__ if callable(value) else str(value),
)
def test_three_and_more_rows_add_up_by_chance_as_often_as_expected(
    rows: int, size: int, tolerance: int, amounts_of: Draw
) -> None:
    expected, counted = expected_and_counted(rows, size, tolerance, amounts_of)
    assert counted > 500
    assert D("0.9") < expected / counted < D("1.1")


@pytest.mark.parametrize("size", [1, 2])
def test_one_or_two_rows_are_never_expected_to_fit_less_often_than_they_do(size: int) -> None:
    expected, counted = expected_and_counted(20, size, 50, even)
    assert counted <= expected < counted * D("1.3")


def test_forty_amounts_in_cents_over_ten_thousand_are_refused_by_a_hair() -> None:
    draw = Random(3)
    cents = [draw.randrange(1_000_000) for _ in range(40)]
    target = 3 * sum(cents) // 40
    triples = expected_accidents(cents, 3, target)
    assert D("0.005") < triples < D("0.02")
    fine = [each * 10**8 + draw.randrange(10**8) for each in cents]
    assert expected_accidents(fine, 3, target * 10**8) * 10**7 < triples


def test_what_is_far_from_every_sum_is_no_accident() -> None:
    draw = Random(3)
    cents = [draw.randrange(1_000_000) for _ in range(40)]
    assert [expected_accidents(cents, size, 10**8) for size in range(1, 7)] == [0] * 6


@pytest.mark.parametrize(
    "units, proves",
    [
        ([73519284], True),  # 0.73519284 BTC
        ([123456], True),  # 1234.56 USD
        ([25], False),  # 0.25
        ([100000], False),  # 1000.00
        ([73519284] * 3, True),
        ([100000] * 3, False),
    ],
)
def test_round_amounts_carry_little_evidence_and_long_ones_a_lot(units: list[int], proves: bool) -> None:
    assert (expected_accidents(units, len(units), sum(units)) < PROOF_BELOW) == proves


@pytest.mark.parametrize("size", [0, -1, 4])
def test_no_subset_of_impossible_size_is_expected(size: int) -> None:
    assert expected_accidents([1, 2, 3], size, 3) == 0


def test_a_whale_does_not_hide_how_many_small_rows_fit_beside_it() -> None:
    draw = Random(9)
    small = [draw.randrange(1, 10_000) for _ in range(199)]
    whale = 10**8
    beside = expected_accidents([*small, whale], 2, whale + 5_001)
    assert expected_accidents(small, 1, 5_001) == beside > PROOF_BELOW


@pytest.mark.parametrize("odd", [[], [777770331], [777770331, 123456789], [-777770331] * 9])
@pytest.mark.parametrize("size", [1, 4])
def test_an_odd_amount_beside_round_ones_makes_a_round_sum_no_rarer(odd: list[int], size: int) -> None:
    cents = [10**9, *[25 * 10**7] * 4]
    assert expected_accidents([*cents, *odd], size, 10**9) > D("0.1")


def test_an_amount_of_many_digits_stays_rare_among_round_ones() -> None:
    round_ones = [each * 10**8 for each in range(1, 20)]
    assert expected_accidents([*round_ones, 777770331], 1, 777770331) < PROOF_BELOW


def test_a_target_that_is_round_within_its_tolerance_is_round() -> None:
    amounts = [10**9, 777770331]
    near = expected_accidents(amounts, 1, 10**9 - 3, 3)
    assert near == expected_accidents(amounts, 1, 10**9, 3) > PROOF_BELOW
    assert expected_accidents(amounts, 1, 10**9 - 3, 2) < PROOF_BELOW


@given(units=st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=12), size=st.integers(1, 3))
def test_finer_rows_beside_never_make_a_target_rarer_than_its_like_do(units: list[int], size: int) -> None:
    hundreds, target = [each * 100 for each in units], 100 * sum(units[:size])
    alone = expected_accidents(hundreds, size, target)
    assert expected_accidents([*hundreds, 7777777777], size, target) >= alone


@pytest.mark.parametrize(
    "units, step", [([25, 75, 100], 25), ([7, 13], 1), ([1200], 100), ([-1200, 1200, 0], 100), ([0], 1), ([], 1)]
)
def test_the_grid_is_what_all_amounts_are_multiples_of(units: list[int], step: int) -> None:
    assert grid(units) == step


def test_roots_and_powers_of_e_are_rounded_to_the_places_asked_for() -> None:
    assert quantity.rounded_root(D(2), 6) == D("1.414214")
    assert quantity.rounded_exp(D(-1), 6) == D("0.367879")
    assert quantity.rounded_exp(D(-(10**30)), 18) == 0


units = st.lists(st.integers(-(10**30), 10**30), min_size=1, max_size=30)


@given(units=units, size=st.integers(1, 6), target=st.integers(-(10**30), 10**30), tolerance=st.integers(0, 10**6))
def test_an_estimate_is_never_below_nothing(units: list[int], size: int, target: int, tolerance: int) -> None:
    assert expected_accidents(units, size, target, tolerance) >= 0


@given(units=st.lists(st.integers(-(10**6), 10**6), min_size=1, max_size=12), size=st.integers(1, 4), data=st.data())
def test_the_order_of_the_rows_does_not_matter(units: list[int], size: int, data: st.DataObject) -> None:
    other = data.draw(st.permutations(units))
    assert expected_accidents(units, size, 777, 3) == expected_accidents(other, size, 777, 3)


def bell(units: list[int], size: int, target: int, width: int) -> float:
    """Return what the first formula says of these, in floats."""
    count, mean = len(units), sum(units) / len(units)
    variance = sum((each - mean) ** 2 for each in units) / count
    spread = math.sqrt(size * variance * (count - size) / (count - 1))
    density = math.exp(-(((target - size * mean) / spread) ** 2) / 2) / math.sqrt(2 * math.pi)
    return math.comb(count, size) * width * density / spread


FOUR, FIVE = [1, 2, 3, 4], [7, 9, 10, 11, 13]


@pytest.mark.parametrize(
    "units, size, target, tolerance, expected",
    [
        # Three and more make a bell, as wide as there are points of the grid within the tolerance.
        (FOUR, 3, 7, 0, bell(FOUR, 3, 7, 1)),
        (FOUR, 3, 7, 1, bell(FOUR, 3, 7, 3)),
        ([2, 4, 6, 8], 3, 14, 0, bell([2, 4, 6, 8], 3, 14, 2)),
        ([2, 4, 6, 8], 3, 14, 1, bell([2, 4, 6, 8], 3, 14, 2)),
        ([2, 4, 6, 8], 3, 14, 2, bell([2, 4, 6, 8], 3, 14, 6)),
        # One or two make none: the larger of both formulas is taken.
        (FOUR, 1, 2, 0, 4 / 3),
        (FOUR, 2, 5, 0, bell(FOUR, 2, 5, 1)),
        ([3, 5], 1, 5, 0, 1),
        # Out of reach is out of reach, but for the tolerance.
        (FOUR, 3, 10, 0, 0),
        (FOUR, 3, 10, 1, bell(FOUR, 3, 10, 3)),
        (FOUR, 3, 5, 0, 0),
        (FOUR, 3, 5, 1, bell(FOUR, 3, 5, 3)),
        # Where all sums are the same, anything up to their size either way could have come out.
        ([25], 1, 25, 0, 1 / 50),
        ([100], 1, 100, 0, 100 / 200),
        ([-25], 1, -25, 0, 1 / 50),
        ([7, 7, 7], 2, 14, 0, 3 / 28),
        ([7, 7, 7], 2, 13, 1, 9 / 28),
        ([3, 5], 2, 8, 0, 1 / 16),
        ([1], 1, 1, 5, 11 / 22),
        ([0], 1, 0, 0, 1 / 2),
        ([5], 1, 0, 0, 0),
        # What stands apart is in the sum, and then is not, and both are added up.
        ([1, 2, 3, 4, 5, 1000], 2, 1003, 0, bell([1, 2, 3, 4, 5], 1, 3, 1)),
        ([-1000, 1, 2, 3, 4, 5], 2, -997, 0, bell([1, 2, 3, 4, 5], 1, 3, 1)),
        ([1, 2, 3, 4, 5, 1000], 1, 1000, 0, 1),
        ([1, 2, 3, 4, 5, 1000], 1, 1001, 0, 0),
        ([1, 2, 3, 4, 5, 1000], 1, 1001, 1, 1),
        ([1, 2, 3, 4, 5, 1000], 1, 999, 1, 1),
        ([1, 2, 3, 4, 5, 1000], 1, 1003, 2, 0),
        ([1, 2, 3, 4, 1000], 3, 7, 0, bell([1, 2, 3, 4, 1000], 3, 7, 1)),
        # Six standard deviations of the others, which is 2 here, and a hair more.
        ([*FIVE, 22], 3, 31, 0, bell([*FIVE, 22], 3, 31, 1)),
        ([*FIVE, 23], 3, 31, 0, bell(FIVE, 3, 31, 1)),
        ([-2, *FIVE], 3, 31, 0, bell([-2, *FIVE], 3, 31, 1)),
        ([-3, *FIVE], 3, 31, 0, bell(FIVE, 3, 31, 1)),
        # No more than five stand apart: the sixth is in the crowd, which it flattens.
        ([1, 2, 3, 4, 5, *(1000**power for power in range(1, 7))], 3, 1007, 0, bell([1, 2, 3, 4, 5, 1000], 3, 1007, 1)),
        # Among their like, round amounts are as round as before.
        ([1000, 2000, 7], 2, 3000, 0, 1 / 6),
        ([1000, 2000, 70], 2, 3000, 0, 1 / 6),
        ([1000, 2000, 7], 2, 2998, 2, 1 / 6),
    ],
)
def test_what_chance_would_give_is_what_the_formulas_say(
    units: list[int], size: int, target: int, tolerance: int, expected: float
) -> None:
    found = expected_accidents(units, size, target, tolerance)
    assert float(found) == pytest.approx(expected, abs=1e-12)
    assert found == round(found, 18)
