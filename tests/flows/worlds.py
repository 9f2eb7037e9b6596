"""A running account for the tests of flows: a simulated Kraken, a book that agrees with it, a store."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from msgspec import Struct

from gal_friday.adapters.book_sql import MemoryBook
from gal_friday.adapters.clock import SteppedClock
from gal_friday.adapters.kraken import Deadlines, KrakenExchange
from gal_friday.adapters.simulated import SimulatedKraken
from gal_friday.adapters.simulated.day import ACCOUNT, Day, trading_day
from gal_friday.adapters.store import MemoryStore
from gal_friday.bootstrap.demo_book import BotBook, book_of
from gal_friday.domain.policy import Policy
from gal_friday.domain.records import RECORD_KINDS, Kind
from gal_friday.domain.report import ReconciliationReport
from gal_friday.flows.fetch import Sources
from gal_friday.flows.reconcile import reconcile
from gal_friday.ports.store import Store

END = "2026-03-01T12:00:00+00:00"


class TickingClock(SteppedClock):
    """A clock that moves a little whenever somebody looks at it, as real clocks do."""

    def now(self) -> datetime:
        """Return the instant, and let five milliseconds pass."""
        self.advance(0.005)
        return super().now()


class World(Struct, frozen=True):
    """One account with both its sides."""

    day: Day
    written: BotBook
    server: SimulatedKraken
    sources: Sources
    book: MemoryBook
    clock: SteppedClock

    async def run(self, store: Store | None = None, *, only: tuple[Kind, ...] = RECORD_KINDS) -> ReconciliationReport:
        """Reconcile once over the last day."""
        since = self.clock.now() - timedelta(hours=24)
        return await reconcile(self.sources, store or MemoryStore(), policy=Policy(), since=since, only=only)


@asynccontextmanager
async def world(*, orders: int = 60, write: bool = True) -> AsyncIterator[World]:
    """Yield a small demo world that stands still; with *write* its book has the bot's accidents in it."""
    clock = TickingClock(start=datetime.fromisoformat(END))
    day = trading_day(clock.now(), orders=orders)
    # From here on both sides live on one clock.
    day.exchange.now = clock.now
    written, book = book_of(day), MemoryBook(clock=clock)
    if write:
        await book.append(
            account=ACCOUNT,
            exchange="kraken",
            fills=written.fills,
            movements=written.movements,
            orders=written.orders,
        )
    async with SimulatedKraken(day.exchange, enforce_limits=False) as server:
        exchange = KrakenExchange(
            key=day.key.key,
            secret=day.key.secret,
            clock=clock,
            url=server.url,
            tier="none",
            deadlines=Deadlines(connect=1, read=0.1, total=0.2),
        )
        yield World(day, written, server, Sources(ACCOUNT, exchange, book, clock), book, clock)
        await exchange.close()
