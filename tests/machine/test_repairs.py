"""Whatever happens in whatever order, the book is the plain sum of what stands, and can be brought to the truth.

A machine draws what happens at the exchange, what of it reaches the book (late, again, wrong), what runs propose, what
people decide, what is posted, taken back and forced, and where the process ends and begins anew. What must hold is
checked after every step; at the end everything late arrives, every repair is posted, and both sides are the same.

Short in the test run; ``HYPOTHESIS_PROFILE=explore`` draws fresh stories, and more and longer ones.
"""

import asyncio
import shutil
from collections import Counter
from collections.abc import Coroutine
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from msgspec.structs import replace
from sqlalchemy import insert, update

from gal_friday.adapters.book_sql import MemoryAdjustments, MemoryBook, SqlAdjustments, SqlBook
from gal_friday.adapters.book_sql.shelf import Written
from gal_friday.adapters.clock import SteppedClock
from gal_friday.adapters.journal import SqlJournal
from gal_friday.adapters.sql import open_engine
from gal_friday.adapters.sql.engine import writing
from gal_friday.adapters.sql.tables import LEASES
from gal_friday.domain import quantity
from gal_friday.domain.adjusted import IN_THE_BOOK, Kept, Refused
from gal_friday.domain.adjustment import Adjustment, AdjustmentState
from gal_friday.domain.errors import IllegalStep, Overtaken, SamePerson
from gal_friday.domain.records import Fill, Movement
from gal_friday.domain.repair import candidates_of
from gal_friday.domain.report import compare
from gal_friday.domain.roll_up import roll_up
from gal_friday.domain.snapshot import Scales, Snapshot
from gal_friday.ports.errors import StoreFailed
from tests.contracts.adjusting import ANN, BOB, T0, adjustment, plug
from tests.crash import reader
from tests.machine.account import PRICES, TRUE, WRONG, empty_database, name_of, truth_of

ROUNDS = 8
"""Within so many runs whatever differs must be repaired."""
Done = TypeVar("Done")
which = st.integers(0, 7)


ANEW = (
    AdjustmentState.PROPOSED,
    AdjustmentState.APPROVED,
    AdjustmentState.REJECTED,
    AdjustmentState.EXPIRED,
    AdjustmentState.INTENDED,
)


class Repairs(RuleBasedStateMachine):
    """One account: what really happened, what its book knows, and the repairs of it."""

    def __init__(self) -> None:
        """Begin with an empty account."""
        super().__init__()
        self.runner = asyncio.Runner()
        self.clock = SteppedClock(T0 + timedelta(hours=1))
        self.happened: list[Fill | Movement] = []
        self.delivered: list[Fill | Movement] = []
        self.outcomes: dict[str, object] = {}
        self.token = 1

    def do(self, work: Coroutine[Any, Any, Done]) -> Done:
        self.clock.advance(60)
        return self.runner.run(work)

    def open(self) -> None:
        """Make the adapters."""
        self.book: MemoryBook | SqlBook = MemoryBook(clock=self.clock)
        self.adjustments: MemoryAdjustments | SqlAdjustments = MemoryAdjustments(self.book, clock=self.clock)

    def crash(self) -> None:
        """Lose whatever is in memory; what is kept there cannot be lost alone."""

    def end(self) -> None:
        """Give everything back."""

    def check_rows(self, held: Snapshot) -> None:
        """Look at what is kept without the program."""

    def fence(self) -> int | None:
        """Return the token of whoever has the account."""
        return None

    # What happens, and what the book hears of it.

    @initialize()
    def begin(self) -> None:
        self.open()
        self.deliver()

    def deliver(self, *records: Fill | Movement) -> None:
        fills = [one for one in records if isinstance(one, Fill)]
        movements = [one for one in records if isinstance(one, Movement)]
        self.do(self.book.append(account="main", exchange="kraken", fills=fills, movements=movements))
        self.delivered += records

    @rule(one=st.sampled_from(TRUE), arrives=st.booleans())
    def something_happens(self, one: Fill | Movement, arrives: bool) -> None:
        if one not in self.happened:
            self.happened.append(one)
        if arrives:
            self.deliver(one)

    @precondition(lambda self: self.happened)
    @rule(number=which)
    def it_arrives_late(self, number: int) -> None:
        self.deliver(self.happened[number % len(self.happened)])

    @rule(one=st.sampled_from(WRONG))
    def something_wrong_arrives(self, one: Fill | Movement) -> None:
        self.deliver(one)

    @precondition(lambda self: self.delivered)
    @rule()
    def everything_is_delivered_again(self) -> None:
        before = self.do(self.book.version("main"))
        self.deliver(*dict.fromkeys(self.delivered))
        assert self.do(self.book.version("main")) == before, "delivered again, it was written again"

    # What is found and decided.

    @rule(four_eyes=st.booleans())
    def a_run_proposes(self, four_eyes: bool) -> None:
        self.keep(*self.found(), four_eyes=four_eyes)

    @rule(number=which)
    def a_difference_is_repaired_at_once(self, number: int) -> None:
        if found := self.found():
            made = found[number % len(found)]
            self.keep(made, four_eyes=True)
            for one in self.kept(AdjustmentState.PROPOSED):
                if one.id == made.adjustment_id:
                    self.approve_and_apply(one)

    @rule(amount=st.sampled_from(["4", "-6", "0.5"]), name=st.sampled_from(["XRP", "USD"]))
    def somebody_forces_a_number(self, amount: str, name: str) -> None:
        version = self.do(self.book.version("main")) or "0"
        effects = {f"balances:{name}:spot": amount}
        made = adjustment(plug(amount, name), effects=effects, version=version, generation=version, at=T0)
        self.keep(made, four_eyes=True)

    def keep(self, *made: Adjustment, four_eyes: bool) -> None:
        self.do(self.adjustments.keep(made, state=AdjustmentState.PROPOSED, by=ANN, four_eyes=four_eyes))

    @rule(number=which, herself=st.booleans())
    def somebody_approves(self, number: int, herself: bool) -> None:
        for one in self.one_of(number, AdjustmentState.PROPOSED):
            try:
                content = one.adjustment.content
                self.do(
                    self.adjustments.move(one.id, AdjustmentState.APPROVED, by=ANN if herself else BOB, content=content)
                )
            except SamePerson:
                assert herself
                assert one.four_eyes
            else:
                assert not (herself and one.four_eyes), "who proposed it approved it (I11)"

    @rule(number=which)
    def somebody_rejects(self, number: int) -> None:
        for one in self.one_of(number, AdjustmentState.PROPOSED):
            self.do(self.adjustments.move(one.id, AdjustmentState.REJECTED, by=BOB))

    # What is written.

    @rule(number=which)
    def it_is_applied(self, number: int) -> None:
        for one in self.one_of(number, AdjustmentState.APPROVED, AdjustmentState.INTENDED):
            self.apply(one.id)

    def approve_and_apply(self, one: Kept) -> None:
        content = one.adjustment.content
        self.do(self.adjustments.move(one.id, AdjustmentState.APPROVED, by=BOB, content=content))
        self.apply(one.id)

    def apply(self, name: str) -> object:
        done = self.do(self.adjustments.apply(name, token=self.fence()))
        assert self.do(self.adjustments.apply(name, token=self.fence())) == done, "asked again, another outcome"
        self.outcomes[name] = done
        return done

    @rule(number=which)
    def it_is_intended_and_the_process_ends(self, number: int) -> None:
        for one in self.one_of(number, AdjustmentState.APPROVED):
            self.do(self.adjustments.intend(one.id))
        self.crash()
        self.do(self.adjustments.settle("main"))
        assert not self.kept(AdjustmentState.INTENDED)

    @rule(number=which)
    def it_is_taken_back(self, number: int) -> None:
        for one in self.one_of(number, *IN_THE_BOOK):
            with suppress(IllegalStep):
                back = self.do(self.adjustments.reversal(one.id, reason="it was wrong"))
                self.keep(back, four_eyes=False)

    @rule(number=which)
    def somebody_who_lost_the_account_tries(self, number: int) -> None:
        if self.fence() is None:
            return
        for one in self.one_of(number, AdjustmentState.APPROVED):
            before = self.do(self.book.version("main"))
            try:
                self.do(self.adjustments.apply(one.id, token=self.token - 1))
            except Overtaken:
                assert self.do(self.book.version("main")) == before
                assert self.one(one.id).state is AdjustmentState.APPROVED
            else:
                raise AssertionError("it was written with a token of the past")

    @rule()
    def another_process_takes_over(self) -> None:
        self.token += 1
        self.crash()

    # What must hold.

    @invariant()
    def the_book_is_the_plain_sum_of_what_stands(self) -> None:
        if not hasattr(self, "book"):
            return
        held = self.look()
        derived = {f"{one.fill_id}:" for one in held.fills}
        standing = [row for row in held.movements if not row.movement_id.startswith(tuple(derived) or "\0")]
        plain = roll_up(fills=held.fills, movements=standing)
        assert amounts(held) == {row.asset: row.total for row in plain.balances if row.total}
        self.check_rows(held)
        # What an adjustment booked makes room for the record itself: each counts once for each of its deliveries.
        sent = Counter(name_of(one) for one in dict.fromkeys(self.delivered))
        counted: list[Fill | Movement] = [*held.fills, *standing]
        for name, times in Counter(name_of(one) for one in counted).items():
            assert times <= max(1, sent[name]), f"{name} counts {times} times"

    @invariant()
    def nothing_that_was_answered_is_forgotten(self) -> None:
        for name, outcome in self.outcomes.items():
            one = self.one(name)
            # What was refused may be proposed anew, and decided anew; what was written stays what it was.
            assert one.outcome == outcome or (isinstance(outcome, Refused) and one.state in ANEW)
            assert not one.four_eyes or one.decided_by != one.proposed_by

    def teardown(self) -> None:
        """Let everything late arrive and post every repair: the book must be what happened."""
        try:
            if hasattr(self, "book"):
                self.settle_everything()
        finally:
            self.end()
            self.runner.close()

    def settle_everything(self) -> None:
        self.deliver(*self.happened)
        for round_ in range(ROUNDS):
            # What a person turned down stays so: this is another sighting.
            found = self.found(f"end_{round_}")
            if not found:
                break
            self.keep(*found, four_eyes=True)
            for one in self.kept(AdjustmentState.PROPOSED):
                if one.id in {made.adjustment_id for made in found}:
                    self.approve_and_apply(one)
            self.the_book_is_the_plain_sum_of_what_stands()
        assert amounts(self.look()) == amounts(self.truth()), "what really happened"

    # Looking.

    def look(self) -> Snapshot:
        since = T0 - timedelta(days=9)
        return self.do(self.book.snapshot(account="main", since=since, scales=Scales()))

    def truth(self) -> Snapshot:
        return truth_of(self.happened, self.clock.now())

    def found(self, sighting: str = "") -> list[Adjustment]:
        """Return what a run would post now, as seen this time."""
        held, truth = self.look(), self.truth()
        held = replace(held, orders=truth.orders, coverage=replace(held.coverage, orders=truth.coverage.orders))
        report = compare(held, truth, prices=PRICES)  # type: ignore[arg-type]
        report = replace(report, reconciliation_id=f"rec_{self.clock.now():%H%M}")
        found = candidates_of(report, held, truth, {})
        made = [one.adjustment for one in found if one.adjustment is not None]
        return [replace(one, adjustment_id=f"{one.adjustment_id}_{sighting or held.version}") for one in made]

    def kept(self, *states: AdjustmentState) -> list[Kept]:
        return list(reversed(self.do(self.adjustments.adjustments(account="main", states=states, limit=1000))))

    def one_of(self, number: int, *states: AdjustmentState) -> list[Kept]:
        """Return one of those that stand so; none where there are none."""
        found = self.kept(*states)
        return [found[number % len(found)]] if found else []

    def one(self, name: str) -> Kept:
        found = self.do(self.adjustments.adjustment(name))
        assert found is not None
        return found


class RepairsInADatabase(Repairs):
    """The same on SQLite: what is kept is read with plain SQL as well, and a crash loses all that is in memory."""

    def open(self) -> None:
        if not hasattr(self, "folder"):
            self.folder = TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None)
            shutil.copy(empty_database(), self.path)
        self.engine = open_engine(f"sqlite+aiosqlite:///{self.path}")
        journal = SqlJournal(Path(self.folder.name), self.clock)
        self.book = SqlBook(self.engine, clock=self.clock)
        self.adjustments = SqlAdjustments(self.engine, clock=self.clock, journal=journal)
        self.do(self.lease())

    @property
    def path(self) -> Path:
        return Path(self.folder.name) / "book.db"

    async def lease(self) -> None:
        row = {"token": self.token, "owner": f"owner {self.token}", "until": T0 + timedelta(days=1)}
        async with writing(self.engine, StoreFailed) as connection:
            done = await connection.execute(update(LEASES).where(LEASES.c.account == "main").values(row))
            if not done.rowcount:
                await connection.execute(insert(LEASES).values(row | {"account": "main"}))

    def fence(self) -> int | None:
        return self.token

    def crash(self) -> None:
        self.do(self.engine.dispose())
        self.open()

    def check_rows(self, held: Snapshot) -> None:
        rows = self.do(reader.read(f"sqlite:///{self.path}"))
        assert rows is not None
        assert reader.wrong(rows) == []
        assert reader.balances(rows) == {name: quantity.short(total) for name, total in sorted(amounts(held).items())}
        said = (held.extra or {}).get("suspense", ())
        told = {
            f"{line['kind']}:{line['name']}:{line['part']}": line["amount"] for line in said if Decimal(line["amount"])
        }
        assert reader.outcome_of(rows)["suspense"] == told

    def end(self) -> None:
        if hasattr(self, "folder"):
            self.do(self.engine.dispose())
            self.folder.cleanup()


def amounts(held: Snapshot) -> dict[str, Decimal]:
    """Return what is held of each asset."""
    return {row.asset: row.total for row in held.balances if row.total}


def _as_often(memory: int, steps: int) -> settings:
    if settings.default is not None and settings.default.max_examples > 1000:
        return settings(max_examples=memory * 20, stateful_step_count=steps * 2, deadline=None)
    return settings(max_examples=memory, stateful_step_count=steps, deadline=None)


class TestRepairs(Repairs.TestCase):  # type: ignore[valid-type, misc]
    settings = _as_often(40, 40)


class TestRepairsInADatabase(RepairsInADatabase.TestCase):  # type: ignore[valid-type, misc]
    settings = _as_often(8, 30)


def test_a_late_record_that_counts_beside_the_one_booked_for_it_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gal_friday.adapters.book_sql.memory.delivered", lambda shelf, new: Written(entries=new))
    found = settings(max_examples=1_000, stateful_step_count=40, deadline=None, phases=[Phase.generate])
    with pytest.raises(AssertionError, match="counts 2 times"):
        run_state_machine_as_test(Repairs, settings=found)
