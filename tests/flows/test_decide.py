"""Repairs, decided by people: asked for, approved by somebody else, applied, observed, and taken back."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

import pytest
from msgspec import Struct
from msgspec.structs import replace

from gal_friday.adapters.book_sql.memory import MemoryBook
from gal_friday.adapters.book_sql.memory_adjustments import MemoryAdjustments
from gal_friday.adapters.clock import SteppedClock
from gal_friday.adapters.store import MemoryReviews, MemoryStore
from gal_friday.cli.deciding import decided_json, decided_lines
from gal_friday.domain.adjusted import PROGRAM_ITSELF, Applied
from gal_friday.domain.adjustment import AdjustmentState, AdjustmentType
from gal_friday.domain.assets import Asset, Wallet
from gal_friday.domain.candidate import Candidate
from gal_friday.domain.errors import IllegalStep, SamePerson
from gal_friday.domain.facts import Actor, KnownBy
from gal_friday.domain.followed import Followed
from gal_friday.domain.following import carry_forward
from gal_friday.domain.policy import Policy
from gal_friday.domain.recall import run_of
from gal_friday.domain.records import Balance
from gal_friday.domain.remark import MalformedRemark
from gal_friday.domain.repair import candidates_of
from gal_friday.domain.report import compare
from gal_friday.domain.review import Action, IllegalAction, Reason, ReviewState
from gal_friday.domain.snapshot import Coverage, Coverages, Scales, Snapshot
from gal_friday.flows.decide import Decided, NothingToDecide, Repairs, approve, propose, reject, undo
from gal_friday.flows.review import Desk, act, follow_up, look
from gal_friday.ports.errors import ReviewOvertaken

ALICE, BOB = (Actor(name, KnownBy.SELF_DECLARED) for name in ("alice", "bob"))
WHOLE = Coverages(balances=Coverage.TOTAL, positions=Coverage.TOTAL)
PRICES = {Asset("XRP"): Decimal(2), Asset("BTC"): Decimal(60_000)}


class World(Struct):
    """A book in memory, what the exchange holds, and the people who look after both."""

    clock: SteppedClock
    book: MemoryBook
    adjustments: MemoryAdjustments
    desk: Desk
    real: dict[str, str]
    found: tuple[Candidate, ...] = ()

    def repairs(self, *, four_eyes: bool = True, value: str = "0") -> Repairs:
        async def known(_: Followed) -> Sequence[Candidate]:
            return self.found

        async def applied(name: str) -> object:
            return await self.adjustments.apply(name, token=None)

        return Repairs(
            desk=self.desk,
            adjustments=self.adjustments,
            four_eyes=four_eyes,
            four_eyes_value=Decimal(value),
            candidates=known,
            apply=applied,
        )

    async def run(self) -> None:
        """Let ten minutes pass and reconcile balances, keeping what could be posted."""
        self.clock.advance(600)
        held = await self.book.snapshot(account="main", since=self.clock.now() - timedelta(days=1), scales=Scales())
        held = replace(held, coverage=WHOLE, fills=(), movements=(), orders=())
        made = compare(held, self.exchange(), prices=PRICES)
        run = run_of(made, since=self.clock.now() - timedelta(days=1))
        known = await self.desk.store.followed([one.id for one in await self.desk.store.discrepancies(cleared=True)])
        carried = carry_forward(known, made.findings, made.discrepancies, run=run, policy=Policy())
        await self.desk.store.save_report(replace(made, reconciliation_id=f"rec_{self.clock.now():%H%M}"), carried)
        self.found = candidates_of(made, held, self.exchange(), {one.id: one for one in carried.open})
        await follow_up(self.desk, "main")

    def exchange(self) -> Snapshot:
        return Snapshot(
            side="exchange",
            account="main",
            exchange="kraken",
            as_of=self.clock.now(),
            coverage=WHOLE,
            balances=tuple(Balance(Asset(name), Wallet.SPOT, Decimal(total)) for name, total in self.real.items()),
        )

    async def held(self, asset: str) -> Decimal:
        held = await self.book.snapshot(account="main", since=self.clock.now(), scales=Scales())
        return next(row.total for row in held.balances if row.asset == asset)

    async def id(self, asset: str) -> str:
        (one,) = [one for one in await self.desk.store.discrepancies(cleared=True) if one.key.name == asset]
        return one.id

    async def proposed(self, asset: str = "XRP", by: Actor = ALICE, *, four_eyes: bool = True) -> Decided:
        return await propose(self.repairs(four_eyes=four_eyes), await self.id(asset), by, note="it is a gift")


@pytest.fixture
async def world() -> World:
    clock = SteppedClock()
    book = MemoryBook(clock=clock)
    made = World(
        clock,
        book,
        MemoryAdjustments(book, clock=clock),
        Desk(MemoryStore(), MemoryReviews(), clock),
        {"XRP": "100", "BTC": "1"},
    )
    await book.open_with(replace(made.exchange(), side="internal"))
    made.real = {"XRP": "105", "BTC": "1"}
    await made.run()
    return made


async def test_a_repair_is_proposed_approved_by_another_applied_and_settled_only_by_a_run(world: World) -> None:  # I7
    name = await world.id("XRP")
    asked = await world.proposed()
    assert (asked.kept.state, asked.kept.proposed_by, asked.kept.four_eyes) == ("proposed", "alice", True)
    assert await world.held("XRP") == 100
    done = await approve(world.repairs(), name, BOB, note="seen")
    assert (done.kept.state, done.kept.decided_by) == ("applied", "bob")
    assert isinstance(done.outcome, Applied)
    assert await world.held("XRP") == 105
    assert (await look(world.desk, name)).review.state is ReviewState.OPEN
    await world.run()
    looked = await look(world.desk, name)
    assert (looked.followed.state, looked.review.state) == ("cleared", ReviewState.CLOSED)
    told = [(change.action, change.actor.name, change.adjustment_id) for change in looked.changes]
    assert told == [
        (Action.PROPOSE, "alice", asked.kept.id),
        (Action.APPROVE, "bob", asked.kept.id),
        (Action.AGREED, "gal-friday", ""),
    ]


@pytest.mark.parametrize("approver", ["alice", "Alice", " ALICE ", "ａｌｉｃｅ", "аlice"], ids=ascii)
async def test_who_proposed_may_not_approve(world: World, approver: str) -> None:  # I11
    asked = await world.proposed()
    with pytest.raises(SamePerson, match="somebody else has to"):
        await approve(world.repairs(), asked.kept.id, Actor(approver, KnownBy.SELF_DECLARED))
    assert await world.held("XRP") == 100
    assert len((await look(world.desk, await world.id("XRP"))).changes) == 1


async def test_nobody_decides_under_the_name_of_a_rule(world: World) -> None:  # I11
    with pytest.raises(MalformedRemark, match="kept for what this program does by itself"):
        await world.proposed(by=Actor("policy", KnownBy.SELF_DECLARED))


async def test_a_policy_that_asks_for_four_eyes_since_holds_for_what_was_proposed_before(world: World) -> None:  # I11
    asked = await world.proposed(four_eyes=False)
    assert not asked.kept.four_eyes
    with pytest.raises(SamePerson):
        await approve(world.repairs(four_eyes=True), asked.kept.id, ALICE)


async def test_one_pair_of_eyes_is_enough_where_the_policy_says_so(world: World) -> None:
    asked = await world.proposed(four_eyes=False)
    done = await approve(world.repairs(four_eyes=False), asked.kept.id, ALICE)
    assert done.kept.state is AdjustmentState.APPLIED


@pytest.mark.parametrize("limit, wanted", [("10", True), ("10.00000001", False)])
async def test_four_eyes_are_asked_for_from_the_stated_value_on(world: World, limit: str, wanted: bool) -> None:
    repairs = world.repairs(value=limit)
    asked = await propose(repairs, await world.id("XRP"), ALICE)
    assert (asked.kept.adjustment.value, asked.kept.four_eyes) == (Decimal(10), wanted)
    assert repairs.needs_four_eyes(None)


async def test_a_rejected_repair_is_not_applied_and_says_why(world: World) -> None:
    asked = await world.proposed()
    with pytest.raises(MalformedRemark, match="give a `reason`"):
        await reject(world.repairs(), asked.kept.id, BOB, reason=None)
    with pytest.raises(MalformedRemark, match="write a `note`"):
        await reject(world.repairs(), asked.kept.id, BOB, reason=Reason.OTHER)
    done = await reject(world.repairs(), asked.kept.id, BOB, reason=Reason.WRONG_REPAIR, note="it was a fill")
    assert done.kept.state is AdjustmentState.REJECTED
    assert done.kept.history[-1].note == "wrong_repair: it was a fill"
    (change,) = done.changes
    assert (change.action, change.reason, change.note) == (Action.REJECT, Reason.WRONG_REPAIR, "it was a fill")
    assert await world.held("XRP") == 100


async def test_what_was_decided_is_not_decided_again(world: World) -> None:
    asked = await world.proposed()
    await approve(world.repairs(), asked.kept.id, BOB)
    with pytest.raises(IllegalStep, match=r"is in the book already \(bob, .* UTC\) and cannot be approved any more"):
        await approve(world.repairs(), asked.kept.id, BOB)
    with pytest.raises(IllegalStep, match=r"is in the book already .* and cannot be rejected any more"):
        await reject(world.repairs(), asked.kept.id, BOB, reason=Reason.WRONG_REPAIR)
    assert await world.held("XRP") == 105


async def test_an_expired_proposal_is_not_approved(world: World) -> None:
    asked = await world.proposed()
    await world.adjustments.move(asked.kept.id, AdjustmentState.EXPIRED, by=PROGRAM_ITSELF)
    with pytest.raises(IllegalStep, match=r"has expired .* and cannot be approved any more"):
        await approve(world.repairs(), asked.kept.id, BOB)


async def test_what_is_accepted_or_put_aside_is_reopened_before_it_is_repaired(world: World) -> None:
    asked, name = await world.proposed(), await world.id("XRP")
    await act(world.desk, name, Action.SNOOZE, ALICE, until=world.clock.now() + timedelta(days=1))
    with pytest.raises(IllegalAction, match=f"gal-friday review reopen {name}"):
        await approve(world.repairs(), asked.kept.id, BOB)
    assert (await world.adjustments.adjustment(asked.kept.id)).state == "proposed"  # type: ignore[union-attr]
    await act(world.desk, name, Action.REOPEN, ALICE)
    assert (await approve(world.repairs(), asked.kept.id, BOB)).kept.state == "applied"


async def test_the_repair_of_what_agrees_by_now_is_not_approved(world: World) -> None:
    asked = await world.proposed()
    world.real = {"XRP": "100", "BTC": "1"}
    await world.run()
    with pytest.raises(IllegalAction, match="which agrees already; turn it down: gal-friday review reject"):
        await approve(world.repairs(), asked.kept.id, BOB)
    rejected = await reject(world.repairs(), asked.kept.id, BOB, reason=Reason.FIXED_OUTSIDE)
    assert rejected.kept.state is AdjustmentState.REJECTED


async def test_an_applied_repair_is_taken_back_by_another_that_somebody_else_approves(world: World) -> None:
    asked = await world.proposed()
    await approve(world.repairs(), asked.kept.id, BOB)
    await world.run()
    name = await world.id("XRP")
    assert (await look(world.desk, name)).review.state is ReviewState.CLOSED
    back = await undo(world.repairs(), asked.kept.id, BOB, note="it was no gift")
    assert (back.kept.adjustment.type, back.kept.adjustment.reverses) == (AdjustmentType.REVERSAL, asked.kept.id)
    assert back.kept.adjustment.reason == f"takes back {asked.kept.id}: it was no gift"
    with pytest.raises(SamePerson):
        await approve(world.repairs(), back.kept.id, BOB)
    done = await approve(world.repairs(), back.kept.id, ALICE)
    assert (done.kept.state, await world.held("XRP")) == ("applied", Decimal(100))
    first = await world.adjustments.adjustment(asked.kept.id)
    assert first is not None
    assert first.state is AdjustmentState.REVERSED
    await world.run()
    assert (await look(world.desk, name)).review.state is ReviewState.OPEN


async def test_a_take_back_that_was_rejected_is_not_said_to_be_proposed_again(world: World) -> None:
    asked = await world.proposed()
    await approve(world.repairs(), asked.kept.id, BOB)
    back = await undo(world.repairs(), asked.kept.id, BOB)
    await reject(world.repairs(), back.kept.id, ALICE, reason=Reason.WRONG_REPAIR)
    with pytest.raises(NothingToDecide, match="was rejected already, by alice"):
        await undo(world.repairs(), asked.kept.id, BOB)


async def test_what_is_not_in_the_book_cannot_be_taken_back(world: World) -> None:
    asked = await world.proposed()
    with pytest.raises(IllegalStep):
        await undo(world.repairs(), asked.kept.id, BOB)
    with pytest.raises(NothingToDecide, match="no adjustment of dis_"):
        await undo(world.repairs(), await world.id("XRP"), BOB)


async def test_what_is_proposed_already_is_not_proposed_twice(world: World) -> None:
    asked = await world.proposed()
    with pytest.raises(NothingToDecide, match=f"gal-friday review approve {asked.kept.id}"):
        await world.proposed(by=BOB)


async def test_what_no_run_can_repair_is_not_proposed(world: World) -> None:
    world.found = ()
    with pytest.raises(NothingToDecide, match="look again: gal-friday run main"):
        await world.proposed()


async def test_what_something_stands_against_is_not_proposed(world: World) -> None:
    (one,) = world.found
    world.found = (replace(one, bars=replace(one.bars, passing=("XRP is in motion",))),)
    with pytest.raises(NothingToDecide, match=r"nothing may be posted for dis_.*: XRP is in motion"):
        await world.proposed()


@pytest.mark.parametrize("named", ["adj_gone", "adj_", "dis_gone", ""])
async def test_an_id_that_nobody_knows_is_told_as_such(world: World, named: str) -> None:
    with pytest.raises(LookupError):
        await approve(world.repairs(), named, BOB)


async def test_a_discrepancy_without_a_proposal_says_where_to_look(world: World) -> None:
    name = await world.id("XRP")
    with pytest.raises(NothingToDecide, match=f"gal-friday discrepancy {name}"):
        await approve(world.repairs(), name, BOB)


class Hurried(MemoryReviews):
    """Reviews on which somebody else always acts between reading and writing."""

    async def save(self, steps: object) -> None:
        raise ReviewOvertaken("somebody else")


async def test_who_comments_at_the_same_moment_does_not_undo_a_decision(world: World) -> None:
    asked = await world.proposed()
    world.desk = replace(world.desk, reviews=Hurried())
    done = await approve(world.repairs(), asked.kept.id, BOB)
    assert (done.kept.state, done.changes) == (AdjustmentState.APPLIED, ())


async def test_what_was_decided_is_told_with_what_it_does_and_what_comes_next(world: World) -> None:
    asked = await world.proposed()
    lines = list(decided_lines(asked))
    assert lines[0].startswith(f"{asked.kept.id}: proposed, balance: ")
    assert lines[1:] == [
        "  balances:XRP:spot  100 → 105 (+5)",
        f"  somebody else than alice has to approve it: gal-friday review approve {asked.kept.id}",
    ]
    done = await approve(world.repairs(), asked.kept.id, BOB)
    assert list(decided_lines(done))[-1] == "  gal-friday run main"
    told = decided_json(done)
    assert (told["state"], told["decided_by"], told["outcome"]) == ("applied", "bob", done.outcome)
