"""What handing an adjustment over promises, with each kind of receiver: memory, HTTP, and a table in two databases."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from gal_friday.domain.adjusted import Applied, Refused
from gal_friday.domain.adjustment import Adjustment, AdjustmentState, AdjustmentType, PostMovement
from gal_friday.domain.assets import Asset, Wallet
from gal_friday.domain.errors import IllegalStep, Overtaken
from gal_friday.domain.handover import Absent, Handover, Sighting, Took, TurnedDown, handover_of
from gal_friday.domain.records import Movement
from tests.contracts.adjusting import POLICY, T0, adjustment, movement, plug
from tests.contracts.handing import MADE, Elsewhere, elsewhere
from tests.postgres.databases import POSTGRESQL, Databases

OTHER = adjustment(PostMovement(movement("L7")), effects={"balances:XRP:spot": "3"}, version="v1")
KINDS = ["memory", "http", "table", POSTGRESQL]


@pytest.fixture(params=KINDS)
async def there(request: pytest.FixtureRequest, tmp_path: Path, databases: Databases) -> AsyncIterator[Elsewhere]:
    store = "postgresql" if request.param == "postgresql" else "sqlite"
    async with elsewhere(request.param, tmp_path, databases, store=store) as made:
        yield made


async def test_what_is_handed_over_is_posted_and_every_step_is_on_record(there: Elsewhere) -> None:  # I10
    outcome = await there.apply()
    assert outcome == Applied(MADE.adjustment_id, "1")
    assert there.book.taken == [MADE.adjustment_id]
    assert await there.states() == ["approved", "intended", "applied"]
    facts = ["adjustment_proposed", "adjustment_intended", "adjustment_applied"]
    assert [each for each in await there.facts() if each.startswith("adjustment")] == facts
    (row,) = await there.handovers()
    assert (row.adjustment_id, row.number, row.content) == (MADE.adjustment_id, 1, MADE.content)
    assert row.body.encode() == handover_of(MADE, token=None).body


async def test_handing_over_twice_posts_once(there: Elsewhere) -> None:  # I9
    first = await there.apply()
    assert await there.adjustments.apply(MADE.adjustment_id, token=None) == first
    for _ in range(2):
        assert await there.receiver.send(handover_of(MADE, token=None)) == Took("1")
    assert there.book.taken == [MADE.adjustment_id]


async def test_what_the_book_refuses_is_refused_and_may_come_again_under_the_same_key(there: Elsewhere) -> None:
    there.book.refuses = "the book was closed for the day"
    outcome = await there.apply()
    assert outcome == Refused(MADE.adjustment_id, "the book was closed for the day")
    assert (there.book.taken, await there.state()) == ([], "refused")
    there.book.refuses = None
    await there.adjustments.keep(
        [replace(MADE, at=MADE.at + timedelta(hours=1))], state=AdjustmentState.APPROVED, by=POLICY
    )  # fmt: skip
    assert isinstance(await there.adjustments.apply(MADE.adjustment_id, token=None), Applied)
    assert there.book.taken == [MADE.adjustment_id]
    assert [row.number for row in await there.handovers()] == [1, 2]


async def test_one_key_never_stands_for_two_contents(there: Elsewhere) -> None:
    await there.receiver.send(handover_of(MADE, token=None))
    changed = replace(handover_of(OTHER, token=None), adjustment_id=MADE.adjustment_id)
    body = changed.body.replace(OTHER.adjustment_id.encode(), MADE.adjustment_id.encode())
    answer = await there.receiver.send(replace(changed, body=body))
    assert isinstance(answer, TurnedDown)
    assert "other content" in answer.reason or "another content" in answer.reason
    assert there.book.taken == [MADE.adjustment_id]


async def test_asked_about_what_never_came_the_book_says_so(there: Elsewhere) -> None:
    assert await there.receiver.ask(handover_of(MADE, token=None)) == Absent()


async def test_whoever_was_paused_for_too_long_posts_nothing(there: Elsewhere) -> None:  # I9
    await there.receiver.send(handover_of(OTHER, token=5))
    assert isinstance(await there.receiver.send(handover_of(MADE, token=4)), TurnedDown)
    assert isinstance(await there.receiver.send(handover_of(MADE, token=5)), Took)
    assert there.book.taken == [OTHER.adjustment_id, MADE.adjustment_id]


async def test_who_lost_the_lease_writes_nothing_and_hands_nothing_over(there: Elsewhere) -> None:  # I9, I13
    await there.lease(2)
    with pytest.raises(Overtaken):
        await there.apply(token=1)
    assert (there.book.taken, await there.state(), await there.handovers()) == ([], "approved", [])


async def test_looking_whether_it_is_there_writes_nothing(there: Elsewhere) -> None:
    assert await there.receiver.check()
    assert there.book.taken == []
    if there.system is not None:
        assert await there.receiver.ask(handover_of(MADE, token=None)) == Absent()


async def test_undoing_goes_the_same_way_and_both_stay_on_record(there: Elsewhere) -> None:
    await there.apply()
    back = await there.adjustments.reversal(MADE.adjustment_id, reason="it was wrong")
    assert (back.type, back.reverses) == (AdjustmentType.REVERSAL, MADE.adjustment_id)
    assert {each.key: each.change for each in back.effects} == {each.key: -each.change for each in MADE.effects}
    assert isinstance(await there.apply(back), Applied)
    assert there.book.taken == [MADE.adjustment_id, back.adjustment_id]
    assert (await there.state(), await there.state(back)) == ("reversed", "applied")
    again = await there.adjustments.reversal(back.adjustment_id, reason="it was right after all")
    await there.apply(again)
    assert (await there.state(), await there.state(back)) == ("applied", "reversed")


async def test_only_what_is_in_the_book_is_taken_back(there: Elsewhere) -> None:
    await there.approved()
    with pytest.raises(IllegalStep, match="only what is in the book"):
        await there.adjustments.reversal(MADE.adjustment_id, reason="never mind")


async def test_a_name_that_nobody_knows_is_never_handed_over(there: Elsewhere) -> None:  # I15
    odd = Movement("L9", "a kind of the future", Asset("XRP"), Wallet.SPOT, MADE.effects[0].after, T0)
    outcome = await there.apply(adjustment(PostMovement(odd), effects={}))
    assert isinstance(outcome, Refused)
    assert "nobody knows" in outcome.reason
    assert (there.book.taken, await there.handovers()) == ([], [])


async def test_amounts_are_handed_over_as_plain_digits(there: Elsewhere) -> None:  # I1
    tiny = adjustment(plug("0.00000001"), effects={"balances:XRP:spot": "0.00000001"})
    assert isinstance(await there.apply(tiny), Applied)
    (row,) = await there.handovers()
    assert '"amount":"0.00000001"' in row.body
    assert "E-" not in row.body


async def test_a_crash_after_the_intention_is_asked_about_and_not_guessed(there: Elsewhere) -> None:  # I16
    """Each state that a kill can leave behind, made by whatever the killed process had done until then."""
    begun = await _killed_before_sending(there, MADE)
    assert await there.states() == ["approved", "intended"]
    settled = await there.adjustments.settle("main")  # it never arrived, and nobody looked: unknown
    assert [one.state for one in settled] == ["outcome_unknown"]
    with pytest.raises(IllegalStep, match="nobody knows yet whether"):
        await there.apply(OTHER)
    assert (there.book.taken, await there.state(OTHER)) == ([], "approved")
    await there.adjustments.settle("main", seen={MADE.adjustment_id: Sighting.UNCHANGED})
    assert await there.state() == "approved"
    assert isinstance(await there.adjustments.apply(MADE.adjustment_id, token=None), Applied)
    assert there.book.taken == [MADE.adjustment_id]
    assert begun.adjustment_id == MADE.adjustment_id


async def test_a_crash_after_sending_is_found_in_the_book(there: Elsewhere) -> None:  # I16
    begun = await _killed_before_sending(there, MADE)
    await there.receiver.send(begun)  # and then it was killed, before it could record the answer
    assert [one.state for one in await there.another().settle("main")] == ["applied"]
    assert (await there.kept()).outcome == Applied(MADE.adjustment_id, "1")
    assert there.book.taken == [MADE.adjustment_id]


async def test_an_intention_without_its_row_was_never_handed_over(there: Elsewhere) -> None:  # I16
    await there.approved()
    await there.adjustments.intend(MADE.adjustment_id)
    assert [one.state for one in await there.adjustments.settle("main")] == ["approved"]


async def test_what_the_book_lacks_while_both_sides_agree_is_not_wanted_any_more(there: Elsewhere) -> None:
    await _killed_before_sending(there, MADE)
    await there.adjustments.settle("main", seen={MADE.adjustment_id: Sighting.AGREES})
    assert await there.states() == ["approved", "intended", "approved", "expired"]
    assert there.book.taken == []


async def _killed_before_sending(there: Elsewhere, made: Adjustment) -> Handover:
    await there.approved(made)
    begun = await there.adjustments._begun(made.adjustment_id, None)
    assert isinstance(begun, Handover)
    return begun
