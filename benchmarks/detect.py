"""From a fill on the exchange that the book lacks to its open discrepancy in the database, through stream and run.

The simulated Kraken runs in this process and speaks real HTTP and a real WebSocket; the service is the real one, with
the grace set to one second, which is taken off. Each fill is another one, and each is waited for before the next.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from msgspec import Struct

from benchmarks.measured import Measured
from gal_friday.adapters.clock import SystemClock
from gal_friday.adapters.simulated import Scenario, SimulatedKraken, scenarios
from gal_friday.bootstrap import serve as bootstrap
from gal_friday.bootstrap.service import ReconciliationService
from gal_friday.bootstrap.settings import Settings, load

FILLS, GRACE = 40, 1


class Watched(Struct, frozen=True):
    """A service that listens to an account that trades."""

    scenario: Scenario
    serving: bootstrap.Serving

    async def detected(self) -> float:
        """Trade once, and return after how many seconds beside the grace the discrepancy is open."""
        began = perf_counter()
        placed = self.scenario.exchange.place_order("main", "XXBTZUSD", "buy", "market", "0.001")
        (name,) = (execution.trade for execution in placed.executions)
        store = self.serving.service.opened.store
        # Looked for as anybody would who knows only the database.
        while not any(name in str(one.key) for one in await store.open_discrepancies("main")):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        return perf_counter() - began - GRACE


def run() -> Iterator[Measured]:
    """Measure so many fills, one after the other."""
    seconds = sorted(asyncio.run(_detected()))
    yield Measured(f"{FILLS} fills that the book lacks: detected beside the grace, median", seconds[FILLS // 2], "s")
    yield Measured("  the slowest, which is p99 of so many", seconds[-1], "s", "1")


async def _detected() -> list[float]:
    async with watched() as one:
        await one.detected()  # the first one has to wait for the run of the start
        return [await one.detected() for _ in range(FILLS)]


@asynccontextmanager
async def watched() -> AsyncIterator[Watched]:
    """Give a service that listens to a small account of a simulated Kraken, and whose first run is over."""
    scenario = scenarios.quiet(1)
    scenario.exchange.now = SystemClock().now
    async with SimulatedKraken(scenario.exchange, enforce_limits=False) as server:
        with TemporaryDirectory() as folder:
            settings = _configured(Path(folder), server.url, scenario)
            async with ReconciliationService(settings) as service:
                await service.opened.book.append(account="main", exchange="kraken")  # it knows nothing of what happened
            stop, began = asyncio.Event(), asyncio.Queue[bootstrap.Serving]()
            task = asyncio.create_task(bootstrap.serve(settings, stop, ready=began.put))
            serving = await _first(began, task)
            while not all(one.connected for one in serving.listening) or not await _has_run(serving):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
            try:
                yield Watched(scenario, serving)
            finally:
                stop.set()
                await task


async def _first(began: asyncio.Queue[bootstrap.Serving], task: asyncio.Task[None]) -> bootstrap.Serving:
    """Wait for the service to begin; where it ends instead, raise why."""
    waiting = asyncio.create_task(began.get())
    await asyncio.wait((waiting, task), return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        waiting.cancel()
        await task
    return await waiting


async def _has_run(serving: bootstrap.Serving) -> bool:
    planned = await serving.service.opened.schedules.one("main")
    return planned is not None and planned.last_run is not None and planned.begun is None


def _configured(folder: Path, url: str, scenario: Scenario) -> Settings:
    (folder / "key").write_text(scenario.key.key)
    (folder / "secret").write_text(scenario.key.secret)
    file = folder / "gal-friday.toml"
    file.write_text(
        f'state_folder = "{folder}"\n[database]\nurl = "sqlite+aiosqlite:///{folder}/gal-friday.db"\n'
        f"[api]\nport = 0\n[reconciliation]\ngrace_seconds = {GRACE}\n[recordings]\nkeep_days = 0\n"
        f'[accounts.main]\napi_key = "file:{folder}/key"\napi_secret = "file:{folder}/secret"\n'
        f'url = "{url}"\ntier = "none"\nstream = true\n'
    )
    return load(file, environment={})
