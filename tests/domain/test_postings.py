"""What is posted for an event: what the exchange's records say, under their ids, and the same in every run."""

from datetime import datetime

import pytest
from msgspec.structs import replace

from gal_friday.domain.adjustment import PostFill, Posting, PostMovement, PostOrder, TakeBack
from gal_friday.domain.bar import bars_of
from gal_friday.domain.case import Case
from gal_friday.domain.compare import compare_snapshots
from gal_friday.domain.finding import Agrees, CannotTell, Finding, Key, Pending
from gal_friday.domain.postings import changes_of, postings_of
from gal_friday.domain.records import Kind
from gal_friday.domain.report import compare
from gal_friday.domain.snapshot import Snapshot
from tests.domain.build import at, exchange, fill, internal, movement, order

NOW = at(5)


def case_of(ours: Snapshot, theirs: Snapshot) -> Case:
    return Case(ours, theirs, (one for one in compare_snapshots(ours, theirs) if type(one) is not Agrees))


def posted(case: Case, event: str, now: datetime = NOW) -> tuple[Posting, ...]:
    return tuple(postings_of(case, event, list(case.unlike), now))


def test_a_missing_fill_is_booked_with_its_own_rows_and_nothing_that_both_sides_have() -> None:
    row, other = movement("L1", refers_to="TX"), movement("L2", "-24", "USD", refers_to="TX")
    known = movement("L9", "5", kind="deposit")
    case = case_of(internal(known), exchange(fill(), row, other, known))
    assert posted(case, "TX") == (PostFill(fill()), PostMovement(row), PostMovement(other))


def test_of_a_fill_that_is_there_twice_one_is_taken_back() -> None:
    case = case_of(internal(fill(), fill()), exchange(fill()))
    assert posted(case, "TX") == (TakeBack(Kind.FILLS, "TX", 1, 2),)
    changes = {key: str(change) for key, change in changes_of(case, posted(case, "TX")).items() if change}
    assert changes == {"balances:XRP:spot": "-40", "balances:USD:spot": "24.0"}


def test_a_fill_with_other_terms_is_taken_back_and_booked_as_it_was() -> None:
    case = case_of(internal(fill(quantity="4")), exchange(fill()))
    assert posted(case, "TX") == (TakeBack(Kind.FILLS, "TX", 1, 1), PostFill(fill()))


def test_a_fill_that_the_exchange_denies_is_taken_back_and_nothing_is_booked() -> None:
    case = case_of(internal(fill()), exchange())
    assert posted(case, "TX") == (TakeBack(Kind.FILLS, "TX", 1, 1),)


@pytest.mark.parametrize("minutes, expected", [(5, 5), (-30, -30), (-31, -30)])
def test_a_ghost_order_is_rejected_and_never_before_what_the_book_last_heard_of_it(minutes: int, expected: int) -> None:
    ghost = order("OX", updated=-30)
    case = case_of(internal(ghost), exchange())
    assert posted(case, "OX", at(minutes)) == (PostOrder(replace(ghost, status="rejected", updated_at=at(expected))),)


def test_an_order_that_is_filled_in_part_is_no_ghost() -> None:
    case = case_of(internal(order(filled="1")), exchange())
    assert [each for each in posted(case, "OX") if isinstance(each, PostOrder)] == []


def test_an_order_takes_the_state_that_the_exchange_states() -> None:
    theirs = order(status="filled", filled="100", updated=-10)
    case = case_of(internal(order()), exchange(theirs))
    assert posted(case, "OX") == (PostOrder(theirs),)


def test_what_moves_is_waited_for_and_what_nobody_can_tell_as_well() -> None:
    ours, theirs = internal(), exchange(fill(), movement("L1", refers_to="TX"))
    xrp, usd = (Key(Kind.BALANCES, name, "spot") for name in ("XRP", "USD"))
    moving: list[Finding] = [Pending(xrp, "a fill came meanwhile"), CannotTell(usd, "not read")]
    case = Case(ours, theirs, [*(one for one in compare_snapshots(ours, theirs) if type(one) is not Agrees), *moving])
    report = compare(ours, theirs)
    keys = [key for key in case.unlike if key.kind is Kind.FILLS]
    assert bars_of(report, case, keys, []).passing == ()
    told = bars_of(report, case, keys, [str(xrp), str(usd)])
    assert told.passing == (f"{xrp} is in motion: a fill came meanwhile", f"{usd} cannot be told: not read")
    assert told.lasting == ()
