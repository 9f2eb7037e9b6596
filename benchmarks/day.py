"""A day of faults on a clock made by hand: twenty accounts, two processes, runs that fail or take long.

Every quarter of an hour some of it is drawn from a seed: an exchange that is out, closed or has locked the key for a
while, a book that fails, runs that take twenty seconds, an event of the stream. It counts accounts that were not run
within their interval although nothing stood in the way, runs told as missed, and what memory has grown by; a run of one
account beside another one stops it at once.

Both processes tell people too, through channels that refuse and hang now and then, of discrepancies that come and go
beside all that. In the end everything is calm for two hours; then nothing may be left open or untold, and nobody may
have heard anything twice.
"""

import asyncio
import logging
import tracemalloc
from collections.abc import Iterator
from contextlib import AsyncExitStack
from datetime import timedelta
from random import Random
from time import perf_counter

import structlog

from benchmarks.measured import Measured
from gal_friday.domain.facts import FactKind
from gal_friday.domain.schedule import Obstacle, Timing, Why
from gal_friday.ports.errors import BookFailed
from tests.service.alert_day import Watching
from tests.service.test_scheduler import World

ACCOUNTS, HOURS, STEP, SEED = 20, 24, 5, 1
CALM = 2
"""Hours without a fault at the end."""
TIMING = Timing(interval=timedelta(minutes=15), late_after=timedelta(minutes=5))


def run() -> Iterator[Measured]:
    """Measure one day."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    logging.getLogger("gal_friday.alerts").setLevel(logging.CRITICAL)
    began = perf_counter()
    world, watching, wrong, grown, gaps = asyncio.run(day())
    missed = [one for one in world.told(FactKind.RUN_SKIPPED) if one == "nobody ran it in time"]
    yield Measured(f"{HOURS} hours of faults, {ACCOUNTS} accounts: runs (seed {SEED})", len(world.runs), "")
    yield Measured("  it took", perf_counter() - began, "s")
    yield Measured("  accounts not run for an interval without a reason", gaps, "", "0")
    yield Measured("  runs told as missed", len(missed), "", "0")
    episodes = {incident for _, incident, _, _ in watching.heard}
    yield Measured("  alerts told, by two channels", len(episodes), "")
    yield Measured("  messages that channels heard", len(watching.heard), "")
    yield Measured("  alerts told twice, out of order, not at all, or left open", len(wrong), "", "0")
    yield Measured("  the longest that the outbox was", watching.most, "", "flat")
    yield Measured("  memory grown in the second half of the day", grown, "MB", "flat")


async def day(hours: int = HOURS, seed: int = SEED) -> tuple[World, Watching, list[str], float, int]:
    """Live so many hours of faults and two calm ones; return what was wrong with alerts, megabytes and gaps as well."""
    chance, world = Random(seed), World(*(f"a{n}" for n in range(ACCOUNTS)), timing=TIMING)
    held_back: dict[str, float] = {}
    watching, gaps, half = Watching(world), 0, 0
    tracemalloc.start()
    async with AsyncExitStack() as stack:
        scheduler = await stack.enter_async_context(world.process("p", at_once=6))
        await stack.enter_async_context(world.process("q", at_once=6))
        await stack.enter_async_context(watching.telling())
        for quarter in range(hours * 4):
            _strike(world, chance, held_back)
            await watching.strike(chance)
            if chance.random() < 0.5:
                await scheduler._turns.mark(chance.choice(world.accounts).name, Why.STREAM)
            await _quarter(world, watching)
            gaps += _unreasoned(world, held_back)
            world.schedules.told[:-1_000] = []
            if quarter == hours * 2:
                half = tracemalloc.get_traced_memory()[0]
        grown = (tracemalloc.get_traced_memory()[0] - half) / 1e6
        tracemalloc.stop()
        world.fails.clear()
        world.obstacles.clear()
        await watching.calm()
        for _ in range(CALM * 4):
            await _quarter(world, watching)
        wrong = await watching.wrong()
    return world, watching, wrong, grown, gaps


async def _quarter(world: World, watching: Watching) -> None:
    for step in range(15 * 60 // STEP):
        world.clock.advance(STEP)
        for _ in range(25):
            await asyncio.sleep(0)
        if not step % 4:
            await watching.check()


def _strike(world: World, chance: Random, held_back: dict[str, float]) -> None:
    """Let some of the faults of the last quarter end, and others begin."""
    world.fails.clear()
    world.obstacles.clear()
    world.seconds = chance.choice([1.0, 2.0, 20.0])
    now = world.clock.monotonic()
    for one in chance.sample(world.accounts, 4):
        match chance.randrange(4):
            case 0:
                world.fails[one.name] = BookFailed("the file is gone")
            case 1:
                world.obstacles[one.name] = (Obstacle.OUTAGE, None)
            case 2:
                world.obstacles[one.name] = (Obstacle.MAINTENANCE, world.clock.now() + timedelta(minutes=10))
            case _:
                world.obstacles[one.name] = (Obstacle.LOCKOUT, world.clock.now() + timedelta(minutes=15))
        held_back[one.name] = now + 3_600


def _unreasoned(world: World, held_back: dict[str, float]) -> int:
    """Count accounts that nothing stands in the way of, and that were not run for longer than an interval."""
    now, last = world.clock.now(), dict(world.runs)
    limit = TIMING.interval + TIMING.late_after
    free = [one.name for one in world.accounts if held_back.get(one.name, 0.0) <= world.clock.monotonic()]
    return sum(now - last[name] > limit for name in free if name in last)
