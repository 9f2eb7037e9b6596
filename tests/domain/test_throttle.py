"""So many at once, then one every so often, to the microsecond."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gal_friday.adapters.access import MemoryThrottle
from gal_friday.domain.throttle import LIMITS, Charged, Limit, Tried, charged, refunded

T0 = datetime(2026, 1, 31, tzinfo=UTC)
LIMIT = Limit(3, timedelta(seconds=10))
TICK = timedelta(microseconds=1)


def test_so_many_are_allowed_at_once_and_no_more() -> None:
    until = None
    for _ in range(3):
        outcome = charged(LIMIT, until, T0)
        assert outcome.wait == 0
        until = outcome.until
    refused = charged(LIMIT, until, T0)
    assert (refused.wait, refused.until) == (10, until)


def test_one_is_allowed_again_when_its_time_has_come_and_not_before() -> None:
    full = T0 + 3 * LIMIT.every
    assert charged(LIMIT, full, T0 + LIMIT.every - TICK).wait == 1
    assert charged(LIMIT, full, T0 + LIMIT.every).wait == 0


def test_one_that_was_no_mistake_is_taken_back() -> None:
    once = charged(LIMIT, None, T0).until
    assert refunded(LIMIT, once) == T0


@given(st.lists(st.integers(min_value=0, max_value=60), max_size=80))
def test_in_no_stretch_of_time_more_are_allowed_than_the_limit_says(pauses: list[int]) -> None:
    now, until, allowed = T0, None, []
    for pause in pauses:
        now += timedelta(seconds=pause)
        outcome = charged(LIMIT, until, now)
        until = outcome.until
        if outcome.wait == 0:
            allowed.append(now)
    for first in range(len(allowed)):
        for last in range(first, len(allowed)):
            stretch = allowed[last] - allowed[first]
            assert last - first + 1 <= LIMIT.at_once + stretch // LIMIT.every


def test_of_several_counts_all_are_charged_or_none() -> None:
    throttle = MemoryThrottle({Tried.TOKEN: Limit(1, timedelta(hours=1)), Tried.TOLD: Limit(2, timedelta(hours=1))})
    both = ((Tried.TOKEN, "a"), (Tried.TOLD, "all"))
    assert throttle.charge(both, T0) == 0
    assert throttle.charge(both, T0) == 3600
    assert throttle.charge(((Tried.TOLD, "all"),), T0) == 0
    assert throttle.charge(((Tried.TOLD, "all"),), T0) == 3600


def test_the_count_of_places_has_a_bound() -> None:
    throttle = MemoryThrottle(places=100)
    for number in range(10_000):
        throttle.charge(((Tried.TOKEN, str(number)),), T0)
    assert len(throttle._until) == 100


@pytest.mark.parametrize(
    "until, now, kept, wait",
    [
        (None, 0, 10, 0),
        (-5, 0, 10, 0),
        (5, 0, 15, 0),
        (20, 0, 30, 0),
        (20.000001, 0, 20.000001, 1),
        (21, 0, 21, 1),
        (21.000001, 0, 21.000001, 2),
        (30, 0, 30, 10),
        (30, 10, 40, 0),
    ],
)
def test_what_is_kept_of_an_attempt_and_how_long_the_next_one_waits(
    until: float | None, now: float, kept: float, wait: int
) -> None:
    # Three at once, then one every ten seconds.
    def at(seconds: float) -> datetime:
        return T0 + timedelta(seconds=seconds)

    assert charged(LIMIT, None if until is None else at(until), at(now)) == Charged(at(kept), wait)


def test_how_often_something_may_be_tried_unless_it_is_said_otherwise() -> None:
    told = {tried.value: (limit.at_once, limit.every.total_seconds()) for tried, limit in LIMITS.items()}
    assert told == {
        "sign-in from an address": (20, 10),
        "sign-in for a name from an address": (5, 60),
        "sign-in for a name": (50, 60),
        "challenge for a passkey": (30, 2),
        "token that was refused": (60, 1),
        "refusal told to the journal": (10, 60),
    }
    assert set(LIMITS) == set(Tried)
