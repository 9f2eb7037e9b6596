"""The rows of a ledger follow from each other in the order of their booking, and what is missing is named."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from random import Random  # noqa: TID251 - seeded

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from gal_friday.domain import quantity
from gal_friday.domain.booking_order import GAPS_LOOKED_INTO, LOOK_AHEAD, MOMENT
from gal_friday.domain.chain import chained, gaps_of, in_booking_order, name_of, net
from gal_friday.domain.records import Movement
from tests.domain.build import T0, movement

seeds = st.integers(0, 10**6)
# Small steps: the balance comes back to where it was, so that one balance alone does not tell the next row.
steps = st.lists(st.tuples(st.integers(-3, 3), st.integers(0, 1)), min_size=1, max_size=12)
moments = st.lists(steps, min_size=1, max_size=5)
# With these it hardly ever does: that is how real balances move.
wide_moments = st.builds(
    lambda sizes, seed: [wide_steps(size, f"{number} of {seed}") for number, size in enumerate(sizes)],
    st.lists(st.integers(1, 12), min_size=1, max_size=5),
    seeds,
)


def wide_steps(size: int, seed: str) -> list[tuple[int, int]]:
    draw = Random(seed)
    return [(draw.randrange(-(10**9), 10**9), draw.randrange(10**6)) for _ in range(size)]


def ledger(nets: Sequence[tuple[int, int]], name: str = "XXRP", opening: int = 100, begin: float = 0) -> list[Movement]:
    """Return rows of one running balance, ten seconds apart: amounts and fees."""
    rows, after = [], Decimal(opening)
    for number, (amount, fee) in enumerate(nets):
        row = movement(f"{name}{number:03d}", str(amount), fee=str(fee), raw=(name, ""))
        after = quantity.add(after, net(row))
        rows.append(replace(row, at=T0 + timedelta(seconds=begin + 10 * number), balance_after=after))
    return rows


def moved(rows: Sequence[Movement], *seconds: float) -> list[Movement]:
    return [replace(row, at=T0 + timedelta(seconds=each)) for row, each in zip(rows, seconds, strict=True)]


def history(groups: Sequence[Sequence[tuple[int, int]]], seed: int, *, within: float) -> list[Movement]:
    """Return rows of several moments as a source may list them: by times that differ a little, or not at all."""
    draw = Random(seed)
    rows = iter(ledger([each for group in groups for each in group]))
    listed: list[Movement] = []
    for minute, group in enumerate(groups):
        at_once = [
            replace(next(rows), at=T0 + timedelta(minutes=minute, seconds=draw.choice([0, within / 3, within])))
            for _ in group
        ]
        draw.shuffle(at_once)
        listed.extend(at_once)
    return listed


def follow(rows: Sequence[Movement]) -> bool:
    return all(
        last.balance_after is not None and quantity.add(last.balance_after, net(row)) == row.balance_after
        for last, row in pairwise(rows)
    )


@given(groups=moments, seed=seeds, within=st.sampled_from([0, 1, 4]))
def test_rows_of_one_moment_are_put_in_the_order_in_which_they_follow(
    groups: list[list[tuple[int, int]]], seed: int, within: float
) -> None:
    listed = history([[(7, 0)], *groups], seed, within=within)
    found = in_booking_order(listed)
    assert follow(found)
    assert sorted(row.movement_id for row in found) == sorted(row.movement_id for row in listed)
    assert gaps_of(listed) == ()


@given(first=steps, seed=seeds, within=st.sampled_from([0, 1, 4]))
def test_the_first_rows_of_all_are_put_in_order_by_where_the_next_goes_on(
    first: list[tuple[int, int]], seed: int, within: float
) -> None:
    assert follow(in_booking_order(history([first, [(7, 0)]], seed, within=within)))


@given(groups=wide_moments, seed=seeds, within=st.sampled_from([0, 1, 4]), data=st.data())
def test_a_row_that_is_missing_leaves_one_gap_of_what_it_moved(
    groups: list[list[tuple[int, int]]], seed: int, within: float, data: st.DataObject
) -> None:
    listed = history([[(7, 0)], *groups, [(9, 0)]], seed, within=within)
    missing = listed.pop(data.draw(st.integers(1, len(listed) - 2)))
    assert [gap.amount for gap in gaps_of(listed)] == ([net(missing)] if net(missing) else [])


@given(nets=st.lists(st.tuples(st.integers(-3, 3), st.integers(0, 1)), min_size=3, max_size=40), data=st.data())
def test_a_gap_names_the_rows_on_both_sides_of_it(nets: list[tuple[int, int]], data: st.DataObject) -> None:
    rows = ledger(nets)
    place = data.draw(st.integers(1, len(rows) - 2))
    last, missing, row = rows[place - 1 : place + 2]
    found = gaps_of([*rows[:place], *rows[place + 1 :]])
    wanted = [(last.movement_id, row.movement_id, row.at, net(missing))] if net(missing) else []
    assert [(gap.after, gap.before, gap.at, gap.amount) for gap in found] == wanted


@given(seed=seeds, rows=st.integers(2, 200))
def test_rows_without_a_pause_whose_times_are_a_little_off_follow(seed: int, rows: int) -> None:
    draw = Random(seed)
    booked = ledger([(draw.randrange(1, 1000) * draw.choice([-1, 1]), 0) for _ in range(rows)])
    listed = moved(booked, *(number * 0.4 + draw.choice([0, 0, 0.5]) for number in range(rows)))
    assert gaps_of(listed) == ()
    assert [row.movement_id for row in in_booking_order(listed)] == [row.movement_id for row in booked]


@given(nets=st.lists(st.integers(-3, 3), min_size=1, max_size=100), seed=seeds)
def test_rows_of_one_instant_are_ordered_whatever_their_number(nets: list[int], seed: int) -> None:
    rows = [replace(row, at=T0) for row in ledger([(each, 0) for each in nets])]
    listed = Random(seed).sample(rows, len(rows))
    assert follow(in_booking_order(listed))


def test_of_many_rows_of_one_instant_one_that_is_missing_is_one_gap() -> None:
    rows = [replace(row, at=T0) for row in ledger([(1, 0)] * (3 * LOOK_AHEAD))]
    first, *others = rows
    missing = others.pop(LOOK_AHEAD)
    listed = [replace(first, at=T0 - MOMENT * 2), *Random(1).sample(others, len(others))]
    assert [gap.amount for gap in gaps_of(listed)] == [net(missing)]


@given(groups=wide_moments, other=wide_moments, seed=seeds, data=st.data())
def test_two_names_of_one_wallet_have_two_balances(
    groups: list[list[tuple[int, int]]], other: list[list[tuple[int, int]]], seed: int, data: st.DataObject
) -> None:
    spot = history([[(7, 0)], *groups, [(9, 0)]], seed, within=1)
    flexible = [
        replace(row, movement_id=f"F{row.movement_id}", raw=("XRP.F", ""))
        for row in history([[(7, 0)], *other], seed, within=1)
    ]
    listed = data.draw(st.permutations([*spot, *flexible]))
    assert gaps_of(listed) == ()
    ordered = in_booking_order(listed)
    assert all(follow([row for row in ordered if name_of(row) == name]) for name in ("XXRP", "XRP.F"))
    missing = spot[1]
    found = gaps_of([row for row in listed if row != missing])
    assert [(gap.name, gap.amount) for gap in found] == ([("XXRP", net(missing))] if net(missing) else [])


def test_where_the_source_does_not_name_its_balances_each_wallet_of_an_asset_has_one() -> None:
    xrp = [replace(row, raw=()) for row in ledger([(5, 0), (2, 0)])]
    btc = [
        movement("B1", "1", "BTC", balance_after=Decimal(1), minute=0.1),
        movement("B2", "1", "BTC", balance_after=Decimal(2), minute=0.2),
    ]
    assert gaps_of([*xrp, *btc]) == ()
    assert len(gaps_of([*xrp, btc[0], replace(btc[1], balance_after=Decimal(3))])) == 1


@given(groups=moments, seed=seeds, data=st.data())
def test_a_row_listed_twice_counts_once(groups: list[list[tuple[int, int]]], seed: int, data: st.DataObject) -> None:
    listed = history([[(7, 0)], *groups], seed, within=1)
    twice = data.draw(st.lists(st.sampled_from(listed), max_size=5))
    assert gaps_of([*listed, *twice]) == ()


@given(groups=moments, seed=seeds, lost=st.sets(st.integers(0, 59)))
def test_gaps_asked_for_alone_are_those_of_the_chain(
    groups: list[list[tuple[int, int]]], seed: int, lost: set[int]
) -> None:
    listed = [row for place, row in enumerate(history(groups, seed, within=4)) if place not in lost]
    links = chained(listed)
    assert gaps_of(listed) == tuple(link.gap for link in links if link.gap)
    assert in_booking_order(listed) == tuple(link.row for link in links)


@given(groups=moments, seed=seeds, lost=st.sets(st.integers(0, 59)))
def test_the_steps_of_a_chain_lead_from_its_first_balance_to_its_last(
    groups: list[list[tuple[int, int]]], seed: int, lost: set[int]
) -> None:
    listed = [row for place, row in enumerate(history(groups, seed, within=4)) if place not in lost]
    links = chained([*ledger([(7, 0)], "XXRP", begin=-60), *listed])
    first, last = links[0].row.balance_after, links[-1].row.balance_after
    assert first is not None
    assert quantity.add(first, quantity.total(link.step for link in links[1:])) == last


def test_a_row_without_a_running_balance_leaves_unknown_what_lies_around_it() -> None:
    first, second, third, fourth = ledger([(5, 0), (1, 0), (2, 0), (1, 0)])
    silent = replace(second, balance_after=None)
    assert gaps_of([first, silent, third, fourth]) == ()
    assert [gap.after for gap in gaps_of([first, silent, third, replace(fourth, balance_after=Decimal(1))])] == [
        third.movement_id
    ]


def test_rows_around_one_without_a_running_balance_are_put_in_order_by_themselves() -> None:
    a, b, silent, c, d = moved(ledger([(5, 0), (1, 0), (9, 0), (2, 0), (1, 0)]), 0, 0, 1, 2, 2)
    silent = replace(silent, balance_after=None)
    assert in_booking_order([b, a, silent, d, c]) == (a, b, silent, c, d)


@pytest.mark.parametrize("apart, gaps", [(MOMENT, 0), (MOMENT + timedelta(microseconds=1), 3)])
def test_only_rows_of_one_moment_change_places(apart: timedelta, gaps: int) -> None:
    first, second, third, fourth = ledger([(5, 0), (1, 0), (2, 0), (1, 0)])
    early = replace(third, at=second.at)
    late = replace(second, at=early.at + apart)
    assert len(gaps_of([first, early, late, replace(fourth, at=late.at + MOMENT * 2)])) == gaps


def test_a_row_is_not_looked_for_beyond_the_bound() -> None:
    found = []
    for between in (LOOK_AHEAD, LOOK_AHEAD + 1):
        first, late, *others, last = ledger([(5, 0), (1, 0), *[(2, 0)] * between, (3, 0)])
        times = [0.0, *(1 + 0.01 * number for number in range(between)), 2.0, 60.0]
        found.append(len(gaps_of(moved([first, *others, late, last], *times))))
    assert found[0] == 0
    assert found[1] > 0


def test_rows_that_follow_stay_as_they_are_listed() -> None:
    """Two ways lead through these rows of one instant; the listed one is as good as the other."""
    rows = [replace(row, at=T0) for row in ledger([(5, 0), (-5, 0), (5, 0), (-5, 0)])]
    assert in_booking_order(rows) == tuple(rows)
    assert in_booking_order([rows[2], rows[1], rows[0], rows[3]]) == (rows[2], rows[1], rows[0], rows[3])


def test_a_list_that_lacks_more_rows_than_it_has_is_read_to_its_end() -> None:
    rows = [replace(row, at=T0 + timedelta(seconds=number)) for number, row in enumerate(ledger([(1, 0)] * 30_000))]
    assert len(gaps_of(rows[::2])) == 14_999 > GAPS_LOOKED_INTO


def test_no_rows_have_no_gap() -> None:
    assert (gaps_of([]), chained([]), in_booking_order([])) == ((), [], ())
