"""The call counter: waits before a call rather than being refused after it."""

from datetime import UTC, datetime, timedelta

import pytest

from gal_friday.adapters.kraken.rate import (
    TIERS,
    Counter,
    Tier,
    UnknownTier,
    charged,
    full,
    tier_named,
    wait_for,
)

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
STARTER = Tier(15, 0.33)


@pytest.mark.parametrize("name, maximum, decay", [("starter", 15, 0.33), ("intermediate", 20, 0.5), ("pro", 20, 1.0)])
def test_the_tiers_have_krakens_numbers(name: str, maximum: float, decay: float) -> None:
    assert tier_named(name) == Tier(maximum, decay)


def test_an_unknown_tier_is_refused_with_the_list_of_tiers() -> None:
    with pytest.raises(UnknownTier, match="starter, intermediate, pro, none"):
        tier_named("gold")


def test_a_call_that_just_fits_does_not_wait() -> None:
    assert wait_for(Counter(13.0, NOON), STARTER, 2, NOON) == 0


def test_a_call_that_does_not_fit_waits_until_it_does() -> None:
    wait = wait_for(Counter(14.0, NOON), STARTER, 2, NOON)
    assert wait == pytest.approx(1 / 0.33, abs=0.05)
    assert wait_for(Counter(14.0, NOON), STARTER, 2, NOON + timedelta(seconds=wait)) == 0


def test_a_full_counter_is_what_a_refusal_means() -> None:
    assert wait_for(full(STARTER, NOON), STARTER, 2, NOON) == pytest.approx(2 / 0.33, abs=0.05)


def test_a_clock_that_stepped_back_gives_no_points_back() -> None:
    counter = charged(Counter(14.0, NOON), STARTER, 1, NOON - timedelta(hours=1))
    assert counter.level == 15.0


def test_an_account_without_limits_never_waits() -> None:
    assert wait_for(Counter(1e9, NOON), TIERS["none"], 100, NOON) == 0
