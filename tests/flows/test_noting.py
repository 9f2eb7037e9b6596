"""A decision whose process ended before a review heard of it is told by the next run, once and as taken (I16)."""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace

from gal_friday.adapters.store import MemoryReviews
from gal_friday.domain.policy import Mode
from gal_friday.domain.review import Action, Reason
from gal_friday.domain.reviewed import Stepped
from gal_friday.domain.verdict import Verdict
from gal_friday.flows.decide import Repairs, approve, propose, reject, undo
from gal_friday.flows.noting import complete
from tests.flows.test_decide import ALICE, BOB, World, world
from tests.flows.test_repairs import account

__all__ = ["world"]


class Ended(BaseException):
    """The process is gone."""


class Ending(MemoryReviews):
    """Reviews of a process that ends when it is about to write its last line."""

    lines_left = 99

    async def save(self, steps: Sequence[Stepped]) -> None:
        """Write, or be gone."""
        if steps and not self.lines_left:
            raise Ended
        self.lines_left -= 1
        await super().save(steps)


async def proposes(world: World) -> object:
    return await propose(world.repairs(), await world.id("XRP"), ALICE)


async def says_more(world: World) -> object:
    return await propose(world.repairs(), await world.id("XRP"), ALICE, note="it is a gift")


async def approves(world: World) -> object:
    return await approve(world.repairs(), await world.id("XRP"), BOB, note="seen")


async def rejects(world: World) -> object:
    return await reject(world.repairs(), await world.id("XRP"), BOB, reason=Reason.WRONG_REPAIR, note="no: a fee")


async def rejects_in_one_word(world: World) -> object:
    return await reject(world.repairs(), await world.id("XRP"), BOB, reason=Reason.DUPLICATE)


async def undoes(world: World) -> object:
    (applied,) = [one for one in await world.adjustments.adjustments(account="main") if one.state == "applied"]
    return await undo(world.repairs(), applied.id, BOB, note="it was none")


STORIES: dict[str, tuple[tuple[Callable[[World], Awaitable[object]], ...], tuple[object, ...]]] = {
    "proposed": ((proposes,), (Action.PROPOSE, "alice", None, "")),
    "proposed, with a note": ((says_more,), (Action.PROPOSE, "alice", None, "it is a gift")),
    "approved": ((proposes, approves), (Action.APPROVE, "bob", None, "seen")),
    "turned down": ((proposes, rejects), (Action.REJECT, "bob", Reason.WRONG_REPAIR, "no: a fee")),
    "turned down in one word": ((says_more, rejects_in_one_word), (Action.REJECT, "bob", Reason.DUPLICATE, "")),
    "taken back": ((proposes, approves, undoes), (Action.UNDO, "bob", None, "it was none")),
}


async def left_by_a_process_that_ended(world: World, story: str) -> Ending:
    """Let a process end after it took the last decision of a story, and return its reviews."""
    decisions, ending = STORIES[story][0], Ending()
    world.desk = replace(world.desk, reviews=ending)
    ending.lines_left = len(decisions) - 1
    for decide in decisions[:-1]:
        await decide(world)
    with pytest.raises(Ended):
        await decisions[-1](world)
    ending.lines_left = 99
    return ending


@pytest.mark.parametrize("story", STORIES)
async def test_the_last_decision_of_a_process_that_ended_is_told_once_and_as_it_was_taken(
    world: World, story: str
) -> None:
    await left_by_a_process_that_ended(world, story)
    decided_at = (await world.adjustments.adjustments(account="main"))[0].history[-1].at
    world.clock.advance(121)
    (line,) = await complete(world.desk, world.adjustments, "main")
    assert (line.action, line.actor.name, line.reason, line.note) == STORIES[story][1]
    assert line.at == decided_at
    assert [one.action for one in await world.desk.reviews.changes(await world.id("XRP"))][-1] is line.action
    assert await complete(world.desk, world.adjustments, "main") == ()


async def test_whoever_decided_a_moment_ago_tells_it_alone(world: World) -> None:
    await left_by_a_process_that_ended(world, "approved")
    world.clock.advance(119)
    assert await complete(world.desk, world.adjustments, "main") == ()


async def test_what_was_told_is_not_told_again(world: World) -> None:
    await proposes(world)
    await rejects(world)
    world.clock.advance(600)
    assert await complete(world.desk, world.adjustments, "main") == ()


async def test_a_run_tells_it_before_the_review_closes(tmp_path: Path) -> None:
    async with account("memory", tmp_path, None) as made:
        await made.write(lacking=(made.missed.fill_id,))
        await made.run(Mode.PROPOSE)
        ending = Ending()
        ending.lines_left = 0
        (waiting,) = await made.adjustments.adjustments(account="main")
        repairs = Repairs(desk=replace(made.desk, reviews=ending), adjustments=made.adjustments)
        with pytest.raises(Ended):
            await approve(repairs, waiting.id, BOB, note="seen")
        await made.adjustments.apply(waiting.id, token=None)
        assert (await made.run()).verdict is Verdict.RECONCILED
        for name in waiting.adjustment.discrepancies:
            lines = [one.action for one in await made.desk.reviews.changes(name)]
            assert lines == [Action.APPROVE, Action.AGREED]
