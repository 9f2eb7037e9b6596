"""The life of a discrepancy under review, as one table.

Everything that can move a review from one state to another is in STEPS. The diagram in docs/review.md is drawn from
this table, so a change here redraws it. What a person decides stands beside what a run sees and never turns into it:
only an observed agreement closes a review (I7), and a difference that is accepted is still a difference.

Rules that no table can hold: whoever proposes an adjustment may not approve it (four eyes, I11; see ``adjusted``),
and what was accepted is good for the difference that was looked at and for no other. Nothing here writes.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import Literal

from msgspec import Struct

from gal_friday.domain.errors import GalFridayError


class ReviewState(StrEnum):
    """Where the review of a discrepancy stands. What the runs see of it is its own field: ``Followed.state``."""

    __hash__ = str.__hash__

    OPEN = "open"
    """Nothing is decided: it waits for a person."""
    ACCEPTED = "accepted"
    """A person lives with it as it is, until a stated end."""
    DISPUTED = "disputed"
    """It is taken up with the exchange, and still open."""
    SNOOZED = "snoozed"
    """Put aside until a stated end."""
    CLOSED = "closed"
    """A run saw both sides agree."""


class Action(StrEnum):
    """What happens to a review: the first ten are a person's, the others what a run sees."""

    __hash__ = str.__hash__

    ASSIGN = "assign"
    COMMENT = "comment"
    PROPOSE = "propose"
    """Ask for an adjustment."""
    APPROVE = "approve"
    """The adjustment may be applied."""
    REJECT = "reject"
    """The adjustment is not to be applied."""
    ACCEPT = "accept"
    DISPUTE = "dispute"
    SNOOZE = "snooze"
    REOPEN = "reopen"
    UNDO = "undo"
    """Ask for an applied adjustment to be taken back."""
    AGREED = "agreed"
    """Both sides were seen to agree."""
    RETURNED = "returned"
    """It is back after it had agreed."""
    LAPSED = "lapsed"
    """The end that was named has come."""
    CHANGED = "changed"
    """It is no longer what the decision was made for."""


OBSERVED = frozenset({Action.AGREED, Action.RETURNED, Action.LAPSED, Action.CHANGED})
"""No person can do these."""


class Reason(StrEnum):
    """Why a person decided so. Not a cause: causes say why the sides differ."""

    __hash__ = str.__hash__

    KNOWN_DIFFERENCE = "known_difference"
    """It is understood, and stays."""
    EXCHANGE_CONFIRMED = "exchange_confirmed"
    """The exchange was asked and says so too."""
    TIMING = "timing"
    """It will settle by itself."""
    DUPLICATE = "duplicate"
    """Another discrepancy says the same."""
    FALSE_POSITIVE = "false_positive"
    """Nothing is wrong: the check is."""
    FIXED_OUTSIDE = "fixed_outside"
    """It was put right in another system."""
    EXCHANGE_WRONG = "exchange_wrong"
    """The exchange's records are wrong."""
    WRONG_REPAIR = "wrong_repair"
    """The proposed adjustment is not the right one."""
    OTHER = "other"
    """What the note says; without one it says nothing."""


Detail = Literal["reason", "note", "until", "assignee", "adjustment_id"]


class Step(Struct, frozen=True):
    """One row of the table: what may happen, from where, where to, and what has to be said with it."""

    action: Action
    of: tuple[ReviewState, ...]
    to: ReviewState | None = None
    """None where the state stays."""
    needs: tuple[Detail, ...] = ()
    may: tuple[Detail, ...] = ()
    """What can be said and need not."""


_S, _A = ReviewState, Action
_NOT_CLOSED = (_S.OPEN, _S.ACCEPTED, _S.DISPUTED, _S.SNOOZED)
_ANY = (*_NOT_CLOSED, _S.CLOSED)

STEPS = (
    Step(_A.ASSIGN, _NOT_CLOSED, None, ("assignee",), ("note",)),
    Step(_A.COMMENT, _ANY, None, ("note",)),
    Step(_A.PROPOSE, (_S.OPEN, _S.DISPUTED), None, ("adjustment_id",), ("note",)),
    # A reversal is decided after the discrepancy has closed: see check_decidable.
    Step(_A.APPROVE, (_S.OPEN, _S.DISPUTED, _S.CLOSED), None, ("adjustment_id",), ("note",)),
    Step(_A.REJECT, _ANY, None, ("adjustment_id", "reason"), ("note",)),
    Step(_A.ACCEPT, _NOT_CLOSED, _S.ACCEPTED, ("reason", "note", "until")),
    Step(_A.DISPUTE, _NOT_CLOSED, _S.DISPUTED, ("reason",), ("note", "until")),
    Step(_A.SNOOZE, (_S.OPEN, _S.DISPUTED, _S.SNOOZED), _S.SNOOZED, ("until",), ("note",)),
    Step(_A.REOPEN, (_S.ACCEPTED, _S.DISPUTED, _S.SNOOZED), _S.OPEN, (), ("note",)),
    Step(_A.UNDO, _ANY, None, ("adjustment_id",), ("note",)),
    Step(_A.AGREED, _NOT_CLOSED, _S.CLOSED, (), ("note",)),
    Step(_A.RETURNED, (_S.CLOSED,), _S.OPEN, (), ("note",)),
    Step(_A.LAPSED, (_S.ACCEPTED, _S.SNOOZED), _S.OPEN, (), ("note",)),
    Step(_A.CHANGED, (_S.ACCEPTED, _S.SNOOZED), _S.OPEN, (), ("note",)),
)

ROW_OF = {step.action: step for step in STEPS}

WAY_OUT = {
    _S.OPEN: "gal-friday discrepancy {id} shows where it stands",
    _S.ACCEPTED: "to decide otherwise: gal-friday review reopen {id}",
    _S.DISPUTED: "to decide otherwise: gal-friday review reopen {id}",
    _S.SNOOZED: "to decide now: gal-friday review reopen {id}",
    _S.CLOSED: "both sides agree; it opens again by itself when a run sees it again: gal-friday discrepancy {id}",
}


class IllegalAction(GalFridayError, ValueError):
    """No such action from where the review stands; the message says what there is, and the way out."""


def actions_from(state: ReviewState) -> Iterator[Action]:
    """Yield what a person can do from here."""
    return (row.action for row in STEPS if state in row.of and row.action not in OBSERVED)


def diagram() -> str:
    """Return the table as a Mermaid state diagram."""
    lines = ["stateDiagram-v2", f"    [*] --> {ReviewState.OPEN}"]
    moves: dict[tuple[ReviewState, ReviewState], list[str]] = {}
    for row in STEPS:
        for state in row.of if row.to is not None else ():
            assert row.to is not None
            moves.setdefault((state, row.to), []).append(row.action)
    lines += [f"    {state} --> {to}: {', '.join(actions)}" for (state, to), actions in moves.items()]
    return "\n".join(lines)
