"""Discrepancies over several runs against the simulated exchange: from suspicion to agreement, and back."""

from collections.abc import AsyncIterator, Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec import Struct
from msgspec.structs import replace

from gal_friday.adapters.book_sql import MemoryBook
from gal_friday.adapters.kraken import Deadlines, KrakenExchange
from gal_friday.adapters.kraken.exports import read_exports
from gal_friday.adapters.simulated import Exchange, SimulatedKraken
from gal_friday.adapters.store import MemoryStore
from gal_friday.domain.finding import DiscrepancyType, Key
from gal_friday.domain.followed import Followed
from gal_friday.domain.following import Carried
from gal_friday.domain.policy import Policy
from gal_friday.domain.records import Fill, Kind, Movement
from gal_friday.domain.report import ReconciliationReport
from gal_friday.domain.verdict import ReconciliationStatus, Verdict
from gal_friday.flows.fetch import Sources
from gal_friday.flows.reconcile import reconcile
from gal_friday.ports.errors import StoreFailed
from gal_friday.ports.store import NOTHING_CARRIED
from tests.flows.worlds import END, TickingClock

ACCOUNT = "main"
# Kraken's exports do not list orders, so these books do not speak of them.
KINDS = (Kind.BALANCES, Kind.POSITIONS, Kind.FILLS, Kind.MOVEMENTS)
MINUTES = 60


class World(Struct):
    """One account, the books that its trading system may keep, and what was found so far."""

    clock: TickingClock
    server: SimulatedKraken
    kraken: KrakenExchange
    fills: tuple[Fill, ...]
    movements: tuple[Movement, ...]
    store: MemoryStore
    missed: Fill
    """The newest fill, as it really happened."""

    async def run(
        self, *, lacking: bool = False, extra: tuple[Fill, ...] = (), after: float = 0, kinds: tuple[Kind, ...] = KINDS
    ) -> ReconciliationReport:
        """Reconcile once, so many seconds later, against a book that is whole but for what is stated."""
        self.clock.advance(after)
        book, gone = MemoryBook(clock=self.clock), self.missed.fill_id if lacking else ""
        await book.append(
            account=ACCOUNT,
            exchange="kraken",
            fills=[*(fill for fill in self.fills if fill.fill_id != gone), *extra],
            movements=[row for row in self.movements if not gone or row.refers_to != gone],
        )
        sources = Sources(ACCOUNT, self.kraken, book, self.clock)
        since = self.clock.now() - timedelta(hours=24)
        return await reconcile(sources, self.store, policy=Policy(), since=since, only=kinds)

    async def followed(self, kind: DiscrepancyType = DiscrepancyType.FILL_MISSING_INTERNAL) -> Followed:
        """Return the only discrepancy of this type, open or cleared."""
        (one,) = (one for one in await self.store.discrepancies(cleared=True) if one.type is kind)
        return one


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    clock = TickingClock(start=datetime.fromisoformat(END) - timedelta(hours=3))
    exchange = Exchange(clock.now, seed=3)
    exchange.open_account(ACCOUNT)
    exchange.set_price("XXBTZUSD", "60000")
    exchange.deposit(ACCOUNT, "ZUSD", "10000")
    exchange.place_order(ACCOUNT, "XXBTZUSD", "buy", "market", "0.1")
    clock.advance(30 * MINUTES)
    dropped = exchange.place_order(ACCOUNT, "XXBTZUSD", "sell", "market", "0.04").executions[0].trade
    clock.advance(30 * MINUTES)
    ledgers, trades = tmp_path / "ledgers.csv", tmp_path / "trades.csv"
    ledgers.write_text(exchange.ledgers_csv(ACCOUNT))
    trades.write_text(exchange.trades_csv(ACCOUNT))
    exports = read_exports(ledgers, trades)
    (missed,) = (fill for fill in exports.fills if fill.fill_id == dropped)
    key = exchange.issue_key(ACCOUNT, tier="pro")
    deadlines = Deadlines(connect=1, read=0.1, total=0.2)
    async with SimulatedKraken(exchange, enforce_limits=False) as server:
        kraken = KrakenExchange(
            key=key.key, secret=key.secret, clock=clock, url=server.url, tier="none", deadlines=deadlines
        )
        yield World(clock, server, kraken, exports.fills, exports.movements, MemoryStore(), missed)
        await kraken.close()


async def test_a_whole_book_leaves_nothing_to_follow(world: World) -> None:
    assert (await world.run()).verdict is Verdict.RECONCILED
    assert await world.store.discrepancies(cleared=True) == ()


async def test_a_missed_fill_that_is_seen_twice_is_confirmed(world: World) -> None:
    first = await world.run(lacking=True)
    second = await world.run(lacking=True, after=90)
    assert [one.id for one in first.discrepancies] == [one.id for one in second.discrepancies]
    assert [(one.state, one.occurrences) for one in first.fill_discrepancies] == [("suspected", 1)]
    assert [(one.state, one.occurrences) for one in second.fill_discrepancies] == [("confirmed", 2)]
    ages = [one.age_seconds for one in second.fill_discrepancies]
    assert ages == [int((second.cut.exchange - world.missed.at).total_seconds())]


async def test_a_second_run_within_the_grace_confirms_nothing(world: World) -> None:
    await world.run(lacking=True)
    report = await world.run(lacking=True, after=60)
    assert [(one.state, one.occurrences) for one in report.fill_discrepancies] == [("suspected", 2)]


async def test_what_the_records_prove_at_a_clean_cut_is_confirmed_at_once(world: World) -> None:
    report = await world.run(lacking=True)
    assert report.cut.clean
    assert {one.state for one in report.balance_discrepancies} == {"confirmed"}
    one = await world.followed(DiscrepancyType.FILL_MISSING_INTERNAL)
    assert one.state == "suspected"


async def test_it_clears_when_the_book_is_repaired_and_is_the_same_one_when_it_breaks_again(world: World) -> None:
    opened = await world.run(lacking=True)
    repaired = await world.run(after=90)
    assert repaired.verdict is Verdict.RECONCILED
    assert any(note.startswith("seen to agree, and cleared: ") for note in repaired.notes)
    assert await world.store.open_discrepancies(ACCOUNT) == ()
    broken = await world.run(lacking=True, after=90)
    assert [one.id for one in broken.discrepancies] == [one.id for one in opened.discrepancies]
    one = await world.followed()
    assert (one.state, one.flips, one.occurrences) == ("suspected", 1, 2)
    assert [change.what for change in await world.store.changes(one.id)] == ["opened", "cleared", "reopened"]


@pytest.mark.parametrize("endpoint", ["TradesHistory", None])
async def test_a_read_that_fails_in_between_keeps_it(world: World, endpoint: str | None) -> None:  # I7
    await world.run(lacking=True)
    before = await world.followed()
    world.server.faults.switch_on("maintenance" if endpoint is None else "cut_json", endpoint=endpoint, times=None)
    report = await world.run(after=90)
    assert report.verdict is Verdict.INCOMPLETE
    assert await world.followed() == before
    assert any("still open, and not judged" in note and before.id in note for note in report.notes)
    world.server.faults.switch_off()
    await world.run(lacking=True, after=90)
    assert (await world.followed()).state == "confirmed"


async def test_a_run_that_was_not_about_it_keeps_it(world: World) -> None:  # I7
    await world.run(lacking=True)
    before = await world.followed()
    assert (await world.run(after=90, kinds=(Kind.BALANCES,))).verdict is Verdict.RECONCILED
    assert await world.followed() == before


def invented(fill: Fill) -> Fill:
    """Return a fill that never happened; it moves as much money as it costs, and so shows in balances as well."""
    return replace(fill, fill_id="TNEVER-HAPPE-NEDXXX", quantity=Decimal("0.01"), cost=None)


@pytest.mark.parametrize("days", [1, 6])
async def test_what_both_sides_have_dropped_is_seen_to_be_gone_as_far_back_as_is_read(world: World, days: int) -> None:
    await world.run(extra=(invented(world.missed),))
    one = await world.followed(DiscrepancyType.FILL_MISSING_EXCHANGE)
    assert one.is_open
    report = await world.run(after=days * 24 * 60 * MINUTES)
    assert report.verdict is Verdict.RECONCILED
    assert not (await world.followed(DiscrepancyType.FILL_MISSING_EXCHANGE)).is_open


async def test_what_is_older_than_is_read_back_is_kept_and_said(world: World) -> None:  # I7
    await world.run(extra=(invented(world.missed),))
    report = await world.run(after=8 * 24 * 60 * MINUTES)
    one = await world.followed(DiscrepancyType.FILL_MISSING_EXCHANGE)
    assert one.is_open
    assert report.verdict is Verdict.INCOMPLETE
    assert any("older than the 7 days that are read back" in note for note in report.notes)


async def test_a_run_at_the_same_instant_changes_nothing_twice(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    start = world.clock.now()
    monkeypatch.setattr(world.clock, "now", lambda: start)
    first = await world.run(lacking=True)
    known = await world.store.discrepancies()
    assert await world.run(lacking=True) == first
    assert await world.store.discrepancies() == known


class Failing(MemoryStore):
    """A store on which one thing fails."""

    def __init__(self, *, read: bool = False, write: bool = False) -> None:
        super().__init__()
        self.read, self.write = read, write

    async def open_discrepancies(self, account: str) -> tuple[Followed, ...]:
        """Return what is open, if this can be read."""
        if self.read:
            raise StoreFailed("the database is locked; run again")
        return tuple(await super().open_discrepancies(account))

    async def save_report(
        self,
        report: ReconciliationReport,
        carried: Carried = NOTHING_CARRIED,
        *,
        pending: Mapping[Key, int] | None = None,
    ) -> None:
        """Save, if this can be written."""
        if self.write:
            raise StoreFailed("the disk is full; make room")
        await super().save_report(report, carried, pending=pending)


@pytest.mark.parametrize("broken", [lambda: Failing(read=True), lambda: Failing(write=True)])
async def test_without_the_store_a_run_fails_follows_nothing_and_tells_all_it_found(
    world: World, broken: Callable[[], Failing]
) -> None:
    world.store = broken()
    report = await world.run(lacking=True)
    assert report.status is ReconciliationStatus.FAILED
    assert report.total_discrepancies > 0
    assert "this report was not recorded" in report.error_messages[-1]
    assert await world.store.discrepancies(cleared=True) == ()


async def test_an_account_that_moved_to_another_exchange_judges_nothing_of_the_old_one(world: World) -> None:  # I7
    await world.run(lacking=True)
    elsewhere = [replace(one, exchange="elsewhere") for one in await world.store.open_discrepancies(ACCOUNT)]
    world.store = MemoryStore()
    report = await world.run()
    await world.store.save_report(
        replace(report, reconciliation_id="rec_old"), Carried(at=report.timestamp, opened=tuple(elsewhere))
    )
    await world.run(after=90)
    assert len(await world.store.open_discrepancies(ACCOUNT)) == len(elsewhere)
