"""By when a person has to have looked: due times by severity, and what needs a person at all.

An age counts from when it began to be wrong; a due time from when it could first be known, because nobody is late
for what nobody saw. While something is accepted or put aside its clock stands still. Nothing here decides or writes.
"""

from datetime import datetime, timedelta

from msgspec import Struct

from gal_friday.domain.followed import Followed
from gal_friday.domain.materiality import Severity
from gal_friday.domain.review import ReviewState
from gal_friday.domain.reviewed import Review, changed_since

_PUT_ASIDE = (ReviewState.ACCEPTED, ReviewState.SNOOZED)


class DueTimes(Struct, frozen=True, kw_only=True):
    """How long each severity may wait for a person."""

    critical: timedelta = timedelta(hours=1)
    high: timedelta = timedelta(hours=4)
    medium: timedelta = timedelta(hours=24)
    low: timedelta = timedelta(days=7)

    def of(self, severity: Severity) -> timedelta:
        """Return how long this severity may wait."""
        match severity:
            case Severity.CRITICAL:
                return self.critical
            case Severity.HIGH:
                return self.high
            case Severity.MEDIUM:
                return self.medium
            case Severity.LOW:
                return self.low


DUE_TIMES = DueTimes()


def age_of(followed: Followed, now: datetime) -> timedelta:
    """Return how long it has been wrong; what has cleared grows no older."""
    return max((now if followed.cleared_at is None else followed.cleared_at) - followed.since, timedelta())


def due_at(review: Review, followed: Followed, times: DueTimes = DUE_TIMES) -> datetime | None:
    """Return by when a person has to have looked; None where nobody has to.

    A dispute is due when the exchange was to answer, where that was said; what is accepted or put aside, at its end.
    """
    if not followed.is_open:
        return None
    if review.until is not None and review.state is not ReviewState.OPEN:
        return review.until
    begins = max(followed.opened_at, review.waits_since or followed.opened_at)
    return begins + times.of(followed.severity)


def late_from(review: Review, followed: Followed, times: DueTimes = DUE_TIMES) -> datetime | None:
    """Return from when on somebody is late; None where nobody has to look.

    What was accepted or put aside has its whole time after its end, as it has once a run has opened it again.
    """
    due = due_at(review, followed, times)
    return due + times.of(followed.severity) if due is not None and review.state in _PUT_ASIDE else due


def needs_a_person(review: Review, followed: Followed, now: datetime) -> bool:
    """Say whether a person has to look: not at what has cleared, nor at what is accepted or put aside and as it was."""
    if not followed.is_open:
        return False
    if review.state not in _PUT_ASIDE:
        return True
    return review.until is None or review.until <= now or bool(changed_since(review, followed))


def overdue_by(review: Review, followed: Followed, now: datetime, times: DueTimes = DUE_TIMES) -> timedelta | None:
    """Return by how much it is overdue; None where it is not, or needs nobody."""
    due = late_from(review, followed, times)
    return now - due if due is not None and due < now and needs_a_person(review, followed, now) else None
