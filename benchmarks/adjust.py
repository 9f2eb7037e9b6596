"""How many adjustments are posted in a second and read back, journal on, fifty to a transaction, and one by one.

The book has ten thousand fills, so that what depends on its size would show. PostgreSQL is measured where
TEST_DATABASE_URL names a server, or the one of the tests can be started.
"""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from sqlalchemy.ext.asyncio import AsyncEngine

from benchmarks.measured import Measured
from gal_friday.adapters.book_sql import SqlAdjustments, SqlBook
from gal_friday.adapters.clock import SteppedClock
from gal_friday.adapters.journal import SqlJournal
from gal_friday.adapters.sql import open_engine, upgrade
from gal_friday.domain.adjusted import Applied, By
from gal_friday.domain.adjustment import (
    Adjustment,
    AdjustmentState,
    AdjustmentType,
    Effect,
    PostFill,
    Posting,
    PostMovement,
    adjustment_id,
)
from gal_friday.domain.assets import Asset, Instrument, Wallet
from gal_friday.domain.records import Fill, Movement, OrderSide

AT = datetime(2026, 1, 31, 12, tzinfo=UTC)
FILLS, ADJUSTMENTS, ALONE = 10_000, 600, 50


def run() -> Iterator[Measured]:
    """Measure SQLite, then PostgreSQL where there is one."""
    with TemporaryDirectory() as folder:
        seconds = asyncio.run(_applied(f"sqlite+aiosqlite:///{Path(folder) / 'book.db'}"))
        yield from _lines("SQLite", seconds)
    yield from _lines("PostgreSQL", asyncio.run(_on_postgresql()))


def _lines(engine: str, seconds: tuple[float, float]) -> Iterator[Measured]:
    together, alone = seconds
    yield Measured(f"adjustments applied and read back, {engine}", ADJUSTMENTS / together, "/s", ">= 300")
    yield Measured(f"the same one by one, {engine}", ALONE / alone, "/s")


async def _on_postgresql() -> tuple[float, float]:
    from tests.postgres.databases import Databases

    databases = Databases()
    try:
        async with databases.fresh() as address:
            return await _applied(address)
    finally:
        await asyncio.to_thread(databases.close)


async def _applied(address: str) -> tuple[float, float]:
    engine = open_engine(address)
    try:
        await upgrade(engine)
        with TemporaryDirectory() as folder:
            return await _timed(engine, Path(folder))
    finally:
        await engine.dispose()


async def _timed(engine: AsyncEngine, folder: Path) -> tuple[float, float]:
    clock = SteppedClock(AT + timedelta(days=1))
    book = SqlBook(engine, clock=clock)
    adjustments = SqlAdjustments(engine, clock=clock, journal=SqlJournal(folder, clock))
    await book.append(account="main", exchange="kraken", fills=[_fill(at) for at in range(FILLS)])
    made = [_adjustment(FILLS + at) for at in range(ADJUSTMENTS + ALONE)]
    await adjustments.keep(made, state=AdjustmentState.APPROVED, by=By("policy", "policy"))
    ids = [one.adjustment_id for one in made]
    began = perf_counter()
    done = await adjustments.apply_all(ids[ALONE:], token=None)
    together = perf_counter() - began
    for name in ids[:ALONE]:
        done = [*done, await adjustments.apply(name, token=None)]
    assert all(isinstance(one, Applied) for one in done)
    return together, perf_counter() - began - together


def _fill(number: int) -> Fill:
    at = AT + timedelta(seconds=number)
    return Fill(f"T{number}", Instrument("XRP/USD"), OrderSide.BUY, Decimal(40), Decimal("0.5"), at, fee=Decimal(1))


def _adjustment(number: int) -> Adjustment:
    fill = _fill(number)
    legs = (
        Movement(f"L{number}a", "trade", Asset("XRP"), Wallet.SPOT, Decimal(40), fill.at, refers_to=fill.fill_id),
        Movement(
            f"L{number}b", "trade", Asset("USD"), Wallet.SPOT, Decimal(-20), fill.at, Decimal(1), refers_to=fill.fill_id
        ),
    )
    postings: tuple[Posting, ...] = (PostFill(fill), *map(PostMovement, legs))
    effects = (
        Effect("balances:USD:spot", Decimal(0), Decimal(-21)),
        Effect("balances:XRP:spot", Decimal(0), Decimal(40)),
    )
    return Adjustment(
        adjustment_id=adjustment_id("main", "kraken", postings, ""),
        account="main",
        exchange="kraken",
        type=AdjustmentType.BOOK_FILL,
        postings=postings,
        discrepancies=("dis_1",),
        keys=("balances:USD:spot", "balances:XRP:spot"),
        effects=effects,
        record_ids=(fill.fill_id, *(row.movement_id for row in legs)),
        cause="missed_fill",
        reason="a fill never reached the book",
        reconciliation_id="rec_1",
        book_version="1",
        at=AT + timedelta(hours=9),
    )
