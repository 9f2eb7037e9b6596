"""Reviews over several runs: what people decide holds until it ends, changes, or both sides are seen to agree."""

from datetime import timedelta
from decimal import Decimal

import pytest
from msgspec import Struct
from msgspec.structs import replace

from gal_friday.adapters.clock import SteppedClock
from gal_friday.adapters.store import MemoryReviews, MemoryStore
from gal_friday.domain.assets import Asset, Wallet
from gal_friday.domain.facts import PROGRAM, Actor, Fact, KnownBy
from gal_friday.domain.following import carry_forward
from gal_friday.domain.policy import Policy
from gal_friday.domain.recall import run_of
from gal_friday.domain.records import Balance
from gal_friday.domain.report import compare
from gal_friday.domain.review import Action, IllegalAction, Reason, ReviewState
from gal_friday.domain.snapshot import Coverage, Coverages, Side, Snapshot
from gal_friday.flows.review import Desk, UnknownDiscrepancy, act, excused, follow_up, look, queue
from gal_friday.ports.errors import ReviewOvertaken, StoreFailed

ALICE, BOB = (Actor(name, KnownBy.SELF_DECLARED) for name in ("alice", "bob"))


class Office(Struct):
    """A desk, its clock, and runs over one account that see what a test says."""

    clock: SteppedClock
    store: MemoryStore
    reviews: MemoryReviews
    facts: list[Fact]

    @property
    def desk(self) -> Desk:
        return Desk(self.store, self.reviews, self.clock)

    async def run(self, minutes: int = 10, **differences: str) -> None:
        """Let time pass, record a run that saw these differences, asset by asset, and carry the reviews on."""
        await self.record(minutes, **differences)
        await follow_up(self.desk, "main")

    async def record(self, minutes: int = 10, **differences: str) -> None:
        """Let time pass, and record a run that saw these differences."""
        self.clock.advance(timedelta(minutes=minutes).total_seconds())
        internal = self.side("internal", dict.fromkeys(differences, "0"))
        made = compare(internal, self.side("exchange", differences))
        run = run_of(made, since=self.clock.now() - timedelta(days=1))
        known = await self.store.followed([one.id for one in await self.store.discrepancies(cleared=True)])
        carried = carry_forward(known, made.findings, made.discrepancies, run=run, policy=Policy())
        await self.store.save_report(replace(made, reconciliation_id=f"rec_{self.clock.now():%H%M%d}"), carried)

    def side(self, name: Side, differences: dict[str, str]) -> Snapshot:
        return Snapshot(
            side=name,
            account="main",
            exchange="kraken",
            as_of=self.clock.now(),
            coverage=Coverages(balances=Coverage.TOTAL),
            balances=tuple(
                Balance(Asset(asset), Wallet.SPOT, Decimal(100) + Decimal(more)) for asset, more in differences.items()
            ),
        )

    async def id(self, asset: str) -> str:
        (one,) = [one for one in await self.store.discrepancies(cleared=True) if one.key.name == asset]
        return one.id

    async def accept(self, asset: str, *, days: int = 3, by: Actor = ALICE) -> None:
        until = self.clock.now() + timedelta(days=days)
        said = {"reason": Reason.KNOWN_DIFFERENCE, "note": "a gift", "until": until}
        await act(self.desk, await self.id(asset), Action.ACCEPT, by, **said)  # type: ignore[arg-type]

    async def state(self, asset: str) -> ReviewState:
        return (await look(self.desk, await self.id(asset))).review.state

    async def waiting(self) -> list[str]:
        return [each.followed.key.name for each in await queue(self.desk)]


@pytest.fixture
def office() -> Office:
    facts: list[Fact] = []
    return Office(SteppedClock(), MemoryStore(), MemoryReviews(facts.extend), facts)


async def test_what_nobody_touched_waits_for_a_person(office: Office) -> None:
    await office.run(XRP="5", BTC="0")
    assert await office.waiting() == ["XRP"]
    assert await office.state("XRP") is ReviewState.OPEN
    assert office.facts == []


async def test_the_queue_has_the_first_due_first(office: Office) -> None:
    await office.run(LOW="0.5", CRITICAL="50", MEDIUM="2", HIGH="6")
    assert await office.waiting() == ["CRITICAL", "HIGH", "MEDIUM", "LOW"]
    (first, *others) = await queue(office.desk)
    assert first.due == office.clock.now() + timedelta(hours=1)
    assert {each.overdue for each in (first, *others)} == {None}
    office.clock.advance(2 * 3600)
    (first, second, *_) = await queue(office.desk)
    assert (first.overdue, second.overdue) == (timedelta(hours=1), None)


async def test_what_is_accepted_stays_open_and_needs_nobody_until_its_end(office: Office) -> None:  # I7
    await office.run(XRP="5")
    await office.accept("XRP", days=3)
    await office.run(XRP="5")
    (one,) = await office.store.open_discrepancies("main")
    assert one.state == "confirmed"
    assert await office.waiting() == []
    assert await excused(office.desk, [one]) == {one.id}
    await office.run(minutes=3 * 24 * 60, XRP="5")
    assert await office.state("XRP") is ReviewState.OPEN
    assert await office.waiting() == ["XRP"]
    assert await excused(office.desk, await office.store.open_discrepancies("main")) == frozenset()


async def test_what_was_accepted_opens_again_when_the_difference_is_another_one(office: Office) -> None:
    await office.run(XRP="5")
    await office.accept("XRP")
    await office.run(XRP="5.00000001")
    looked = await look(office.desk, await office.id("XRP"))
    assert looked.review.state is ReviewState.OPEN
    assert [(change.action, change.actor) for change in looked.changes] == [
        (Action.ACCEPT, ALICE),
        (Action.CHANGED, PROGRAM),
    ]
    assert looked.changes[-1].note == "the difference is 5.00000001 now, and was 5"
    assert [fact.kind for fact in office.facts] == ["review_accepted", "review_reopened"]


async def test_an_observed_agreement_closes_and_its_return_opens_again(office: Office) -> None:  # I7
    await office.run(XRP="5")
    await office.accept("XRP")
    await office.run(XRP="0")
    assert await office.state("XRP") is ReviewState.CLOSED
    assert await office.waiting() == []
    await office.run(XRP="5")
    assert await office.state("XRP") is ReviewState.OPEN
    assert await office.waiting() == ["XRP"]


async def test_a_run_that_the_program_did_not_survive_is_made_good_by_the_next(office: Office) -> None:
    await office.run(XRP="5")
    await office.accept("XRP")
    await office.record(XRP="0")
    assert await office.state("XRP") is ReviewState.ACCEPTED
    assert await office.waiting() == []
    (closed,) = await follow_up(office.desk, "main")
    assert closed.action is Action.AGREED
    assert await follow_up(office.desk, "main") == ()


async def test_it_is_found_by_the_beginning_of_its_id(office: Office) -> None:
    await office.run(XRP="5")
    name = await office.id("XRP")
    done = await act(office.desk, name[:8], Action.ASSIGN, ALICE, assignee="bob")
    assert (done.followed.id, done.review.assignee) == (name, "bob")
    for unknown in ("dis_gone", "", "%"):
        with pytest.raises(UnknownDiscrepancy, match="`gal-friday discrepancies --all` lists them"):
            await act(office.desk, unknown, Action.COMMENT, ALICE, note="hm")


async def test_the_beginning_of_several_ids_asks_for_more_of_it(office: Office) -> None:
    await office.run(XRP="5", BTC="5")
    with pytest.raises(StoreFailed, match="several discrepancies begin with dis_"):
        await act(office.desk, "dis_", Action.COMMENT, ALICE, note="hm")


async def test_what_is_refused_writes_nothing(office: Office) -> None:
    await office.run(XRP="5")
    with pytest.raises(IllegalAction):
        await act(office.desk, await office.id("XRP"), Action.REOPEN, ALICE)
    assert (await look(office.desk, await office.id("XRP"))).changes == ()
    assert office.facts == []


class Hurried(MemoryReviews):
    """Reviews on which somebody else acts between reading and writing, once."""

    hurried = False

    async def save(self, steps: object) -> None:
        if self.hurried:
            self.hurried = False
            raise ReviewOvertaken("somebody else")
        await super().save(steps)  # type: ignore[arg-type]


async def test_a_run_leaves_alone_what_somebody_is_just_deciding(office: Office) -> None:
    office.reviews = hurried = Hurried(office.facts.extend)
    await office.run(XRP="5", BTC="7")
    await office.accept("XRP")
    await office.accept("BTC", by=BOB)
    hurried.hurried = True
    await office.run(XRP="0", BTC="0")
    assert [await office.state(asset) for asset in ("XRP", "BTC")] == [ReviewState.CLOSED] * 2
