"""Whatever happens to orders, fills and positions, and to the processes that look after them, the books come true.

A machine trades at a simulated exchange, lets the book hear of it, late or never, and has runs, people and crashes
come at any time: orders that are filled in parts and canceled without a word, orders that never were, margin, a
worker that is paused while another takes its account over, a process that ends in the middle of a run. Every
recorded run is worked out again. At the end everything late arrives, every repair is posted, and both sides agree.

Short in the test run; ``HYPOTHESIS_PROFILE=explore`` draws fresh stories, and more and longer ones.
"""

import asyncio
import re
import shutil
from collections.abc import Callable, Coroutine
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from gal_friday.adapters.clock import SteppedClock
from gal_friday.adapters.simulated.refusal import Refused
from gal_friday.domain import quantity
from gal_friday.domain.adjusted import IN_THE_BOOK
from gal_friday.domain.adjustment import AdjustmentState
from gal_friday.domain.assets import Instrument, Wallet
from gal_friday.domain.errors import IllegalStep, SamePerson
from gal_friday.domain.facts import Actor, KnownBy
from gal_friday.domain.policy import Mode
from gal_friday.domain.records import Order, OrderSide
from gal_friday.domain.report import ReconciliationReport
from gal_friday.domain.snapshot import Scales, Snapshot
from gal_friday.domain.verdict import ReconciliationStatus, Verdict
from gal_friday.flows.decide import NothingToDecide, Repairs, approve, propose, undo
from gal_friday.flows.lease import LASTS_SECONDS
from gal_friday.ports.errors import AccountBusy, StoreFailed
from tests.contracts.adjusting import T0
from tests.crash import reader
from tests.machine.account import empty_database
from tests.machine.market import ACCOUNT, BEGAN, Around, Ended, Market, Record, name_of
from tests.machine.wrong import WRONG

RUNS = 10
"""Within so many runs whatever differs must be repaired."""
PAIRS = {"XXBTZUSD": ("0.1", "60000"), "XXRPZUSD": ("400", "2")}
ALICE, BEN = (Actor(name, KnownBy.SELF_DECLARED) for name in ("alice", "ben"))
_FENCED = re.compile("repairs were stopped: .*run by somebody else|another run has judged .* and came first")
Done = TypeVar("Done")
which = st.integers(0, 7)
arrives = st.booleans()


class Trading(RuleBasedStateMachine):
    """One account, its book, and two workers."""

    def __init__(self) -> None:
        """Begin with an account that has money, and a book that knows of it."""
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None)
        path = Path(self.folder.name) / "book.db"
        shutil.copy(empty_database(), path)
        self.clock = SteppedClock(T0)
        self.market = Market(path, self.clock)
        self.late: list[Record] = []
        self.known: dict[str, Record] = {}
        self.outcomes: dict[str, str] = {}
        self.reports: list[str] = []
        self.went_wrong = False

    def do(self, work: Coroutine[Any, Any, Done]) -> Done:
        self.clock.advance(1)
        return self.runner.run(work)

    # What happens, and what the book hears of it.

    @initialize()
    def begin(self) -> None:
        self.happens(arrives=True)

    def happens(self, *, arrives: bool) -> None:
        """Let the book hear of what is new, or keep it for later."""
        news = self.do(self.market.news())
        self.known |= {f"{type(one).__name__} {name_of(one)}": one for one in news}
        if arrives:
            self.do(self.market.append(*news))
        else:
            self.late += news
        self.clock.advance(60)

    @rule(
        pair=st.sampled_from(sorted(PAIRS)), side=st.sampled_from(["buy", "sell"]), leverage=st.sampled_from([0, 2]),
        part=st.sampled_from(["0", "0.25", "1"]), arrives=arrives,
    )  # fmt: skip
    def an_order_is_placed(self, pair: str, side: str, leverage: int, part: str, arrives: bool) -> None:
        volume, price = PAIRS[pair]
        with suppress(Refused):
            placed = self.market.exchange.place_order(
                ACCOUNT, pair, side, "limit", volume, price, leverage=leverage, rest=True
            )
            self.happens(arrives=True)
            if part != "0":
                self.market.exchange.fill_order(placed.order, quantity.multiply(Decimal(volume), Decimal(part)))
        self.happens(arrives=arrives)

    @rule(number=which, part=st.sampled_from(["0.25", "0.5", "1"]), arrives=arrives)
    def an_order_is_filled(self, number: int, part: str, arrives: bool) -> None:
        for order in self.open_order(number):
            left = quantity.subtract(order.volume, order.volume_done)
            with suppress(Refused):
                self.market.exchange.fill_order(order.id, quantity.multiply(left, Decimal(part)))
        self.happens(arrives=arrives)

    @rule(number=which, arrives=arrives)
    def an_order_is_canceled(self, number: int, arrives: bool) -> None:
        for order in self.open_order(number):
            self.market.exchange.cancel_order(order.id)
        self.happens(arrives=arrives)

    @rule(amount=st.sampled_from(["25", "3000"]), arrives=arrives)
    def money_arrives(self, amount: str, arrives: bool) -> None:
        self.market.exchange.deposit(ACCOUNT, "ZUSD", amount)
        self.happens(arrives=arrives)

    @rule(arrives=arrives, ends=st.sampled_from(["settle_withdrawal", "fail_withdrawal", "cancel_withdrawal"]))
    def money_leaves(self, arrives: bool, ends: str) -> None:
        with suppress(Refused):
            booked = self.market.exchange.withdraw(ACCOUNT, "ZUSD", "2000", fee="1")
            self.happens(arrives=arrives)
            getattr(self.market.exchange, ends)(booked.refid)
        self.happens(arrives=arrives)

    @rule(arrives=arrives)
    def positions_are_kept_open_for_a_fee(self, arrives: bool) -> None:
        with suppress(Refused):
            self.market.exchange.rollover(ACCOUNT)
        self.happens(arrives=arrives)

    @rule(number=st.integers(1, 3))
    def the_book_believes_in_an_order_that_never_was(self, number: int) -> None:
        name, at = f"OGHOST-AAAAA-AAAAA{number}", self.clock.now()
        ghost = Order(
            name, Instrument("XRP/USD"), OrderSide.BUY, Decimal(50), Decimal(0), "open", type="limit",
            price=Decimal(1), updated_at=at,
        )  # fmt: skip
        self.do(self.market.append(ghost))

    @precondition(lambda self: self.late)
    @rule(number=which)
    def it_arrives_late(self, number: int) -> None:
        self.do(self.market.append(self.late.pop(number % len(self.late))))

    @precondition(lambda self: self.late)
    @rule(number=which, how=st.sampled_from(sorted(WRONG)))
    def it_arrives_wrong_before_it_arrives_right(self, number: int, how: str) -> None:
        self.do(self.market.append(WRONG[how](self.late[number % len(self.late)])))
        self.went_wrong = True

    @precondition(lambda self: self.late)
    @rule(number=which)
    def it_arrives_twice_at_once(self, number: int) -> None:
        late = self.late.pop(number % len(self.late))
        self.do(self.market.append(late, late))

    def open_order(self, number: int) -> list[Any]:
        found = list(self.market.exchange.account(ACCOUNT).open_orders.values())
        return [found[number % len(found)]] if found else []

    # Who looks after it.

    @rule(mode=st.sampled_from(list(Mode)), after=st.sampled_from([0, 600]))
    def a_run(self, mode: Mode, after: int) -> None:
        self.clock.advance(after)
        self.ran(self.do(self.market.run(mode)))

    @rule()
    def a_run_ends_in_the_middle(self) -> None:
        self.clock.advance(600)
        with suppress(Ended):
            self.ran(self.do(self.market.run(Mode.ENFORCE, adjustments=Around(self.market.adjustments, ends=True))))
            return
        self.crash()
        self.clock.advance(LASTS_SECONDS)

    @rule()
    def a_run_is_paused_while_another_takes_over(self) -> None:
        self.clock.advance(600)
        other: list[ReconciliationReport] = []

        async def taken_over() -> None:
            if not other:
                with suppress(AccountBusy):
                    other.append(await self.market.run(Mode.ENFORCE, owner="b"))
                    raise AssertionError("two runs at once (I13)")
                self.clock.advance(LASTS_SECONDS)
                other.append(await self.market.run(Mode.ENFORCE, owner="b"))

        slept = self.do(self.market.run(Mode.ENFORCE, adjustments=Around(self.market.adjustments, before=taken_over)))
        if other:
            self.ran(other[0])
            assert not slept.auto_corrections, "it posted after its account was taken over"
            assert _FENCED.search(" ".join(slept.error_messages)), slept.error_messages
        if not other or slept.status is not ReconciliationStatus.FAILED:
            self.ran(slept, overtaken=bool(other))

    @rule()
    def the_process_ends(self) -> None:
        self.crash()

    def crash(self) -> None:
        self.do(self.market.engine.dispose())
        self.market.open()

    def ran(self, report: ReconciliationReport, *, overtaken: bool = False) -> None:
        assert report.status is not ReconciliationStatus.FAILED, report.error_messages
        assert overtaken or "repairs were stopped" not in " ".join(report.error_messages), report.error_messages
        self.reports.append(report.reconciliation_id)
        self.clock.advance(600)

    @precondition(lambda self: self.reports)
    @rule(number=which)
    def a_run_is_worked_out_again(self, number: int) -> None:
        self.replay(self.reports[-1 - number % len(self.reports)])

    def replay(self, name: str) -> None:
        found = self.do(self.market.replayed(name))
        assert found is None or found.outcome == "equal", found

    # Who decides.

    @rule(number=which)
    def somebody_asks_for_a_repair(self, number: int) -> None:
        if found := self.do(self.market.desk.store.discrepancies(account=ACCOUNT)):
            with suppress(NothingToDecide):
                self.do(propose(self.repairs(), found[number % len(found)].id, ALICE, note="please"))

    @rule(number=which, by=st.sampled_from([ALICE, BEN]))
    def somebody_approves(self, number: int, by: Actor) -> None:
        waiting = self.do(self.market.adjustments.adjustments(account=ACCOUNT, states=(AdjustmentState.PROPOSED,)))
        if waiting:
            one = waiting[number % len(waiting)]
            try:
                self.do(approve(self.repairs(), one.id, by))
            except SamePerson:
                assert one.four_eyes
                assert one.proposed_by == by.name
            else:
                assert not (one.four_eyes and one.proposed_by == by.name), "who proposed it approved it (I11)"

    @rule(number=which, by=st.sampled_from([ALICE, BEN]))
    def somebody_would_take_it_back(self, number: int, by: Actor) -> None:
        if posted := self.do(self.market.adjustments.adjustments(account=ACCOUNT, states=IN_THE_BOOK)):
            with suppress(IllegalStep, NothingToDecide):
                self.do(undo(self.repairs(), posted[number % len(posted)].id, by, note="no"))

    def repairs(self) -> Repairs:
        async def applied(name: str) -> object:
            return await self.market.adjustments.apply(name, token=None)

        async def candidates(_: object) -> list[Any]:
            reports = await self.market.desk.store.reports(account=ACCOUNT, limit=1)
            return [one.candidate for report in reports for one in report.decisions]

        return Repairs(
            desk=self.market.desk, adjustments=self.market.adjustments, four_eyes=True, candidates=candidates,
            apply=applied,
        )  # fmt: skip

    # What must hold.

    @invariant()
    def the_rows_are_whole_and_add_up(self) -> None:
        rows, held = self.rows(), self.look()
        assert reader.wrong(rows) == []
        told = {row.asset: quantity.short(row.total) for row in held.balances if row.total}
        assert reader.balances(rows) == dict(sorted(told.items()))
        for row in rows["adjustments"]:
            assert not row["four_eyes"] or row["decided_by"] != row["proposed_by"], row
            if row["outcome"] and '"applied"' in row["outcome"]:
                assert self.outcomes.setdefault(row["adjustment_id"], row["outcome"]) == row["outcome"]

    def teardown(self) -> None:
        """Let everything late arrive and post every repair: both sides must come to the same."""
        try:
            self.settle_everything()
        finally:
            self.end()

    def end(self) -> None:
        """Give everything back."""
        self.do(self.market.engine.dispose())
        self.folder.cleanup()
        self.runner.close()

    def settle_everything(self) -> None:
        if self.went_wrong:
            # What was booked wrong of an order that works is repaired when it has ended.
            for order in list(self.market.exchange.account(ACCOUNT).open_orders.values()):
                self.market.exchange.cancel_order(order.id)
        self.happens(arrives=True)
        self.do(self.market.append(*self.known.values()))
        report = None
        for _ in range(RUNS):
            self.clock.advance(600)
            report = self.do(self.market.run(Mode.ENFORCE))
            self.ran(report)
            self.the_rows_are_whole_and_add_up()
            if report.verdict is Verdict.RECONCILED:
                break
            for one in self.do(
                self.market.adjustments.adjustments(account=ACCOUNT, states=(AdjustmentState.PROPOSED,))
            ):  # fmt: skip
                with suppress(SamePerson):
                    self.do(approve(self.repairs(), one.id, BEN))
        assert report is not None
        assert report.verdict is Verdict.RECONCILED, report.discrepancies
        self.it_is_what_really_happened()
        for name in self.reports[-3:]:
            self.replay(name)

    def it_is_what_really_happened(self) -> None:
        kraken, held = self.market.kraken(), self.look()
        self.do(kraken.open())
        real = {
            row.asset: row.total for row in self.do(kraken.balances()).rows if row.total and row.wallet == Wallet.SPOT
        }
        assert {row.asset: row.total for row in held.balances if row.total} == real
        lots: dict[str, Decimal] = {}
        for row in self.do(kraken.positions()).rows:
            lots[row.instrument] = quantity.add(lots.get(row.instrument, Decimal(0)), row.quantity)
        told = {row.instrument: row.quantity for row in held.positions if row.quantity}
        assert told == {name: size for name, size in lots.items() if size}
        self.do(kraken.close())

    def rows(self) -> reader.Rows:
        rows = self.do(reader.read(f"sqlite:///{self.market.path}"))
        assert rows is not None
        return rows

    def look(self) -> Snapshot:
        return self.do(self.market.book.snapshot(account=ACCOUNT, since=BEGAN - timedelta(days=1), scales=Scales()))


def _as_often(examples: int, steps: int) -> settings:
    if settings.default is not None and settings.default.max_examples > 1000:
        return settings(max_examples=examples * 20, stateful_step_count=steps * 2, deadline=None)
    return settings(max_examples=examples, stateful_step_count=steps, deadline=None)


class TestTrading(Trading.TestCase):  # type: ignore[valid-type, misc]
    settings = _as_often(4, 25)


def nothing(*_: Any, **__: Any) -> None:
    """Do nothing where something should be checked."""


async def told_to_nobody(*_: Any) -> None:
    """Keep from the journal what it should hear."""


@pytest.mark.parametrize(
    "breaks, found",
    [
        (
            {"flows.decide._check_four_eyes": nothing, "domain.adjusted._check_approval": nothing},
            "ck_adjustments_four_eyes",
        ),
        ({"adapters.book_sql.SqlAdjustments._tell": told_to_nobody}, "changes without an entry"),
    ],
)
def test_a_program_that_is_broken_is_found(
    breaks: dict[str, Callable[..., Any]], found: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    story = Trading()
    for place, broken in breaks.items():
        monkeypatch.setattr(f"gal_friday.{place}", broken)
    try:
        with pytest.raises((AssertionError, StoreFailed), match=found):
            _asked_for_and_approved_by_one(story)
    finally:
        story.end()


def _asked_for_and_approved_by_one(story: Trading) -> None:
    story.begin()
    story.money_arrives(amount="3000", arrives=False)
    story.a_run(mode=Mode.OBSERVE, after=600)
    story.somebody_asks_for_a_repair(number=0)
    story.the_rows_are_whole_and_add_up()
    story.somebody_approves(number=0, by=ALICE)
