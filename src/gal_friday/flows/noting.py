"""What people decided about repairs, as lines in the reviews of the discrepancies that are repaired.

The decision itself is the adjustment's and counts from the moment it is kept there; the reviews are told after it. A
process that ends in between leaves them untold: the next run completes them from the adjustment's own history.
Nothing here decides anything.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from gal_friday.domain.adjusted import AdjustmentChange, Kept, who
from gal_friday.domain.adjustment import AdjustmentState
from gal_friday.domain.facts import Actor, KnownBy
from gal_friday.domain.followed import Followed
from gal_friday.domain.review import Action, IllegalAction, Reason
from gal_friday.domain.reviewed import Ask, Review, ReviewChange, Stepped, step, unreviewed
from gal_friday.flows.review import Desk
from gal_friday.ports.adjustments import Adjustments
from gal_friday.ports.errors import ReviewOvertaken

_TRIES = 3
_LOOKED_AT = 1_000
_REACHES_BACK = timedelta(days=7)
"""Longer than a proposal waits; a run that looked at every adjustment of all time would become slow."""
_WITHOUT_A_WORD = "turned down without a word"
_BEING_TOLD = timedelta(minutes=2)
"""Whoever decided so short a time ago may be about to tell it."""


async def reviews_of(desk: Desk, discrepancies: Sequence[str]) -> list[tuple[Followed, Review]]:
    """Return those of these discrepancies that are known, each with its review as it stands.

    Raises:
        StoreFailed: nothing could be read.
    """
    known = await desk.store.followed(discrepancies)
    reviews = await desk.reviews.reviews(one.id for one in known)
    return [(one, reviews.get(one.id) or unreviewed(one)) for one in known]


async def note(desk: Desk, discrepancies: Sequence[str], ask: Ask) -> tuple[ReviewChange, ...]:
    """Write a decision to the reviews, and return what was written.

    It is taken already: who acts at the same moment does not undo it, and a review that has no such step is left out.

    Raises:
        StoreFailed: nothing could be read or written.
    """
    for _ in range(_TRIES):
        steps = await _possible(desk, discrepancies, ask)
        try:
            await desk.reviews.save(steps)
        except ReviewOvertaken:
            continue
        return tuple(stepped.change for stepped in steps)
    return ()


async def complete(desk: Desk, adjustments: Adjustments, account: str) -> tuple[ReviewChange, ...]:
    """Write to the reviews of an account what was decided lately and never reached them, and return it.

    Raises:
        StoreFailed: nothing could be read or written.
    """
    now = desk.clock.now()
    kept = await adjustments.adjustments(account=account, since=now - _REACHES_BACK, limit=_LOOKED_AT)
    written: list[ReviewChange] = []
    for one in reversed(kept):
        for ask in await _untold(desk, one, now - _BEING_TOLD):
            written += await note(desk, one.adjustment.discrepancies, ask)
    return tuple(written)


def words_of(reason: Reason | None, said: str) -> str:
    """Return why an adjustment was turned down, as its history keeps it."""
    return f"{reason}: {said}" if said else str(reason)


async def _possible(desk: Desk, discrepancies: Sequence[str], ask: Ask) -> list[Stepped]:
    steps = []
    for followed, review in await reviews_of(desk, discrepancies):
        try:
            steps.append(step(review, ask, followed))
        except IllegalAction:
            continue
    return steps


async def _untold(desk: Desk, kept: Kept, until: datetime) -> list[Ask]:
    """Return what people decided about an adjustment until then and no review says, the oldest first."""
    decided = list(_decided(kept))
    if not decided:
        return []
    told: Counter[Action] = Counter()
    for name in kept.adjustment.discrepancies:
        lines = await desk.reviews.changes(name)
        told |= Counter(line.action for line in lines if line.adjustment_id == kept.id)
    untold = []
    for ask in decided:
        # One line for each decision: they are written in the order in which they were taken.
        if told[ask.action]:
            told[ask.action] -= 1
        elif ask.at <= until:
            untold.append(ask)
    return untold


def _decided(kept: Kept) -> Iterator[Ask]:
    for change in kept.history:
        action = _action_of(kept, change)
        if action is None or who(change.actor) != "person" or change.how not in _KNOWN_BY:
            continue
        by, (reason, said) = Actor(change.actor, KnownBy(change.how)), _said(kept, action, change)
        yield Ask(action=action, by=by, at=change.at, reason=reason, note=said, adjustment_id=kept.id)


_KNOWN_BY = frozenset(KnownBy)


def _action_of(kept: Kept, change: AdjustmentChange) -> Action | None:
    match change.to_state:
        case AdjustmentState.PROPOSED:
            return Action.UNDO if kept.adjustment.reverses is not None else Action.PROPOSE
        case AdjustmentState.APPROVED:
            return Action.APPROVE
        case AdjustmentState.REJECTED:
            return Action.REJECT
        case _:
            return None


def _said(kept: Kept, action: Action, change: AdjustmentChange) -> tuple[Reason | None, str]:
    """Return the reason and the note of a decision; the reverse of ``words_of`` for what was turned down."""
    if action is not Action.REJECT:
        # Where a proposal says nothing, its history has the reason of the adjustment.
        return None, "" if change.note == kept.adjustment.reason else change.note
    reason, _, said = change.note.partition(": ")
    if reason in frozenset(Reason):
        return Reason(reason), said
    return Reason.OTHER, change.note or _WITHOUT_A_WORD
