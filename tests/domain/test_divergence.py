"""Since when the sides differ: the planted event, exactly, whatever the history around it."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from random import Random  # noqa: TID251 - seeded

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from gal_friday.domain import quantity
from gal_friday.domain.assets import Asset, Wallet
from gal_friday.domain.chain import chained, net
from gal_friday.domain.course import REACH
from gal_friday.domain.divergence import FirstDivergence, State, changes_between
from gal_friday.domain.explanation import Divergence
from gal_friday.domain.proof import Place, Proof, proofs_of
from gal_friday.domain.records import Movement
from gal_friday.domain.snapshot import Since
from tests.domain.build import T0, at, balance, exchange, internal, movement

D = Decimal
XRP: Place = (Asset("XRP"), Wallet.SPOT)
OPENING = D(1000)


def history(seed: int, rows: int) -> list[Movement]:
    """Return the exchange's rows, oldest first, with their running balances; some share an instant."""
    draw = Random(seed)
    minute, after = -5000.0, OPENING
    found: list[Movement] = []
    for number in range(rows):
        minute += draw.choice([0, 0.001, 0.5, 3])
        row = movement(
            f"L{number:03d}",
            f"{draw.choice([-1, 1]) * draw.randrange(1, 10**9)}E-6",
            fee=draw.choice(["0", "0.25"]),
            minute=minute,
            refers_to=f"T{number:03d}",
            raw=("XXRP",),
        )
        after = quantity.add(after, net(row))
        found.append(replace(row, balance_after=after))
    return found


def booked(rows: list[Movement], seed: int) -> list[Movement]:
    """Return the same rows as a book has them: some under its own ids, none at exactly the same time."""
    draw = Random(seed)
    opening = movement("O", str(OPENING), kind="opening", minute=-6000)
    mine = [
        replace(
            row,
            movement_id=draw.choice([row.movement_id, f"{row.refers_to}:XRP"]),
            at=row.at + draw.choice([-1, 0, 1, 40]) * (at(1) - T0),
            balance_after=None,
            raw=(),
        )
        for row in rows
    ]
    return [opening, *sorted(mine, key=lambda row: row.at)]


def diverged(ours: list[Movement], theirs: list[Movement], tolerance: str = "0", **more: object) -> FirstDivergence:
    found = proved(ours, theirs, tolerance, **more).divergence
    assert found is not None
    return found


def proved(ours: list[Movement], theirs: list[Movement], tolerance: str = "0", **more: object) -> Proof:
    book = internal(balance("XRP", str(quantity.total(map(net, ours)))), *ours, **more)
    closing = theirs[-1].balance_after if theirs else OPENING
    side = exchange(balance("XRP", str(closing), raw=("XXRP",)), *theirs, since=Since(movements=at(-5900)))
    return proofs_of(book, side, tolerance=lambda asset: D(tolerance))[XRP]


def without(rows: list[Movement], event: str) -> list[Movement]:
    return [row for row in rows if row.refers_to != event]


@given(seed=st.integers(0, 10**6), rows=st.integers(1, 40), data=st.data())
def test_the_missing_event_is_the_first_bad_one(seed: int, rows: int, data: st.DataObject) -> None:
    theirs = history(seed, rows)
    planted = data.draw(st.integers(0, rows - 1))
    found = diverged(without(booked(theirs, seed), f"T{planted:03d}"), theirs)
    assert (found.state, found.event, found.first_bad) == (State.AT_EVENT, f"T{planted:03d}", (f"L{planted:03d}",))
    assert found.first_bad_at == theirs[planted].at
    assert found.difference == net(theirs[planted])
    assert found.last_good == (f"L{planted - 1:03d}" if planted else "")


@given(seed=st.integers(0, 10**6), rows=st.integers(2, 40), data=st.data())
def test_of_several_bad_events_the_oldest_is_the_first(seed: int, rows: int, data: st.DataObject) -> None:
    theirs = history(seed, rows)
    planted = data.draw(st.sets(st.integers(0, rows - 1), min_size=2, max_size=4))
    ours = booked(theirs, seed)
    for each in planted:
        ours = without(ours, f"T{each:03d}")
    found = diverged(ours, theirs)
    assert (found.event, found.difference) == (f"T{min(planted):03d}", net(theirs[min(planted)]))


@given(seed=st.integers(0, 10**6), rows=st.integers(1, 40), data=st.data())
def test_a_row_counted_twice_or_booked_otherwise_is_found_as_well(seed: int, rows: int, data: st.DataObject) -> None:
    theirs, ours = history(seed, rows), booked(history(seed, rows), seed)
    place = data.draw(st.integers(1, rows))
    wrong = ours[place]
    twice = data.draw(st.booleans())
    changed = [wrong, wrong] if twice else [replace(wrong, amount=quantity.add(wrong.amount, D("0.5")))]
    found = diverged([*ours[:place], *changed, *ours[place + 1 :]], theirs)
    assert (found.state, found.event) == (State.AT_EVENT, wrong.refers_to)
    assert found.difference == (quantity.negate(net(wrong)) if twice else D("-0.5"))


@given(seed=st.integers(0, 10**6), rows=st.integers(1, 40))
def test_the_same_events_at_other_times_are_no_divergence(seed: int, rows: int) -> None:
    theirs = history(seed, rows)
    assert diverged(booked(theirs, seed), theirs) == FirstDivergence(State.NONE)


@given(seed=st.integers(0, 10**6), rows=st.integers(0, 40))
def test_a_wrong_opening_differs_from_the_start(seed: int, rows: int) -> None:
    theirs = history(seed, rows)
    opening, *others = booked(theirs, seed)
    found = diverged([replace(opening, amount=D(1007)), *others], theirs)
    assert found == FirstDivergence(State.FROM_THE_START, D(-7))


def test_a_difference_that_went_back_to_zero_was_a_matter_of_time() -> None:
    """The book had a transfer a day early under another id; a fill was lost later."""
    theirs = history(1, 20)
    ours = without(without(booked(theirs, 1), "T003"), "T012")
    early = replace(theirs[3], movement_id="mine", refers_to=None, at=theirs[2].at, balance_after=None)
    found = diverged([*ours, early], theirs)
    assert (found.event, found.last_good) == ("T012", "L011")


def test_a_movement_in_the_book_alone_is_a_bad_event_of_its_own_time() -> None:
    theirs = history(2, 10)
    phantom = movement("P1", "5", kind="deposit", minute=-1)
    found = diverged([*booked(theirs, 2), phantom], theirs)
    assert (found.first_bad, found.first_bad_at, found.last_good) == (("P1",), phantom.at, "L009")
    assert found.difference == -5


def test_the_last_good_row_is_not_younger_than_the_first_bad_event() -> None:
    theirs = history(2, 10)
    phantom = movement("P1", "5", kind="deposit", minute=(theirs[4].at - T0).total_seconds() / 60)
    found = diverged([*booked(theirs, 2), phantom], theirs)
    later = next(row for row in theirs if row.at > phantom.at)
    assert (found.first_bad, found.last_good) == (("P1",), theirs[theirs.index(later) - 1].movement_id)


def test_what_the_exchange_booked_before_the_opening_is_not_judged() -> None:
    theirs = history(6, 30)
    opened = theirs[10]
    opening = movement("O", str(opened.balance_after), kind="opening", minute=(opened.at - T0).total_seconds() / 60)
    ours = [row for row in booked(theirs, 6)[1:] if row.refers_to > "T010"]  # type: ignore[operator]
    assert diverged([opening, *ours], theirs) == FirstDivergence(State.NONE)
    assert diverged([opening, *without(ours, "T020")], theirs).event == "T020"
    wrong = replace(opening, amount=quantity.add(opening.amount, D(7)))
    assert diverged([wrong, *ours], theirs) == FirstDivergence(State.FROM_THE_START, D(-7))


def test_an_event_that_one_side_booked_before_the_window_is_not_judged() -> None:
    begin = at(-100)
    row = movement("L1", "5", minute=-99, balance_after=D(1005), raw=("XXRP",))
    book = internal(balance("XRP", "1004"), movement("L1", "4", minute=-101), since=Since(movements=begin))
    side = exchange(balance("XRP", "1005", raw=("XXRP",)), row, since=Since(movements=begin))
    found = proofs_of(book, side, tolerance=lambda asset: D(0))[XRP].divergence
    assert found == FirstDivergence(State.FROM_THE_START, D(1))


def test_what_lies_before_the_window_of_either_side_is_not_judged() -> None:
    theirs = history(3, 30)
    ours = without(booked(theirs, 3), "T002")
    begin = theirs[10].at
    late = [row for row in ours if row.at > begin]
    book = internal(balance("XRP", str(quantity.total(map(net, ours)))), *late, since=Since(movements=begin))
    side = exchange(
        balance("XRP", str(theirs[-1].balance_after), raw=("XXRP",)), *theirs, since=Since(movements=at(-5900))
    )
    found = proofs_of(book, side, tolerance=lambda asset: D(0))[XRP].divergence
    assert found == FirstDivergence(State.FROM_THE_START, net(theirs[2]))


@pytest.mark.parametrize("tolerance, state", [("0.5", State.NONE), ("0.49", State.AT_EVENT)])
def test_the_tolerance_is_inclusive(tolerance: str, state: State) -> None:
    theirs = history(4, 8)
    ours = booked(theirs, 4)
    ours[4] = replace(ours[4], amount=quantity.add(ours[4].amount, D("0.5")))
    assert diverged(ours, theirs, tolerance).state is state


def test_a_gap_of_the_exchange_shows_where_its_balance_jumps() -> None:
    theirs = history(5, 12)
    found = diverged(without(booked(theirs, 5), "T006"), [*theirs[:6], *theirs[7:]])
    assert (found.event, found.difference) == ("T007", net(theirs[6]))


def _imported() -> list[Movement]:
    """Return three deposits as the exchange exports them: each with the balance after it."""
    rows = [("L1", "5", "5"), ("L2", "1.2345", "6.2345"), ("L3", "3", "9.2345")]
    return [
        movement(name, net, kind="deposit", minute=minute, balance_after=D(after), raw=("XXRP",))
        for minute, (name, net, after) in enumerate(rows, -60)
    ]


def test_a_row_that_is_missing_among_imported_ones_is_the_first_bad_event() -> None:
    first, lost, last = _imported()
    found = diverged([first, last], [first, lost, last])
    assert (found.state, found.first_bad, found.last_good) == (State.AT_EVENT, ("L2",), "L1")
    assert found.difference == D("1.2345")


def test_a_book_whose_balance_is_its_newest_running_balance_lost_a_row_and_no_money() -> None:
    first, lost, last = _imported()
    more = movement("L4", "2", kind="deposit", minute=-50, balance_after=D("11.2345"), raw=("XXRP",))
    book = internal(balance("XRP", "9.2345"), first, last)
    side = exchange(balance("XRP", "11.2345", raw=("XXRP",)), first, lost, last, more)
    found = proofs_of(book, side, tolerance=lambda asset: D(0))[XRP].divergence
    assert found is not None
    assert (found.first_bad, found.last_good, found.difference) == (("L4",), "L3", D(2))


def test_it_is_told_in_one_sentence() -> None:
    assert FirstDivergence(State.NONE).told() is None
    assert FirstDivergence(State.FROM_THE_START, D(3)).told() == Divergence(None, None, D(3))
    known = FirstDivergence(State.AT_EVENT, D("31.41"), at(-2), "L1", at(-1.5), ("L2", "L3"), "TX", "trade")
    assert known.told() == Divergence(
        "2026-01-31T11:58:00.000Z L1", "2026-01-31T11:58:30.000Z trade TX (L2, L3)", D("31.41"), at(-1.5)
    )
    first = FirstDivergence(State.AT_EVENT, D(1), None, "", at(-1), ("D1",), "D1", "deposit")
    assert first.told() == Divergence("the beginning", "2026-01-31T11:59:00.000Z deposit D1", D(1), at(-1))


def test_a_missing_rollover_is_no_part_of_the_fill_that_opened_its_position() -> None:
    """Both refer to one id; the sides differ since the rollover and not since the opening."""
    opened = datetime(2026, 3, 1, 8, tzinfo=UTC)
    fee = Movement("L1", "margin", Asset("USD"), Wallet.SPOT, Decimal(0), opened, fee=Decimal(12), refers_to="T1")
    ours = replace(fee, movement_id="T1:USD")
    rollover = replace(fee, movement_id="L2", kind="rollover", at=opened + timedelta(hours=4), fee=Decimal("0.3"))
    (change,) = changes_between(chained([ours]), chained([fee, rollover]))
    assert (change.at, change.record_ids) == (rollover.at, ("L2",))


# ---- the course of both running balances


@given(seed=st.integers(0, 10**6), rows=st.integers(1, 60), data=st.data())
def test_the_course_follows_row_by_row_and_says_what_the_exchange_states(
    seed: int, rows: int, data: st.DataObject
) -> None:
    theirs = history(seed, rows)
    planted = data.draw(st.integers(0, rows - 1))
    course = proved(without(booked(theirs, seed), f"T{planted:03d}"), theirs).course
    stated = {row.movement_id: row.balance_after for row in theirs}
    assert 1 <= len(course) <= 2 * REACH
    assert [each.at for each in course] == sorted(each.at for each in course)
    for before, after in pairwise(course):
        moved = (after.side != "exchange", after.side != "internal")
        assert quantity.subtract(after.internal, before.internal) == (after.amount if moved[0] else 0)
        assert quantity.subtract(after.exchange, before.exchange) == (after.amount if moved[1] else 0)
    for each in course:
        if each.side != "internal":
            assert each.exchange == stated[each.record_id]


@given(seed=st.integers(0, 10**6), rows=st.integers(1, 60), data=st.data())
def test_the_course_parts_at_the_first_bad_row_whenever_the_book_heard_of_the_others(
    seed: int, rows: int, data: st.DataObject
) -> None:
    theirs = history(seed, rows)
    planted = data.draw(st.integers(0, rows - 1))
    course = proved(without(booked(theirs, seed), f"T{planted:03d}"), theirs).course
    turn = next(place for place, each in enumerate(course) if each.diverges)
    assert (course[turn].record_id, course[turn].side) == (f"L{planted:03d}", "exchange")
    assert all(each.internal == each.exchange and each.side is None for each in course[:turn])
    apart = {quantity.subtract(each.exchange, each.internal) for each in course[turn:]}
    assert apart == {net(theirs[planted])}
    assert (turn, len(course)) == (min(planted, REACH), min(planted, REACH) + min(rows - planted, REACH))


def test_rows_before_the_book_s_opening_are_no_part_of_the_course() -> None:
    theirs = history(1, 30)
    opening = movement("O", str(theirs[9].balance_after), kind="opening", minute=0)
    opening = replace(opening, at=theirs[9].at + (theirs[10].at - theirs[9].at) / 2)
    ours = [opening, *(replace(row, balance_after=None, raw=()) for row in theirs[10:])]
    course = proved(without(ours, "T013"), theirs).course
    assert [each.record_id for each in course[:4]] == ["L010", "L011", "L012", "L013"]
    assert course[0].exchange == course[0].internal == theirs[10].balance_after


def test_sides_that_differ_from_the_start_are_shown_from_there() -> None:
    theirs = history(1, 30)
    opening = movement("O", "990", kind="opening", minute=-6000)
    ours = [opening, *(replace(row, balance_after=None, raw=()) for row in theirs)]
    course = proved(ours, theirs).course
    assert course[0].record_id == "L000"
    assert {quantity.subtract(each.exchange, each.internal) for each in course} == {D(10)}


def test_a_book_that_contradicts_itself_has_no_running_balance_to_show() -> None:
    theirs = history(1, 30)
    ours = booked(theirs, 1)
    book = internal(balance("XRP", "1"), *ours)
    side = exchange(
        balance("XRP", str(theirs[-1].balance_after), raw=("XXRP",)), *theirs, since=Since(movements=at(-5900))
    )
    found = proofs_of(book, side, tolerance=lambda asset: D(0))[XRP]
    assert found.internal_rolls is False
    assert found.divergence is not None
    assert found.course == ()


def test_what_the_book_booked_under_its_own_id_is_the_same_row() -> None:
    rows = history(3, 6)
    ours = [replace(row, movement_id=f"{row.refers_to}:XRP", balance_after=None, raw=()) for row in rows]
    opening = movement("O", str(OPENING), kind="opening", minute=-6000)
    course = proved([opening, *ours[:-1]], rows).course
    assert [each.side for each in course] == [None] * 5 + ["exchange"]
    assert course[0].record_id == "L000"


def test_what_only_the_book_booked_after_the_course_is_wound_back_too() -> None:
    theirs = history(1, 60)
    late = movement("LATE", "7", refers_to="LATE", minute=0)
    course = proved([*without(booked(theirs, 1), "T010"), late], theirs).course
    assert "LATE" not in {each.record_id for each in course}
    apart = [quantity.subtract(each.exchange, each.internal) for each in course]
    assert apart == [D(0)] * REACH + [net(theirs[10])] * REACH


def test_agreement_has_no_course() -> None:
    theirs = history(1, 30)
    assert proved(booked(theirs, 1), theirs).course == ()
