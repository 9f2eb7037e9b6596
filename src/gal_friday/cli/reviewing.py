"""Reviews as lines of text and as JSON: the queue, what was done, and what a page shows of a review.

Nothing is ever cut: ids, names and notes are whole at every width.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from gal_friday.cli.columns import padded, table, worth
from gal_friday.cli.output import printable
from gal_friday.domain import words
from gal_friday.domain.adjusted import Kept
from gal_friday.domain.due import age_of, late_from, needs_a_person, overdue_by
from gal_friday.domain.followed import Followed
from gal_friday.domain.instants import instant
from gal_friday.domain.review import ReviewState
from gal_friday.domain.reviewed import Review, ReviewChange
from gal_friday.flows.review import Looked, Waiting

LABEL = 13
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)


def spanned(span: timedelta) -> str:
    """Return how long this is, in its largest unit."""
    if span >= _DAY:
        return words.counted(span // _DAY, "day", "days")
    return f"{span // _HOUR} h" if span >= _HOUR else f"{span // timedelta(minutes=1)} min"


def queue_lines(waiting: Sequence[Waiting], *, now: datetime, currency: str, width: int) -> list[str]:
    """Return the queue: one line each under a heading where *width* allows, else two for each."""
    wide = table(
        [
            padded(["due", *(_due(each, now) for each in waiting)]),
            padded(["severity", *(each.followed.severity for each in waiting)]),
            padded(["what", *(words.what(each.followed.latest) for each in waiting)]),
            padded(["of", *(printable(words.where(each.followed.latest)) for each in waiting)]),
            padded(["account", *(printable(each.followed.account) for each in waiting)]),
            padded(["worth", *(worth(each.followed.latest.value, currency) for each in waiting)]),
            padded(["age", *(spanned(age_of(each.followed, now)) for each in waiting)]),
            padded(["assigned", *(printable(each.review.assignee) or "nobody" for each in waiting)]),
            padded(["review", *(each.review.state for each in waiting)]),
            padded(["state", *(each.followed.state for each in waiting)]),
            padded(["id", *(each.followed.id for each in waiting)]),
        ]
    )
    if all(len(line) <= width for line in wide):
        return wide
    return [line for each in waiting for line in _in_two_lines(each, now, currency)]


def _in_two_lines(each: Waiting, now: datetime, currency: str) -> Iterator[str]:
    one, review = each.followed, each.review
    yield f"{one.severity:<10}{words.what(one.latest)}: {printable(words.where(one.latest))} ({printable(one.account)})"
    told = (
        worth(one.latest.value, currency),
        _due(each, now),
        f"{one.state} {spanned(age_of(one, now))}",
        "" if review.state is ReviewState.OPEN else review.state,
        printable(review.assignee),
        one.id,
    )
    yield f"{'':10}{'  '.join(filter(None, told))}"


def _due(each: Waiting, now: datetime) -> str:
    return f"{spanned(each.overdue)} late" if each.overdue is not None else f"in {spanned(each.due - now)}"


def queue_json(each: Waiting, now: datetime, proposed: Sequence[Kept] = ()) -> dict[str, Any]:
    """Return one entry of the queue, with the ids of the adjustments that are *proposed* for it."""
    one, review = each.followed, each.review
    return {
        "discrepancy_id": one.id,
        "account": one.account,
        "key": str(one.key),
        "type": one.type,
        "severity": one.severity,
        "difference": one.latest.difference,
        "value": one.latest.value,
        "cause": one.latest.cause,
        "state": one.state,
        "since": one.since,
        "age_seconds": int(age_of(one, now).total_seconds()),
        "due": each.due,
        "overdue_seconds": None if each.overdue is None else int(each.overdue.total_seconds()),
        "assignee": review.assignee,
        "review": review.state,
        "proposed": [kept.id for kept in proposed if one.id in kept.adjustment.discrepancies],
    }


def review_json(done: Looked) -> dict[str, Any]:
    """Return what a step led to."""
    return {"discrepancy_id": done.followed.id, "review": done.review, "changes": done.changes}


def done_line(done: Looked) -> str:
    """Return what was done, in one line."""
    return f"{done.followed.id}: {', '.join(said(change) for change in done.changes)}"


def short(review: Review) -> str:
    """Return where a review stands, in a cell of a list; nothing where nobody has touched it."""
    state = "" if review.state is ReviewState.OPEN else review.state
    return " ".join(filter(None, (state, review.assignee and f"({printable(review.assignee)})")))


def page_head(followed: Followed, review: Review, now: datetime) -> Iterator[str]:
    """Yield where the review stands, who is to look at it, and by when."""
    if review.state is not ReviewState.OPEN:
        yield f"{'Review':<{LABEL}}{_standing(review)}"
    if review.assignee:
        yield f"{'Assigned':<{LABEL}}{review.assignee}"
    due = late_from(review, followed)
    if due is not None and needs_a_person(review, followed, now):
        late = overdue_by(review, followed, now)
        left = f"in {spanned(due - now)}" if late is None else f"{spanned(late)} late"
        yield f"{'Due':<{LABEL}}{instant(due)} ({left})"


def _standing(review: Review) -> str:
    by = "" if review.decided_by is None else f" by {review.decided_by.name}"
    until = "" if review.until is None else f" until {instant(review.until)}"
    reason = "" if review.reason is None else f": {review.reason.replace('_', ' ')}"
    return f"{review.state}{by}{until}{reason}{_noted(review.note)}"


def page_history(changes: Sequence[ReviewChange]) -> Iterator[str]:
    """Yield every step of a review, oldest first, under a heading; nothing where nobody has touched it."""
    if not changes:
        return
    yield from ("", "Review")
    columns = (
        [instant(change.at) for change in changes],
        padded([f"{change.actor.name} ({change.actor.known_by})" for change in changes]),
        [_in_one_line(said(change)) for change in changes],
    )
    yield from (f"  {line}" for line in table(columns))


def _in_one_line(text: str) -> str:
    return text.replace("\n", " / ")


def said(change: ReviewChange) -> str:
    """Return a step in words."""
    return f"{_what(change)}{_why(change)}{_noted(change.note)}"


def _what(change: ReviewChange) -> str:
    until = "" if change.until is None else f" until {instant(change.until)}"
    moved = "" if change.before is change.after else f" ({change.before} → {change.after})"
    whom = "" if change.assignee is None else f" to {change.assignee or 'nobody'}"
    adjustment = f" {change.adjustment_id}" if change.adjustment_id else ""
    return f"{_DONE.get(change.action, change.action)}{whom}{adjustment}{until}{moved}"


_DONE = {
    "assign": "assigned",
    "comment": "commented",
    "propose": "proposed",
    "approve": "approved",
    "reject": "rejected",
    "accept": "accepted",
    "dispute": "disputed",
    "snooze": "snoozed",
    "reopen": "reopened",
    "undo": "asked to take back",
}


def _why(change: ReviewChange) -> str:
    return "" if change.reason is None else f", {change.reason.replace('_', ' ')}"


def _noted(note: str) -> str:
    return f": {note}" if note else ""
