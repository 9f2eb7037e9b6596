"""Time that passes when nobody has anything left to do."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import pytest

from gal_friday.adapters.clock import NothingLeft, VirtualClock, VirtualLoop

START = datetime(2026, 3, 1, tzinfo=UTC)
Done = TypeVar("Done")


def lived(story: Callable[[VirtualClock], Awaitable[Done]]) -> Done:
    async def told() -> Done:
        return await story(VirtualClock(START))

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(told())


def test_a_year_of_sleep_takes_no_time() -> None:
    async def story(clock: VirtualClock) -> datetime:
        await clock.sleep(365 * 86_400)
        return clock.now()

    assert lived(story) == START + timedelta(days=365)


def test_whoever_wakes_first_goes_first_and_those_of_one_instant_in_the_order_in_which_they_lay_down() -> None:
    async def story(clock: VirtualClock) -> list[str]:
        woken: list[str] = []

        async def sleeper(name: str, seconds: float) -> None:
            await clock.sleep(seconds)
            woken.append(f"{name} {clock.monotonic():g}")

        await asyncio.gather(sleeper("late", 9), sleeper("one", 2), sleeper("two", 2), sleeper("now", 0))
        return woken

    assert lived(story) == ["now 0", "one 2", "two 2", "late 9"]


def test_timeouts_of_the_loop_are_in_this_time_too() -> None:
    async def story(clock: VirtualClock) -> float:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(3_600):
                await asyncio.Event().wait()
        return clock.monotonic()

    assert lived(story) == pytest.approx(3_600)


def test_a_wall_clock_that_is_set_back_does_not_wake_anybody_later() -> None:
    async def story(clock: VirtualClock) -> tuple[datetime, float]:
        sleeping = asyncio.create_task(clock.sleep(10))
        clock.jump(-3_600)
        await sleeping
        return clock.now(), clock.monotonic()

    now, passed = lived(story)
    assert now == START + timedelta(seconds=10 - 3_600)
    assert passed == pytest.approx(10)


def test_what_no_time_brings_about_is_told_and_not_waited_for() -> None:
    async def story(_: VirtualClock) -> None:
        await asyncio.Event().wait()

    with pytest.raises(NothingLeft):
        lived(story)
