"""So many at once, then one every so often, to the microsecond."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from gal_friday.adapters.access import MemoryThrottle
from gal_friday.domain.throttle import Limit, Tried, charged, refunded

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
