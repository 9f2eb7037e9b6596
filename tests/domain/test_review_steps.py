"""What has to be said with a step of a review, what a step leaves, whole, and what is said where it is refused."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from gal_friday.domain.facts import PROGRAM, Actor, KnownBy
from gal_friday.domain.finding import DiscrepancyType
from gal_friday.domain.ids import digest
from gal_friday.domain.materiality import Severity
from gal_friday.domain.remark import MalformedRemark
from gal_friday.domain.review import STEPS, WAY_OUT, Action, IllegalAction, Reason, ReviewState, diagram
from gal_friday.domain.reviewed import (
    Evidence,
    Review,
    ReviewChange,
    after_run,
    changed_since,
    check_decidable,
    evidence_of,
    step,
    unreviewed,
    was_looked_at,
)
from tests.domain.build import T0, D, at
from tests.domain.test_review import (
    ALICE,
    BACK,
    CLOSED,
    GONE,
    HOUR,
    LATER,
    OPEN,
    SEEN,
    SNOOZED,
    ask,
    differs,
    done,
    in_state,
    looked,
)
from tests.domain.test_whole_gate import record

ID = SEEN.id


def test_what_has_to_and_what_can_be_said_with_each_step() -> None:
    assert {each.action.value: (" ".join(each.needs), " ".join(each.may)) for each in STEPS} == {
        "assign": ("assignee", "note"),
        "comment": ("note", ""),
        "propose": ("adjustment_id", "note"),
        "approve": ("adjustment_id", "note"),
        "reject": ("adjustment_id reason", "note"),
        "accept": ("reason note until", ""),
        "dispute": ("reason", "note until"),
        "snooze": ("until", "note"),
        "reopen": ("", "note"),
        "undo": ("adjustment_id", "note"),
        "agreed": ("", "note"),
        "returned": ("", "note"),
        "lapsed": ("", "note"),
        "changed": ("", "note"),
    }


def test_the_diagram_begins_open_and_names_each_move_once() -> None:
    assert diagram().splitlines() == [
        "stateDiagram-v2",
        "    [*] --> open",
        "    open --> accepted: accept",
        "    accepted --> accepted: accept",
        "    disputed --> accepted: accept",
        "    snoozed --> accepted: accept",
        "    open --> disputed: dispute",
        "    accepted --> disputed: dispute",
        "    disputed --> disputed: dispute",
        "    snoozed --> disputed: dispute",
        "    open --> snoozed: snooze",
        "    disputed --> snoozed: snooze",
        "    snoozed --> snoozed: snooze",
        "    accepted --> open: reopen, lapsed, changed",
        "    disputed --> open: reopen",
        "    snoozed --> open: reopen, lapsed, changed",
        "    open --> closed: agreed",
        "    accepted --> closed: agreed",
        "    disputed --> closed: agreed",
        "    snoozed --> closed: agreed",
        "    closed --> open: returned",
    ]


@pytest.mark.parametrize(
    "state, action, said",
    [
        (
            "open",
            "reopen",
            (
                f"cannot reopen {ID}: it is open; possible is accept, approve, assign, comment, dispute, propose, "
                f"reject, snooze, undo; gal-friday discrepancy {ID} shows where it stands"
            ),
        ),
        (
            "accepted",
            "snooze",
            (
                f"cannot snooze {ID}: it is accepted; possible is accept, assign, comment, dispute, reject, reopen, "
                f"undo; to decide otherwise: gal-friday review reopen {ID}"
            ),
        ),
        (
            "snoozed",
            "propose",
            (
                f"cannot propose {ID}: it is snoozed; possible is accept, assign, comment, dispute, reject, reopen, "
                f"snooze, undo; to decide now: gal-friday review reopen {ID}"
            ),
        ),
        (
            "closed",
            "accept",
            (
                f"cannot accept {ID}: it is closed; possible is approve, comment, reject, undo; both sides agree; "
                f"it opens again by itself when a run sees it again: gal-friday discrepancy {ID}"
            ),
        ),
        ("open", "agreed", f"nobody can make {ID} agreed: only a run sees that; look again: gal-friday run main"),
    ],
)
def test_what_is_not_possible_says_what_is_and_the_way_out(state: str, action: str, said: str) -> None:
    with pytest.raises(IllegalAction) as refused:
        step(in_state(ReviewState(state)), ask(Action(action)), SEEN)
    assert str(refused.value) == said


def test_what_is_disputed_is_decided_otherwise_as_what_is_accepted_is() -> None:
    assert WAY_OUT[ReviewState.DISPUTED] == WAY_OUT[ReviewState.ACCEPTED]


REASONS = (
    "known_difference, exchange_confirmed, timing, duplicate, false_positive, fixed_outside, exchange_wrong, "
    "wrong_repair, other"
)


@pytest.mark.parametrize(
    "action, said, told",
    [
        ("accept", {"reason": None}, f"to accept it, give a `reason`, one of {REASONS}"),
        ("accept", {"note": " "}, "to accept it, write a `note` that is not empty"),
        ("snooze", {"until": None}, "to snooze it, name an end, `until`, such as 2026-12-01T00:00Z"),
        ("assign", {"assignee": None}, "to assign it, say who is to look at it"),
        ("undo", {"adjustment_id": ""}, "to undo it, name the adjustment"),
        ("dispute", {"reason": Reason.OTHER}, "to dispute it, write a `note` that is not empty"),
        ("comment", {"reason": Reason.TIMING}, "comment takes no reason; leave it out"),
        ("comment", {"until": LATER}, "comment takes no until; leave it out"),
        ("comment", {"assignee": ""}, "comment takes no assignee; leave it out"),
        ("comment", {"adjustment_id": "adj_1"}, "comment takes no adjustment id; leave it out"),
        ("assign", {"assignee": "a\nb"}, "the assignee is one line of at most 80 characters; write it shorter"),
    ],
)
def test_what_is_missing_or_has_no_place_is_told_in_one_sentence(action: str, said: Any, told: str) -> None:
    with pytest.raises(MalformedRemark) as refused:
        step(unreviewed(SEEN), ask(Action(action), **said), SEEN)
    assert str(refused.value) == told


LOOKED_AT = Evidence(
    type=DiscrepancyType.BALANCE_MISMATCH,
    severity=Severity.LOW,
    internal="100",
    exchange="105",
    difference=D(5),
    value=D(5),
    opened_at=T0,
    seen_at=T0,
    cause=None,
    explanation=None,
    digest=digest(SEEN.to_json()),
)


def test_what_there_is_to_look_at_is_both_sides_as_text_and_all_that_is_known() -> None:
    assert evidence_of(SEEN) == replace(LOOKED_AT, severity=SEEN.severity)
    known = replace(SEEN.latest, internal=D("1E+2"), cause="reward", explanation="a reward", value=None)
    later = replace(SEEN, latest=known, opened_at=at(-5), last_seen=at(5))
    assert evidence_of(later) == replace(
        LOOKED_AT,
        severity=SEEN.severity,
        value=None,
        opened_at=at(-5),
        seen_at=at(5),
        cause="reward",
        explanation="a reward",
        digest=digest(later.to_json()),
    )
    told = evidence_of(record("XRP"))
    assert (told.type, told.internal, told.exchange, told.difference) == ("movement_missing_internal", None, None, None)


def test_a_decision_is_kept_whole_in_the_review_and_in_its_change() -> None:
    by = Actor(" alice ", KnownBy.SESSION)
    stepped = step(
        unreviewed(SEEN), replace(ask(Action.ACCEPT, at(1)), by=by, reason=Reason.OTHER, note=" a\tgift "), SEEN
    )
    alice = Actor("alice", KnownBy.SESSION)
    assert stepped.change == ReviewChange(
        discrepancy_id=ID,
        account="main",
        number=1,
        at=at(1),
        actor=alice,
        action=Action.ACCEPT,
        before=ReviewState.OPEN,
        after=ReviewState.ACCEPTED,
        reason=Reason.OTHER,
        note="a gift",
        until=LATER,
        assignee=None,
        adjustment_id="",
        evidence=evidence_of(SEEN),
    )
    accepted = Review(
        discrepancy_id=ID,
        account="main",
        state=ReviewState.ACCEPTED,
        assignee="",
        until=LATER,
        reason=Reason.OTHER,
        note="a gift",
        evidence=evidence_of(SEEN),
        decided_by=alice,
        decided_at=at(1),
        waits_since=None,
        revision=1,
    )
    assert stepped.review == accepted
    assigned = step(accepted, ask(Action.ASSIGN, at(2), assignee=" bob ", note="yours"), SEEN)
    assert assigned.review == replace(accepted, assignee="bob", revision=2)
    change = replace(stepped.change, number=2, at=at(2), actor=ALICE, action=Action.ASSIGN, before=accepted.state)
    nothing: dict[str, Any] = {"reason": None, "until": None, "evidence": None}
    assert assigned.change == replace(change, assignee="bob", note="yours", **nothing)
    reopened = step(assigned.review, ask(Action.REOPEN, at(3), note="it is not"), SEEN)
    decided: dict[str, Any] = {"decided_by": ALICE, "decided_at": at(3), "waits_since": at(3), "note": "it is not"}
    assert reopened.review == replace(assigned.review, state=OPEN, revision=3, **nothing, **decided)


def test_an_adjustment_that_is_asked_for_is_named_in_the_change_alone() -> None:
    proposed = done(Action.PROPOSE, note="this one")
    assert proposed.review == Review(discrepancy_id=ID, account="main", revision=1)
    assert (proposed.change.adjustment_id, proposed.change.note, proposed.change.evidence) == (
        "adj_1",
        "this one",
        None,
    )


def test_what_a_run_makes_of_a_review_is_the_programs_step_with_its_reason() -> None:
    snoozed = done(Action.SNOOZE).review
    woken = after_run(snoozed, SEEN, LATER)
    assert woken is not None
    assert woken.change == ReviewChange(
        discrepancy_id=ID,
        account="main",
        number=2,
        at=LATER,
        actor=PROGRAM,
        action=Action.LAPSED,
        before=SNOOZED,
        after=OPEN,
        note="the end of what was snoozed has come",
    )
    assert woken.review == Review(
        discrepancy_id=ID,
        account="main",
        state=OPEN,
        note="the end of what was snoozed has come",
        decided_by=PROGRAM,
        decided_at=LATER,
        waits_since=LATER,
        revision=2,
    )
    assert after_run(snoozed, SEEN, LATER - timedelta(microseconds=1)) is None
    endless = after_run(replace(snoozed, until=None), SEEN, T0)
    assert endless is not None
    assert endless.change.action is Action.LAPSED
    back = after_run(in_state(CLOSED), BACK, T0 + 2 * HOUR)
    assert back is not None
    assert (back.change.action, back.change.note) == (Action.RETURNED, "it is back after it had agreed")
    unsaid = after_run(unreviewed(GONE), replace(GONE, history=()), T0 + HOUR)
    assert unsaid is not None
    assert (unsaid.change.action, unsaid.change.note) == (Action.AGREED, "")


def graver(severity: str) -> Any:
    return replace(SEEN, latest=replace(SEEN.latest, severity=Severity(severity)))


def test_what_makes_a_decision_no_longer_hold_is_said() -> None:
    accepted, snoozed = done(Action.ACCEPT).review, done(Action.SNOOZE).review
    assert changed_since(accepted, SEEN) == changed_since(snoozed, SEEN) == ""
    gone = "it had agreed in the meantime, and is back"
    for review in (accepted, snoozed):
        assert changed_since(review, BACK) == gone
        assert changed_since(replace(review, evidence=None), SEEN) == gone
    assert snoozed.evidence is not None
    aside = replace(snoozed, evidence=replace(snoozed.evidence, severity=Severity.MEDIUM))
    told = {name: changed_since(aside, graver(name)) for name in Severity}
    assert told == {
        "low": "",
        "medium": "",
        "high": "it is high now, and was medium",
        "critical": "it is critical now, and was medium",
    }
    grown = looked(differs("7.50"), SEEN, hours=1)
    assert changed_since(accepted, grown) == "the difference is 7.5 now, and was 5"
    other = replace(SEEN, type=DiscrepancyType.HOLD_MISMATCH)
    assert changed_since(accepted, other) == "it is hold_mismatch now, and was balance_mismatch"
    assert changed_since(accepted, graver("critical")) == ""


@pytest.mark.parametrize(
    "now, same",
    [
        ({}, True),
        ({"internal": "open"}, False),
        ({"exchange": "canceled"}, False),
        ({"difference": D(1)}, False),
        ({"severity": Severity.LOW}, True),
    ],
    ids=str,
)
def test_what_has_no_difference_is_what_both_sides_say(now: dict[str, Any], same: bool) -> None:
    seen = record("XRP/USD")
    accepted = step(unreviewed(seen), ask(Action.ACCEPT), seen).review
    told = changed_since(accepted, replace(seen, latest=replace(seen.latest, **now)))
    assert told == ("" if same else "the sides say something else now")


def test_the_repair_of_what_agrees_is_refused_with_what_to_do() -> None:
    with pytest.raises(IllegalAction) as refused:
        check_decidable(in_state(CLOSED), "adj_1", reverses=False)
    assert str(refused.value) == (
        f"adjustment adj_1 repairs {ID}, which agrees already; "
        "turn it down: gal-friday review reject adj_1 --reason fixed_outside"
    )


@pytest.mark.parametrize(
    "known_by, minute, looked_at",
    [
        (KnownBy.SESSION, 0, True),
        (KnownBy.SESSION, -0.001, False),
        (KnownBy.SELF_DECLARED, 1, True),
        (KnownBy.POLICY, 1, False),
        (KnownBy.SYSTEM, 1, False),
    ],
)
def test_only_a_person_has_looked_at_it_and_only_since_it_was_opened(
    known_by: KnownBy, minute: float, looked_at: bool
) -> None:
    change = replace(done(Action.COMMENT).change, actor=Actor("x", known_by), at=at(minute))
    assert was_looked_at(SEEN, [change]) is looked_at
    assert not was_looked_at(SEEN, [])
