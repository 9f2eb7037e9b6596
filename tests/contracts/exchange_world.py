"""A simulated exchange on loopback, what really happened there, and adapters that read it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from gal_friday.adapters.kraken import Deadlines, KrakenExchange
from gal_friday.adapters.simulated import Exchange, SimulatedKraken, VirtualClock, scenarios
from gal_friday.ports import exchange as port

Reading = port.Reading[Any]

LONG_AGO = timedelta(days=400)
READS = ("balances", "positions", "orders", "movements", "fills")


class WaitingMovesTime:
    """The clock of both sides: it moves only where somebody waits."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self._began = clock.now()

    def now(self) -> datetime:
        return self._clock.now()

    def monotonic(self) -> float:
        return (self._clock.now() - self._began).total_seconds()

    async def sleep(self, seconds: float) -> None:
        if seconds > 0:
            self._clock.advance(timedelta(seconds=seconds))
        await asyncio.sleep(0)


class World:
    """A simulated exchange, what really happened there, and the adapter under test."""

    def __init__(self, simulated: Exchange, clock: VirtualClock, server: SimulatedKraken, folder: Path) -> None:
        self.simulated = simulated
        self.virtual = clock
        self.clock = WaitingMovesTime(clock)
        self.server = server
        self.folder = folder
        self.account = simulated.account("main")
        self.adapters: list[KrakenExchange] = []

    def kraken(self, **options: Any) -> KrakenExchange:
        """Return an adapter with a new key."""
        key = self.simulated.issue_key("main", tier="pro", **options.pop("key", {}))
        adapter = KrakenExchange(
            key=key.key,
            secret=key.secret,
            clock=self.clock,
            url=self.server.url,
            tier="none",
            state_folder=self.folder,
            deadlines=Deadlines(connect=0.5, read=0.3, total=0.4),
            **options,
        )
        self.adapters.append(adapter)
        return adapter

    async def read(self, exchange: port.Exchange, what: str) -> Reading:
        """Read one kind of record, from long ago up to now."""
        now = self.clock.now()
        since = now - LONG_AGO
        match what:
            case "balances":
                return await exchange.balances()
            case "positions":
                return await exchange.positions()
            case "orders":
                return await exchange.orders(since=since, known=self.known_orders())
            case "fills":
                return await exchange.fills(since=since, until=now)
            case _:
                return await exchange.movements(since=since, until=now)

    def known_orders(self) -> tuple[str, ...]:
        return tuple(sorted(self.account.orders))[:7]


def ids(reading: Reading, what: str) -> list[str]:
    """Return what tells the rows of a reading apart."""
    names = {"fills": "fill_id", "movements": "movement_id", "orders": "order_id", "positions": "position_id"}
    if what == "balances":
        return [f"{row.asset}/{row.wallet}" for row in reading.rows]
    return [getattr(row, names[what]) for row in reading.rows]


def lively() -> scenarios.Scenario:
    """Return a world with some of everything, and more trades and rows than fit on a page."""
    scene = scenarios.quiet(1)
    for number in range(70):
        scene.clock.advance(timedelta(seconds=1))
        scene.exchange.place_order("main", "XBTUSD", ("buy", "sell")[number % 2], "market", "0.001")
    # Older than any lag, so that the two lists can be held against each other.
    scene.clock.advance(timedelta(minutes=10))
    return scene


@asynccontextmanager
async def world_of(scene: scenarios.Scenario, folder: Path) -> AsyncIterator[World]:
    async with SimulatedKraken(scene.exchange, enforce_limits=False) as server:
        world = World(scene.exchange, scene.clock, server, folder)
        try:
            yield world
        finally:
            for adapter in world.adapters:
                await adapter.close()
