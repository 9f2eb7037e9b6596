"""One run of an account with 10,000 fills and 30,000 ledger rows, against the simulated Kraken in its own process."""

import asyncio
import json
import resource
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time
from typing import NamedTuple

import httpx2

from benchmarks.measured import Measured
from gal_friday.adapters.book_sql import SqlBook
from gal_friday.adapters.clock import SteppedClock
from gal_friday.adapters.kraken import KrakenExchange
from gal_friday.adapters.sql.engine import open_engine
from gal_friday.adapters.sql.migration import upgrade
from gal_friday.adapters.store import SqlStore
from gal_friday.domain.compare import compare_snapshots
from gal_friday.domain.policy import Policy
from gal_friday.domain.records import RECORD_KINDS, Kind
from gal_friday.domain.report import ReconciliationReport, report_of
from gal_friday.domain.snapshot import Scales
from gal_friday.flows.fetch import Sources, fetch
from gal_friday.ports.clock import Clock

_STATED = (Kind.BALANCES, Kind.POSITIONS, Kind.FILLS, Kind.MOVEMENTS)
"""What the bar speaks of: fills and ledger rows, with the balances that they lead to."""


def run() -> Iterator[Measured]:
    """Measure the client's processor time and memory; those of server and teacher are their own."""
    with _server() as (url, key, secret), TemporaryDirectory() as folder:
        account = Account(url, key, secret, folder)
        # In a process of its own, so that the book is read from a database as in real life.
        teacher = get_context("spawn").Process(target=_teach, args=(account,))
        teacher.start()
        teacher.join()
        yield from asyncio.run(_measured(account))


class Account(NamedTuple):
    """Where the exchange is, how to get in, and the folder with the book and the key's last nonce."""

    url: str
    key: str
    secret: str
    folder: str

    @property
    def database(self) -> str:
        """The book's database."""
        return f"sqlite+aiosqlite:///{self.folder}/book.db"


def _teach(account: Account) -> None:
    """Tell the book everything that the exchange knows, so that both sides agree."""
    asyncio.run(_taught(account))


async def _taught(account: Account) -> None:
    engine, clock = open_engine(account.database), SteppedClock(start=await _now(account.url))
    await upgrade(engine)
    book = SqlBook(engine, clock=clock)
    exchange, since, now = _kraken(account, clock), _since(clock), clock.now()
    movements = await exchange.movements(since=since, until=now)
    fills = await exchange.fills(since=since, until=now)
    orders = await exchange.orders(since=since)
    await book.append(account="main", exchange="kraken", fills=fills.rows, movements=movements.rows, orders=orders.rows)
    await exchange.close()
    await engine.dispose()


async def _measured(account: Account) -> list[Measured]:
    before, plain = _megabytes(), process_time()
    pages = await _plain(account.url)
    plain = process_time() - plain
    engine, clock = open_engine(account.database), SteppedClock(start=await _now(account.url))
    sources = Sources("main", _kraken(account, clock), SqlBook(engine, clock=clock), clock)
    since = _since(clock)
    stated, held = await _run(sources, since, _STATED), _megabytes()
    book = await _book_alone(sources, since)
    whole = await _run(sources, since, RECORD_KINDS)
    recorded = process_time()
    await SqlStore(engine).save_report(whole.report)
    recorded = process_time() - recorded
    most = _megabytes()
    await sources.exchange.close()
    await engine.dispose()
    return [
        Measured(f"{pages} bare GETs with httpx2, nothing read (CPU)", plain, "s"),
        Measured(f"{_rows(stated.report)}: read and compared", stated.seconds, "s"),
        Measured("  of which the book, read from its database", book, "s"),
        Measured("  fetched from the exchange, parsed and compared", stated.seconds - book, "s", "2"),
        Measured("  peak memory of the process", held, "MB", "200"),
        Measured("  of which before the first call", before, "MB"),
        Measured(f"{_rows(whole.report)} (CPU)", whole.seconds, "s"),
        Measured("  recorded", recorded, "s"),
        Measured("  peak memory once the report is recorded", most, "MB"),
    ]


class _Run(NamedTuple):
    """One reading of both sides, compared."""

    seconds: float
    report: ReconciliationReport


async def _run(sources: Sources, since: datetime, only: Sequence[Kind]) -> _Run:
    began = process_time()
    fetched = await fetch(sources, since=since, only=only)
    findings = fetched.findings or compare_snapshots(fetched.internal, fetched.exchange, only=only)
    seconds = process_time() - began
    report = report_of(fetched.internal, fetched.exchange, findings, policy=Policy(), prices={}, only=only)
    return _Run(seconds, report)


def _rows(report: ReconciliationReport) -> str:
    orders = f", {report.orders_checked} orders" if report.orders_checked else ""
    return f"{report.fills_checked} fills, {report.movements_checked} movements{orders}"


async def _book_alone(sources: Sources, since: datetime) -> float:
    """Return the processor seconds of one snapshot of the book."""
    began = process_time()
    await sources.book.snapshot(account="main", since=since, scales=Scales())
    return process_time() - began


async def _plain(url: str) -> int:
    """Make as many requests as the run will, and look at none of the answers."""
    pages = 1030
    async with httpx2.AsyncClient(base_url=url) as client:
        for _ in range(pages):
            await client.get("/0/public/Time")
    return pages


async def _now(url: str) -> datetime:
    """Return the instant at which the simulated exchange stands."""
    async with httpx2.AsyncClient(base_url=url) as client:
        answer = await client.get("/0/public/Time")
    return datetime.fromtimestamp(answer.json()["result"]["unixtime"], UTC)


def _kraken(account: Account, clock: SteppedClock) -> KrakenExchange:
    return KrakenExchange(
        key=account.key,
        secret=account.secret,
        clock=clock,
        url=account.url,
        tier="none",
        state_folder=Path(account.folder),
    )


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
