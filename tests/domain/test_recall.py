"""What a run gives back to what is known: here, in how many runs without a break a key was pending."""

from datetime import UTC, datetime

import pytest

from gal_friday.domain.finding import Agrees, CannotTell, Finding, Key, Pending
from gal_friday.domain.recall import pending_after
from gal_friday.domain.records import Kind
from gal_friday.domain.snapshot import Coverage, Coverages, Side, Snapshot

AT = datetime(2026, 1, 31, 12, tzinfo=UTC)
USD = Key(Kind.BALANCES, "USD", "spot")
HELD = Key(Kind.HOLDS, "USD", "spot")
NONE, PARTIAL, TOTAL = Coverage.NONE, Coverage.PARTIAL, Coverage.TOTAL


def side(name: Side, balances: Coverage) -> Snapshot:
    return Snapshot(side=name, account="main", exchange="kraken", as_of=AT, coverage=Coverages(balances=balances))


def after(
    before: dict[Key, int], *findings: Finding, internal: Coverage = TOTAL, exchange: Coverage = TOTAL
) -> dict[Key, int]:
    return pending_after(before, findings, side("internal", internal), side("exchange", exchange))


@pytest.mark.parametrize("key", [USD, HELD])
def test_a_key_that_is_pending_again_is_counted(key: Key) -> None:
    assert after({}, Pending(key, "it moves")) == {key: 1}
    assert after({key: 2}, Pending(key, "it moves")) == {key: 3}


def test_a_key_that_was_judged_is_not_counted_any_more() -> None:
    assert after({USD: 2, HELD: 1}, Agrees(USD), Pending(HELD, "it moves")) == {HELD: 2}


def test_a_key_that_nobody_could_tell_of_keeps_its_count_and_gets_none() -> None:
    assert after({USD: 2}, CannotTell(USD, "no answer"), CannotTell(HELD, "no answer")) == {USD: 2}


def test_a_key_that_both_sides_would_show_and_do_not_is_not_counted_any_more() -> None:
    assert after({USD: 2, HELD: 1}) == {}


@pytest.mark.parametrize("coverage", [NONE, PARTIAL])
def test_a_key_that_one_side_may_not_have_shown_keeps_its_count(coverage: Coverage) -> None:
    assert after({USD: 2, HELD: 1}, internal=coverage) == {USD: 2, HELD: 1}
    assert after({USD: 2, HELD: 1}, exchange=coverage) == {USD: 2, HELD: 1}


def test_a_key_of_a_kind_that_was_not_read_is_not_counted_though_it_is_called_pending() -> None:
    assert after({USD: 2}, Pending(USD, "young"), Pending(HELD, "young"), exchange=NONE) == {USD: 2}


def test_a_key_of_a_kind_that_is_never_seen_in_full_does_not_wait_for_ever() -> None:
    assert after({USD: 2}, Pending(USD, "it moves"), exchange=PARTIAL) == {USD: 3}
