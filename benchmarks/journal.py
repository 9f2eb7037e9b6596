"""The journal: what an append costs beside a plain insert of the same rows, and how long verification takes."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from benchmarks.measured import Measured
from gal_friday.adapters.clock import SteppedClock
from gal_friday.adapters.journal import SqlJournal, verify
from gal_friday.adapters.sql.engine import open_engine, writing
from gal_friday.adapters.sql.migration import upgrade
from gal_friday.adapters.sql.tables import DISCREPANCY_CHANGES
from gal_friday.domain.facts import Fact, FactKind
from gal_friday.ports.errors import StoreFailed

AT = datetime(2026, 1, 31, 12, tzinfo=UTC)
BATCH = 10
BATCHES = 300
ENTRIES = 200_000
VERIFIED_IN = 200
"""Entries under one head of the journal that is verified: about those of one run."""


def run() -> Iterator[Measured]:
    """Measure on SQLite in a file, each transaction flushed to the disk as it is in real life."""
    yield from asyncio.run(_measured())


async def _measured() -> list[Measured]:
    with TemporaryDirectory() as folder:
        plain = await _appended(Path(folder) / "plain.db", _plain)
        journal = SqlJournal(Path(folder), SteppedClock(start=AT))

        async def sealed(connection: AsyncConnection, number: int) -> None:
            await journal.append(connection, _facts(number, BATCH))

        appended = await _appended(Path(folder) / "sealed.db", sealed)
        whole, few = await _verified(Path(folder), VERIFIED_IN), await _verified(Path(folder), BATCH)
    each = 1e6 / (BATCHES * BATCH)
    return [
        Measured(f"{BATCH} rows in one transaction, plain insert: each", plain * each, "µs"),
        Measured(f"{BATCH} facts in one transaction, sealed and signed: each", appended * each, "µs"),
        Measured("  times the plain insert", appended / plain, "×"),
        Measured(f"{ENTRIES} entries verified, {VERIFIED_IN} under a head", whole, "s", "10"),
        Measured(f"{ENTRIES} entries verified, {BATCH} under a head", few, "s", "10"),
    ]


def _facts(number: int, count: int) -> list[Fact]:
    body = {"note": "book 1.5, exchange 1.25", "key": "balances:BTC/spot", "severity": "high", "value": "15000"}
    return [
        Fact(kind=FactKind.REVIEW_COMMENTED, at=AT, account="main", subject=f"dis_{number:08}{each:08}", body=body)
        for each in range(count)
    ]


async def _appended(file: Path, write: Callable[[AsyncConnection, int], Awaitable[None]]) -> float:
    engine = open_engine(f"sqlite+aiosqlite:///{file}")
    await upgrade(engine)
    async with engine.begin() as connection:
        await connection.execute(
            text(
                "INSERT INTO discrepancies VALUES ('d','main','kraken','k','t','s','low','1','1',"
                "'x','x','x',NULL,NULL,1,0,1,'{}')"
            )
        )
    began = perf_counter()
    for number in range(BATCHES):
        async with writing(engine, StoreFailed) as connection:
            await write(connection, number)
    seconds = perf_counter() - began
    await engine.dispose()
    return seconds


async def _plain(connection: AsyncConnection, number: int) -> None:
    row = {"discrepancy_id": "d", "account": "main", "at": AT, "what": "changed", "state": "suspected"}
    row |= {
        "note": "book 1.5, exchange 1.25; balances:BTC/spot, high, 15000",
        "reconciliation_id": "rec_0123456789abcdef",
    }
    rows = [row | {"change_id": f"dis_{number:08}{each:08}", "number": each} for each in range(BATCH)]
    await connection.execute(insert(DISCREPANCY_CHANGES), rows)


async def _verified(folder: Path, batch: int) -> float:
    engine = open_engine(f"sqlite+aiosqlite:///{folder}/verified-{batch}.db")
    await upgrade(engine)
    journal = SqlJournal(folder, SteppedClock(start=AT))
    await _filled(engine, journal, batch)
    began = perf_counter()
    found = await verify(engine)
    seconds = perf_counter() - began
    assert found.broken is None, found.broken
    assert found.entries >= ENTRIES
    await engine.dispose()
    return seconds


async def _filled(engine: AsyncEngine, journal: SqlJournal, batch: int) -> None:
    async with writing(engine, StoreFailed) as connection:
        for number in range(ENTRIES // batch):
            await journal.append(connection, _facts(number, batch))
