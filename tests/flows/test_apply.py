"""What stands between a decision and the book: people, doubt, what was not seen, what moves, and a failing database."""

from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from gal_friday.domain.adjusted import By, Kept
from gal_friday.domain.adjustment import AdjustmentState, PostMovement
from gal_friday.domain.assets import Asset, Wallet
from gal_friday.domain.decision import Choice
from gal_friday.domain.facts import Actor, KnownBy
from gal_friday.domain.policy import Mode, Policy
from gal_friday.domain.records import Kind, Movement
from gal_friday.domain.review import Action, Reason
from gal_friday.domain.verdict import ReconciliationStatus, Verdict
from gal_friday.flows.apply import Repairing
from gal_friday.flows.fetch import Sources
from gal_friday.flows.reconcile import reconcile
from gal_friday.flows.review import act
from gal_friday.ports.errors import BookFailed, ExchangeUnavailable, StoreFailed
from tests.flows.test_repairs import World, account

BOB, ANN = By("bob"), Actor("ann", KnownBy.SELF_DECLARED)


@pytest.fixture
async def small(tmp_path: Path) -> AsyncIterator[World]:
    """Return an account whose book lacks a fill, and whose runs have said nothing yet."""
    async with account("memory", tmp_path, None) as made:
        await made.write(lacking=(made.missed.fill_id,))
        yield made


async def only(world: World) -> Kept:
    (kept,) = await world.kept()
    return kept


async def taken_back(world: World) -> None:
    """Let a person take back the only adjustment."""
    back = await world.adjustments.reversal((await only(world)).id, reason="it was wrong")
    await world.adjustments.keep([back], state=AdjustmentState.APPROVED, by=BOB)
    await world.adjustments.apply(back.adjustment_id, token=None)


# People decide.


@pytest.mark.parametrize("mode", [Mode.PROPOSE, Mode.ENFORCE])
async def test_what_a_person_turned_down_is_neither_posted_nor_asked_for_again(small: World, mode: Mode) -> None:
    await small.run(Mode.PROPOSE)
    await small.adjustments.move((await only(small)).id, AdjustmentState.REJECTED, by=BOB)
    before = await small.content()
    report = await small.run(mode)
    assert (report.auto_corrections, report.proposals, await small.content()) == ((), (), before)
    assert {one.decision for one in report.manual_review_required} == {"escalate"}
    assert await small.states() == {"rejected": 1}


@pytest.mark.parametrize("mode", [Mode.PROPOSE, Mode.ENFORCE])
async def test_what_a_person_took_back_before_it_was_verified_is_no_correction_of_the_next_run(
    small: World, mode: Mode
) -> None:
    await small.run()
    await taken_back(small)
    before = await small.content()
    report = await small.run(mode)
    assert (report.auto_corrections, report.proposals, await small.content()) == ((), (), before)
    assert report.manual_review_required
    assert await small.states() == {"reversed": 1, "applied": 1}


async def test_what_a_person_took_back_after_it_was_verified_waits_for_a_person(small: World) -> None:
    await small.run()
    await small.run()
    await taken_back(small)
    before = await small.content()
    report = await small.run()
    assert (report.auto_corrections, await small.content()) == ((), before)
    assert report.proposals
    assert await small.states() == {"reversed": 1, "applied": 1, "proposed": 1}


async def test_no_part_of_what_a_person_took_back_is_posted_as_something_else(small: World) -> None:
    await small.run()
    await small.run()
    posted = (await only(small)).adjustment
    await taken_back(small)
    legs = [one.movement for one in posted.postings if isinstance(one, PostMovement)]
    assert legs
    await small.append(movements=legs)
    before = await small.content()
    report = await small.run()
    assert (report.auto_corrections, await small.content()) == ((), before)
    assert [one.decision.choice for one in report.decisions] == [Choice.PROPOSE]


async def test_no_number_is_posted_in_place_of_the_record_that_a_person_took_back(small: World) -> None:
    small.exchange.adjust("main", "ZUSD", "0.0009")
    await small.append(fills=small.fills, movements=small.movements)
    await small.run()
    await small.run(after=25 * 3_600)
    await taken_back(small)
    before = await small.totals()
    await small.run()
    report = await small.run()
    assert (report.auto_corrections, [one.type for one in report.proposals]) == ((), ["balance"])
    assert await small.totals() == before


async def test_an_approval_that_was_never_carried_out_is_asked_for_again(small: World) -> None:
    await small.run(Mode.PROPOSE)
    kept = await only(small)
    await small.adjustments.move(kept.id, AdjustmentState.APPROVED, by=BOB, content=kept.adjustment.content)
    report = await small.run(Mode.PROPOSE)
    assert {one.adjustment_id for one in report.proposals} == {kept.id}
    assert [one.to_state for one in (await only(small)).history] == ["proposed", "approved", "expired", "proposed"]
    await small.adjustments.move(kept.id, AdjustmentState.APPROVED, by=BOB, content=kept.adjustment.content)
    await small.append(fills=[small.missed])
    await small.run(Mode.PROPOSE)
    assert await small.states() == {"expired": 1}


async def test_what_a_person_approves_at_this_moment_is_left_alone(small: World) -> None:
    await small.run(Mode.PROPOSE)
    kept = await only(small)
    await small.adjustments.move(kept.id, AdjustmentState.APPROVED, by=BOB, content=kept.adjustment.content)
    report = await small.run(Mode.PROPOSE, after=60)
    assert (report.proposals, await small.states()) == ((), {"approved": 1})


@pytest.mark.parametrize("action", [Action.ACCEPT, Action.SNOOZE])
async def test_what_is_accepted_or_put_aside_is_not_asked_about(small: World, action: Action) -> None:
    first = await small.run(Mode.OBSERVE)
    terms: dict[str, Any] = {"until": small.clock.now() + timedelta(days=1)}
    terms |= {} if action is Action.SNOOZE else {"reason": Reason.OTHER, "note": "known"}
    for one in first.discrepancies:
        await act(small.desk, one.id, action, ANN, **terms)
    report = await small.run()
    assert report.total_discrepancies == first.total_discrepancies
    assert (report.decisions, report.manual_review_required, await small.states()) == ((), (), {})


@pytest.mark.parametrize("hours, expected", [(60, "proposed"), (73, "expired")])
async def test_a_proposal_that_nobody_asks_for_any_more_expires_after_three_days(
    small: World, hours: float, expected: str
) -> None:
    first = await small.run(Mode.PROPOSE)
    for one in first.discrepancies:
        await act(small.desk, one.id, Action.SNOOZE, ANN, until=small.clock.now() + timedelta(days=6))
    await small.run(Mode.PROPOSE, after=hours * 3_600)
    assert await small.states() == {expected: 1}


async def test_a_book_that_cannot_be_written_to_gets_its_proposals_in_the_report_alone(small: World) -> None:
    before = await small.content()
    report = await reconcile(
        Sources("main", small.kraken, small.book, small.clock),
        small.desk.store,
        policy=small.policy,
        since=small.clock.now() - timedelta(hours=24),
        only=small.kinds,
        repairing=Repairing(mode=Mode.ENFORCE),
    )
    assert {one.type for one in report.proposals} == {"book_fill"}
    assert (report.auto_corrections, await small.states(), await small.content()) == ((), {}, before)


async def test_budgets_count_what_earlier_runs_posted(tmp_path: Path) -> None:
    async with account("memory", tmp_path, None) as world:
        world.policy = Policy(corrections_per_day=1)
        await world.write(lacking=(world.missed.fill_id,))
        assert (await world.run()).auto_corrections
        world.exchange.deposit("main", "ZUSD", "5")
        report = await world.run()
        report = await world.run()
        assert (report.auto_corrections, await world.states()) == ((), {"applied": 1, "proposed": 1})
        assert [one.decision.reasons for one in report.decisions] == [
            ("1 corrections in this day already (corrections_per_day)",)
        ]


# Doubt.


def by_hand(world: World, size: str, name: str) -> Movement:
    """Return what somebody sets in the book, dated long before anything that is read."""
    return Movement(name, "deposit", Asset("USD"), Wallet.SPOT, Decimal(size), world.clock.now() - timedelta(days=30))


async def test_a_repair_after_which_a_difference_is_seen_stops_corrections_and_not_observation(tmp_path: Path) -> None:
    async with account("memory", tmp_path, None) as world:
        await world.write(by_hand={"USD": "3.17"})
        await world.run()
        assert (await world.run()).auto_corrections
        await world.append(movements=[by_hand(world, "2", "once more")])
        world.exchange.set_price("XETHZUSD", "3000")
        world.exchange.deposit("main", "XETH", "1")
        report = await world.run()
        assert (await world.states())["unverified"] == 1
        assert {one.event for one in (each.candidate for each in report.decisions)} > {"balances:USD:spot"}
        assert report.auto_corrections == ()
        report = await world.run()
        told = [one.decision for one in report.decisions if one.candidate.cause == "unbooked_deposit"]
        assert [one.choice for one in told] == ["propose"]
        assert all("corrections stopped: after adj_" in one.reasons[0] for one in told), told


async def test_what_was_made_wrong_after_its_repair_is_repaired_again(small: World) -> None:
    await small.run()
    wrong = replace(small.missed, quantity=Decimal("0.03"), fee=Decimal(0))
    await small.append(fills=[wrong])  # what was booked gives way to it
    assert (await small.run()).auto_corrections or (await small.run()).verdict is Verdict.RECONCILED
    assert (await small.run()).verdict is Verdict.RECONCILED
    assert await small.states() == {"verified": 2}
    assert await small.totals() == await small.real()


async def test_the_difference_of_another_event_in_the_same_balance_casts_no_doubt(tmp_path: Path) -> None:
    async with account("memory", tmp_path, None) as world:
        world.policy = Policy(proven_max_value=Decimal(3_000))
        await world.write(lacking=(world.first.fill_id, world.missed.fill_id))
        assert {one.pair or one.currency for one in (await world.run()).auto_corrections} == {"BTC", "USD"}
        for _ in range(2):
            report = await world.run()
            assert report.verdict is Verdict.DISCREPANCIES
            assert {one.decision.reasons for one in report.decisions} == {
                ("it is worth more than 3000 (proven_max_value)",)
            }
        assert await world.states() == {"applied": 1, "proposed": 1}
        waiting = next(one for one in await world.kept() if one.state == "proposed")
        await world.adjustments.move(waiting.id, AdjustmentState.APPROVED, by=BOB, content=waiting.adjustment.content)
        await world.adjustments.apply(waiting.id, token=None)
        assert (await world.run()).verdict is Verdict.RECONCILED
        assert await world.states() == {"verified": 2}


async def test_an_order_that_lacks_another_fill_by_now_casts_no_doubt_on_the_one_that_was_booked(
    tmp_path: Path,
) -> None:
    async with account("memory", tmp_path, None) as world:
        await world.write()
        world.kinds, world.policy = (*world.kinds, Kind.ORDERS), Policy(corrections_per_hour=1)
        world.exchange.place_order("main", "XXBTZUSD", "buy", "market", "0.02", parts=2)
        placed = (await world.kraken.orders(since=world.clock.now() - timedelta(hours=1))).rows[-1]
        await world.append(orders=[placed])
        assert {one.adjustment_id for one in (await world.run()).auto_corrections} != set()
        for _ in range(2):
            assert {"order_fills_mismatch"} <= {one.type for one in (await world.run()).discrepancies}
            assert (await world.states())["applied"] == 1


async def test_a_record_that_nobody_can_explain_keeps_no_other_from_being_repaired(small: World) -> None:
    await small.append(movements=[replace(by_hand(small, "50", "LX"), at=small.clock.now() - timedelta(minutes=5))])
    report = await small.run()
    assert {one.pair or one.currency for one in report.auto_corrections} == {"BTC", "USD"}
    for _ in range(2):
        report = await small.run()
        assert [each.candidate.cause for each in report.decisions] == ["unexplained"]
        assert (await small.states())["applied"] == 1


# What was not seen, what moves, and who writes.


async def test_a_run_that_did_not_see_everything_corrects_nothing(small: World) -> None:
    small.kinds = (Kind.FILLS, Kind.MOVEMENTS, Kind.BALANCES)

    class Blind:
        """The exchange, which does not tell its balances today."""

        def __getattr__(self, name: str) -> Any:
            return getattr(seeing, name)

        async def balances(self) -> Any:
            raise ExchangeUnavailable("the exchange is in maintenance")

    seeing = small.kraken
    small.kraken = Blind()  # type: ignore[assignment]
    report = await small.run()
    small.kraken = seeing
    assert report.verdict is Verdict.INCOMPLETE
    assert (report.auto_corrections, "applied" in await small.states()) == ((), False)
    assert (await small.run()).verdict is Verdict.DISCREPANCIES


async def test_observing_writes_and_proposes_nothing(small: World) -> None:
    before = await small.content()
    report = await small.run(Mode.OBSERVE)
    assert {one.decision.choice for one in report.decisions} == {"wait"}
    assert (report.auto_corrections, report.proposals, await small.states()) == ((), (), {})
    assert await small.content() == before


class Failing:
    """Adjustments over a database that fails at one call."""

    def __init__(self, whole: Any, at: str, failure: Exception, after: int = 0, *, late: bool = False) -> None:
        self.whole, self.at, self.failure, self.left, self.late = whole, at, failure, after, late

    def __getattr__(self, name: str) -> Any:
        if name != self.at:
            return getattr(self.whole, name)
        return self.fail

    async def fail(self, *told: Any, **more: Any) -> Any:
        self.left -= 1
        if self.left >= 0 or self.late:
            done = await getattr(self.whole, self.at)(*told, **more)
            if self.left >= 0:
                return done
        raise self.failure


@pytest.mark.parametrize("late", [False, True], ids=["before", "after it was written"])
@pytest.mark.parametrize("failure", [StoreFailed("the disk is full"), BookFailed("the server went away")])
@pytest.mark.parametrize("at", ["settle", "adjustments", "keep", "apply"])
async def test_a_failure_in_the_middle_is_told_and_settled_by_the_next_run(
    small: World, at: str, failure: Exception, late: bool
) -> None:
    failing = Failing(small.adjustments, at, failure, late=late)
    report = await small.run(adjustments=failing)
    assert f"repairs were stopped: {failure}" in report.error_messages
    assert report.status is not ReconciliationStatus.IN_PROGRESS
    assert (await small.desk.store.reports(account="main", limit=1))[0] == report
    await small.run()
    assert (await small.run()).verdict is Verdict.RECONCILED
    assert await small.states() == {"verified": 1}
    assert await small.totals() == await small.real()


async def test_what_was_posted_before_a_failure_stays_and_is_verified(tmp_path: Path) -> None:
    async with account("memory", tmp_path, None) as world:
        await world.write(lacking=(world.first.fill_id, world.missed.fill_id))
        await world.run(adjustments=Failing(world.adjustments, "apply", StoreFailed("the disk is full"), after=1))
        assert (await world.states())["applied"] == 1
        await world.run()
        assert (await world.run()).verdict is Verdict.RECONCILED
        assert await world.states() == {"verified": 2}
        assert await world.totals() == await world.real()


async def test_a_name_that_nobody_knows_is_never_posted(tmp_path: Path) -> None:  # I15
    async with account("memory", tmp_path, None) as world:
        odd = Movement("odd", "deposit", Asset("?FOO"), Wallet.SPOT, Decimal(5), world.first.at)
        await world.write()
        await world.append(movements=[odd])
        before = await world.content()
        runs = [await world.run() for _ in range(3)]
        assert {one.auto_corrections for one in runs} == {()}
        assert {one.decision.choice for run in runs for one in run.decisions} <= {"escalate", "wait", "propose"}
        assert not [one for one in await world.kept() if "?FOO" in str(one.adjustment.effects)]
        assert await world.content() == before
