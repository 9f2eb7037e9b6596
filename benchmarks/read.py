"""One run of an account with 10,000 fills and 30,000 ledger rows, against the simulated Kraken in its own process."""

import asyncio
import json
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from time import process_time

import httpx2
from msgspec.structs import replace

from benchmarks.measured import Measured
from gal_friday.adapters.book_sql.memory import MemoryBook
from gal_friday.adapters.clock import SteppedClock
from gal_friday.adapters.kraken import KrakenExchange
from gal_friday.adapters.store import MemoryStore
from gal_friday.domain.policy import Policy
from gal_friday.domain.records import RECORD_KINDS
from gal_friday.domain.report import ReconciliationReport
from gal_friday.flows.fetch import Sources, fetch
from gal_friday.flows.reconcile import reconcile
from gal_friday.ports.clock import Clock


def run() -> Iterator[Measured]:
    """Measure the client's processor time and memory; the server's are its own."""
    with _server() as (url, key, secret):
        yield from asyncio.run(_measured(url, key, secret))


async def _measured(url: str, key: str, secret: str) -> list[Measured]:
    before = _megabytes()
    plain = process_time()
    pages = await _plain(url)
    plain = process_time() - plain
    sources = await _sources(url, key, secret)
    began = process_time()
    report = await _reconciled(sources)
    seconds = process_time() - began
    await sources.exchange.close()
    rows = f"{report.fills_checked} fills, {report.movements_checked} movements, verdict {report.verdict}"
    return [
        Measured(f"{pages} bare GETs with httpx2, nothing read", plain, "s"),
        Measured("read, parsed, compared and recorded, CPU", seconds, "s", "2"),
        Measured(f"  {rows}", report.duration_seconds, "s"),
        Measured("peak memory of the process", _megabytes(), "MB", "200"),
        Measured("  of which before the first call", before, "MB"),
    ]


async def _plain(url: str) -> int:
    """Make as many requests as the run will, and look at none of the answers."""
    pages = 820
    async with httpx2.AsyncClient(base_url=url) as client:
        for _ in range(pages):
            await client.get("/0/public/Time")
    return pages


async def _sources(url: str, key: str, secret: str) -> Sources:
    """Return the account with a book that agrees: it was told everything that the exchange knows."""
    async with httpx2.AsyncClient(base_url=url) as client:
        now = (await client.get("/0/public/Time")).json()["result"]["unixtime"]
    clock = SteppedClock(start=datetime.fromtimestamp(now, UTC))
    book = MemoryBook(clock=clock)
    teacher = Sources("main", _kraken(url, key, secret, clock), book, clock)
    told = (await fetch(teacher, since=_since(clock), only=RECORD_KINDS)).exchange
    await teacher.exchange.close()
    await book.append(
        account="main", exchange="kraken", fills=told.fills, movements=told.movements, orders=told.orders
    )
    return replace(teacher, exchange=_kraken(url, key, secret, clock))


def _kraken(url: str, key: str, secret: str, clock: SteppedClock) -> KrakenExchange:
    return KrakenExchange(key=key, secret=secret, clock=clock, url=url, tier="none")


async def _reconciled(sources: Sources) -> ReconciliationReport:
    return await reconcile(sources, MemoryStore(), policy=Policy(), since=_since(sources.clock))


def _since(clock: Clock) -> datetime:
    return clock.now() - timedelta(days=3650)


def _megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@contextmanager
def _server() -> Iterator[tuple[str, str, str]]:
    command = [sys.executable, "-m", "gal_friday.adapters.simulated", "--scenario", "busy", "--no-limits"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        credentials = json.loads(process.stdout.readline())
        yield url, credentials["key"], credentials["secret"]
    finally:
        process.terminate()
        process.wait(10)
