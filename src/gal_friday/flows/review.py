"""What people do about discrepancies: load, step, save; and what a run makes of what they decided.

The rules are in ``domain/reviewed``. Nothing here turns a decision into agreement: only ``follow_up`` after a run
closes a review, on what that run saw (I7).
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from gal_friday.domain.due import late_from, needs_a_person, overdue_by
from gal_friday.domain.errors import GalFridayError
from gal_friday.domain.facts import Actor
from gal_friday.domain.followed import Followed
from gal_friday.domain.review import Action, Reason
from gal_friday.domain.reviewed import Ask, Review, ReviewChange, Stepped, after_run, step, unreviewed
from gal_friday.ports.clock import Clock
from gal_friday.ports.errors import ReviewOvertaken
from gal_friday.ports.reviews import Reviews
from gal_friday.ports.store import Store


class UnknownDiscrepancy(GalFridayError, LookupError):
    """No discrepancy has this id."""


class Desk(Struct, frozen=True):
    """Where reviews are made: what runs have seen, what people have decided, and the time."""

    store: Store
    reviews: Reviews
    clock: Clock


class Looked(Struct, frozen=True, kw_only=True):
    """A discrepancy, where its review stands, and what has become of it."""

    followed: Followed
    review: Review
    changes: tuple[ReviewChange, ...] = ()
    """Of the whole review where somebody looked; the new one where somebody acted."""


class Waiting(Struct, frozen=True, kw_only=True):
    """One entry of the queue."""

    followed: Followed
    review: Review
    due: datetime
    overdue: timedelta | None
    """By how much; None where there is time."""


class Queue(Struct, frozen=True, kw_only=True):
    """What needs a person."""

    waiting: tuple[Waiting, ...]
    """The first due first."""
    next: datetime | None
    """When time alone changes it next: something is put aside no longer, or becomes overdue."""


_JUST_AFTER = timedelta(milliseconds=1)


async def act(
    desk: Desk,
    discrepancy_id: str,
    action: Action,
    by: Actor,
    *,
    reason: Reason | None = None,
    note: str = "",
    until: datetime | None = None,
    assignee: str | None = None,
) -> Looked:
    """Take a step in the review of one discrepancy, found by its id or the beginning of it, and return what it led to.

    For what concerns the discrepancy alone; adjustments are decided in ``decide``.

    Raises:
        UnknownDiscrepancy: there is none.
        IllegalAction, MalformedRemark: the step is not possible, or something has to be said with it.
        ReviewOvertaken: somebody else took a step meanwhile; nothing was written.
        StoreFailed: nothing was written; or several ids begin so.
    """
    ask = Ask(
        action=action, by=by, at=desk.clock.now(), reason=reason, note=note, until=until, assignee=assignee
    )  # fmt: skip
    followed = await found(desk, discrepancy_id)
    stepped = step(await review_of(desk, followed), ask, followed)
    await desk.reviews.save([stepped])
    return Looked(followed=followed, review=stepped.review, changes=(stepped.change,))


async def look(desk: Desk, discrepancy_id: str) -> Looked:
    """Return a discrepancy with its review and every change of it, oldest first.

    Raises:
        UnknownDiscrepancy: there is none.
        StoreFailed: nothing could be read; or several ids begin so.
    """
    followed = await found(desk, discrepancy_id)
    review, changes = await review_of(desk, followed), await desk.reviews.changes(followed.id)
    return Looked(followed=followed, review=review, changes=tuple(changes))


async def queue(desk: Desk, *, account: str | None = None) -> tuple[Waiting, ...]:
    """Return what needs a person now, the first due first.

    Raises:
        StoreFailed: nothing could be read.
    """
    return (await queue_until(desk, account=account)).waiting


async def queue_until(desk: Desk, *, account: str | None = None) -> Queue:
    """Return what needs a person now, and until when that stands by itself.

    Raises:
        StoreFailed: nothing could be read.
    """
    now, seen = desk.clock.now(), await desk.store.discrepancies(account=account)
    kept = await desk.reviews.reviews(one.id for one in seen)
    waiting, ends = [], []
    for one in seen:
        review = kept.get(one.id) or unreviewed(one)
        due = late_from(review, one)
        if due is None:
            continue
        ends += [at + _JUST_AFTER for at in (due, review.until) if at is not None and at >= now]
        if needs_a_person(review, one, now):
            waiting.append(Waiting(followed=one, review=review, due=due, overdue=overdue_by(review, one, now)))
    waiting.sort(key=lambda each: (each.due, each.followed.id))
    return Queue(waiting=tuple(waiting), next=min(ends, default=None))


async def excused(desk: Desk, followed: Iterable[Followed]) -> frozenset[str]:
    """Return the ids of those of these that are open and need nobody: accepted or put aside, and as they were.

    Raises:
        StoreFailed: nothing could be read.
    """
    every, now = tuple(followed), desk.clock.now()
    kept = await desk.reviews.reviews(one.id for one in every)
    reviewed = [(one, kept[one.id]) for one in every if one.is_open and one.id in kept]
    return frozenset(one.id for one, review in reviewed if not needs_a_person(review, one, now))


async def follow_up(desk: Desk, account: str) -> tuple[ReviewChange, ...]:
    """Carry the reviews of an account on after a run was recorded, and return what changed.

    Whatever is missed here, because somebody acted at this moment or the program stopped, the next run does: it goes
    by what stands, not by what just happened.

    Raises:
        StoreFailed: nothing could be read or written.
    """
    steps = await _due_steps(desk, account)
    try:
        await desk.reviews.save(steps)
    except ReviewOvertaken:
        return tuple([stepped.change for stepped in steps if await _saved(desk, stepped)])
    return tuple(stepped.change for stepped in steps)


async def found(desk: Desk, discrepancy_id: str) -> Followed:
    """Return the discrepancy with this id, or the only one whose id begins with it.

    Raises:
        UnknownDiscrepancy: there is none.
        StoreFailed: nothing could be read; or several ids begin so.
    """
    followed = await desk.store.discrepancy(discrepancy_id)
    if followed is None:
        raise UnknownDiscrepancy(f"no discrepancy {discrepancy_id!r}; `gal-friday discrepancies --all` lists them")
    return followed


async def review_of(desk: Desk, followed: Followed) -> Review:
    """Return where the review of a discrepancy stands; open where nobody has touched it.

    Raises:
        StoreFailed: nothing could be read.
    """
    return (await desk.reviews.reviews([followed.id])).get(followed.id) or unreviewed(followed)


async def _due_steps(desk: Desk, account: str) -> Sequence[Stepped]:
    now, unfinished = desk.clock.now(), await desk.reviews.not_closed(account)
    still_open = {one.id: one for one in await desk.store.open_discrepancies(account)}
    reviews = {review.discrepancy_id: review for review in unfinished}
    # What agreed and came back has a review that is closed.
    reviews |= await desk.reviews.reviews(still_open)
    cleared = await desk.store.followed(reviews.keys() - still_open.keys())
    known = still_open | {one.id: one for one in cleared}
    steps = (after_run(reviews[name], known[name], now) for name in sorted(reviews.keys() & known.keys()))
    return [stepped for stepped in steps if stepped is not None]


async def _saved(desk: Desk, stepped: Stepped) -> bool:
    try:
        await desk.reviews.save([stepped])
    except ReviewOvertaken:
        return False
    return True
