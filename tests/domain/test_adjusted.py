"""The life of an adjustment: what may follow what, who may, and four eyes."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import product

import msgspec
import pytest
from msgspec.structs import replace

from gal_friday.domain.adjusted import (
    MAY,
    MOVES,
    STEPS,
    By,
    Kept,
    Step,
    after,
    first,
    move_to,
    names_of,
    renewed,
    steps_from,
)
from gal_friday.domain.adjustment import (
    UNSETTLED,
    Adjustment,
    AdjustmentState,
    AdjustmentType,
    Effect,
    Plug,
    PostMovement,
    adjustment_id,
)
from gal_friday.domain.assets import Asset, Wallet
from gal_friday.domain.errors import IllegalStep, OtherContent, SamePerson
from gal_friday.domain.plain import plain
from gal_friday.domain.records import Kind, Movement

T0 = datetime(2026, 1, 31, 12, tzinfo=UTC)
POSTINGS = (Plug(Kind.BALANCES, "XRP", "spot", Decimal(3)),)
ADJUSTMENT = Adjustment(
    adjustment_id=adjustment_id("main", "kraken", POSTINGS, ""),
    account="main",
    exchange="kraken",
    type=AdjustmentType.BALANCE,
    postings=POSTINGS,
    discrepancies=("dis_1",),
    keys=("balances:XRP:spot",),
    effects=(Effect("balances:XRP:spot", Decimal(1), Decimal(4)),),
    record_ids=(),
    cause="unexplained",
    reason="no record explains it",
    reconciliation_id="rec_1",
    book_version="1",
    at=T0,
)
ANN, BOB, POLICY = By("ann"), By("bob"), By("policy", "policy")
PROPOSED = first(ADJUSTMENT, AdjustmentState.PROPOSED, ANN, T0, four_eyes=True)
CONTENT = ADJUSTMENT.content


@pytest.mark.parametrize("fee", ["0", "0.0000", "0E-10", "1E-8", "1.50"])
def test_postings_that_a_report_has_kept_are_the_same_postings(fee: str) -> None:
    row = Movement("L1", "deposit", Asset("XRP"), Wallet.SPOT, Decimal("3.0"), T0, fee=Decimal(fee))
    made = replace(ADJUSTMENT, postings=(PostMovement(row),))
    kept = msgspec.convert(plain(made), Adjustment)
    assert kept.content == made.content


def standing(state: AdjustmentState) -> Kept:
    return replace(PROPOSED, state=state)


@pytest.mark.parametrize("state,step", list(product(AdjustmentState, Step)))
def test_every_step_is_in_the_table_or_refused_with_what_is_possible(state: AdjustmentState, step: Step) -> None:
    if (state, step) in STEPS:
        done = after(standing(state), step, BOB, T0, content=CONTENT)
        assert done.state is STEPS[state, step]
        assert done.history[-1].from_state is state
        assert done.revision == PROPOSED.revision + 1
    else:
        told = "look at it again" if step in (Step.APPROVE, Step.REJECT) else "possible is (\\w+(, \\w+)*|nothing;)"
        with pytest.raises(IllegalStep, match=told):
            after(standing(state), step, BOB, T0, content=CONTENT)


def test_every_state_is_reached_and_what_is_unsettled_leads_on() -> None:
    assert {*STEPS.values()} == set(AdjustmentState)
    assert all(list(steps_from(state)) for state in UNSETTLED)
    assert set(MAY) == set(Step)
    assert list(steps_from(AdjustmentState.REJECTED)) == []


@pytest.mark.parametrize("state", list(AdjustmentState))
def test_only_some_states_can_be_asked_for(state: AdjustmentState) -> None:
    if state in MOVES:
        assert state in {to for (_, step), to in STEPS.items() if step is move_to(PROPOSED, state)}
    else:
        with pytest.raises(IllegalStep, match="follows from keeping and applying it"):
            move_to(PROPOSED, state)


@pytest.mark.parametrize("actor", ["ann", " Ann ", "ANN", "ａｎｎ", "аnn", "ann\u200b"], ids=ascii)
def test_who_proposed_may_not_approve(actor: str) -> None:  # I11
    with pytest.raises(SamePerson, match="somebody else has to"):
        after(PROPOSED, Step.APPROVE, By(actor), T0, content=CONTENT)


def test_without_four_eyes_who_proposed_may_approve() -> None:
    assert after(replace(PROPOSED, four_eyes=False), Step.APPROVE, ANN, T0, content=CONTENT).decided_by == "ann"


def test_policy_is_one_pair_of_eyes() -> None:  # I11
    assert first(ADJUSTMENT, AdjustmentState.APPROVED, POLICY, T0).decided_by == "policy"
    with pytest.raises(SamePerson):
        first(ADJUSTMENT, AdjustmentState.APPROVED, POLICY, T0, four_eyes=True)
    proposed = first(ADJUSTMENT, AdjustmentState.PROPOSED, POLICY, T0, four_eyes=True)
    with pytest.raises(SamePerson):
        after(proposed, Step.APPROVE, POLICY, T0, content=CONTENT)
    assert after(proposed, Step.APPROVE, ANN, T0, content=CONTENT).state is AdjustmentState.APPROVED


@pytest.mark.parametrize("content", [None, "", "another"])
def test_an_approval_is_good_for_what_was_looked_at_alone(content: str | None) -> None:
    with pytest.raises(OtherContent, match="look at it again"):
        after(PROPOSED, Step.APPROVE, BOB, T0, content=content)


def test_who_proposed_may_take_it_back() -> None:
    assert after(PROPOSED, Step.REJECT, ANN, T0).state is AdjustmentState.REJECTED


def test_a_program_decides_nothing() -> None:
    with pytest.raises(IllegalStep, match="policy or a person has to"):
        after(PROPOSED, Step.APPROVE, By("gal-friday"), T0, content=CONTENT)


@pytest.mark.parametrize("actor", ["", "  "])
def test_nobody_decides_without_a_name(actor: str) -> None:
    with pytest.raises(IllegalStep, match="say who decides"):
        after(PROPOSED, Step.APPROVE, By(actor), T0, content=CONTENT)


@pytest.mark.parametrize("state", [one for one in AdjustmentState if one not in ("proposed", "approved")])
def test_nothing_begins_half_way(state: AdjustmentState) -> None:
    with pytest.raises(IllegalStep, match="begins as proposed or approved"):
        first(ADJUSTMENT, state, ANN, T0)


@pytest.mark.parametrize("state", list(AdjustmentState))
def test_the_same_repair_kept_again_rests_on_the_newer_reading_or_is_proposed_anew(state: AdjustmentState) -> None:
    newer = replace(ADJUSTMENT, at=T0 + timedelta(hours=1), book_version="2")
    again = renewed(standing(state), first(newer, AdjustmentState.PROPOSED, BOB, T0), T0)
    if state in (AdjustmentState.PROPOSED, AdjustmentState.APPROVED):
        assert (again.state, again.adjustment.book_version, again.proposed_by) == (state, "2", "ann")
    elif state in (AdjustmentState.EXPIRED, AdjustmentState.REFUSED):
        assert (again.state, again.proposed_by, len(again.history)) == (AdjustmentState.PROPOSED, "bob", 2)
    else:
        assert again == standing(state)


def test_the_same_reading_kept_again_changes_nothing() -> None:
    assert renewed(PROPOSED, first(ADJUSTMENT, AdjustmentState.PROPOSED, BOB, T0), T0) is PROPOSED


def test_an_adjustment_is_about_the_names_of_its_effects_and_postings() -> None:
    assert names_of(ADJUSTMENT) == {"XRP"}
