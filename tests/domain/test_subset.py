"""Which amounts add up: what is returned is a sum, nothing is missed, and the bound on work is kept."""

from decimal import Decimal
from itertools import combinations
from random import Random  # noqa: TID251 - seeded

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gal_friday.domain import quantity
from gal_friday.domain.subset import Sums, in_units, subsets

D = Decimal

small = st.integers(-40, 40).map(lambda units: D(units).scaleb(-2))
fine = st.integers(0, 3).map(lambda units: D(units).scaleb(-2))


def every_subset(amounts: list[Decimal], target: Decimal, tolerance: Decimal) -> list[tuple[int, ...]]:
    """Try them all."""
    return [
        rows
        for size in range(1, len(amounts) + 1)
        for rows in combinations(range(len(amounts)), size)
        if abs(sum(amounts[row] for row in rows) - target) <= tolerance
    ]


def decimals(*texts: str) -> list[Decimal]:
    return [D(text) for text in texts]


@given(amounts=st.lists(small, max_size=12), target=small, tolerance=fine)
def test_the_search_finds_what_trying_all_subsets_finds(
    amounts: list[Decimal], target: Decimal, tolerance: Decimal
) -> None:
    found = subsets(amounts, target, tolerance=tolerance, most=10_000)
    assert found.complete
    assert list(found.subsets) == every_subset(amounts, target, tolerance)


@given(amounts=st.lists(small, min_size=1, max_size=40), target=small, tolerance=fine, most=st.integers(1, 20))
def test_nothing_that_is_returned_misses_the_target(
    amounts: list[Decimal], target: Decimal, tolerance: Decimal, most: int
) -> None:
    found = subsets(amounts, target, tolerance=tolerance, most=most, budget=3000)
    assert len(found.subsets) <= most
    for rows in found.subsets:
        assert abs(sum(amounts[row] for row in rows) - target) <= tolerance
        assert list(rows) == sorted(set(rows))


@given(amounts=st.lists(small, max_size=14), target=small, budget=st.integers(0, 500))
def test_a_size_is_called_searched_only_if_all_its_solutions_are_there(
    amounts: list[Decimal], target: Decimal, budget: int
) -> None:
    found = subsets(amounts, target, most=10_000, budget=budget)
    assert [rows for rows in every_subset(amounts, target, D(0)) if len(rows) in found.sizes] == list(found.subsets)
    assert found.complete == (found.sizes == tuple(range(1, len(amounts) + 1)))


def test_the_smallest_solution_comes_first() -> None:
    found = subsets(decimals("1", "2", "3", "6", "-3"), D(6))
    assert found.subsets[:3] == ((3,), (0, 1, 2), (2, 3, 4))


def test_a_search_for_the_smallest_stops_at_its_size() -> None:
    assert subsets(decimals("1", "2", "3", "6", "-3"), D(6), smallest_only=True) == Sums(((3,),), (1,), complete=True)


def test_sizes_that_are_not_asked_for_are_not_searched() -> None:
    assert subsets(decimals("1", "2", "3"), D(3), sizes=(2, 3)) == Sums(((0, 1),), (2, 3), complete=True)


def test_more_solutions_than_are_kept_are_no_complete_answer() -> None:
    found = subsets(decimals("1", "1", "1"), D(1), most=2)
    assert len(found.subsets) == 2
    assert not found.complete


def test_what_the_budget_does_not_allow_is_unsearched_and_not_empty() -> None:
    amounts = [D(n) for n in range(1, 201)]
    found = subsets(amounts, D("0.5"), budget=20_500)
    assert found == Sums((), (1, 2), complete=False)


def test_near_misses_are_counted_as_work() -> None:
    """Sums that fall into a neighbouring bucket and miss would otherwise be looked at without end."""
    amounts = [D(2)] * 100 + [D(-2)] * 100
    found = subsets(amounts, D(1), tolerance=D("0.9"), budget=45_000, sizes=(3, 4))
    assert found == Sums((), (), complete=False)


@pytest.mark.parametrize("offset, hit", [("0.01", True), ("-0.01", True), ("0.011", False), ("-0.011", False)])
def test_the_tolerance_is_inclusive(offset: str, hit: bool) -> None:
    found = subsets(decimals("1", "2"), D(3) + D(offset), tolerance=D("0.01"))
    assert bool(found.subsets) == hit


def test_a_digit_in_the_thirtieth_place_decides() -> None:
    last = D("1E-30")
    assert subsets([D("1E20"), last], D("1E20") + D(0), sizes=(2,)).subsets == ()
    assert subsets([D("1E20"), last], quantity.add(D("1E20"), last)).subsets == ((0, 1),)


def test_forty_amounts_are_searched_to_the_last_subset_where_the_budget_allows() -> None:
    draw = Random(7)
    amounts = [D(draw.randrange(1, 10**17)).scaleb(-8) for _ in range(30)]
    planted = tuple(sorted(draw.sample(range(30), 15)))
    found = subsets(amounts, quantity.total(amounts[row] for row in planted), budget=10**7)
    assert found == Sums((planted,), tuple(range(1, 31)), complete=True)


def test_units_hold_every_digit() -> None:
    assert in_units(decimals("1.5", "-0.25", "3"), 2) == [150, -25, 300]
