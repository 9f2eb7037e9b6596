"""A thousand simulated accounts, one scheduler, three workers on this machine and PostgreSQL: in peace, and under fire.

In peace it counts runs in a second, from the first to the last of one round. Under fire one worker is killed and one
is paused in the middle of their runs, and a new one comes; it counts accounts that were not run, runs of one account
at once, and reports that are there twice. The exchange answers from memory in the workers: what is measured is the
fleet, and not HTTP.
"""

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import text

from benchmarks.measured import Measured
from tests.fleet.rig import Fleet, configured, fleet

ACCOUNTS, WORKERS, LEASE = 1_000, 3, 10
FIRE_SECONDS = 150


def run() -> Iterator[Measured]:
    """Measure one round in peace, then two and a half minutes under fire."""
    yield from asyncio.run(_peace())
    yield from asyncio.run(_fire())


async def _peace() -> list[Measured]:
    async with _running() as rig:
        await _until_all(rig)
        runs = rig.runs()
    seconds = max(run.ended or 0 for run in runs) - min(run.begun for run in runs)
    return [Measured(f"{ACCOUNTS} accounts, {WORKERS} workers: runs in a second", len(runs) / seconds, "/s", ">= 50")]


async def _fire() -> list[Measured]:
    async with _running(seconds=0.05) as rig:
        while len(rig.runs()) < ACCOUNTS // 2:  # noqa: ASYNC110 - other processes write there
            await asyncio.sleep(0.2)
        killed, paused = rig.workers[0], rig.workers[1]
        killed.send_signal(signal.SIGKILL)
        paused.send_signal(signal.SIGSTOP)
        await rig.start_worker()
        await asyncio.sleep(FIRE_SECONDS / 2)
        paused.send_signal(signal.SIGCONT)
        await asyncio.sleep(FIRE_SECONDS / 2)
        overlaps = rig.overlapping(without=frozenset({killed.pid, paused.pid}))
        runs, lost = rig.runs(), await _counted(rig, "SELECT count(*) FROM schedules WHERE begun IS NOT NULL")
        missed = await _counted(rig, "SELECT count(*) FROM journal_entries WHERE entry LIKE '%nobody ran it in time%'")
        reports = "SELECT count(*) - count(DISTINCT reconciliation_id) FROM reconciliation_events"
        twice = await _counted(rig, reports)
    whole = {one.account for one in runs if one.ended is not None}
    return [
        Measured("under fire: runs", len(runs), ""),
        Measured("  accounts that were never run", ACCOUNTS - len(whole), "", "0"),
        Measured("  runs told as missed", missed, "", "0"),
        Measured("  runs of one account at once", len(overlaps), "", "0"),
        Measured("  reports that are there twice", twice, "", "0"),
        Measured("  runs under way at the end", lost, ""),
    ]


@asynccontextmanager
async def _running(seconds: float = 0.0) -> AsyncIterator[Fleet]:
    from tests.postgres.databases import Databases

    databases = Databases()
    try:
        with TemporaryDirectory() as folder:
            async with databases.fresh() as address:
                settings = configured(Path(folder), address, accounts=ACCOUNTS, lease_seconds=LEASE)
                async with fleet(settings, Path(folder), workers=WORKERS, seconds=seconds) as rig:
                    yield rig
    finally:
        await asyncio.to_thread(databases.close)


async def _until_all(rig: Fleet) -> None:
    while len({one.account for one in rig.runs() if one.ended}) < ACCOUNTS:  # noqa: ASYNC110 - as above
        await asyncio.sleep(0.5)


async def _counted(rig: Fleet, query: str) -> int:
    async with rig.opened._engine.connect() as connection:
        return int((await connection.execute(text(query))).scalar_one())
