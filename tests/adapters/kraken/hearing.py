"""One listener of a stream, everything that it was told, and everything that happened meanwhile."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from datetime import datetime
from typing import Any

from gal_friday.adapters.clock import SystemClock
from gal_friday.adapters.kraken.stream import KrakenStream, StreamPatience
from gal_friday.adapters.simulated import (
    Execution,
    Scenario,
    SimulatedKraken,
)
from gal_friday.ports.stream import (
    BalanceSeen,
    FillSeen,
    Missed,
    Stream,
    StreamEvent,
)

QUICK = StreamPatience(
    connect=1.0, answer=0.5, silence=0.3, pair=0.2, first_pause=0.01, longest_pause=0.05, lived=5.0, tokens=3
)
CLOCK = SystemClock()


class Heard:
    """Everything that one listener was told, and what happened meanwhile."""

    def __init__(self, stream: Stream, scenario: Scenario) -> None:
        self.stream = stream
        self.exchange = scenario.exchange
        self.events: list[StreamEvent] = []
        self.ended = False
        self.happened: list[tuple[str, datetime]] = []
        self._changed = asyncio.Event()

    async def listen(self) -> None:
        async with aclosing(self.stream.events()) as events:
            async for event in events:
                self.events.append(event)
                self._changed.set()
        self.ended = True
        self._changed.set()

    async def until(self, found: Callable[[], Any]) -> None:
        async with asyncio.timeout(8):
            while not found():
                self._changed.clear()
                await self._changed.wait()

    def of(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    def trade(self, volume: str = "0.001", parts: int = 1) -> tuple[Execution, ...]:
        placed = self.exchange.place_order("main", "XXBTZUSD", "buy", "market", volume, parts=parts)
        self.happened += [(execution.trade, CLOCK.now()) for execution in placed.executions]
        return placed.executions

    def rest(self) -> str:
        return self.exchange.place_order("main", "XXBTZUSD", "buy", "limit", "0.01", "50000").order

    def untold(self) -> list[str]:
        """Return the fills that were neither told nor, after they happened, missed."""
        told = {seen.fill.fill_id for seen in self.of(FillSeen)}
        missed = [event.at for event in self.of(Missed)]
        return [fill for fill, at in self.happened if fill not in told and not any(each >= at for each in missed)]

    def twice(self) -> list[str]:
        fills = Counter(seen.fill.fill_id for seen in self.of(FillSeen))
        rows = Counter(seen.movement_id for seen in self.of(BalanceSeen) if seen.movement_id)
        return [name for name, count in (*fills.items(), *rows.items()) if count > 1]


def stream_of(server: SimulatedKraken, scenario: Scenario, **options: Any) -> KrakenStream:
    settings: dict[str, Any] = {"url": server.url, "tier": "none", "stream_patience": QUICK, "spread": lambda: 0.5}
    return KrakenStream(key=scenario.key.key, secret=scenario.key.secret, clock=CLOCK, **(settings | options))


@asynccontextmanager
async def listening(stream: Stream, scenario: Scenario, *, connected: bool = True) -> AsyncIterator[Heard]:
    heard = Heard(stream, scenario)
    task = asyncio.create_task(heard.listen())
    try:
        if connected:
            await heard.until(lambda: heard.of(Missed) and heard.of(BalanceSeen))
        yield heard
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
