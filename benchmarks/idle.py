"""What a service costs that has nothing to do: a hundred accounts, hourly, each run once, then watched for a minute.

The service is ``gal-friday serve`` in a process of its own, with API, alerts and metrics; the simulated Kraken is in
this one. Processor time and memory are what the system counts (Linux).
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import text

from benchmarks.measured import Measured
from gal_friday.adapters.clock import SystemClock
from gal_friday.adapters.simulated import SimulatedKraken, scenarios
from gal_friday.bootstrap.service import ReconciliationService
from gal_friday.bootstrap.settings import load

ACCOUNTS, SECONDS = 100, 60


def run() -> Iterator[Measured]:
    """Measure one minute."""
    share, memory = asyncio.run(_watched())
    yield Measured(f"{ACCOUNTS} accounts, hourly, idle: share of one core", 100 * share, "%", "< 1")
    yield Measured("  memory", memory, "MB", "< 150")


async def _watched() -> tuple[float, float]:
    scenario = scenarios.virgin(1)
    scenario.exchange.now = SystemClock().now
    async with SimulatedKraken(scenario.exchange, enforce_limits=False) as server:
        with TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "key").write_text(scenario.key.key)
            (folder / "secret").write_text(scenario.key.secret)
            file = _configured(folder, server.url)
            async with ReconciliationService(load(file, environment={})) as service:
                for number in range(ACCOUNTS):
                    await service.opened.book.append(account=f"a{number}", exchange="kraken")
                async with serving(file, folder) as pid:
                    await all_run(service, ACCOUNTS)
                    await asyncio.sleep(5)
                    before = _seconds(pid)
                    await asyncio.sleep(SECONDS)
                    return (_seconds(pid) - before) / SECONDS, megabytes(pid)


def _configured(folder: Path, url: str) -> Path:
    account = f'api_key = "file:{folder}/key"\napi_secret = "file:{folder}/secret"\nurl = "{url}"\ntier = "none"\n'
    file = folder / "gal-friday.toml"
    file.write_text(
        f'state_folder = "{folder}"\n[database]\nurl = "sqlite+aiosqlite:///{folder}/gal-friday.db"\n[api]\nport = 0\n'
        + "".join(f"[accounts.a{number}]\n{account}" for number in range(ACCOUNTS))
    )
    return file


@asynccontextmanager
async def serving(file: Path, folder: Path) -> AsyncIterator[int]:
    """Run a service with this configuration, and give the number of its process."""
    with (folder / "log").open("wb") as log:
        command = [sys.executable, "-m", "gal_friday", "serve", "--config", str(file)]
        process = await asyncio.create_subprocess_exec(*command, stdout=log, stderr=log)
    try:
        yield process.pid
    finally:
        process.terminate()
        await process.wait()


async def all_run(service: ReconciliationService, accounts: int) -> None:
    """Wait until so many accounts have been reconciled."""
    runs = text("SELECT count(DISTINCT account) FROM reconciliation_events")
    async with asyncio.timeout(300):
        while True:
            async with service.opened._engine.connect() as connection:
                if (await connection.execute(runs)).scalar_one() == accounts:
                    return
            await asyncio.sleep(0.5)


def _seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def megabytes(pid: int) -> float:
    """Return how much memory a process has, as the system counts it."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024
