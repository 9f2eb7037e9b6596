"""What a run says about earlier repairs: only what is seen verifies, and only what nobody needs expires."""

from collections.abc import Collection
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from gal_friday.domain.adjusted import By, Kept, Step, after, first
from gal_friday.domain.adjustment import Adjustment as Made
from gal_friday.domain.adjustment import AdjustmentState, AdjustmentType, Effect, PostFill, PostOrder, adjustment_id
from gal_friday.domain.finding import Agrees, CannotTell, Finding, Key
from gal_friday.domain.observed import needless, observed
from gal_friday.domain.policy import Policy
from gal_friday.domain.records import Kind
from tests.domain.build import T0, at, fill, order

POSTED, READ = at(10), at(20)
FILL, USD = Key(Kind.FILLS, "T1"), Key(Kind.BALANCES, "USD", "spot")
AGREED: dict[str, Finding] = {str(key): Agrees(key) for key in (FILL, USD)}
Seen = dict[str, Collection[str]]
SEEN_OF_IT: Seen = {"dis_fill": (), "dis_usd": ()}


def made(name: str = "T1", discrepancies: tuple[str, ...] = ("dis_fill", "dis_usd"), **terms: Any) -> Made:
    postings = (PostFill(fill(name)),)
    one = Made(
        adjustment_id=adjustment_id("main", "kraken", postings, ""),
        account="main",
        exchange="kraken",
        type=AdjustmentType.BOOK_FILL,
        postings=postings,
        discrepancies=discrepancies,
        keys=(str(USD), str(FILL)),
        effects=(Effect(str(USD), Decimal(0), Decimal(-24)),),
        record_ids=(name,),
        cause="missed_fill",
        reason="it never arrived",
        value=Decimal(1),
        reconciliation_id="rec_1",
        book_version="1",
        at=T0,
    )
    return replace(one, **terms)


def applied(posted: datetime = POSTED, **terms: Any) -> Kept:
    policy = By("policy", "policy")
    kept = first(made(**terms), AdjustmentState.APPROVED, policy, T0)
    for step in (Step.INTEND, Step.APPLY):
        kept = after(kept, step, policy, posted)
    return kept


def became(
    kept: Kept,
    findings: dict[str, Finding] = AGREED,
    seen: Seen | None = None,
    read: datetime = READ,
    opened: tuple[str, ...] = ("dis_fill", "dis_usd"),
) -> Any:
    moves = observed([kept], findings, seen or {}, opened, read_at=read)
    return moves[0].to_state if moves else None


def test_a_repair_is_verified_when_both_sides_agree_on_every_key_of_it() -> None:  # I7
    assert became(applied()) is AdjustmentState.VERIFIED


@pytest.mark.parametrize("other", [None, CannotTell(USD, "not read")])
def test_what_was_not_seen_to_agree_verifies_nothing(other: Finding | None) -> None:  # I7
    findings = {str(FILL): Agrees(FILL)} | ({} if other is None else {str(USD): other})
    assert became(applied(), findings) is None


@pytest.mark.parametrize("seconds, told", [(-1, None), (0, None), (1, AdjustmentState.VERIFIED)])
def test_a_run_that_had_begun_to_read_says_nothing(seconds: int, told: AdjustmentState | None) -> None:
    read = POSTED + timedelta(seconds=seconds)
    assert became(applied(), read=read) is told
    doubted = None if told is None else AdjustmentState.UNVERIFIED
    assert became(applied(), {}, SEEN_OF_IT, read) is doubted


def test_what_is_still_seen_is_in_doubt_until_it_agrees() -> None:
    (moved,) = observed([applied()], {}, {"dis_usd": (), "dis_other": ()}, (), read_at=READ)
    assert (moved.to_state, moved.note) == (AdjustmentState.UNVERIFIED, "still seen: dis_usd")
    doubted = replace(applied(), state=AdjustmentState.UNVERIFIED)
    assert became(doubted, {}, {"dis_usd": ()}) is None
    assert became(doubted) is AdjustmentState.VERIFIED


@pytest.mark.parametrize(
    "kind, told", [(AdjustmentType.BOOK_FILL, None), (AdjustmentType.BALANCE, AdjustmentState.UNVERIFIED)]
)
def test_an_amount_that_differs_while_records_are_unseen_doubts_no_record(
    kind: AdjustmentType, told: AdjustmentState | None
) -> None:
    moves = observed([applied(type=kind)], {}, {"dis_usd": ()}, ("dis_usd",), read_at=READ, blind={"dis_usd"})
    assert [one.to_state for one in moves] == ([] if told is None else [told])
    assert became(applied(type=kind), {}, SEEN_OF_IT) is AdjustmentState.UNVERIFIED


@pytest.mark.parametrize("state", [AdjustmentState.APPLIED, AdjustmentState.UNVERIFIED])
@pytest.mark.parametrize(
    "seen, opened, told",
    [
        ([USD], (), AdjustmentState.VERIFIED),
        ([USD], ("dis_other",), AdjustmentState.VERIFIED),
        ([USD], ("dis_fill",), None),
        ([], (), None),
    ],
    ids=["seen to agree before", "another is open", "its own is open", "nothing is seen"],
)
def test_what_left_the_window_was_seen_to_agree_where_nothing_of_it_is_open(  # I7
    state: AdjustmentState, seen: list[Key], opened: tuple[str, ...], told: AdjustmentState | None
) -> None:
    kept = replace(applied(), state=state)
    assert became(kept, {str(key): Agrees(key) for key in seen}, opened=opened) is told
    unlike: dict[str, Finding] = {str(USD): CannotTell(USD, "not read")}
    assert became(kept, unlike, opened=opened) is None


@pytest.mark.parametrize(
    "records, doubted",
    [(("T2", "L9"), False), (("T2", "L1"), True), (("T1",), True), ((), True)],
    ids=["others", "others and its own row", "its own fill", "none"],
)
def test_what_only_other_records_stand_behind_is_no_failure_of_a_repair(
    records: tuple[str, ...], doubted: bool
) -> None:
    one = applied(record_ids=("L1",))
    assert became(one, {}, {"dis_usd": records}) is (AdjustmentState.UNVERIFIED if doubted else None)
    assert became(one, AGREED, {"dis_usd": records}) is (AdjustmentState.UNVERIFIED if doubted else None)


@pytest.mark.parametrize("records, doubted", [(("OX",), True), (("T2", "L2"), False)])
def test_an_order_that_was_posted_is_in_doubt_for_itself_and_not_for_a_fill(
    records: tuple[str, ...], doubted: bool
) -> None:
    one = applied(postings=(PostOrder(order("OX", status="canceled")),), record_ids=(), discrepancies=("dis_order",))
    assert became(one, {}, {"dis_order": records}) is (AdjustmentState.UNVERIFIED if doubted else None)


def test_the_difference_that_a_reversal_brings_back_is_no_failure_of_it() -> None:
    back = applied(type=AdjustmentType.REVERSAL)
    assert became(back, {}, SEEN_OF_IT) is None


OPEN = ("dis_fill", "dis_usd")


def expired(proposed: list[Kept], computed: dict[str, Collection[str]], *, hours: float = 1) -> list[tuple[str, str]]:
    now = T0 + timedelta(hours=hours)
    return [(one.kept.id, one.note) for one in needless(proposed, OPEN, computed, policy=Policy(), now=now)]


def proposal(name: str = "T1", discrepancies: tuple[str, ...] = OPEN, **terms: Any) -> Kept:
    return first(made(name, discrepancies, **terms), AdjustmentState.PROPOSED, By("policy", "policy"), T0)


def test_proposals_that_share_a_balance_do_not_take_each_others_place() -> None:
    one, other = proposal("T1"), proposal("T2", ("dis_other", "dis_usd"))
    computed: dict[str, Collection[str]] = {each.id: each.adjustment.discrepancies for each in (one, other)}
    assert expired([one, other], computed) == []


def test_a_proposal_in_whose_place_another_was_computed_expires() -> None:
    assert expired([proposal()], {"adj_new": ("dis_fill",)}) == [(proposal().id, "adj_new took its place")]
    assert expired([proposal()], {"adj_new": ("dis_else",)}) == []


def test_a_proposal_for_what_agrees_expires() -> None:
    assert expired([proposal(discrepancies=("dis_gone",))], {}) == [(proposal().id, "both sides agree without it")]
    assert expired([proposal(discrepancies=("dis_gone", "dis_usd"))], {}) == []


@pytest.mark.parametrize("hours, gone", [(72, False), (72.001, True)])
def test_a_proposal_that_no_run_computed_again_expires_after_three_days(hours: float, gone: bool) -> None:
    assert bool(expired([proposal()], {}, hours=hours)) is gone


def test_a_run_that_computes_a_proposal_again_gives_nobody_more_time() -> None:
    kept = proposal()
    again = replace(kept, adjustment=replace(kept.adjustment, at=T0 + timedelta(hours=72)))
    assert expired([again], {again.id: OPEN}, hours=73) == [(again.id, "nobody decided in 72 hours")]


def test_what_takes_an_adjustment_back_waits_for_a_person_however_long() -> None:
    back = proposal(discrepancies=("dis_gone",), type=AdjustmentType.REVERSAL)
    assert expired([back], {"adj_new": ("dis_gone",)}, hours=1_000) == []
