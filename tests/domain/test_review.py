"""The life of a review: every state with every action, what has to be said, and what a run makes of a decision."""

import re
from datetime import datetime, timedelta
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from gal_friday.domain.assets import Asset
from gal_friday.domain.canonical import canonical
from gal_friday.domain.discrepancy import Grader, discrepancies_of
from gal_friday.domain.due import DUE_TIMES, DueTimes, age_of, due_at, needs_a_person, overdue_by
from gal_friday.domain.errors import GalFridayError
from gal_friday.domain.facts import PROGRAM, Actor, FactKind, KnownBy
from gal_friday.domain.finding import Agrees, AmountMismatch, Differs, DiscrepancyType, Finding, Key, Stake
from gal_friday.domain.followed import Followed
from gal_friday.domain.following import Run, carry_forward
from gal_friday.domain.materiality import Severity
from gal_friday.domain.policy import Policy
from gal_friday.domain.records import Kind
from gal_friday.domain.remark import NAME_MAX, NOTE_MAX, UNTIL_MAX, MalformedRemark
from gal_friday.domain.review import OBSERVED, STEPS, Action, IllegalAction, Reason, ReviewState, diagram
from gal_friday.domain.review_facts import FACTS, fact_of
from gal_friday.domain.reviewed import (
    Ask,
    Review,
    ReviewChange,
    Stepped,
    after_run,
    check_decidable,
    evidence_of,
    step,
    unreviewed,
)
from tests.docs.pages import ROOT
from tests.domain.build import T0, D

XRP = Key(Kind.BALANCES, "XRP", "spot")
ALICE = Actor("alice", KnownBy.SELF_DECLARED)
HOUR = timedelta(hours=1)
LATER = T0 + timedelta(days=3)

OPEN, ACCEPTED, DISPUTED, SNOOZED, CLOSED = ReviewState
PEOPLE = [action for action in Action if action not in OBSERVED]

LEGAL = {
    OPEN: "assign comment propose approve reject accept dispute snooze undo",
    ACCEPTED: "assign comment reject accept dispute reopen undo",
    DISPUTED: "assign comment propose approve reject accept dispute snooze reopen undo",
    SNOOZED: "assign comment reject accept dispute snooze reopen undo",
    CLOSED: "comment approve reject undo",
}
LEADS_TO = {"accept": ACCEPTED, "dispute": DISPUTED, "snooze": SNOOZED, "reopen": OPEN}

SAID: dict[Action, dict[str, Any]] = {
    Action.ASSIGN: {"assignee": "bob"},
    Action.COMMENT: {"note": "looked at it"},
    **{one: {"adjustment_id": "adj_1"} for one in (Action.PROPOSE, Action.APPROVE)},
    Action.REJECT: {"adjustment_id": "adj_1", "reason": Reason.WRONG_REPAIR},
    Action.ACCEPT: {"reason": Reason.KNOWN_DIFFERENCE, "note": "a gift", "until": LATER},
    Action.DISPUTE: {"reason": Reason.EXCHANGE_WRONG},
    Action.SNOOZE: {"until": LATER},
    Action.REOPEN: {},
    Action.UNDO: {"adjustment_id": "adj_1"},
}


def differs(amount: str = "5") -> Finding:
    mismatch = AmountMismatch(
        DiscrepancyType.BALANCE_MISMATCH, "total", D(100), D(100) + D(amount), D(amount), Stake(D(amount), Asset("XRP"))
    )
    return Differs(XRP, (mismatch,), "XRP")


def looked(finding: Finding, *known: Followed, hours: float = 0) -> Followed:
    """Return the one discrepancy after a run so many hours after T0 that saw this."""
    now = T0 + timedelta(hours=hours)
    grader = Grader("main", "kraken", Policy(), {Asset("XRP"): D(1)}, now)
    run = Run(account="main", exchange="kraken", now=now)
    carried = carry_forward(known, [finding], discrepancies_of(finding, grader), run=run, policy=Policy())
    # What agreed before and agrees now is as it was.
    (one,) = (*carried.open, *carried.cleared) or known
    return one


SEEN = looked(differs())
GONE = looked(Agrees(XRP), SEEN, hours=1)
BACK = looked(differs(), GONE, hours=2)


def ask(action: Action, at: datetime = T0, **said: Any) -> Ask:
    return Ask(action=action, by=ALICE, at=at, **(SAID.get(action, {}) | said))


def done(*actions: Action, followed: Followed = SEEN, review: Review | None = None, **said: Any) -> Stepped:
    """Return what these actions lead to, one after the other; *said* goes with the last."""
    stepped = None
    for action in actions:
        last = said if action is actions[-1] else {}
        stepped = step(review or unreviewed(followed), ask(action, **last), followed)
        review = stepped.review
    assert stepped is not None
    return stepped


def in_state(state: ReviewState) -> Review:
    match state:
        case ReviewState.OPEN:
            return unreviewed(SEEN)
        case ReviewState.CLOSED:
            closed = after_run(done(Action.COMMENT).review, GONE, T0 + HOUR)
            assert closed is not None
            return closed.review
        case _:
            (action,) = (Action(name) for name, to in LEADS_TO.items() if to is state)
            return done(action).review


@pytest.mark.parametrize("state, action", list(product(ReviewState, PEOPLE)))
def test_each_action_is_possible_from_just_the_states_that_it_should_be(state: ReviewState, action: Action) -> None:
    before = in_state(state)
    if action not in LEGAL[state].split():
        with pytest.raises(IllegalAction) as refused:
            step(before, ask(action), SEEN)
        said = str(refused.value)
        assert f"cannot {action} {SEEN.id}: it is {state}; possible is " in said
        assert re.search(rf"gal-friday (review reopen|discrepancy) {SEEN.id}", said)
        return
    after = step(before, ask(action), SEEN)
    assert after.review.state is LEADS_TO.get(action, state)
    assert (after.change.before, after.change.after) == (state, after.review.state)
    assert after.review.revision == after.change.number == before.revision + 1
    assert after.change.actor == ALICE


@pytest.mark.parametrize("state, action", list(product(ReviewState, sorted(OBSERVED))))
def test_no_person_can_say_what_only_a_run_sees(state: ReviewState, action: Action) -> None:  # I7
    with pytest.raises(IllegalAction, match="only a run sees that; look again: gal-friday run main"):
        step(in_state(state), ask(action), SEEN)


def test_every_action_has_one_row_and_one_fact() -> None:
    assert sorted(row.action for row in STEPS) == sorted(Action) == sorted(FACTS)
    assert all(kind.startswith("review_") for kind in FACTS.values())


@pytest.mark.parametrize("action", PEOPLE)
def test_what_has_to_be_said_is_asked_for(action: Action) -> None:
    for left_out in SAID[action]:
        said = {name: value for name, value in SAID[action].items() if name != left_out}
        review = in_state(next(state for state in ReviewState if action in LEGAL[state].split()))
        with pytest.raises(MalformedRemark, match=f"to {action} it, "):
            step(review, Ask(action=action, by=ALICE, at=T0, **said), SEEN)


def test_what_has_no_place_in_an_action_is_refused_and_not_dropped() -> None:
    with pytest.raises(MalformedRemark, match="comment takes no until; leave it out"):
        done(Action.COMMENT, until=LATER)
    with pytest.raises(MalformedRemark, match="assign takes no adjustment id; leave it out"):
        done(Action.ASSIGN, adjustment_id="adj_1")


def test_the_reason_other_says_nothing_without_a_note() -> None:
    with pytest.raises(MalformedRemark, match="write a `note`"):
        done(Action.DISPUTE, reason=Reason.OTHER, note=" \n ")
    assert done(Action.DISPUTE, reason=Reason.OTHER, note="asked them").review.note == "asked them"


@pytest.mark.parametrize(
    "until, why",
    [
        (T0, "is past"),
        (T0 - HOUR, "is past"),
        (datetime(1, 1, 1, tzinfo=T0.tzinfo), "is past"),
        (T0 + UNTIL_MAX + timedelta(seconds=1), "more than 366 days away"),
        (datetime(9999, 12, 31, tzinfo=T0.tzinfo), "more than 366 days away"),
        (datetime(2026, 3, 1), "has no time zone"),  # noqa: DTZ001 - that is the point
    ],
)
def test_an_end_is_in_the_future_and_not_too_far_in_it(until: datetime, why: str) -> None:
    with pytest.raises(MalformedRemark, match=why):
        done(Action.SNOOZE, until=until)


def test_the_last_possible_end_is_taken() -> None:
    assert done(Action.SNOOZE, until=T0 + UNTIL_MAX).review.until == T0 + UNTIL_MAX


def test_notes_and_names_are_bounded_and_hide_nothing() -> None:
    assert done(Action.COMMENT, note="x" * NOTE_MAX).change.note == "x" * NOTE_MAX
    assert done(Action.COMMENT, note=" one\r\ntwo\tthree ").change.note == "one\ntwo three"
    assert done(Action.ASSIGN, assignee=" Zoë  ").review.assignee == "Zoë"
    for hostile in ("x" * (NOTE_MAX + 1), "red\x1b[31m", "nul\0", "half \ud800", "turned \u202e round"):
        with pytest.raises(MalformedRemark):
            done(Action.COMMENT, note=hostile)
    for hostile in ("x" * (NAME_MAX + 1), "two\nlines", "bell\a"):
        with pytest.raises(MalformedRemark):
            done(Action.ASSIGN, assignee=hostile)
        with pytest.raises(MalformedRemark):
            step(unreviewed(SEEN), replace(ask(Action.COMMENT), by=Actor(hostile, KnownBy.SELF_DECLARED)), SEEN)
    with pytest.raises(MalformedRemark, match="say who"):
        step(unreviewed(SEEN), replace(ask(Action.COMMENT), by=Actor(" ", KnownBy.SELF_DECLARED)), SEEN)


def test_assigning_and_commenting_leave_the_decision_as_it_is() -> None:
    accepted = done(Action.ACCEPT).review
    assigned = done(Action.ASSIGN, Action.COMMENT, review=accepted).review
    assert replace(assigned, assignee="", revision=accepted.revision) == accepted
    assert done(Action.ASSIGN, review=assigned, assignee="").review.assignee == ""


def test_accepting_freezes_what_was_looked_at() -> None:
    accepted = done(Action.ACCEPT)
    assert accepted.review.evidence == accepted.change.evidence == evidence_of(SEEN)
    grown = looked(differs("7"), SEEN, hours=1)
    assert accepted.review.evidence != evidence_of(grown)
    assert after_run(accepted.review, SEEN, T0 + HOUR) is None


def test_what_is_accepted_opens_again_at_its_end_or_when_it_differs_otherwise() -> None:
    accepted = done(Action.ACCEPT).review
    assert after_run(accepted, looked(differs(), SEEN, hours=1), LATER - timedelta(seconds=1)) is None
    for followed, now, action in (
        (looked(differs(), SEEN, hours=1), LATER, Action.LAPSED),
        (looked(differs("5.00000001"), SEEN, hours=1), T0 + HOUR, Action.CHANGED),
        (BACK, T0 + 2 * HOUR, Action.CHANGED),
    ):
        opened = after_run(accepted, followed, now)
        assert opened is not None
        assert (opened.change.action, opened.change.actor) == (action, PROGRAM)
        assert opened.review.state is OPEN
        assert (opened.review.until, opened.review.evidence, opened.review.reason) == (None, None, None)
        assert after_run(opened.review, followed, now) is None


def test_what_is_put_aside_comes_back_at_its_end_or_when_it_is_worse() -> None:
    snoozed = done(Action.SNOOZE).review
    assert after_run(snoozed, looked(differs("5.1"), SEEN, hours=1), LATER - timedelta(seconds=1)) is None
    for followed, now, action in (
        (SEEN, LATER, Action.LAPSED),
        (looked(differs("5000"), SEEN, hours=1), T0 + HOUR, Action.CHANGED),
    ):
        woken = after_run(snoozed, followed, now)
        assert woken is not None
        assert (woken.change.action, woken.review.state) == (action, OPEN)


@pytest.mark.parametrize("state", [OPEN, ACCEPTED, DISPUTED, SNOOZED])
def test_only_an_observed_agreement_closes_a_review(state: ReviewState) -> None:  # I7
    before = in_state(state)
    kept = after_run(before, replace(SEEN, state="confirmed"), T0 + HOUR)
    assert kept is None
    closed = after_run(before, GONE, T0 + HOUR)
    assert closed is not None
    assert (closed.review.state, closed.change.note) == (CLOSED, "both sides agree")
    assert after_run(closed.review, GONE, T0 + 2 * HOUR) is None
    again = after_run(closed.review, BACK, T0 + 2 * HOUR)
    assert again is not None
    assert (again.review.state, again.change.action) == (OPEN, Action.RETURNED)


@given(
    history=st.lists(
        st.tuples(st.sampled_from(sorted(Action)), st.sampled_from(["5", "5.1", "5000", "gone"]), st.integers(0, 100)),
        max_size=12,
    )
)
def test_whatever_people_do_and_runs_see_a_review_is_closed_only_by_agreement(
    history: list[tuple[Action, str, int]],
) -> None:  # I7
    followed, hours = SEEN, 0.0
    review, changes = unreviewed(followed), 0
    for action, seen, waited in history:
        hours += waited + 1
        now = T0 + timedelta(hours=hours)
        if action in OBSERVED:
            followed = looked(Agrees(XRP) if seen == "gone" else differs(seen), followed, hours=hours)
            stepped = after_run(review, followed, now)
        elif action in LEGAL[review.state].split():
            later = {"until": now + HOUR} if "until" in SAID[action] else {}
            stepped = step(review, ask(action, now, **later), followed)
        else:
            continue
        before, review = review, stepped.review if stepped else review
        changes += stepped is not None
        assert review.revision == changes
        if review.state is CLOSED and before.state is not CLOSED:
            assert not followed.is_open
        if action in OBSERVED and changes:
            assert (review.state is CLOSED) is not followed.is_open
        assert (review.evidence is not None) is (review.state in (ACCEPTED, DISPUTED, SNOOZED))
        assert (review.until is not None) is (review.state in (ACCEPTED, SNOOZED))


def test_the_repair_of_what_agrees_is_not_approved_but_taking_one_back_is() -> None:
    closed = in_state(CLOSED)
    with pytest.raises(IllegalAction, match="gal-friday review reject adj_1 --reason fixed_outside"):
        check_decidable(closed, "adj_1", reverses=False)
    check_decidable(closed, "adj_1", reverses=True)
    check_decidable(unreviewed(SEEN), "adj_1", reverses=False)


@pytest.mark.parametrize("severity, hours", [("critical", 1), ("high", 4), ("medium", 24), ("low", 7 * 24)])
def test_each_severity_has_its_due_time(severity: str, hours: int) -> None:
    graded = replace(SEEN, latest=replace(SEEN.latest, severity=Severity(severity)))
    due = T0 + timedelta(hours=hours)
    review = unreviewed(graded)
    assert due_at(review, graded) == due
    assert overdue_by(review, graded, due) is None
    assert overdue_by(review, graded, due + HOUR) == HOUR


def test_an_age_counts_from_the_bad_event_and_a_due_time_from_when_it_could_be_known() -> None:
    old = replace(SEEN, since=T0 - timedelta(days=9))
    assert age_of(old, T0) == timedelta(days=9)
    assert due_at(unreviewed(old), old) == due_at(unreviewed(SEEN), SEEN)
    assert age_of(GONE, T0 + timedelta(days=9)) == HOUR


def test_the_clock_stands_still_while_something_is_put_aside() -> None:
    times = DueTimes(critical=HOUR, high=HOUR, medium=HOUR, low=HOUR)
    snoozed = done(Action.SNOOZE).review
    assert due_at(snoozed, SEEN, times) == LATER
    assert overdue_by(snoozed, SEEN, LATER - HOUR, times) is None
    # Its whole time begins at its end, whether a run has opened it again by then or not.
    assert overdue_by(snoozed, SEEN, LATER + HOUR, times) is None
    assert overdue_by(snoozed, SEEN, LATER + 2 * HOUR, times) == HOUR
    woken = after_run(snoozed, SEEN, LATER)
    assert woken is not None
    assert due_at(woken.review, SEEN, times) == LATER + HOUR


def test_a_dispute_is_due_when_the_exchange_was_to_answer() -> None:
    disputed = done(Action.DISPUTE, until=LATER).review
    assert needs_a_person(disputed, SEEN, T0)
    assert due_at(disputed, SEEN) == LATER
    assert overdue_by(disputed, SEEN, LATER + HOUR) == HOUR
    assert after_run(disputed, SEEN, LATER + HOUR) is None


def test_what_is_accepted_or_put_aside_needs_nobody_until_it_has_to() -> None:
    for review in (in_state(ACCEPTED), in_state(SNOOZED)):
        assert not needs_a_person(review, SEEN, T0)
        assert needs_a_person(review, SEEN, LATER)
        assert needs_a_person(review, looked(differs("5000"), SEEN, hours=1), T0 + HOUR)
    for review in (in_state(OPEN), in_state(DISPUTED)):
        assert needs_a_person(review, SEEN, T0)
        assert not needs_a_person(review, GONE, T0 + HOUR)
    assert due_at(in_state(CLOSED), GONE) is None


def test_what_is_written_is_read_back_equal() -> None:
    for action in PEOPLE:
        for state in ReviewState:
            if action in LEGAL[state].split():
                stepped = step(in_state(state), ask(action), SEEN)
                assert Review.from_json(stepped.review.to_json()) == stepped.review
                assert ReviewChange.from_json(stepped.change.to_json()) == stepped.change


def test_a_fact_says_who_did_what_with_what_before_their_eyes() -> None:
    fact = fact_of(done(Action.ACCEPT).change)
    assert (fact.kind, fact.subject, fact.account, fact.actor) == (FactKind.REVIEW_ACCEPTED, SEEN.id, "main", ALICE)
    said = canonical(fact.body).decode()
    for part in ('"from":"open","note":"a gift","reason":"known_difference","to":"accepted"', '"difference":"5"'):
        assert part in said
    plain = fact_of(done(Action.COMMENT).change).body
    assert plain == {"change": 1, "action": "comment", "from": "open", "to": "open", "note": "looked at it"}


def test_every_refusal_is_one_of_ours() -> None:
    assert issubclass(IllegalAction, GalFridayError)
    assert issubclass(MalformedRemark, GalFridayError)


def test_the_diagram_has_every_state_and_every_action_that_moves_one() -> None:
    drawn = diagram()
    moving = {row.action for row in STEPS if row.to is not None}
    assert all(f" {state}" in drawn for state in ReviewState)
    assert {action for action in Action if re.search(rf"\b{action}\b", drawn.partition("open\n")[2])} == moving


def test_the_page_shows_the_diagram_that_the_table_gives() -> None:
    page = (ROOT / "docs" / "review.md").read_text(encoding="utf-8")
    assert f"```mermaid\n{diagram()}\n```" in page


def test_the_page_has_every_reason_and_every_due_time() -> None:
    page = (ROOT / "docs" / "review.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `(\w+)` \| (?!\d)", page, re.MULTILINE) == list(Reason)
    told = {
        word: int(count) for word, count in re.findall(r"^\| `(\w+)` \| (\d+) (?:hours?|days) \|", page, re.MULTILINE)
    }
    assert told == {"critical": 1, "high": 4, "medium": 24, "low": 7}
    assert [DUE_TIMES.of(severity) for severity in reversed(Severity)] == [HOUR, 4 * HOUR, 24 * HOUR, 7 * 24 * HOUR]
    assert f"at most {UNTIL_MAX.days} days away" in page
