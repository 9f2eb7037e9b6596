"""Counts of pending runs in the database: a process that dies in any way finds them again as the last run left them."""

import asyncio
import signal
import sys
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncEngine

from gal_friday.adapters.sql import open_engine, upgrade
from gal_friday.adapters.store import SqlStore
from gal_friday.domain.finding import Key
from gal_friday.domain.records import Kind

USD = Key(Kind.BALANCES, "USD", "spot")

# Writes one run, says so, and would go on to write another one.
SCRIPT = """
import asyncio, sys
import msgspec
from datetime import UTC, datetime
from gal_friday.adapters.sql import open_engine
from gal_friday.adapters.store import SqlStore, pending_rows
from gal_friday.domain.finding import Key
from gal_friday.domain.records import Kind
from gal_friday.domain.report import compare
from gal_friday.domain.snapshot import Coverages, Snapshot

def side(name):
    at = datetime(2026, 1, 31, tzinfo=UTC)
    return Snapshot(side=name, account="main", exchange="kraken", as_of=at, coverage=Coverages())

async def main():
    store = SqlStore(open_engine(sys.argv[1]))
    key = Key(Kind.BALANCES, "USD", "spot")
    report = compare(side("internal"), side("exchange"))
    await store.save_report(report, pending={key: 2})
    kept = pending_rows.write

    async def written_and_then_stuck(*args):
        await kept(*args)
        print("ready", flush=True)
        await asyncio.Event().wait()

    pending_rows.write = written_and_then_stuck
    await store.save_report(msgspec.structs.replace(report, reconciliation_id="rec_second"), pending={key: 3})

asyncio.run(main())
"""


async def test_counts_outlive_a_process_that_is_killed_in_the_middle_of_the_next_run(tmp_path: Path) -> None:  # I16
    address = f"sqlite+aiosqlite:///{tmp_path / 'store.db'}"
    engine = open_engine(address)
    await upgrade(engine)
    await engine.dispose()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SCRIPT, address, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    async with asyncio.timeout(60):
        assert await process.stdout.readline() == b"ready\n"
    process.send_signal(signal.SIGKILL)
    await process.wait()
    engine = open_engine(address)
    assert await _counted(engine) == {USD: 2}
    assert await SqlStore(engine).report("rec_second") is None
    await engine.dispose()


async def _counted(engine: AsyncEngine) -> dict[Key, int]:
    return dict(await SqlStore(engine).pending_runs("main", "kraken"))
