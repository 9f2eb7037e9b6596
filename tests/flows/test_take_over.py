"""What the policy proposed it corrects once it may; what a person asked for or looked at stays with that person."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from gal_friday.domain.adjusted import By, Kept, first, is_policys_own
from gal_friday.domain.adjustment import AdjustmentState
from gal_friday.domain.errors import Overtaken
from gal_friday.domain.facts import Actor, KnownBy
from gal_friday.domain.policy import Mode
from gal_friday.domain.review import Action
from gal_friday.domain.verdict import Verdict
from gal_friday.flows.decide import Repairs, propose
from gal_friday.flows.review import act
from gal_friday.flows.take_over import take_over
from tests.contracts.adjusting import adjustment, plug
from tests.flows.test_apply import only
from tests.flows.test_repairs import World, account
from tests.postgres.databases import POSTGRESQL, Databases

BOB, ANN = By("bob"), Actor("ann", KnownBy.SELF_DECLARED)


@pytest.fixture(params=["memory", "sqlite", POSTGRESQL])
async def world(request: pytest.FixtureRequest, tmp_path: Path, databases: Databases) -> AsyncIterator[World]:
    """Return an account whose book lacks a fill, and whose policy asks for four eyes."""
    async with account(request.param, tmp_path, databases) as made:
        made.policy = replace(made.policy, four_eyes=True)
        await made.write(lacking=(made.missed.fill_id,))
        yield made


async def test_what_only_policy_has_proposed_is_corrected_once_the_policy_allows_it(world: World) -> None:
    await world.run(Mode.PROPOSE)
    assert await world.states() == {"proposed": 1}
    report = await world.run(Mode.ENFORCE)
    kept = await only(world)
    assert {one.adjustment_id for one in report.auto_corrections} == {kept.id}
    assert [(one.to_state.value, one.actor) for one in kept.history] == [
        ("proposed", "policy"),
        ("expired", "gal-friday"),
        ("approved", "policy"),
        ("intended", "gal-friday"),
        ("applied", "gal-friday"),
    ]
    assert kept.history[1].note.startswith("the policy allows it by now")
    assert (await world.run(Mode.ENFORCE)).verdict is Verdict.RECONCILED


async def test_what_a_limit_kept_back_is_corrected_once_the_limit_is_higher(world: World) -> None:
    policy = world.policy
    world.policy = replace(policy, corrections_per_hour=0)
    await world.run()
    assert await world.states() == {"proposed": 1}
    world.policy = policy
    await world.run()
    assert await world.states() == {"applied": 1}


@pytest.mark.parametrize("action", [Action.COMMENT, Action.ASSIGN])
async def test_what_a_person_has_looked_at_stays_with_that_person(world: World, action: Action) -> None:
    first_run = await world.run(Mode.PROPOSE)
    said: dict[str, Any] = {"note": "I look at it"} if action is Action.COMMENT else {"assignee": "ann"}
    (name, *_) = sorted((await only(world)).adjustment.discrepancies)
    await act(world.desk, name, action, ANN, **said)
    before = await world.content()
    report = await world.run(Mode.ENFORCE)
    assert (report.auto_corrections, await world.content()) == ((), before)
    assert await world.states() == {"proposed": 1}
    assert report.total_discrepancies == first_run.total_discrepancies


async def test_what_a_person_has_asked_for_stays_with_that_person(world: World) -> None:
    report = await world.run(Mode.OBSERVE)

    async def candidates(_: object) -> Any:
        (kept,) = await world.desk.store.reports(account="main", limit=1)
        return [one.candidate for one in kept.decisions]

    repairs = Repairs(desk=world.desk, adjustments=world.adjustments, candidates=candidates)
    await propose(repairs, report.discrepancies[0].id, ANN)
    again = await world.run(Mode.ENFORCE)
    assert again.error_messages == ()
    assert (again.auto_corrections, await world.states()) == ((), {"proposed": 1})
    assert (await only(world)).proposed_by == "ann"


async def test_an_approval_at_this_moment_is_not_overtaken(world: World) -> None:
    await world.run(Mode.PROPOSE)
    kept = await only(world)

    class Hurried:
        async def adjustment(self, _: str) -> Kept:
            return kept

        async def move(self, name: str, state: AdjustmentState, **more: Any) -> Kept:
            await world.adjustments.move(name, AdjustmentState.APPROVED, by=BOB, content=kept.adjustment.content)
            moved: Kept = await world.adjustments.move(name, state, **more)
            return moved

    await take_over(Hurried(), world.desk, kept.id)  # type: ignore[arg-type]
    assert (await only(world)).state is AdjustmentState.APPROVED
    with pytest.raises(Overtaken):
        await world.adjustments.move(kept.id, AdjustmentState.EXPIRED, by=BOB, revision=kept.revision)


@pytest.mark.parametrize("by, own", [("policy", True), ("Policy", True), ("bob", False)])
def test_a_person_in_its_history_makes_it_somebodys(by: str, own: bool) -> None:
    made = adjustment(plug("3"), effects={"balances:XRP:spot": "3"})
    kept = first(made, AdjustmentState.PROPOSED, By(by), made.at)
    assert is_policys_own(kept) is own


async def test_a_proposal_that_expired_is_proposed_anew_by_the_next_run_while_its_difference_is_there(
    world: World,
) -> None:
    for after in (600, 73 * 3_600, 600):
        await world.run(Mode.PROPOSE, after=after)
    kept = await only(world)
    assert [one.to_state.value for one in kept.history] == ["proposed", "expired", "proposed"]
    assert kept.history[1].note == "nobody decided in 72 hours"
