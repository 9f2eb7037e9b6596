"""What a run says about earlier repairs: only what is seen verifies, and only what nobody needs expires."""

from collections.abc import Collection
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from gal_friday.domain.adjusted import By, Kept, Step, after, first
from gal_friday.domain.adjustment import Adjustment as Made
from gal_friday.domain.adjustment import (
    AdjustmentState,
    AdjustmentType,
    Effect,
    Plug,
    PostFill,
    PostMovement,
    PostOrder,
    TakeBack,
    adjustment_id,
)
from gal_friday.domain.assets import Asset, Wallet
from gal_friday.domain.cause import Cause
from gal_friday.domain.discrepancy import BalanceDiscrepancy
from gal_friday.domain.finding import Agrees, CannotTell, Finding, Key
from gal_friday.domain.observed import Moved, explained_by, needless, observed, unseen_behind
from gal_friday.domain.policy import Policy
from gal_friday.domain.records import Kind, Movement
from gal_friday.domain.root import RootCause
from gal_friday.domain.snapshot import NotChecked
from tests.domain.build import T0, at, fill, order
from tests.domain.test_run_facts import differing

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


def test_what_becomes_of_a_repair_is_told_with_why() -> None:
    kept = applied()
    assert observed([kept, kept], AGREED, {}, (), read_at=READ) == (
        Moved(kept, AdjustmentState.VERIFIED, "both sides were seen to agree"),
        Moved(kept, AdjustmentState.VERIFIED, "both sides were seen to agree"),
    )
    assert observed([kept], {}, SEEN_OF_IT, (), read_at=READ) == (
        Moved(kept, AdjustmentState.UNVERIFIED, "still seen: dis_fill, dis_usd"),
    )
    assert observed([], AGREED, {}, (), read_at=READ) == ()


def test_only_the_last_time_at_which_it_was_posted_counts() -> None:
    back = after(applied(), Step.REVERSE, By("policy", "policy"), at(11))
    anew = after(back, Step.REINSTATE, By("policy", "policy"), at(15))
    assert became(anew, read=at(15)) is None
    assert became(anew, read=at(15.01)) is AdjustmentState.VERIFIED
    never = first(made(), AdjustmentState.APPROVED, By("policy", "policy"), T0)
    assert became(never) is None


ROW = Movement("L1", "trade", Asset("XRP"), Wallet.SPOT, Decimal(40), T0, refers_to="T7")


@pytest.mark.parametrize(
    "posting, own, others",
    [
        (PostMovement(ROW), ["L1", "T7"], ["T1"]),
        (TakeBack(Kind.FILLS, "T5", 1, 2), ["T5"], ["T1", "L1"]),
        (PostFill(fill("T6")), ["T6"], ["OX"]),
        (PostOrder(order(None, client="mine")), ["mine"], ["OX"]),
        (Plug(Kind.BALANCES, "USD", "spot", Decimal(1)), ["R1"], ["USD"]),
    ],
    ids=["a movement", "an entry taken back", "a fill", "an order", "a plug"],
)
def test_a_repair_is_in_doubt_for_its_own_records_alone(posting: Any, own: list[str], others: list[str]) -> None:
    one = applied(postings=(posting,), record_ids=("R1",))
    for name in (*own, "R1"):
        assert became(one, {}, {"dis_usd": (name,)}) is AdjustmentState.UNVERIFIED
    for name in others:
        assert became(one, {}, {"dis_usd": (name,)}) is None


def test_what_is_needless_is_told_with_why_and_in_this_order() -> None:
    one = proposal()
    computed: dict[str, Collection[str]] = {"adj_z": ("dis_usd",), "adj_a": ("dis_fill", "dis_x"), "adj_y": ("dis_y",)}

    def told(opened: Collection[str], computed: dict[str, Collection[str]], hours: float) -> list[Moved]:
        return list(
            needless([one], opened, computed, policy=Policy(proposals_expire_hours=5), now=T0 + timedelta(hours=hours))
        )

    gone = Moved(one, AdjustmentState.EXPIRED, "both sides agree without it")
    assert told((), computed, 9) == told(("dis_y",), computed, 1) == [gone]
    assert told(OPEN, computed, 9) == [Moved(one, AdjustmentState.EXPIRED, "adj_a, adj_z took its place")]
    late = Moved(one, AdjustmentState.EXPIRED, "nobody decided in 5 hours")
    again: dict[str, Collection[str]] = {one.id: OPEN, "adj_z": ("dis_usd",)}
    assert (told(OPEN, again, 5), told(OPEN, again, 5.001)) == ([], [late])
    assert (told(OPEN, {}, 5), told(OPEN, {}, 5.001)) == ([], [late])


def test_a_proposal_that_was_made_again_has_its_time_from_then_on() -> None:
    kept = after(proposal(), Step.EXPIRE, By("gal-friday", "system"), at(60))
    kept = after(kept, Step.PROPOSE, By("policy", "policy"), at(120))
    assert expired([kept], {}, hours=74) == []
    assert expired([kept], {}, hours=74.001) == [(kept.id, "nobody decided in 72 hours")]


@pytest.mark.parametrize(
    "gaps, unseen",
    [
        ((NotChecked(Kind.FILLS, "not read", "exchange"),), True),
        ((NotChecked(Kind.ORDERS, "x", "exchange"), NotChecked(Kind.MOVEMENTS, "not read", "internal")), True),
        ((NotChecked(Kind.FILLS, "not read"),), False),
        ((NotChecked(Kind.ORDERS, "not read", "exchange"),), False),
        ((), False),
    ],
)
def test_amounts_that_differ_while_records_were_not_seen(gaps: tuple[NotChecked, ...], unseen: bool) -> None:
    report = replace(differing(), not_checked=gaps)
    amounts = {one.id for one in report.balance_discrepancies}
    assert amounts
    assert unseen_behind(report) == (amounts if unseen else set())


def test_what_explains_the_whole_of_a_discrepancy_and_nothing_where_something_is_left() -> None:
    report = differing()
    balance, movement = report.discrepancies
    assert isinstance(balance, BalanceDiscrepancy)
    bridge = balance.bridge
    assert bridge is not None
    assert explained_by(report) == {balance.id: ["L1", "L1"], movement.id: ()}

    def explaining(**terms: Any) -> Collection[str]:
        other = replace(balance, bridge=replace(bridge, **terms))
        return explained_by(replace(report, balance_discrepancies=(other,)))[balance.id]

    bare = replace(report, balance_discrepancies=(replace(balance, bridge=None),))
    assert explained_by(bare)[balance.id] == ()
    (item,) = bridge.items
    assert explaining(items=(replace(item, record_ids=("L1", "L2"), event=""),)) == ["L1", "L2"]
    short = replace(item, effect=Decimal("0.4"))
    assert explaining(items=(short,), residual=Decimal("0.1")) == ()
    assert explaining(proven=False, items=(replace(item, rests_on="search"),)) == ()
    assert explaining(proven=False) == ["L1", "L1"]
    assert explaining(proven=True, items=(replace(item, rests_on="search"),)) == ["L1", "L1"]


def test_an_order_is_explained_by_the_fill_that_it_differs_by_now() -> None:
    report = differing()
    _, movement = report.discrepancies

    def explaining(key: str, cause: Cause = Cause.MISSED_FILL) -> Collection[str]:
        root = RootCause(cause, "T9", "a fill is missing", ("T9", "L9"), ("balances:USD:spot", key))
        one = replace(movement, key=key)
        found = replace(report, movement_discrepancies=(one,), root_causes=(root,))
        return explained_by(found)[movement.id]

    assert explaining("orders:OX") == explaining("sources:order:OX") == ("T9", "T9", "L9")
    assert explaining("orders:OX", Cause.UNEXPLAINED) == explaining("fills:T9") == explaining("sources:OX") == ()
