"""How long it takes to record a report of ten thousand findings, its discrepancies and its facts in the journal.

Once with one key in a hundred that differs, and once where every key does. PostgreSQL is the one of the tests, or the
one that TEST_DATABASE_URL names.
"""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from msgspec.structs import replace

from benchmarks.compare import snapshot
from benchmarks.measured import Measured
from gal_friday.adapters.clock import SteppedClock
from gal_friday.adapters.journal import SqlJournal
from gal_friday.adapters.sql import open_engine, upgrade
from gal_friday.adapters.store import SqlStore
from gal_friday.domain.following import carry_forward
from gal_friday.domain.policy import Policy
from gal_friday.domain.recall import run_of
from gal_friday.domain.report import compare

KEYS = 10_000
ROUNDS = 3


def run() -> Iterator[Measured]:
    """Measure SQLite, then PostgreSQL where there is one."""
    with TemporaryDirectory() as folder:
        yield from _lines("SQLite", asyncio.run(_recorded(f"sqlite+aiosqlite:///{Path(folder) / 'store.db'}")))
    yield from _lines("PostgreSQL", asyncio.run(_on_postgresql()))


def _lines(engine: str, seconds: tuple[float, float]) -> Iterator[Measured]:
    few, every = seconds
    yield Measured(f"a report of {KEYS} findings recorded, 1 % differ, {engine}", few, "s", "1")
    yield Measured(f"a report of {KEYS} findings recorded, all differ, {engine}", every, "s")


async def _on_postgresql() -> tuple[float, float]:
    from tests.postgres.databases import Databases

    databases = Databases()
    try:
        async with databases.fresh() as address:
            return await _recorded(address)
    finally:
        await asyncio.to_thread(databases.close)


async def _recorded(address: str) -> tuple[float, float]:
    engine = open_engine(address)
    await upgrade(engine)
    try:
        with TemporaryDirectory() as folder:
            store = SqlStore(engine, SqlJournal(Path(folder), SteppedClock()))
            return await _fastest(store, 100, "few"), await _fastest(store, 1, "every")
    finally:
        await engine.dispose()


async def _fastest(store: SqlStore, one_in: int, name: str) -> float:
    """Return the seconds of the fastest round; each records another account's report."""
    seconds = []
    for number in range(ROUNDS):
        sides = (snapshot("internal", KEYS, 0), snapshot("exchange", KEYS, 1, one_in=one_in))
        ours, theirs = (replace(side, account=f"{name}{number}") for side in sides)
        report = compare(ours, theirs)
        run = run_of(report, since=report.timestamp - timedelta(days=1))
        carried = carry_forward((), report.findings, report.discrepancies, run=run, policy=Policy())
        began = perf_counter()
        await store.save_report(report, carried, pending={})
        seconds.append(perf_counter() - began)
    return min(seconds)
