"""Worlds in which much goes wrong: nothing is missed, nothing is false, nothing is corrected wrongly."""

import msgspec
import pytest

from gal_friday.simulation.many import outcomes
from gal_friday.simulation.measure import measured
from gal_friday.simulation.world import Settings

SHORT = Settings(hours=3, errors=0.03)
TWO = Settings(hours=2, accounts=2, errors=0.03, pace_seconds=45)


@pytest.mark.parametrize("first", range(100, 124, 3))
def test_everything_is_found_and_nothing_else(first: int) -> None:
    assert measured(outcomes(range(first, first + 3), SHORT, jobs=1)).failures == []


def test_several_accounts_do_not_disturb_each_other() -> None:
    assert measured(outcomes(range(200, 203), TWO, jobs=1)).failures == []


def test_these_worlds_hold_enough_to_be_wrong_about() -> None:
    found = measured(outcomes(range(100, 106), SHORT, jobs=1))
    assert sum(one.planted for one in found.kinds) > 30
    assert found.due > 50
    assert found.corrected > 20
    assert len({one.lie for one in found.kinds}) >= 8


def test_the_same_seed_is_the_same_world_on_as_many_processors_as_one_likes() -> None:
    small = Settings(hours=1, errors=0.03)
    alone, together = (measured(outcomes(range(2), small, jobs=jobs)) for jobs in (1, 2))
    assert msgspec.json.encode(alone) == msgspec.json.encode(together)
