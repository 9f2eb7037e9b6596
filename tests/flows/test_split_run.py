"""One reconciliation at the end of a day, or one at noon and one at the end: what is open then is the same.

The days are drawn by a seed: trades, deposits and rewards, of which the book misses some, has some twice, gets some
late and loses some again. More of them: ``HYPOTHESIS_PROFILE=explore pytest tests/flows/test_split_run.py``.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import settings
from msgspec import Struct
from msgspec.structs import replace

from gal_friday.adapters.book_sql import MemoryBook
from gal_friday.adapters.kraken import Deadlines, KrakenExchange
from gal_friday.adapters.kraken.exports import Exports, read_exports
from gal_friday.adapters.simulated import Exchange, SimulatedKraken
from gal_friday.adapters.store import MemoryStore
from gal_friday.domain.followed import Followed
from gal_friday.domain.policy import Policy
from gal_friday.domain.records import Fill, Kind, Movement
from gal_friday.domain.report import ReconciliationReport
from gal_friday.flows.fetch import Sources
from gal_friday.flows.reconcile import reconcile
from tests.flows.worlds import END, TickingClock

ACCOUNT = "main"
# Kraken's exports do not list orders, so these books do not speak of them.
KINDS = (Kind.BALANCES, Kind.POSITIONS, Kind.FILLS, Kind.MOVEMENTS)
SEEDS = range(settings.default.max_examples // 12 if settings.default else 8)
HALF = 4
"""So many events before the first look, and as many after it."""
# How often each happens to an event: what the book makes of it, at the first look and at the second.
_BOOKED = (
    *[(1, 1)] * 6,
    (0, 0),  # missed
    (2, 2),  # twice
    (0, 1),  # late
    (1, 0),  # lost again
)


class Account(Struct):
    """An exchange, and how often a book has each of its events at each of the two looks."""

    clock: TickingClock
    exchange: Exchange
    kraken: KrakenExchange
    folder: Path
    makes: Sequence[tuple[int, int]]
    booked: dict[str, tuple[int, int]] = {}

    def happen(self, events: int) -> None:
        """Let so many events happen, some minutes apart, and decide what the book makes of each."""
        for _ in range(events):
            self.clock.advance(self.exchange.chance.randint(5, 50) * 60)
            for name in self._one():
                self.booked[name] = self.exchange.chance.choice(self.makes)
        self.clock.advance(600)

    def _one(self) -> tuple[str, ...]:
        cash = f"{self.exchange.chance.randint(500, 90_000)}"
        size = f"0.{self.exchange.chance.randint(1_000, 99_999):06}"
        match self.exchange.chance.choice(("buy", "sell", "deposit", "reward")):
            case "deposit":
                return (self.exchange.deposit(ACCOUNT, "ZUSD", f"{cash[:-2]}.{cash[-2:]}").refid,)
            case "reward":
                return (self.exchange.reward(ACCOUNT, "XXBT", size, wallet=".F").refid,)
            case side:
                placed = self.exchange.place_order(ACCOUNT, "XXBTZUSD", side, "market", size)
                return tuple(each.trade for each in placed.executions)

    def exports(self) -> Exports:
        """Return what Kraken's export files say by now."""
        ledgers, trades = self.folder / "ledgers.csv", self.folder / "trades.csv"
        ledgers.write_text(self.exchange.ledgers_csv(ACCOUNT))
        trades.write_text(self.exchange.trades_csv(ACCOUNT))
        return read_exports(ledgers, trades)

    def times(self, record: Fill | Movement, look: int) -> int:
        """Return how often the book has this record at the first look (0) or the second (1)."""
        event = record.fill_id if isinstance(record, Fill) else record.refers_to or record.movement_id
        return self.booked.get(event, (1, 1))[look]

    async def look(self, store: MemoryStore, look: int) -> ReconciliationReport:
        """Reconcile the last day with the book as it is at that look."""
        read, book = self.exports(), MemoryBook(clock=self.clock)
        await book.append(
            account=ACCOUNT,
            exchange="kraken",
            fills=[fill for fill in read.fills for _ in range(self.times(fill, look))],
            # A bot adds up by itself: its own rows do not carry the exchange's running balances.
            movements=[
                replace(row, balance_after=None) for row in read.movements for _ in range(self.times(row, look))
            ],
        )
        since = self.clock.now() - timedelta(hours=24)
        sources = Sources(ACCOUNT, self.kraken, book, self.clock)
        return await reconcile(sources, store, policy=Policy(), since=since, only=KINDS)


@asynccontextmanager
async def account(seed: int, folder: Path, makes: Sequence[tuple[int, int]]) -> AsyncIterator[Account]:
    """Yield an account that has only just been opened, on an exchange of its own."""
    clock = TickingClock(start=datetime.fromisoformat(END))
    exchange = Exchange(clock.now, seed=seed)
    exchange.open_account(ACCOUNT)
    exchange.set_price("XXBTZUSD", "60000")
    exchange.deposit(ACCOUNT, "ZUSD", "100000")
    exchange.deposit(ACCOUNT, "XXBT", "10")
    key = exchange.issue_key(ACCOUNT, tier="pro")
    async with SimulatedKraken(exchange, enforce_limits=False) as server:
        kraken = KrakenExchange(
            key=key.key,
            secret=key.secret,
            clock=clock,
            url=server.url,
            tier="none",
            deadlines=Deadlines(connect=1, read=0.1, total=0.2),
        )
        yield Account(clock, exchange, kraken, folder, makes)
        await kraken.close()


class Ends(Struct):
    """What is known at the end of the day, by one look and by two."""

    once: ReconciliationReport
    split: ReconciliationReport
    followed_once: Sequence[Followed]
    followed_split: Sequence[Followed]


async def ends(seed: int, folder: Path, makes: Sequence[tuple[int, int]] = _BOOKED) -> Ends:
    """Let a day happen and return both its ends, of the same instant but for milliseconds."""
    async with account(seed, folder, makes) as one:
        split, once = MemoryStore(), MemoryStore()
        one.happen(HALF)
        await one.look(split, 0)
        one.happen(HALF)
        last, only = await one.look(split, 1), await one.look(once, 1)
        return Ends(only, last, await once.open_discrepancies(ACCOUNT), await split.open_discrepancies(ACCOUNT))


def _why(report: ReconciliationReport) -> list[tuple[object, ...]]:
    return sorted((root.cause, root.event, root.record_ids, root.symptoms, root.value) for root in report.root_causes)


def _bridges(report: ReconciliationReport) -> dict[str, object]:
    return {one.id: one.bridge for one in report.balance_discrepancies}


@pytest.mark.parametrize("seed", SEEDS)
async def test_a_day_in_two_runs_ends_with_what_one_run_finds(seed: int, tmp_path: Path) -> None:
    found = await ends(seed, tmp_path)
    assert found.split.verdict == found.once.verdict
    assert {one.id: one.key for one in found.followed_split} == {one.id: one.key for one in found.followed_once}
    assert [one.id for one in found.split.discrepancies] == [one.id for one in found.once.discrepancies]
    assert _why(found.split) == _why(found.once)
    assert _bridges(found.split) == _bridges(found.once)


@pytest.mark.parametrize("seed", SEEDS)
async def test_what_began_at_a_known_instant_is_as_old_after_two_runs_as_after_one(seed: int, tmp_path: Path) -> None:
    """Of what stays wrong: a balance that is wrong for one reason and then for another was wrong all the time."""
    found = await ends(seed, tmp_path, [one for one in _BOOKED if one[0] == one[1]])
    first = {one.id: one.since for one in found.followed_split}
    balances = [one for one in found.once.balance_discrepancies if one.bridge and one.bridge.divergence]
    began = {one.id: one.bridge.divergence.since for one in balances if one.bridge and one.bridge.divergence}
    assert None not in began.values()
    assert {name: first[name] for name in began} == began
    dated = {one.id: one.since for one in found.followed_once if one.since < one.opened_at}
    assert {name: first[name] for name in dated} == dated


async def test_the_days_differ_in_what_the_book_makes_of_them(tmp_path: Path) -> None:
    seen = [await ends(seed, tmp_path) for seed in SEEDS[:12]]
    causes = {root.cause for one in seen for root in one.once.root_causes}
    assert {"manual_trade", "duplicated_fill", "unbooked_deposit", "reward"} <= causes
