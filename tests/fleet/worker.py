"""A worker of a fleet whose accounts are simulated in its own process; everything else is as in real life.

The queue, the schedule, the lease, the comparison, the record of runs and the journal are the real ones, in PostgreSQL.
An exchange that answers from memory takes the place of HTTP, so that what is measured is the fleet. Every run is
witnessed in a file that all workers append to: who began what, and how it ended.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from gal_friday.adapters.book_sql import MemoryBook
from gal_friday.adapters.clock import SystemClock
from gal_friday.adapters.journal import SqlJournal
from gal_friday.adapters.sql import open_engine
from gal_friday.adapters.store import SqlStore
from gal_friday.adapters.store.leases import SqlLeases
from gal_friday.bootstrap.service import owner
from gal_friday.bootstrap.settings import Settings, load
from gal_friday.bootstrap.worker import work
from gal_friday.domain.assets import Asset, Wallet
from gal_friday.domain.policy import Policy
from gal_friday.domain.records import Balance, Fill, Kind, Movement, Order, Position
from gal_friday.domain.snapshot import Coverage, Scales
from gal_friday.flows.fetch import Sources
from gal_friday.flows.lease import held
from gal_friday.flows.reconcile import reconcile
from gal_friday.ports.exchange import Capabilities, Check, Reading
from gal_friday.service.turns import Ran

AT = datetime.fromisoformat("2026-03-01T00:00:00+00:00")
ONE_IN = 10
"""One account in so many has a book that lacks a movement."""


class InMemory:
    """An exchange that holds one deposit, or two, and answers at once."""

    name = "kraken"
    capabilities = Capabilities()

    def __init__(self, movements: Sequence[Movement]) -> None:
        self._movements = tuple(movements)

    async def open(self) -> None:
        """Nothing to do."""

    async def close(self) -> None:
        """Nothing to do."""

    async def scales(self) -> Scales:
        return Scales()

    async def balances(self) -> Reading[Balance]:
        total = sum((one.amount for one in self._movements), Decimal(0))
        return Reading(rows=(Balance(Asset("USD"), Wallet.SPOT, total),), coverage=Coverage.TOTAL)

    async def positions(self) -> Reading[Position]:
        return Reading(rows=(), coverage=Coverage.TOTAL)

    async def orders(self, *, since: datetime, known: Sequence[str] = ()) -> Reading[Order]:
        del since, known
        return Reading(rows=(), coverage=Coverage.TOTAL)

    async def fills(self, *, since: datetime, until: datetime) -> Reading[Fill]:
        del since, until
        return Reading(rows=(), coverage=Coverage.TOTAL)

    async def movements(self, *, since: datetime, until: datetime) -> Reading[Movement]:
        del until
        rows = tuple(one for one in self._movements if one.at > since)
        return Reading(rows=rows, coverage=Coverage.TOTAL)

    async def head(self) -> str | None:
        return self._movements[-1].movement_id

    async def confirm(self, kind: Kind, ids: Sequence[str]) -> Reading[Any]:
        rows = tuple(one for one in self._movements if kind is Kind.MOVEMENTS and one.movement_id in ids)
        return Reading(rows=rows, coverage=Coverage.TOTAL)

    async def prices(self, assets: Sequence[Asset], *, currency: Asset) -> dict[Asset, Decimal]:
        del assets, currency
        return {}

    async def preflight(self) -> tuple[Check, ...]:
        return ()


class Witness:
    """One file for all workers; a line is written whole or not at all."""

    def __init__(self, path: Path, clock: SystemClock) -> None:
        self._clock = clock
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def say(self, what: str, account: str) -> None:
        os.write(self._file, f"{what} {account} {os.getpid()} {self._clock.monotonic():.4f}\n".encode())


def main(configuration: str, witnessed: str, seconds: float) -> None:
    """Work until told to stop; every run takes *seconds* of waiting beside its work."""
    settings = load(Path(configuration))
    asyncio.run(_worked(settings, Path(witnessed), seconds))


async def _worked(settings: Settings, witnessed: Path, seconds: float) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    clock, engine = SystemClock(), open_engine(settings.database.located())
    witness, lasts = Witness(witnessed, clock), settings.service.lease_seconds
    store = SqlStore(engine, SqlJournal(Path(settings.state_folder or "."), clock))
    leases = SqlLeases(engine, clock=clock)

    async def run(account: str) -> Ran:
        async with held(leases, account, owner=owner(), clock=clock, lasts=lasts):
            witness.say("begun", account)
            sources = await _sources(account, clock)
            await asyncio.sleep(seconds)
            report = await reconcile(sources, store, policy=Policy(), since=clock.now() - timedelta(days=1))
            witness.say("ended" if report.status != "failed" else "failed", account)
        return Ran(report=report)

    async def ready(_address: str) -> None:
        sys.stdout.write("ready\n")
        sys.stdout.flush()

    try:
        await work(settings, stop, ready=ready, run=run)
    finally:
        await engine.dispose()


async def _sources(account: str, clock: SystemClock) -> Sources:
    number = int(account.removeprefix("a"))
    now = clock.now().replace(microsecond=0) - timedelta(hours=1)
    rows = [
        Movement(f"{account}-{n}", "deposit", Asset("USD"), Wallet.SPOT, Decimal(100 + n), now - timedelta(minutes=n))
        for n in (2, 1)
    ]
    book = MemoryBook(clock=clock)
    await book.append(account=account, exchange="kraken", movements=rows[:1] if number % ONE_IN == 0 else rows)
    return Sources(account, InMemory(rows), book, clock)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]))
