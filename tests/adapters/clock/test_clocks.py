"""Clocks tell the time in UTC, wait, and never step back where durations are measured."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from gal_friday.adapters.clock import SteppedClock, SystemClock

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


async def test_the_systems_clock_is_in_utc_and_goes_on() -> None:
    clock = SystemClock()
    before, began = clock.now(), clock.monotonic()
    await clock.sleep(0)
    await clock.sleep(-1)
    assert before.tzinfo is UTC
    assert clock.monotonic() >= began


def test_a_stepped_clock_stands_still_until_it_is_moved() -> None:
    clock = SteppedClock(NOON)
    assert clock.now() == clock.now() == NOON
    clock.advance(60)
    assert clock.now() == NOON + timedelta(minutes=1)
    assert clock.monotonic() == 60


def test_setting_the_wall_clock_back_does_not_touch_durations() -> None:
    clock = SteppedClock(NOON)
    clock.step_back(10)
    assert clock.now() == NOON - timedelta(seconds=10)
    assert clock.monotonic() == 0


def test_a_stepped_clock_needs_an_aware_start() -> None:
    with pytest.raises(ValueError, match="zone"):
        SteppedClock(NOON.replace(tzinfo=None))


async def test_waiting_moves_the_time_and_costs_none() -> None:
    clock = SteppedClock(NOON)
    await clock.sleep(3600)
    assert clock.now() == NOON + timedelta(hours=1)


async def test_sleepers_wake_in_the_order_of_their_time() -> None:
    clock, woken = SteppedClock(NOON), []

    async def sleeper(seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append((seconds, clock.monotonic()))

    await asyncio.gather(sleeper(30), sleeper(10), sleeper(20), sleeper(10))
    assert woken == [(10, 10), (10, 10), (20, 20), (30, 30)]


async def test_a_clock_moved_by_hand_wakes_only_those_whose_time_has_come() -> None:
    clock = SteppedClock(NOON, auto=False)
    early, late = asyncio.create_task(clock.sleep(1)), asyncio.create_task(clock.sleep(5))
    await asyncio.sleep(0)
    clock.advance(2)
    for _ in range(3):
        await asyncio.sleep(0)
    assert early.done()
    assert not late.done()
    clock.advance(3)
    await late


async def test_a_sleeper_that_is_cancelled_does_not_hold_up_the_others() -> None:
    clock = SteppedClock(NOON)
    cancelled = asyncio.create_task(clock.sleep(1))
    await asyncio.sleep(0)
    cancelled.cancel()
    await clock.sleep(5)
    assert clock.monotonic() >= 5
