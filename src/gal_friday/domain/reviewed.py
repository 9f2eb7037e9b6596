"""A review as it stands, every change of it, and the steps that lead from one to the next.

What may happen is said by the table in ``review``; here it is checked and done. A person's step and what a run sees
are two functions, so that no person can close a review and no run can decide anything. Nothing here writes.
"""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from gal_friday.domain import quantity
from gal_friday.domain.facts import PROGRAM, Actor, KnownBy
from gal_friday.domain.finding import DiscrepancyType
from gal_friday.domain.followed import Followed
from gal_friday.domain.ids import digest
from gal_friday.domain.materiality import Severity, more_severe
from gal_friday.domain.plain import plain
from gal_friday.domain.remark import MalformedRemark, name_of, note_of, until_of
from gal_friday.domain.review import (
    OBSERVED,
    ROW_OF,
    WAY_OUT,
    Action,
    Detail,
    IllegalAction,
    Reason,
    ReviewState,
    Step,
    actions_from,
)

_FROZEN_WITH = (ReviewState.ACCEPTED, ReviewState.DISPUTED, ReviewState.SNOOZED)


class Evidence(Struct, frozen=True, kw_only=True):
    """What a person looked at when deciding. It is never brought up to date."""

    type: DiscrepancyType
    severity: Severity
    internal: str | None
    """What the book said, as text."""
    exchange: str | None
    difference: Decimal | None
    value: Decimal | None
    opened_at: datetime
    """Tells a difference from the same one that came back after it had agreed."""
    seen_at: datetime
    """The run that saw it so."""
    cause: str | None = None
    explanation: str | None = None
    digest: str = ""
    """Of everything that was known about the discrepancy."""


class Review(Struct, frozen=True, kw_only=True):
    """Where the review of one discrepancy stands. One that nobody touched is open, at revision 0."""

    discrepancy_id: str
    account: str
    state: ReviewState = ReviewState.OPEN
    assignee: str = ""
    until: datetime | None = None
    """The end of what was accepted or put aside; of a dispute, when the exchange is due to answer."""
    reason: Reason | None = None
    note: str = ""
    """What was said with the decision that holds."""
    evidence: Evidence | None = None
    decided_by: Actor | None = None
    """Who brought it into its state."""
    decided_at: datetime | None = None
    waits_since: datetime | None = None
    """Since when it waits for a person again, after it had been decided."""
    revision: int = 0
    """How many changes there were; counts, so that two people cannot both carry on from one state."""

    def to_json(self) -> bytes:
        """Return it as compact JSON; amounts are strings of plain digits."""
        return msgspec.json.encode(plain(self))

    @staticmethod
    def from_json(data: bytes) -> "Review":
        """Return what was written as this JSON."""
        return msgspec.json.decode(data, type=Review)


class ReviewChange(Struct, frozen=True, kw_only=True):
    """One step in the life of a review: who did what, when, and how we know who."""

    discrepancy_id: str
    account: str
    number: int
    """Counted from 1."""
    at: datetime
    actor: Actor
    action: Action
    before: ReviewState
    after: ReviewState
    reason: Reason | None = None
    note: str = ""
    until: datetime | None = None
    assignee: str | None = None
    """Whom it was given to; empty for nobody, None where that was not the matter."""
    adjustment_id: str = ""
    evidence: Evidence | None = None

    def to_json(self) -> bytes:
        """Return it as compact JSON; amounts are strings of plain digits."""
        return msgspec.json.encode(plain(self))

    @staticmethod
    def from_json(data: bytes) -> "ReviewChange":
        """Return what was written as this JSON."""
        return msgspec.json.decode(data, type=ReviewChange)


def was_looked_at(followed: Followed, changes: Iterable[ReviewChange]) -> bool:
    """Say whether a person had to do with this discrepancy since it was opened, or came back after it had agreed."""
    people = (change for change in changes if change.actor.known_by not in (KnownBy.POLICY, KnownBy.SYSTEM))
    return any(change.at >= followed.opened_at for change in people)


class Ask(Struct, frozen=True, kw_only=True):
    """What somebody asks for, and what they say with it."""

    action: Action
    by: Actor
    at: datetime
    reason: Reason | None = None
    note: str = ""
    until: datetime | None = None
    assignee: str | None = None
    adjustment_id: str = ""


class Stepped(Struct, frozen=True):
    """A review after a step, and the change that led to it: both are written, or neither."""

    review: Review
    change: ReviewChange


def unreviewed(followed: Followed) -> Review:
    """Return the review of a discrepancy that nobody has touched."""
    return Review(discrepancy_id=followed.id, account=followed.account)


def step(review: Review, ask: Ask, followed: Followed) -> Stepped:
    """Return the review after a person's step, with the evidence as it is now where a decision rests on it.

    Raises:
        IllegalAction: no such step from where it stands, or one that only a run can see.
        MalformedRemark: something is missing that has to be said, or cannot be kept.
    """
    row = ROW_OF[ask.action]
    if ask.action in OBSERVED:
        raise IllegalAction(
            f"nobody can make {review.discrepancy_id} {ask.action}: only a run sees that; "
            f"look again: gal-friday run {review.account}"
        )
    if review.state not in row.of:
        raise _illegal(review, ask.action)
    return _stepped(review, _checked(ask, row), row, followed)


def after_run(review: Review, followed: Followed, now: datetime) -> Stepped | None:
    """Return the review after a run that left the discrepancy like this; None where nothing becomes of it.

    What was accepted or put aside opens by itself at its end, or once it is not what was decided about.
    """
    seen = _seen(review, followed, now)
    if seen is None:
        return None
    action, note = seen
    ask = Ask(action=action, by=PROGRAM, at=now, note=note)
    return _stepped(review, ask, ROW_OF[action], followed)


def evidence_of(followed: Followed) -> Evidence:
    """Return what there is to look at now."""
    latest = followed.latest
    return Evidence(
        type=followed.type,
        severity=followed.severity,
        internal=_text(latest.internal),
        exchange=_text(latest.exchange),
        difference=latest.difference,
        value=latest.value,
        opened_at=followed.opened_at,
        seen_at=followed.last_seen,
        cause=latest.cause,
        explanation=latest.explanation,
        digest=digest(followed.to_json()),
    )


def check_decidable(review: Review, adjustment_id: str, *, reverses: bool) -> None:
    """Refuse to approve the repair of what agrees already; taking a repair back can be approved then.

    Raises:
        IllegalAction: both sides agree.
    """
    if review.state is ReviewState.CLOSED and not reverses:
        raise IllegalAction(
            f"adjustment {adjustment_id} repairs {review.discrepancy_id}, which agrees already; "
            f"turn it down: gal-friday review reject {adjustment_id} --reason fixed_outside"
        )


def _illegal(review: Review, action: Action) -> IllegalAction:
    name, possible = review.discrepancy_id, ", ".join(sorted(actions_from(review.state)))
    return IllegalAction(
        f"cannot {action} {name}: it is {review.state}; possible is {possible}; {WAY_OUT[review.state].format(id=name)}"
    )


def _checked(ask: Ask, row: Step) -> Ask:
    """Return what was asked for, in the form in which it is kept."""
    note = note_of(ask.note)
    said: dict[Detail, object] = {
        "reason": ask.reason,
        "note": note,
        "until": ask.until,
        "assignee": ask.assignee is not None,  # given to nobody is given as well
        "adjustment_id": ask.adjustment_id,
    }
    needs: tuple[Detail, ...] = (*row.needs, "note") if ask.reason is Reason.OTHER else row.needs
    for detail, given in said.items():
        if not given and detail in needs:
            raise MalformedRemark(f"to {ask.action} it, {_MISSING[detail]}")
        if given and detail not in (*needs, *row.may):
            raise MalformedRemark(f"{ask.action} takes no {detail.replace('_', ' ')}; leave it out")
    return replace(
        ask,
        by=replace(ask.by, name=name_of(ask.by.name)),
        note=note,
        until=None if ask.until is None else until_of(ask.until, ask.at),
        assignee=name_of(ask.assignee, "assignee") if ask.assignee else ask.assignee,
    )


_MISSING: dict[Detail, str] = {
    "reason": f"give a `reason`, one of {', '.join(Reason)}",
    "note": "write a `note` that is not empty",
    "until": "name an end, `until`, such as 2026-12-01T00:00Z",
    "assignee": "say who is to look at it",
    "adjustment_id": "name the adjustment",
}


def _stepped(review: Review, ask: Ask, row: Step, followed: Followed) -> Stepped:
    after = review.state if row.to is None else row.to
    evidence = evidence_of(followed) if row.to in _FROZEN_WITH else None
    change = ReviewChange(
        discrepancy_id=review.discrepancy_id,
        account=review.account,
        number=review.revision + 1,
        at=ask.at,
        actor=ask.by,
        action=ask.action,
        before=review.state,
        after=after,
        reason=ask.reason,
        note=ask.note,
        until=ask.until,
        assignee=ask.assignee,
        adjustment_id=ask.adjustment_id,
        evidence=evidence,
    )
    moved = review if row.to is None else _moved(review, change)
    if ask.assignee is not None:
        moved = replace(moved, assignee=ask.assignee)
    return Stepped(replace(moved, revision=change.number), change)


def _moved(review: Review, change: ReviewChange) -> Review:
    """Return the review in its new state, with what was decided in place of what had been."""
    return replace(
        review,
        state=change.after,
        until=change.until,
        reason=change.reason,
        note=change.note,
        evidence=change.evidence,
        decided_by=change.actor,
        decided_at=change.at,
        waits_since=change.at if change.after is ReviewState.OPEN else review.waits_since,
    )


def _seen(review: Review, followed: Followed, now: datetime) -> tuple[Action, str] | None:
    if not followed.is_open:
        gone = followed.history[-1].note if followed.history else ""
        return None if review.state is ReviewState.CLOSED else (Action.AGREED, gone)
    if review.state is ReviewState.CLOSED:
        return Action.RETURNED, "it is back after it had agreed"
    if review.state not in ROW_OF[Action.LAPSED].of:
        return None
    if review.until is None or review.until <= now:
        return Action.LAPSED, f"the end of what was {review.state} has come"
    changed = changed_since(review, followed)
    return (Action.CHANGED, changed) if changed else None


def changed_since(review: Review, followed: Followed) -> str:
    """Return what makes the decision no longer hold, or nothing.

    Accepted is one difference, to the last digit; put aside is whatever does not become more severe.
    """
    kept = review.evidence
    if kept is None or kept.opened_at != followed.opened_at:
        return "it had agreed in the meantime, and is back"
    if review.state is ReviewState.SNOOZED:
        worse = more_severe(kept.severity, followed.severity) != kept.severity
        return f"it is {followed.severity} now, and was {kept.severity}" if worse else ""
    return _other_than(kept, evidence_of(followed))


def _other_than(kept: Evidence, now: Evidence) -> str:
    if now.type != kept.type:
        return f"it is {now.type} now, and was {kept.type}"
    if now.difference is None or kept.difference is None:
        same = (now.internal, now.exchange, now.difference) == (kept.internal, kept.exchange, kept.difference)
        return "" if same else "the sides say something else now"
    if now.difference == kept.difference:
        return ""
    return f"the difference is {quantity.short(now.difference)} now, and was {quantity.short(kept.difference)}"


def _text(said: Decimal | str | None) -> str | None:
    return quantity.text(said) if isinstance(said, Decimal) else said
