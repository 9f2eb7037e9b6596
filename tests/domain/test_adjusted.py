"""The life of an adjustment: what may follow what, who may, and four eyes."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import product

import msgspec
import pytest
from msgspec.structs import replace

from gal_friday.domain.adjusted import (
    APPLIED_ONCE,
    IN_THE_BOOK,
    MAY,
    MOVES,
    PROGRAM_ITSELF,
    RENEWABLE,
    STEPS,
    AdjustmentChange,
    Applied,
    By,
    Kept,
    Step,
    after,
    first,
    is_policys_own,
    move_to,
    names_of,
    renewed,
    steps_from,
    who,
)
from gal_friday.domain.adjustment import (
    UNSETTLED,
    Adjustment,
    AdjustmentState,
    AdjustmentType,
    Effect,
    Plug,
    PostFill,
    Posting,
    PostMovement,
    PostOrder,
    TakeBack,
    TakeBackAdjustment,
    adjustment_id,
    records_of,
)
from gal_friday.domain.assets import Asset, Wallet
from gal_friday.domain.errors import IllegalStep, OtherContent, SamePerson
from gal_friday.domain.plain import plain
from gal_friday.domain.records import Kind, Movement
from tests.domain.build import fill, movement, order

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
    postings = (
        TakeBack(Kind.FILLS, "T1", 1, 1),
        PostFill(fill(instrument="BTC/EUR")),
        PostOrder(order(instrument="ETH/EUR")),
        PostMovement(movement(asset="USD")),
        Plug(Kind.POSITIONS, "XRP/USD", "net", Decimal(1)),
        TakeBackAdjustment("adj_1"),
    )
    effects = (Effect("positions:SOL/USD:net", Decimal(0), Decimal(1)), Effect("balances:A:B:spot", T, T))
    whole = replace(ADJUSTMENT, postings=postings, effects=effects)
    assert names_of(whole) == {"BTC/EUR", "ETH/EUR", "USD", "XRP/USD", "SOL/USD", "A:B"}


T = Decimal(2)
HOUR = timedelta(hours=1)
ID = ADJUSTMENT.adjustment_id


@pytest.mark.parametrize(
    "posting, records",
    [
        (PostFill(fill("T1")), ("T1",)),
        (PostMovement(movement("L1")), ("L1",)),
        (PostOrder(order("O1")), ("O1",)),
        (PostOrder(order(None, client="mine")), ("mine",)),
        (TakeBack(Kind.MOVEMENTS, "L2", 1, 2), ("L2",)),
        (POSTINGS[0], ()),
        (TakeBackAdjustment("adj_1"), ()),
    ],
)
def test_a_posting_is_about_the_records_that_it_books_or_takes_back(posting: Posting, records: tuple[str, ...]) -> None:
    assert records_of(posting) == records


def test_the_first_step_is_kept_whole() -> None:
    by = By(" ann ", "session", "")
    opened = AdjustmentChange(1, T0, None, AdjustmentState.PROPOSED, "ann", "session", "no record explains it")
    proposed = Kept(
        adjustment=ADJUSTMENT,
        state=AdjustmentState.PROPOSED,
        proposed_by="ann",
        four_eyes=True,
        decided_by=None,
        outcome=None,
        history=(opened,),
        revision=1,
    )
    assert first(ADJUSTMENT, AdjustmentState.PROPOSED, by, T0, four_eyes=True) == proposed
    said = replace(by, note="because")
    noted = replace(opened, to_state=AdjustmentState.APPROVED, note="because")
    approved = replace(proposed, state=AdjustmentState.APPROVED, four_eyes=False, decided_by="ann", history=(noted,))
    assert first(ADJUSTMENT, AdjustmentState.APPROVED, said, T0) == approved
    assert (approved.id, By("ann"), PROGRAM_ITSELF) == (ID, By("ann", "self-declared", ""), By("gal-friday", "system"))


def test_each_later_step_is_kept_whole_and_the_decision_with_it() -> None:
    approved = after(PROPOSED, Step.APPROVE, By(" bob ", "token", "looks right"), T0 + HOUR, content=CONTENT)
    change = AdjustmentChange(
        2, T0 + HOUR, AdjustmentState.PROPOSED, AdjustmentState.APPROVED, "bob", "token", "looks right"
    )
    history = (*PROPOSED.history, change)
    state = AdjustmentState.APPROVED
    assert approved == replace(PROPOSED, state=state, decided_by="bob", history=history, revision=2)
    intended = after(approved, Step.INTEND, PROGRAM_ITSELF, T0 + 2 * HOUR)
    change = AdjustmentChange(
        3, T0 + 2 * HOUR, AdjustmentState.APPROVED, AdjustmentState.INTENDED, "gal-friday", "system", ""
    )
    state = AdjustmentState.INTENDED
    assert intended == replace(approved, state=state, history=(*history, change), revision=3)
    rejected = after(PROPOSED, Step.REJECT, BOB, T0)
    assert (rejected.decided_by, rejected.state) == ("bob", AdjustmentState.REJECTED)


def test_what_is_kept_once_more_is_kept_whole() -> None:
    newer = replace(ADJUSTMENT, at=T0 + timedelta(microseconds=1), book_version="2")
    anew = first(newer, AdjustmentState.PROPOSED, By("bob", "token"), T0 + HOUR)
    assert renewed(PROPOSED, anew, T0 + HOUR) == replace(PROPOSED, adjustment=newer, revision=2)
    expired = replace(after(PROPOSED, Step.EXPIRE, PROGRAM_ITSELF, T0), outcome=Applied(ID, 1))
    change = AdjustmentChange(
        3, T0 + HOUR, AdjustmentState.EXPIRED, AdjustmentState.PROPOSED, "bob", "token", "no record explains it"
    )
    again = replace(anew, history=(*expired.history, change), revision=3)
    assert renewed(expired, anew, T0 + HOUR) == again
    assert renewed(expired, replace(anew, adjustment=ADJUSTMENT), T0 + HOUR) is expired
    others = replace(newer, postings=(Plug(Kind.BALANCES, "XRP", "spot", Decimal(4)),))
    assert renewed(PROPOSED, replace(anew, adjustment=others), T0 + HOUR) is PROPOSED


POSSIBLE = "possible is expire, intend, refuse, reject"


@pytest.mark.parametrize(
    "state, step, said",
    [
        ("approved", "apply", f"adjustment {ID} is approved: apply is not possible; {POSSIBLE}"),
        ("approved", "lose_sight", f"adjustment {ID} is approved: lose sight is not possible; {POSSIBLE}"),
        (
            "rejected",
            "intend",
            f"adjustment {ID} is rejected: intend is not possible; possible is nothing; it has come to its end",
        ),
        (
            "rejected",
            "approve",
            (
                f"adjustment {ID} was rejected already (bob, 2026-01-31 13:00 UTC) and cannot be approved any more; "
                f"look at it again: gal-friday adjustment {ID}"
            ),
        ),
        (
            "expired",
            "reject",
            (
                f"adjustment {ID} has expired (cat, 2026-01-31 13:00 UTC) and cannot be rejected any more; "
                f"look at it again: gal-friday adjustment {ID}"
            ),
        ),
    ],
)
def test_a_step_that_is_not_possible_says_what_is(state: str, step: str, said: str) -> None:
    history = (replace(PROPOSED.history[0], actor="cat", at=T0 + HOUR),)
    kept = replace(PROPOSED, state=AdjustmentState(state), decided_by="bob", history=history)
    with pytest.raises(IllegalStep) as refused:
        after(kept, Step(step), BOB, T0, content=CONTENT)
    assert str(refused.value) == said


@pytest.mark.parametrize(
    "state, said",
    [
        ("approved", "was approved already (bob"),
        ("intended", "was approved already (bob"),
        ("outcome_unknown", "was approved already, and nobody knows yet whether the book took it (bob"),
        ("refused", "was refused by the book (cat"),
        ("reversed", "was taken back already (cat"),
        ("applied", "is in the book already (bob"),
        ("verified", "is in the book already (bob"),
        ("unverified", "is in the book already (bob"),
    ],
)
def test_who_approves_too_late_is_told_what_became_of_it_and_by_whom(state: str, said: str) -> None:
    history = (replace(PROPOSED.history[0], actor="cat"),)
    kept = replace(PROPOSED, state=AdjustmentState(state), decided_by="bob", history=history)
    with pytest.raises(IllegalStep) as refused:
        after(kept, Step.APPROVE, BOB, T0, content=CONTENT)
    assert str(refused.value).startswith(f"adjustment {ID} {said}, 2026-01-31 12:00 UTC) and cannot be approved")
    nobody = replace(kept, decided_by=None)
    with pytest.raises(IllegalStep, match=r"\(cat, 2026-01-31 12:00 UTC\)"):
        after(nobody, Step.APPROVE, BOB, T0, content=CONTENT)


def test_every_refusal_says_who_may_or_what_to_look_at() -> None:
    def said(error: type[Exception], kept: Kept, by: By, content: str | None = CONTENT) -> str:
        with pytest.raises(error) as refused:
            after(kept, Step.APPROVE, by, T0, content=content)
        return str(refused.value)

    same = f"ann proposed adjustment {ID} and may not approve it; somebody else has to"
    assert said(SamePerson, PROPOSED, ANN) == same
    assert said(IllegalStep, PROPOSED, By(" ")) == "nobody is named for it; say who decides"
    program = f"gal-friday may not approve adjustment {ID}: policy or a person has to"
    assert said(IllegalStep, PROPOSED, PROGRAM_ITSELF) == program
    other = (
        f"the approval of adjustment {ID} is for other postings than it has now; look at it again: "
        f"its content is {CONTENT}"
    )
    assert said(OtherContent, PROPOSED, BOB, "another") == other


def test_every_refusal_to_begin_says_why() -> None:
    def said(error: type[Exception], state: str, by: By, *, four_eyes: bool = False) -> str:
        with pytest.raises(error) as refused:
            first(ADJUSTMENT, AdjustmentState(state), by, T0, four_eyes=four_eyes)
        return str(refused.value)

    begins = "an adjustment begins as proposed or approved, not as applied"
    assert said(IllegalStep, "applied", ANN) == begins
    assert said(IllegalStep, "proposed", By("")) == "nobody is named for it; say who decides"
    program = f"gal-friday may not propose adjustment {ID}: policy or a person has to"
    assert said(IllegalStep, "proposed", PROGRAM_ITSELF) == program
    same = f"policy proposed adjustment {ID} and may not approve it; somebody else has to"
    assert said(SamePerson, "approved", POLICY, four_eyes=True) == same


def test_what_nobody_can_ask_for_says_what_can_be_asked_for() -> None:
    with pytest.raises(IllegalStep) as refused:
        move_to(PROPOSED, AdjustmentState.APPLIED)
    assert str(refused.value) == (
        f"adjustment {ID} cannot be made applied: that follows from keeping and applying it; "
        "possible are approved, expired, outcome_unknown, rejected, reversed, unverified, verified"
    )


def test_who_may_take_which_step() -> None:
    deciding = {Step.PROPOSE, Step.APPROVE, Step.REJECT}
    everybody = {"person", "policy", "gal-friday"}
    assert {step: set(MAY[step]) for step in Step} == {
        step: {"person", "policy"} if step in deciding else everybody for step in Step
    }
    assert [who(name) for name in ("policy", " Policy ", "gal-friday", "GAL-FRIDAY", "ann", "")] == [
        "policy", "policy", "gal-friday", "gal-friday", "person", "person",
    ]  # fmt: skip
    own = first(ADJUSTMENT, AdjustmentState.APPROVED, POLICY, T0)
    assert is_policys_own(after(own, Step.INTEND, PROGRAM_ITSELF, T0))
    assert not is_policys_own(after(own, Step.REJECT, ANN, T0))
    assert not is_policys_own(PROPOSED)


def test_which_states_are_in_the_book_were_posted_or_can_be_proposed_anew() -> None:
    assert {"applied", "verified", "unverified"} == IN_THE_BOOK
    assert {"applied", "verified", "unverified", "reversed"} == APPLIED_ONCE
    assert {"expired", "refused"} == RENEWABLE
    assert UNSETTLED == ("approved", "intended", "outcome_unknown")
    assert {each for each in AdjustmentType if each.is_plug} == {"add_position", "position_quantity", "balance"}
