"""What a process does until it is killed, and once more when it is started again.

Each job is written as a person or a trading system would do it: what is there already is looked up, and everything
else is asked for again. The time is that of the step, so that an interrupted life comes to what a whole one does.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace
from sqlalchemy.ext.asyncio import AsyncEngine

from gal_friday.adapters.book_sql import SqlAdjustments, SqlBook
from gal_friday.adapters.clock import SteppedClock
from gal_friday.adapters.journal import SqlJournal
from gal_friday.adapters.journal.verify import verify
from gal_friday.adapters.sql import upgrade
from gal_friday.adapters.sql.engine import writing
from gal_friday.adapters.store import SqlReviews, SqlStore
from gal_friday.domain import quantity
from gal_friday.domain.adjusted import IN_THE_BOOK, By
from gal_friday.domain.adjustment import Adjustment, AdjustmentState
from gal_friday.domain.assets import Asset, Instrument, Wallet
from gal_friday.domain.facts import Actor, Fact, FactKind, KnownBy
from gal_friday.domain.followed import Followed
from gal_friday.domain.following import carry_forward
from gal_friday.domain.policy import Policy
from gal_friday.domain.recall import run_of
from gal_friday.domain.records import Balance, Fill, Kind, Movement, Order, OrderSide
from gal_friday.domain.repair import candidates_of
from gal_friday.domain.report import ReconciliationReport, compare
from gal_friday.domain.review import Action
from gal_friday.domain.snapshot import Coverage, Coverages, Scales, Snapshot
from gal_friday.flows.decide import Repairs, approve, propose
from gal_friday.flows.noting import complete
from gal_friday.flows.review import Desk, act, follow_up
from gal_friday.ports.errors import StoreFailed
from tests.contracts.adjusting import CUT, FILL_EFFECTS, T0, WHOLE_FILL, adjustment, back, fill, legs, movement, plug
from tests.crash import served, telling

ANN, BOB = By("ann"), By("bob")
ALICE, BEN = (Actor(name, KnownBy.SELF_DECLARED) for name in ("alice", "ben"))
_WHOLE = Coverages(balances=Coverage.TOTAL, positions=Coverage.TOTAL)
_PRICES = {Asset("XRP"): Decimal(2), Asset("BTC"): Decimal(60_000), Asset("USD"): Decimal(1)}
Say = Callable[[dict[str, Any]], None]


class Life:
    """One process that works on one database."""

    def __init__(self, engine: AsyncEngine, folder: Path, say: Say) -> None:
        """Open everything that is kept there; *say* tells what was acknowledged."""
        self.asked: dict[str, Any] = {}
        self.reached: Callable[[str], None] = lambda _: None
        """Called at places besides writes at which it can be killed."""
        self.engine, self.folder, self.say, self.clock = engine, folder, say, SteppedClock(T0 + timedelta(hours=1))
        self.journal = SqlJournal(folder, self.clock)
        self.book = SqlBook(engine, clock=self.clock)
        self.adjustments = SqlAdjustments(engine, clock=self.clock, journal=self.journal)
        self.store = SqlStore(engine, self.journal)
        self.desk = Desk(self.store, SqlReviews(engine, self.journal), self.clock)

    def step(self, number: int) -> None:
        """Let it be the time of this step, in every life."""
        at = T0 + timedelta(hours=1, minutes=10 * number)
        self.clock = SteppedClock(at)
        for part in (self.journal, self.book, self.adjustments):
            part._clock = self.clock
        self.desk = replace(self.desk, clock=self.clock)

    async def append(self, *records: Fill | Movement | Order) -> None:
        await self.book.append(
            account="main",
            exchange="kraken",
            fills=[one for one in records if isinstance(one, Fill)],
            movements=[one for one in records if isinstance(one, Movement)],
            orders=[one for one in records if isinstance(one, Order)],
        )
        self.say({"records": [_name(one) for one in records]})

    async def kept(self, made: Adjustment, *, four_eyes: bool = True) -> None:
        """Keep it as proposed by one person, and let another approve it."""
        (kept,) = await self.adjustments.keep([made], state=AdjustmentState.PROPOSED, by=ANN, four_eyes=four_eyes)
        self.say({"adjustment": kept.id, "state": "proposed"})
        if kept.state is AdjustmentState.PROPOSED:
            content = kept.adjustment.content
            await self.adjustments.move(kept.id, AdjustmentState.APPROVED, by=BOB, content=content)
            self.say({"adjustment": kept.id, "state": "approved"})

    async def applied(self, *names: str) -> None:
        for outcome in await self.adjustments.apply_all(names, token=None):
            self.say({"adjustment": outcome.adjustment_id, "outcome": msgspec.to_builtins(outcome)})

    async def take_back(self, name: str) -> None:
        """Take it back, unless that was done before."""
        kept = await self.adjustments.adjustment(name)
        if kept is not None and kept.state in IN_THE_BOOK:
            made = await self.adjustments.reversal(name, reason="it was wrong")
            await self.kept(made)
            await self.applied(made.adjustment_id)

    async def version(self) -> str:
        return await self.book.version("main") or "0"

    async def run(self, name: str, real: dict[str, str]) -> Sequence[Any]:
        """Reconcile balances with what the exchange really holds, once under this name."""
        known = await self.store.report(name)
        internal = await self._internal()
        held = _exchange(internal, real)
        made = compare(internal, held, prices=_PRICES)
        made = replace(made, reconciliation_id=name)
        followed = await self.store.followed([one.id for one in await self.store.discrepancies(cleared=True)])
        if known is None:
            followed = await self._recorded(made, followed)
        self.say({"report": name})
        told = await complete(self.desk, self.adjustments, "main")
        for change in (*told, *await follow_up(self.desk, "main")):
            self.say({"review": change.discrepancy_id, "number": change.number, "action": change.action.value})
        return candidates_of(made, internal, held, {one.id: one for one in followed})

    async def _internal(self) -> Snapshot:
        held = await self.book.snapshot(account="main", since=self.clock.now() - timedelta(days=1), scales=Scales())
        return replace(held, coverage=_WHOLE, fills=(), movements=(), orders=())

    async def _recorded(self, made: ReconciliationReport, known: Sequence[Followed]) -> Sequence[Followed]:
        run = run_of(made, since=self.clock.now() - timedelta(days=1))
        carried = carry_forward(known, made.findings, made.discrepancies, run=run, policy=Policy())
        await self.store.save_report(made, carried)
        return carried.open

    async def act(self, name: str, action: Action, by: Actor, note: str, **more: Any) -> None:
        """Take a step in a review, unless it was taken before."""
        if note in [change.note for change in await self.desk.reviews.changes(name)]:
            return
        done = (await act(self.desk, name, action, by, note=note, **more)).changes[0]
        self.say({"review": name, "number": done.number, "action": done.action.value})

    async def restart(self, job: str) -> None:
        """Do what has to be done before anything else."""
        await upgrade(self.engine)
        if job == "serve":
            return  # the next run does it
        await self.adjustments.settle("main")
        for kept in await self.adjustments.unsettled("main"):
            assert kept.state is AdjustmentState.APPROVED, kept

    async def tell_the_end(self) -> None:
        """Say what this program makes of the database: its balances, and whether the journal verifies."""
        broken = (await verify(self.engine)).broken
        held = (await self._internal()).balances if await self.version() != "0" else ()
        said = {row.asset: quantity.short(row.total) for row in held if row.total}
        self.say({"end": said, "journal": None if broken is None else repr(broken)})


async def begin(life: Life) -> None:
    """Open a book that the jobs go on from; never interrupted."""
    await upgrade(life.engine)
    await life.append(movement("L8", "USD", "1000"), movement("L9", "XRP", "100"), fill("T9", "5", minute=1))


async def migrate(life: Life) -> None:
    """From an empty file to the first entries of a book and a journal."""
    await upgrade(life.engine)
    life.step(1)
    fact = Fact(kind=FactKind.SNAPSHOT_TAKEN, at=T0, account="main", subject="rec_0", body={})
    async with writing(life.engine, StoreFailed) as connection:
        await life.journal.append(connection, [fact])
    await life.append(movement("L1"))


async def append(life: Life) -> None:
    """Deliveries of a trading system: some alone, some together, some doubled, an order in two states."""
    order = Order("O1", Instrument("XRP/USD"), OrderSide.BUY, Decimal(40), Decimal(0), "open", updated_at=T0)
    await life.append(fill("T1"), order)
    await life.append(*legs(), replace(order, filled=Decimal(40), status="filled", updated_at=CUT))
    await life.append(fill("T1"), movement("L2x", "USD", "7.5", minute=2))
    await life.append(fill("T2", "0.00000001", margin=True, minute=3), fill("T9", "6", minute=1))
    await life.append(*(movement(f"L{number}", "XRP", "0.1", minute=number) for number in range(20, 40)))


async def adjust(life: Life) -> None:
    """Evidence, a plug, records that arrive late, and both taken back."""
    life.step(1)
    whole = adjustment(*WHOLE_FILL, effects=FILL_EFFECTS, version="1", at=T0 + timedelta(minutes=30))
    await life.kept(whole)
    await life.applied(whole.adjustment_id)
    life.step(2)
    undone = adjustment(back("T9"), effects={"balances:XRP:spot": "-5", "balances:USD:spot": "3.5"}, version="2")
    other = adjustment(back("L8", kind=Kind.MOVEMENTS), effects={"balances:USD:spot": "-1000"}, version="2")
    await life.kept(undone)
    await life.kept(other, four_eyes=False)
    await life.adjustments.intend(other.adjustment_id) if await _is(life, other, AdjustmentState.APPROVED) else None
    await life.applied(undone.adjustment_id, other.adjustment_id)
    life.step(3)
    forced = adjustment(plug("4"), effects={"balances:XRP:spot": "4"}, version="4", at=T0 + timedelta(minutes=40))
    await life.kept(forced)
    await life.applied(forced.adjustment_id)
    life.step(4)
    await life.append(fill("T1"), *legs())
    await life.append(movement("L10", "XRP", "3", minute=5))
    life.step(5)
    await life.take_back(undone.adjustment_id)
    await life.take_back(forced.adjustment_id)


async def review(life: Life) -> None:
    """Runs, and what people decide about what they found."""
    real = {"XRP": "107", "USD": "900"}
    life.step(1)
    await life.run("rec_1", real)
    names = {one.key.name: one.id for one in await life.store.discrepancies(cleared=True)}
    life.step(2)
    until = T0 + timedelta(days=3)
    await life.act(names["XRP"], Action.ASSIGN, ALICE, "hers", assignee="alice")
    await life.act(names["XRP"], Action.COMMENT, BEN, "seen before")
    await life.act(names["USD"], Action.SNOOZE, ALICE, "tomorrow", until=until)
    await life.act(names["USD"], Action.REOPEN, BEN, "today after all")
    life.step(3)
    await life.run("rec_2", real)
    life.step(4)
    await life.run("rec_3", {"XRP": "105", "USD": "996.5"})


async def repair(life: Life) -> None:
    """A difference that a run finds, a repair asked for by one person and approved by another, and the run after it."""
    life.step(1)
    found = await life.run("rec_1", {"XRP": "105", "USD": "900"})
    name = next(one.id for one in await life.store.discrepancies(cleared=True) if one.key.name == "USD")

    async def known(_: Followed) -> Sequence[Any]:
        return found

    async def apply(made: str) -> object:
        return await life.adjustments.apply(made, token=None)

    repairs = Repairs(
        desk=life.desk, adjustments=life.adjustments, four_eyes=True, candidates=known, apply=apply
    )  # fmt: skip
    made = next(iter(await life.adjustments.adjustments(account="main")), None)
    if made is None:
        made = (await propose(repairs, name, ALICE, note="it is a fee")).kept
        life.say({"adjustment": made.id, "state": "proposed"})
    life.step(2)
    repairs = replace(repairs, desk=life.desk)
    if made.state is AdjustmentState.PROPOSED:
        await approve(repairs, made.id, BEN, note="so it is")
        life.say({"adjustment": made.id, "state": "approved"})
    await life.applied(made.id)
    life.step(3)
    await life.run("rec_2", {"XRP": "105", "USD": "900"})


async def _is(life: Life, made: Adjustment, state: AdjustmentState) -> bool:
    kept = await life.adjustments.adjustment(made.adjustment_id)
    return kept is not None and kept.state is state


def _exchange(internal: Snapshot, real: dict[str, str]) -> Snapshot:
    held = tuple(Balance(Asset(name), Wallet.SPOT, Decimal(total)) for name, total in real.items())
    return replace(internal, side="exchange", balances=held, positions=(), version=None, extra=None)


def _name(record: Fill | Movement | Order) -> str:
    match record:
        case Fill(fill_id=name) | Movement(movement_id=name):
            return name
        case Order():
            return record.name


JOBS: dict[str, Callable[[Life], Awaitable[None]]] = {
    "migrate": migrate,
    "append": append,
    "adjust": adjust,
    "review": review,
    "repair": repair,
    "serve": served.serve,
    "tell": telling.tell,
}
BEGINNINGS: dict[str, Callable[[Life], Awaitable[None]]] = {"begin": begin, "begin_served": served.begin}
