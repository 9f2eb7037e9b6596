"""One small account whose book agrees with a simulated Kraken, on a clock that stands still: waiting costs nothing."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from msgspec import Struct

from gal_friday.adapters.book_sql import MemoryBook
from gal_friday.adapters.clock import SteppedClock
from gal_friday.adapters.kraken import Deadlines, KrakenExchange
from gal_friday.adapters.kraken.exports import read_exports
from gal_friday.adapters.simulated import Exchange, SimulatedKraken
from gal_friday.adapters.store import MemoryStore
from gal_friday.domain.policy import Policy
from gal_friday.domain.records import Kind
from gal_friday.domain.report import ReconciliationReport
from gal_friday.flows.fetch import Sources
from gal_friday.flows.reconcile import reconcile
from gal_friday.ports.book import Book
from gal_friday.ports.store import Store

ACCOUNT = "main"
ROWS = 60
"""Ledger rows beyond those of the trade: more than one page."""
# Kraken's exports do not list orders, so this book does not speak of them.
KINDS = (Kind.BALANCES, Kind.POSITIONS, Kind.FILLS, Kind.MOVEMENTS)


class World(Struct):
    """The account, and what a run of it needs; each part can be replaced by a broken one."""

    exchange: Exchange
    server: SimulatedKraken
    clock: SteppedClock
    book: Book
    store: Store
    key: dict[str, Any]
    url: str

    async def run(self) -> ReconciliationReport:
        """Reconcile once over the last day."""
        kraken = KrakenExchange(
            **self.key,
            clock=self.clock,
            url=self.url,
            tier="none",
            deadlines=Deadlines(connect=1, read=0.1, total=0.2),
        )
        sources = Sources(ACCOUNT, kraken, self.book, self.clock)
        since = self.clock.now() - timedelta(hours=24)
        try:
            return await reconcile(sources, self.store, policy=Policy(), since=since, only=KINDS)
        finally:
            await kraken.close()

    def use(self, **options: Any) -> None:
        """Use another key of the account from now on."""
        issued = self.exchange.issue_key(ACCOUNT, tier="pro", **options)
        self.key = {"key": issued.key, "secret": issued.secret}


@asynccontextmanager
async def world(folder: Path) -> AsyncIterator[World]:
    """Yield the account; its book was read from the exchange's own exports, written to *folder*."""
    clock = SteppedClock()
    exchange = Exchange(clock.now, seed=1)
    exchange.open_account(ACCOUNT)
    exchange.set_price("XXBTZUSD", "60000")
    exchange.deposit(ACCOUNT, "ZUSD", "10000")
    exchange.place_order(ACCOUNT, "XXBTZUSD", "buy", "market", "0.1")
    for _ in range(ROWS):
        clock.advance(60)
        exchange.reward(ACCOUNT, "XXBT", "0.00001", wallet=".F")
    clock.advance(60)
    book = MemoryBook(clock=clock)
    await book.append(account=ACCOUNT, exchange="kraken", **_exported(exchange, folder))
    async with SimulatedKraken(exchange, enforce_limits=False) as server:
        made = World(exchange, server, clock, book, MemoryStore(), {}, server.url)
        made.use()
        yield made


def _exported(exchange: Exchange, folder: Path) -> dict[str, Any]:
    ledgers, trades = folder / "ledgers.csv", folder / "trades.csv"
    ledgers.write_text(exchange.ledgers_csv(ACCOUNT))
    trades.write_text(exchange.trades_csv(ACCOUNT))
    exports = read_exports(ledgers, trades)
    return {"fills": exports.fills, "movements": exports.movements}
