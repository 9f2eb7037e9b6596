"""Runs repair the embedded book, in each kind of database: once, seen to agree, and only what may be."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct
from msgspec.structs import replace

from gal_friday.adapters.book_sql import MemoryAdjustments, MemoryBook, SqlAdjustments, SqlBook
from gal_friday.adapters.kraken import Deadlines, KrakenExchange
from gal_friday.adapters.kraken.exports import read_exports
from gal_friday.adapters.simulated import Exchange, SimulatedKraken
from gal_friday.adapters.sql import open_engine, upgrade
from gal_friday.adapters.store import MemoryReviews, MemoryStore, SqlReviews, SqlStore
from gal_friday.domain.adjusted import Kept
from gal_friday.domain.assets import Asset, Wallet
from gal_friday.domain.policy import Mode, Policy
from gal_friday.domain.records import Fill, Kind, Movement
from gal_friday.domain.report import ReconciliationReport
from gal_friday.domain.verdict import Verdict
from gal_friday.flows.apply import Repairing
from gal_friday.flows.fetch import Sources
from gal_friday.flows.reconcile import reconcile
from gal_friday.flows.review import Desk
from tests.flows.worlds import END, TickingClock
from tests.flows.worlds import world as demo_world
from tests.postgres.databases import POSTGRESQL, Databases

ACCOUNT = "main"
# Kraken's exports do not list orders, so these books do not speak of them.
KINDS = (Kind.BALANCES, Kind.POSITIONS, Kind.FILLS, Kind.MOVEMENTS)


class World(Struct):
    """One account at a simulated exchange, its book, and what runs keep."""

    clock: TickingClock
    exchange: Exchange
    kraken: KrakenExchange
    book: Any
    adjustments: Any
    desk: Desk
    fills: tuple[Fill, ...]
    movements: tuple[Movement, ...]
    policy: Policy = Policy()
    kinds: tuple[Kind, ...] = KINDS

    @property
    def missed(self) -> Fill:
        """The newest fill, as it really happened."""
        return self.fills[-1]

    @property
    def first(self) -> Fill:
        return self.fills[0]

    async def write(self, *, lacking: tuple[str, ...] = (), by_hand: dict[str, str] | None = None) -> None:
        """Write the book: whole, but for what it lacks, and for what somebody set by hand long ago."""
        early = self.clock.now() - timedelta(days=30)
        odd = [
            Movement(f"by-hand-{name}", "deposit", Asset(name), Wallet.SPOT, Decimal(size), early)
            for name, size in (by_hand or {}).items()
        ]
        await self.append(
            fills=[fill for fill in self.fills if fill.fill_id not in lacking],
            movements=[*odd, *(row for row in self.movements if not {row.movement_id, row.refers_to} & set(lacking))],
        )

    async def append(self, **rows: Any) -> None:
        await self.book.append(account=ACCOUNT, exchange="kraken", **rows)

    async def run(
        self, mode: Mode = Mode.ENFORCE, *, after: float = 600, adjustments: Any = None, book: Any = None, **more: Any
    ) -> ReconciliationReport:
        self.clock.advance(after)
        repairing = Repairing(mode=mode, adjustments=adjustments or self.adjustments, desk=self.desk, **more)
        return await reconcile(
            Sources(ACCOUNT, self.kraken, book or self.book, self.clock),
            self.desk.store,
            policy=self.policy,
            since=self.clock.now() - timedelta(hours=24),
            only=self.kinds,
            repairing=repairing,
        )

    async def kept(self) -> tuple[Kept, ...]:
        return tuple(await self.adjustments.adjustments(account=ACCOUNT, limit=1_000))

    async def states(self) -> dict[str, int]:
        return dict(Counter(one.state.value for one in await self.kept()))

    async def content(self) -> tuple[object, ...]:
        since, scales = self.clock.now() - timedelta(days=60), await self.kraken.scales()
        held = await self.book.snapshot(account=ACCOUNT, since=since, scales=scales)
        return held.balances, held.positions, held.fills, held.movements

    async def totals(self) -> dict[str, Decimal]:
        scales = await self.kraken.scales()
        held = await self.book.snapshot(account=ACCOUNT, since=self.clock.now(), scales=scales)
        return {row.asset: row.total for row in held.balances}

    async def real(self) -> dict[str, Decimal]:
        return {row.asset: row.total for row in (await self.kraken.balances()).rows if row.wallet == Wallet.SPOT}


@asynccontextmanager
async def account(kind: str, folder: Path, databases: Databases | None) -> AsyncIterator[World]:
    clock = TickingClock(start=datetime.fromisoformat(END) - timedelta(hours=3))
    exchange = Exchange(clock.now, seed=3)
    exchange.open_account(ACCOUNT)
    exchange.set_price("XXBTZUSD", "60000")
    exchange.deposit(ACCOUNT, "ZUSD", "10000")
    exchange.place_order(ACCOUNT, "XXBTZUSD", "buy", "market", "0.1")
    clock.advance(1_800)
    exchange.place_order(ACCOUNT, "XXBTZUSD", "sell", "market", "0.04")
    clock.advance(1_800)
    ledgers, trades = folder / "ledgers.csv", folder / "trades.csv"
    ledgers.write_text(exchange.ledgers_csv(ACCOUNT))
    trades.write_text(exchange.trades_csv(ACCOUNT))
    exports = read_exports(ledgers, trades)
    key = exchange.issue_key(ACCOUNT, tier="pro")
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(SimulatedKraken(exchange, enforce_limits=False))
        kraken = KrakenExchange(
            key=key.key,
            secret=key.secret,
            clock=clock,
            url=server.url,
            tier="none",
            deadlines=Deadlines(connect=1, read=0.2, total=0.4),
        )
        stack.push_async_callback(kraken.close)
        book, adjustments, desk = await kept_in(kind, folder, databases, clock, stack)
        yield World(clock, exchange, kraken, book, adjustments, desk, exports.fills, exports.movements)


async def kept_in(
    kind: str, folder: Path, databases: Databases | None, clock: TickingClock, stack: AsyncExitStack
) -> tuple[Any, Any, Desk]:
    if kind == "memory":
        book = MemoryBook(clock=clock)
        return book, MemoryAdjustments(book, clock=clock), Desk(MemoryStore(), MemoryReviews(), clock)
    if kind == "sqlite":
        engine = open_engine(f"sqlite+aiosqlite:///{folder / 'book.db'}")
        await upgrade(engine)
    else:
        assert databases is not None
        engine = open_engine(await stack.enter_async_context(databases.fresh(tables=True)))
    stack.push_async_callback(engine.dispose)
    desk = Desk(SqlStore(engine), SqlReviews(engine), clock)
    return SqlBook(engine, clock=clock), SqlAdjustments(engine, clock=clock), desk


@pytest.fixture(params=["memory", "sqlite", POSTGRESQL])
async def world(request: pytest.FixtureRequest, tmp_path: Path, databases: Databases) -> AsyncIterator[World]:
    async with account(request.param, tmp_path, databases) as made:
        yield made


@pytest.fixture
async def small(tmp_path: Path) -> AsyncIterator[World]:
    async with account("memory", tmp_path, None) as made:
        yield made


async def test_what_is_proven_is_posted_once_and_verified_by_the_next_run(world: World) -> None:
    await world.write(lacking=(world.missed.fill_id,))
    first = await world.run()
    assert {one.type for one in first.auto_corrections} == {"book_fill"}
    assert (first.proposals, first.error_messages, await world.states()) == ((), (), {"applied": 1})
    assert await world.totals() == await world.real()
    before = await world.content()
    second = await world.run()
    assert (second.verdict, second.auto_corrections, second.decisions) == (Verdict.RECONCILED, (), ())
    assert await world.states() == {"verified": 1}
    assert await world.content() == before


@pytest.mark.parametrize("fee", ["with its fee", "without"])
async def test_a_missed_fill_that_arrives_after_its_repair_leaves_the_book_right(small: World, fee: str) -> None:
    await small.write(lacking=(small.missed.fill_id,))
    await small.run()
    late = small.missed if fee == "with its fee" else replace(small.missed, fee=None, fee_asset=None)
    await small.append(fills=[late])
    assert await small.totals() == await small.real()
    report = await small.run()
    assert (report.verdict, report.auto_corrections) == (Verdict.RECONCILED, ()), report.discrepancies
    assert await small.totals() == await small.real()


async def test_records_that_arrive_late_with_all_their_rows_count_once(small: World) -> None:
    await small.write(lacking=(small.missed.fill_id,))
    await small.run()
    rows = [row for row in small.movements if row.refers_to == small.missed.fill_id]
    await small.append(fills=[small.missed], movements=rows)
    assert (await small.run()).verdict is Verdict.RECONCILED
    assert await small.totals() == await small.real()


async def test_plugs_are_posted_when_confirmed_small_and_priced_and_several_in_one_run(world: World) -> None:
    await world.write(by_hand={"USD": "3.17", "BTC": "-0.00003"})
    first = await world.run()
    assert {one.decision.choice for one in first.decisions} == {"wait"}
    assert await world.states() == {}
    second = await world.run()
    assert {one.type for one in second.auto_corrections} == {"balance"}, second.decisions
    assert (await world.states(), second.notes) == ({"applied": 2}, ())
    assert await world.totals() == await world.real()
    assert (await world.run()).verdict is Verdict.RECONCILED
    assert await world.states() == {"verified": 2}


async def test_a_plug_gives_way_when_what_it_stood_for_arrives(small: World) -> None:
    await small.write(by_hand={"USD": "3.17"})
    await small.run()
    assert (await small.run()).auto_corrections
    late = Movement("late", "withdrawal", Asset("USD"), Wallet.SPOT, Decimal("-3.17"), small.first.at)
    await small.append(movements=[late])
    assert await small.totals() == await small.real()


async def test_a_book_that_somebody_writes_to_meanwhile_gets_no_plug(world: World) -> None:
    await world.write(by_hand={"USD": "3.17"})
    await world.run()

    class Hurried:
        """Adjustments beside which somebody writes to the book before anything is posted."""

        def __getattr__(self, name: str) -> Any:
            return getattr(world.adjustments, name)

        async def apply(self, name: str, *, token: int | None) -> Any:
            early = world.clock.now() - timedelta(days=29)
            await world.append(movements=[Movement("new", "deposit", Asset("USD"), Wallet.SPOT, Decimal(1), early)])
            return await world.adjustments.apply(name, token=token)

    report = await world.run(adjustments=Hurried())
    assert (report.auto_corrections, await world.states()) == ((), {"refused": 1})
    assert any("was not posted" in note for note in report.notes)
    await world.run()
    assert await world.totals() == await world.real()


async def test_a_proposal_is_kept_once_over_many_runs(small: World) -> None:
    await small.write(lacking=(small.first.fill_id, small.missed.fill_id), by_hand={"BTC": "-0.00003"})
    before = await small.content()
    runs = [await small.run(Mode.PROPOSE) for _ in range(4)]
    assert {one.auto_corrections for one in runs} == {()}
    assert [len(one.history) for one in await small.kept()] == [1] * len(await small.kept())
    assert set(await small.states()) == {"proposed"}
    named = {one.adjustment_id for one in runs[-1].proposals}
    assert named == {one.id for one in await small.kept()}
    assert await small.content() == before


async def test_a_proposal_expires_when_both_sides_agree_without_it(small: World) -> None:
    await small.write(lacking=(small.missed.fill_id,))
    await small.run(Mode.PROPOSE)
    await small.append(fills=[small.missed])
    assert (await small.run(Mode.PROPOSE)).verdict is Verdict.RECONCILED
    assert await small.states() == {"expired": 1}


@pytest.mark.parametrize(
    "mode, after_each_run",
    [
        (Mode.PROPOSE, [{"proposed": 9}, {"proposed": 10}, {"proposed": 10}]),
        (Mode.ENFORCE, [{"applied": 8, "proposed": 1}, *[{"verified": 8, "proposed": 2}] * 2]),
    ],
)
async def test_on_the_demos_book_what_is_proposed_stays_and_what_is_repaired_is_verified(
    mode: Mode, after_each_run: list[dict[str, int]]
) -> None:
    async with demo_world(orders=60) as demo:
        adjustments = MemoryAdjustments(demo.book, clock=demo.clock)
        desk = Desk(MemoryStore(), MemoryReviews(), demo.clock)

        for expected in after_each_run:
            demo.clock.advance(600)
            since = demo.clock.now() - timedelta(hours=24)
            repairing = Repairing(mode=mode, adjustments=adjustments, desk=desk)
            await reconcile(demo.sources, desk.store, policy=Policy(), since=since, repairing=repairing)
            kept = await adjustments.adjustments(limit=100)
            assert Counter(one.state.value for one in kept) == expected
