"""What pages say about each thing: plain values for the templates, made from what is recorded. Reads nothing itself."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

import msgspec
from msgspec import Struct

from gal_friday.domain import words
from gal_friday.domain.access import Permission
from gal_friday.domain.adjusted import IN_THE_BOOK, Kept, names_of
from gal_friday.domain.adjustment import Adjustment, AdjustmentState, Effect, PostOrder
from gal_friday.domain.finding import DiscrepancyType
from gal_friday.domain.followed import Change, Followed
from gal_friday.domain.instants import instant
from gal_friday.domain.materiality import Severity
from gal_friday.domain.records import RECORD_KINDS
from gal_friday.domain.reviewed import ReviewChange
from gal_friday.domain.schedule import Planned
from gal_friday.domain.verdict import ReconciliationStatus, Verdict
from gal_friday.flows.door import Caller
from gal_friday.flows.standing import Account
from gal_friday.ports.pages import Listed
from gal_friday.ports.store import OpenCount
from gal_friday.web.rendering import VERDICTS

FAILED = "failed"
MARKS = (FAILED, Verdict.DISCREPANCIES, Verdict.INCOMPLETE, "unknown", Verdict.PENDING, Verdict.RECONCILED)
"""The worst first."""


class _Run(Struct):
    """What a list tells of a run."""

    timestamp: datetime
    status: str
    verdict: Verdict
    account: str
    total_discrepancies: int = 0
    keys_checked: int = 0
    duration_seconds: float = 0.0
    auto_corrections: tuple[msgspec.Raw, ...] = ()


class Line(Struct, frozen=True, kw_only=True):
    """An account in a line."""

    account: str
    mark: str
    words: str
    open: int
    complete: datetime | None
    due: datetime | None


class Tick(Struct, frozen=True, kw_only=True):
    """One run in the strip of an account."""

    id: str
    mark: str
    title: str


class Row(Struct, frozen=True, kw_only=True):
    """One run in the list."""

    id: str
    account: str
    at: datetime
    mark: str
    words: str
    keys: int
    total: int
    repaired: int
    seconds: str


class Entry(Struct, frozen=True, kw_only=True):
    """One step in the life of a discrepancy, taken by a run or by a person."""

    at: datetime
    what: str
    who: str
    note: str


class Proposal(Struct, frozen=True, kw_only=True):
    """An adjustment, with what this visitor may do about it."""

    id: str
    title: str
    state: str
    reason: str
    effects: tuple[Effect, ...]
    posts: tuple[str, ...]
    """What is posted beside amounts, in words; all of it where no amount moves."""
    unexplained: bool
    """Whether no record stands behind it."""
    record_ids: tuple[str, ...]
    proposed_by: str
    decided_by: str | None
    content: str
    may: Literal["decide", "reject", "undo", ""]
    why_not: str


def counted_by_account(counts: Iterable[OpenCount]) -> Mapping[str, int]:
    """Return how many discrepancies are open, by account."""
    found: dict[str, int] = {}
    for one in counts:
        found[one.account] = found.get(one.account, 0) + one.count
    return found


def counted_by_severity(counts: Iterable[OpenCount], accounts: Collection[str]) -> Mapping[Severity, int]:
    """Return how many discrepancies of these accounts are open, the gravest first; without what there is none of."""
    found = dict.fromkeys(reversed(Severity), 0)
    for one in counts:
        if one.account in accounts:
            found[one.severity] += one.count
    return {severity: count for severity, count in found.items() if count}


def line(account: str, planned: Planned | None, found: int) -> Line:
    """Return an account in a line, as its schedule has it."""
    if planned is None or not planned.status:
        return Line(account=account, mark="unknown", words="never checked", open=found, complete=None, due=None)
    failed = planned.status == FAILED
    mark = FAILED if failed else planned.verdict
    said = "last run failed" if failed else VERDICTS[Verdict(planned.verdict)]
    return Line(
        account=account, mark=mark, words=said, open=found, complete=planned.last_complete, due=planned.due
    )  # fmt: skip


def rank(one: Line) -> tuple[int, int, str]:
    """Return what puts the worst first."""
    return (MARKS.index(one.mark) if one.mark in MARKS else len(MARKS), -one.open, one.account)


def summed_up(accounts: Sequence[Account], lines: Sequence[Line]) -> Mapping[str, str]:
    """Return the headline of the overview: the worst of what holds anywhere, never better than what was seen.

    *accounts* are those that are shown in full, *lines* all of them.
    """
    bad = [one.account for one in lines if one.open]
    failing = {one.account for one in accounts if one.status == FAILED} | {
        one.account for one in lines if one.mark == FAILED
    }
    unlike = {kind for one in accounts for kind, seen in one.coverage.items() if not seen} - set(RECORD_KINDS)
    gaps = {
        one.account for one in accounts if one.verdict is None or not all(one.coverage[kind] for kind in RECORD_KINDS)
    }
    unseen = gaps | {one.account for one in lines if one.mark not in (Verdict.RECONCILED, Verdict.DISCREPANCIES)}
    if not lines:
        return _told("unknown", "No account is yours to see", "An admin can give you one.")
    if failing:
        return _told("failed", f"{_counted(failing)} could not be checked", "The last run failed; see Runs.")
    if bad:
        found = words.counted(sum(one.open for one in lines), "discrepancy is open", "discrepancies are open")
        return _told("discrepancies", found, f"In {_counted(bad)}. What is wrong stands below.")
    if unseen:
        return _told(
            "incomplete",
            "Nothing is known to be wrong, but not all was checked",
            f"{_counted(unseen)} not seen in full: what was not checked is marked.",
        )
    but = f" Not compared: {', '.join(sorted(unlike))}." if unlike else ""
    return _told(
        "reconciled", "The books are true", f"Every record of every account was seen, and both sides agree.{but}"
    )


def _told(mood: str, headline: str, lead: str) -> Mapping[str, str]:
    return {"mood": mood, "headline": headline, "lead": lead}


def _counted(some: Collection[str]) -> str:
    return words.counted(len(some), "account", "accounts")


def tick(listed: Listed) -> Tick:
    """Return a run for the strip."""
    run = _decoded(listed)
    found = words.counted(run.total_discrepancies, "discrepancy", "discrepancies")
    return Tick(id=listed.reconciliation_id, mark=_mark(run), title=f"{instant(run.timestamp)}: {_said(run)}, {found}")


def run(listed: Listed) -> Row:
    """Return a run for the list."""
    decoded = _decoded(listed)
    return Row(
        id=listed.reconciliation_id,
        account=decoded.account,
        at=decoded.timestamp,
        mark=_mark(decoded),
        words=_said(decoded),
        keys=decoded.keys_checked,
        total=decoded.total_discrepancies,
        repaired=len(decoded.auto_corrections),
        seconds=words.seconds(decoded.duration_seconds),
    )


def adjustment(kept: Kept) -> Mapping[str, Any]:
    """Return an adjustment for the list."""
    return {
        "adjustment": kept.adjustment,
        "state": kept.state.value,
        "names": ", ".join(sorted(names_of(kept.adjustment))),
        "proposed_by": kept.proposed_by,
        "decided_by": kept.decided_by,
    }


def proposal(kept: Kept, who: Caller, about: Followed) -> Proposal:
    """Return an adjustment of this discrepancy with what *who* may do about it, and why not where they may not."""
    made = kept.adjustment
    may, why_not = _may(kept, who)
    return Proposal(
        id=kept.id,
        title=_title(kept),
        state=kept.state.value,
        reason=made.reason,
        effects=made.effects,
        posts=tuple(_posts(made, about)),
        unexplained=made.is_plug,
        record_ids=made.record_ids,
        proposed_by=kept.proposed_by,
        decided_by=kept.decided_by,
        content=made.content,
        may=may,
        why_not=why_not,
    )


def _posts(made: Adjustment, about: Followed) -> Iterator[str]:
    adds = about.type is DiscrepancyType.ORDER_NOT_TRACKED
    for one in made.postings:
        if not made.effects or isinstance(one, PostOrder):
            yield words.posted(one, adds=adds)


_ABOUT_TO = "It is about to be written to the book."
_AFTER_THAT = (
    "It is not proposed again while this difference lasts; should the difference agree and come back, it is, and a "
    "person decides anew. Until then: dispute it with the exchange, accept it with a reason, or put the book right "
    "where it is kept."
)
_MEANS = {
    AdjustmentState.APPROVED: _ABOUT_TO,
    AdjustmentState.INTENDED: _ABOUT_TO,
    AdjustmentState.OUTCOME_UNKNOWN: "Nobody knows whether the book took it; the account waits until that is seen.",
    AdjustmentState.UNVERIFIED: "It is in the book, and a run after it still saw a difference. See what else differs, "
    "or take it back.",
}


def _title(kept: Kept) -> str:
    what = "Reversal" if kept.adjustment.reverses else "Adjustment"
    return f"{what}: {kept.state.value.replace('_', ' ')}"


def _may(kept: Kept, who: Caller) -> tuple[Literal["decide", "reject", "undo", ""], str]:
    allowed = who.may(Permission.APPROVE, kept.adjustment.account)
    match kept.state:
        case AdjustmentState.PROPOSED if not allowed:
            return "", "Somebody with the role of an approver decides about it."
        case AdjustmentState.PROPOSED if kept.is_barred(who.actor.name):
            return "reject", "You proposed it, so somebody else has to approve it (four eyes)."
        case AdjustmentState.PROPOSED:
            return "decide", ""
        case AdjustmentState.REJECTED:
            return "", _turned_down(kept)
        case state:
            return ("undo" if allowed and state in IN_THE_BOOK else ""), _MEANS.get(state, "")


def _turned_down(kept: Kept) -> str:
    reason, _, note = kept.history[-1].note.partition(": ")
    why = reason.replace("_", " ") + (f" ({note})" if note else "")
    told = f"{kept.decided_by} turned it down: {why or 'without a word'}."
    if kept.adjustment.reverses:
        return f"{told} What it would have taken back stays in the book."
    return f"{told} {_AFTER_THAT}"


def history(changes: Iterable[Change], steps: Iterable[ReviewChange]) -> Sequence[Entry]:
    """Return what runs saw and what people did, the newest first."""
    seen = [Entry(at=one.at, what=one.what, who="", note=one.note) for one in changes]
    done = [Entry(at=one.at, what=one.action.replace("_", " "), who=one.actor.name, note=_note(one)) for one in steps]
    return sorted([*seen, *done], key=lambda one: one.at, reverse=True)


def _note(change: ReviewChange) -> str:
    said = [change.reason.replace("_", " ")] if change.reason else []
    if change.assignee is not None:
        said.append(f"to {change.assignee or 'nobody'}")
    return "; ".join([*said, *([change.note] if change.note else [])])


def _decoded(listed: Listed) -> _Run:
    return msgspec.json.decode(listed.summary, type=_Run)


def _mark(run: _Run) -> str:
    return FAILED if run.status == ReconciliationStatus.FAILED else run.verdict.value


def _said(run: _Run) -> str:
    return FAILED if run.status == ReconciliationStatus.FAILED else VERDICTS[run.verdict]
