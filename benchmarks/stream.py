"""From a fill at the exchange to the listener: over a real WebSocket on loopback, in one process and one loop."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from time import perf_counter

from benchmarks.measured import Measured
from gal_friday.adapters.clock import SystemClock
from gal_friday.adapters.kraken.stream import KrakenStream
from gal_friday.adapters.simulated import Scenario, SimulatedKraken, scenarios
from gal_friday.ports.stream import BalanceSeen, FillSeen, Missed, StreamEvent

FILLS = 2000
BURST = 5000
PAUSE_SECONDS = 0.002


def run() -> Iterator[Measured]:
    """Measure single fills, and many at once. Exchange, server and listener share the processor."""
    alone, burst = asyncio.run(_measured())
    milliseconds = sorted(1000 * each for each in alone)
    yield Measured(f"a fill until it is told, median of {FILLS}", milliseconds[len(milliseconds) // 2], "ms")
    yield Measured("  of a hundred fills the slowest but one (p99)", milliseconds[len(milliseconds) * 99 // 100], "ms")
    yield Measured("  the slowest", milliseconds[-1], "ms")
    yield Measured(f"{BURST} fills at once, until the last is told", burst, "s")
    yield Measured("  fills told in a second", BURST / burst, "/s")


async def _measured() -> tuple[list[float], float]:
    scenario = scenarios.quiet(1)
    async with SimulatedKraken(scenario.exchange, enforce_limits=False) as server:
        stream = KrakenStream(
            key=scenario.key.key, secret=scenario.key.secret, clock=SystemClock(), url=server.url, tier="none",
            events_max=10 * BURST,
        )  # fmt: skip
        async with aclosing(stream.events()) as events:
            await _opened(events)
            order = _resting(scenario)
            alone = [await _one(scenario, order, events) for _ in range(FILLS)]
            return alone, await _many(scenario, order, events)


async def _opened(events: AsyncGenerator[StreamEvent, None]) -> None:
    missed = False
    async for event in events:
        missed = missed or isinstance(event, Missed)
        if missed and isinstance(event, BalanceSeen):
            return


def _resting(scenario: Scenario) -> str:
    volume = f"{(FILLS + BURST + 1) / 100_000:.5f}"
    return scenario.exchange.place_order("main", "XXBTZUSD", "buy", "limit", volume, "50000").order


async def _one(scenario: Scenario, order: str, events: AsyncGenerator[StreamEvent, None]) -> float:
    await asyncio.sleep(PAUSE_SECONDS)
    began = perf_counter()
    (execution,) = scenario.exchange.fill_order(order, "0.00001")
    await _told(events, execution.trade)
    return perf_counter() - began


async def _many(scenario: Scenario, order: str, events: AsyncGenerator[StreamEvent, None]) -> float:
    began = perf_counter()
    executions = [scenario.exchange.fill_order(order, "0.00001")[0] for _ in range(BURST)]
    await _told(events, executions[-1].trade)
    return perf_counter() - began


async def _told(events: AsyncGenerator[StreamEvent, None], fill: str) -> None:
    async for event in events:
        if isinstance(event, FillSeen) and event.fill.fill_id == fill:
            return
