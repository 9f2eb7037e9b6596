"""Runs as the service makes them and decisions as the command line takes them, on a simulated exchange.

Everything is the program's own: the lease, the connector over HTTP on loopback, the recordings, the desk. Only the
machine's clock is set by hand, so that an interrupted life sees the same instants as a whole one. A restart does
nothing of its own: what a killed run left half done is the next run's to look up.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

import msgspec
from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncEngine

from gal_friday.adapters.clock import SteppedClock, SystemClock
from gal_friday.adapters.kraken.exports import Exports, read_exports
from gal_friday.adapters.simulated import Exchange, SimulatedKraken
from gal_friday.adapters.sql import upgrade
from gal_friday.bootstrap.desk import desk_of, repairs_of
from gal_friday.bootstrap.recording import replayed
from gal_friday.bootstrap.service import ReconciliationService
from gal_friday.bootstrap.settings import AccountSettings, Settings
from gal_friday.bootstrap.wire import OpenStore
from gal_friday.domain.adjusted import Applied
from gal_friday.domain.adjustment import AdjustmentState
from gal_friday.domain.assets import Asset, Wallet
from gal_friday.domain.facts import Actor, KnownBy
from gal_friday.domain.policy import Mode
from gal_friday.domain.records import Kind, Movement
from gal_friday.domain.report import ReconciliationReport
from gal_friday.domain.review import Action
from gal_friday.domain.verdict import ReconciliationStatus, Verdict
from gal_friday.flows.decide import approve
from gal_friday.flows.lease import LASTS_SECONDS
from gal_friday.flows.review import act
from gal_friday.ports.errors import AccountBusy
from tests.contracts.adjusting import T0

ALICE, BEN = (Actor(name, KnownBy.SELF_DECLARED) for name in ("alice", "ben"))
# Kraken's exports do not list orders, so this book does not speak of them.
KINDS = (Kind.BALANCES, Kind.POSITIONS, Kind.FILLS, Kind.MOVEMENTS)
BY_HAND = {"XRP": "0.5", "ETH": "0.05"}
"""What somebody set long ago: so little that a plug may stand for it, and so much that a person decides."""
_STEPS = 12
"""Within so many runs everything is repaired, however often the process was killed."""
_LATE = 2
"""The step in which the missed fill arrives, after it was booked."""
_A_LEASE = LASTS_SECONDS / 4
"""Whoever sleeps so long keeps a lease alive, four times before it ends: in a life that stands still nobody has to."""
_KEY, _SECRET = "GAL_FRIDAY_TEST_KEY", "GAL_FRIDAY_TEST_SECRET"


class Living(Protocol):
    """As much as a job needs of the life that it is done in."""

    engine: AsyncEngine
    clock: SteppedClock
    folder: Path
    say: Callable[[dict[str, Any]], None]

    def step(self, number: int) -> None: ...


class Account(Struct, frozen=True):
    """The account as the service works on it, and what really happened there."""

    life: Living
    service: ReconciliationService
    happened: Exports

    @property
    def opened(self) -> OpenStore:
        return self.service.opened

    async def append(self, *, missed: bool) -> None:
        """Deliver the newest fill, or everything but that."""
        newest = self.happened.fills[-1]
        early = self.happened.fills[0].at - timedelta(days=30)
        rows = [row for row in self.happened.movements if (row.refers_to == newest.fill_id) is missed]
        odd = [
            Movement(f"by-hand-{name}", "deposit", Asset(name), Wallet.SPOT, Decimal(size), early)
            for name, size in BY_HAND.items()
        ]
        fills = [one for one in self.happened.fills if (one is newest) is missed]
        rows = rows if missed else [*odd, *rows]
        await self.opened.book.append(account="main", exchange="kraken", fills=fills, movements=rows)
        self.life.say({"records": [*(one.fill_id for one in fills), *(one.movement_id for one in rows)]})

    async def run(self, began: datetime) -> ReconciliationReport:
        """Reconcile once since this instant, in however many lives."""
        done = await self.opened.store.reports(account="main", limit=1)
        if done and done[0].timestamp >= began:
            return done[0]
        try:
            report = await self._reconciled()
        except AccountBusy:
            # By the life before this one, which was killed: a lease ends by itself.
            self.life.clock.advance(LASTS_SECONDS)
            report = await self._reconciled()
        assert report.status is not ReconciliationStatus.FAILED, report.error_messages
        self.life.say({"report": report.reconciliation_id})
        return report

    async def _reconciled(self) -> ReconciliationReport:
        return await self.service.run_reconciliation("main", only=KINDS, mode=Mode.ENFORCE)

    async def remark(self) -> None:
        """Take what a person has to decide about, unless somebody has it."""
        desk = desk_of(self.opened)
        for one in await self.opened.store.discrepancies(account="main"):
            if one.key.name == "ETH" and not await desk.reviews.changes(one.id):
                done = (await act(desk, one.id, Action.ASSIGN, ALICE, note="hers", assignee="alice")).changes[0]
                self.life.say({"review": one.id, "number": done.number, "action": done.action.value})

    async def approve(self) -> None:
        """Approve whatever waits for it, and have it posted."""
        repairs = repairs_of(self.opened, self.service.settings, owner="a test")
        waiting = await self.opened.adjustments.adjustments(account="main", states=(AdjustmentState.PROPOSED,))
        # A life before this one may have come further: of what it saw then nobody knows yet.
        for one in [each for each in waiting if each.adjustment.at <= self.life.clock.now()]:
            done = await approve(repairs, one.id, BEN, note="so it is")
            self.life.say({"adjustment": one.id, "state": "approved"})
            if isinstance(done.outcome, Applied):  # refused, it is computed and approved anew
                self.life.say({"adjustment": one.id, "outcome": msgspec.to_builtins(done.outcome)})

    async def is_settled(self) -> bool:
        """Say whether everything that is still wanted was posted and seen by a run, and every review is closed."""
        kept = await self.opened.adjustments.adjustments(account="main")
        states = {one.state for one in kept} - {AdjustmentState.EXPIRED}
        return states == {AdjustmentState.VERIFIED} and not await self.opened.reviews.not_closed("main")


async def begin(life: Living) -> None:
    """Open a book that lacks a fill and holds what somebody set by hand; never interrupted."""
    await upgrade(life.engine)
    async with account(life) as made:
        await made.append(missed=False)


async def serve(life: Living) -> None:
    """Run after run, until everything that differed is repaired: alone, by a person, and what arrives late."""
    async with account(life) as made:
        for step in range(1, _STEPS):
            life.step(step)
            report = await made.run(began=life.clock.now())
            await made.remark()
            await made.approve()
            if step == _LATE:
                await made.append(missed=True)
            if step > _LATE and report.verdict is Verdict.RECONCILED and await made.is_settled():
                break
        life.say({"replays": [await _replayed(made, one.reconciliation_id) for one in await _reports(made)]})


async def _reports(made: Account) -> Sequence[ReconciliationReport]:
    return await made.opened.store.reports(account="main", limit=_STEPS)


async def _replayed(made: Account, name: str) -> str:
    """Say what came of working a report out again; a run that was killed before it kept its recording has none."""
    found = await replayed(made.service.settings, made.opened, name)
    assert found is not None
    if found.replayed is None:
        return "not kept"
    return found.replayed.outcome if found.replayed.outcome == "equal" else repr(found.replayed)


@asynccontextmanager
async def account(life: Living) -> AsyncIterator[Account]:
    """Give the account, with a server of its own on loopback."""
    _set_by_hand(life)
    exchange, happened = _exchange(life)
    key = exchange.issue_key("main", tier="pro")
    os.environ |= {_KEY: key.key, _SECRET: key.secret}
    async with SimulatedKraken(exchange, enforce_limits=False) as server:
        service = ReconciliationService(_settings(life.folder, server.url))
        service._store = OpenStore(life.engine, life.folder)
        yield Account(life, service, happened)


def _settings(folder: Path, url: str) -> Settings:
    main = AccountSettings(api_key=f"env:{_KEY}", api_secret=f"env:{_SECRET}", tier="none", url=url)
    return Settings(state_folder=str(folder), accounts={"main": main})


def _set_by_hand(life: Living) -> None:
    """Let the machine's clock stand where this life stands, for everybody in this process."""

    async def sleep(_: SystemClock, seconds: float) -> None:
        if seconds >= _A_LEASE:
            await asyncio.Event().wait()
        life.clock.advance(seconds)
        await asyncio.sleep(0)

    SystemClock.now = lambda _: life.clock.now()  # type: ignore[method-assign, assignment]
    SystemClock.monotonic = lambda _: life.clock.monotonic()  # type: ignore[method-assign, assignment]
    SystemClock.sleep = sleep  # type: ignore[method-assign, assignment]


def _exchange(life: Living) -> tuple[Exchange, Exports]:
    """Return the exchange, the same in every life, and what its exports say."""
    past = SteppedClock(T0 - timedelta(hours=2))
    exchange = Exchange(past.now, seed=3)
    exchange.open_account("main")
    for pair, price in {"XXBTZUSD": "60000", "XETHZUSD": "3000", "XXRPZUSD": "2"}.items():
        exchange.set_price(pair, price)
    exchange.deposit("main", "ZUSD", "10000")
    exchange.place_order("main", "XXBTZUSD", "buy", "market", "0.1")
    past.advance(1_800)
    exchange.place_order("main", "XXBTZUSD", "sell", "market", "0.04")

    def now() -> datetime:
        return life.clock.now()  # another clock in every step

    exchange.now = now
    with TemporaryDirectory() as folder:
        ledgers, trades = Path(folder) / "ledgers.csv", Path(folder) / "trades.csv"
        ledgers.write_text(exchange.ledgers_csv("main"))
        trades.write_text(exchange.trades_csv("main"))
        return exchange, read_exports(ledgers, trades)
