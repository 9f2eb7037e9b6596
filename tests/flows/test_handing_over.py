"""Runs repair a book that is kept elsewhere: once, told, stopped by what nobody knows, and settled by what is seen."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import Struct

from gal_friday.adapters.book_http import MemoryReceiver
from gal_friday.adapters.book_sql import HandoverAdjustments
from gal_friday.adapters.sql import open_engine, upgrade
from gal_friday.domain.adjusted import By
from gal_friday.domain.adjustment import AdjustmentState, PostFill, Posting, PostMovement
from gal_friday.domain.handover import Answer, Handover, NoAnswer, NotSent, Took
from gal_friday.domain.policy import Mode
from gal_friday.domain.report import ReconciliationReport
from gal_friday.domain.verdict import Verdict
from gal_friday.ports.errors import BookFailed
from tests.flows.test_repairs import World, account

POSTINGS = msgspec.json.Decoder(list[Posting])


class TradingSystem(MemoryReceiver):
    """Posts what it takes into the book that runs read, and can be cut off."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world
        self.cut: str | None = None
        """``before`` it takes anything, ``after`` it took it, ``gone``: nobody is there."""

    async def send(self, handover: Handover) -> Answer:
        if self.cut == "gone":
            return NotSent("nobody is there; start it")
        if self.cut == "before":
            return NoAnswer("the line is cut")
        answer = await super().send(handover)
        if isinstance(answer, Took) and self.taken.count(handover.adjustment_id) == 1:
            await self._post(handover)
        return answer if self.cut is None else NoAnswer("the line is cut")

    async def ask(self, handover: Handover) -> Answer:
        return await super().ask(handover) if self.cut is None else NoAnswer("the line is cut")

    async def _post(self, handover: Handover) -> None:
        postings = POSTINGS.decode(msgspec.json.encode(msgspec.json.decode(handover.body)["postings"]))
        await self.world.append(
            fills=[one.fill for one in postings if isinstance(one, PostFill)],
            movements=[one.movement for one in postings if isinstance(one, PostMovement)],
        )


class There(Struct):
    """An account whose book a trading system keeps."""

    world: World
    system: TradingSystem

    async def run(self, mode: Mode = Mode.ENFORCE, **more: Any) -> ReconciliationReport:
        return await self.world.run(mode, **more)


@pytest.fixture
async def there(tmp_path: Path) -> AsyncIterator[There]:
    async with account("memory", tmp_path, None) as world:
        system = TradingSystem(world)
        engine = open_engine(f"sqlite+aiosqlite:///{tmp_path / 'ours.db'}")
        await upgrade(engine)
        world.adjustments = HandoverAdjustments(engine, system, clock=world.clock)
        yield There(world, system)
        await engine.dispose()


async def test_what_is_proven_is_handed_over_once_and_verified_by_the_next_run(there: There) -> None:
    await there.world.write(lacking=(there.world.missed.fill_id,))
    first = await there.run()
    assert {one.type for one in first.auto_corrections} == {"book_fill"}
    assert await there.world.states() == {"applied": 1}
    second = await there.run()
    assert (second.verdict, second.auto_corrections) == (Verdict.RECONCILED, ())
    assert await there.world.states() == {"verified": 1}
    assert await there.world.totals() == await there.world.real()
    assert len(there.system.taken) == 1


async def test_what_was_posted_without_an_answer_is_settled_by_what_a_run_sees(there: There) -> None:  # I7
    await there.world.write(lacking=(there.world.missed.fill_id,))
    there.system.cut = "after"
    first = await there.run()
    (kept,) = await there.world.kept()
    assert first.auto_corrections == ()
    assert (
        f"nobody knows whether {kept.id} was posted: the line is cut; gal-friday adjustments {kept.id}" in first.notes
    )
    assert await there.world.states() == {"outcome_unknown": 1}
    second = await there.run()
    assert second.verdict is Verdict.RECONCILED
    assert await there.world.states() == {"verified": 1}
    assert there.system.taken == [kept.id]


async def test_while_nobody_knows_nothing_else_is_posted_and_the_run_says_why(there: There) -> None:
    world = there.world
    await world.write(lacking=(world.missed.fill_id, world.first.fill_id))
    there.system.cut = "before"
    first = await there.run()
    unknown = next(one for one in await world.kept() if one.state is AdjustmentState.OUTCOME_UNKNOWN)
    assert any(f"{unknown.id} has to be settled first" in note for note in first.notes)
    second = await there.run()
    reasons = {reason for one in second.decisions for reason in one.decision.reasons}
    told = f"corrections stopped: nobody knows whether {unknown.id} was posted (gal-friday adjustments {unknown.id})"
    assert told in reasons
    assert (second.auto_corrections, there.system.taken) == ((), [])
    there.system.cut = None
    await there.run()  # asked, it never had it, and the whole difference is still there: handed over under the same id
    assert unknown.id in there.system.taken
    await there.run()
    assert (await there.run()).verdict is Verdict.RECONCILED
    assert len(there.system.taken) == len(set(there.system.taken)) == 2
    assert await world.totals() == await world.real()


async def test_what_is_seen_too_soon_says_nothing(there: There) -> None:  # it may still be on its way
    await there.world.write(lacking=(there.world.missed.fill_id,))
    there.system.cut = "before"
    await there.run()
    there.system.cut = None
    await there.run(after=30)
    assert await there.world.states() == {"outcome_unknown": 1}
    assert there.system.taken == []


async def test_what_a_person_approved_and_did_not_arrive_is_handed_over_by_the_next_run(there: There) -> None:
    await there.world.write(lacking=(there.world.missed.fill_id,))
    await there.run(Mode.PROPOSE)
    (kept,) = await there.world.kept()
    content = kept.adjustment.content
    await there.world.adjustments.move(kept.id, AdjustmentState.APPROVED, by=By("bob"), content=content)
    there.system.cut = "gone"
    with pytest.raises(BookFailed, match="stays approved"):
        await there.world.adjustments.apply(kept.id, token=None)
    stopped = await there.run(Mode.PROPOSE)
    assert any("repairs were stopped" in each and "stays approved" in each for each in stopped.error_messages)
    assert await there.world.states() == {"approved": 1}
    there.system.cut = None
    await there.run(Mode.PROPOSE)
    assert await there.world.states() == {"applied": 1}
    assert there.system.taken == [kept.id]


async def test_a_book_that_was_put_right_otherwise_needs_no_repair(there: There) -> None:
    world = there.world
    await world.write(lacking=(world.missed.fill_id,))
    there.system.cut = "before"
    await there.run()
    rows = [row for row in world.movements if row.refers_to == world.missed.fill_id]
    await world.append(fills=[world.missed], movements=rows)
    there.system.cut = None
    assert (await there.run()).verdict is Verdict.RECONCILED
    assert await world.states() == {"expired": 1}
    assert there.system.taken == []


async def test_a_run_that_only_observes_hands_nothing_over(there: There) -> None:
    await there.world.write(lacking=(there.world.missed.fill_id,))
    await there.run(Mode.OBSERVE)
    assert (await there.world.kept(), there.system.taken) == ((), [])
