"""By when a person has to have looked: every clock on both sides of its boundary."""

from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace

from gal_friday.domain.due import DUE_TIMES, DueTimes, age_of, due_at, late_from, needs_a_person, overdue_by
from gal_friday.domain.review import ReviewState
from gal_friday.domain.reviewed import Review, evidence_of
from tests.domain.build import T0
from tests.domain.test_review import GONE, SEEN

HOUR, TICK = timedelta(hours=1), timedelta(microseconds=1)
TIMES = DueTimes(critical=HOUR, high=HOUR, medium=HOUR, low=HOUR)
UNTIL = T0 + timedelta(hours=5)
OPEN, ACCEPTED, DISPUTED, SNOOZED, CLOSED = ReviewState


def review(state: ReviewState, until: datetime | None = None, since: datetime | None = None) -> Review:
    evidence = None if state is OPEN else evidence_of(SEEN)
    return Review(
        discrepancy_id=SEEN.id, account="main", state=state, until=until, waits_since=since, evidence=evidence
    )


def test_how_long_each_severity_may_wait_unless_it_is_said_otherwise() -> None:
    assert DueTimes() == DUE_TIMES == DueTimes(critical=HOUR, high=4 * HOUR, medium=24 * HOUR, low=7 * 24 * HOUR)


def test_an_age_ends_when_it_cleared_and_is_never_negative() -> None:
    assert age_of(SEEN, T0 + 9 * HOUR) == 9 * HOUR
    assert age_of(GONE, T0 + 9 * HOUR) == HOUR
    assert age_of(SEEN, T0 - HOUR) == timedelta()


@pytest.mark.parametrize(
    "one, due, late",
    [
        (review(OPEN), T0 + HOUR, T0 + HOUR),
        (review(OPEN, since=T0 + HOUR), T0 + 2 * HOUR, T0 + 2 * HOUR),
        (review(OPEN, since=T0 - HOUR), T0 + HOUR, T0 + HOUR),
        (review(OPEN, until=UNTIL), T0 + HOUR, T0 + HOUR),
        (review(DISPUTED), T0 + HOUR, T0 + HOUR),
        (review(DISPUTED, UNTIL), UNTIL, UNTIL),
        (review(ACCEPTED, UNTIL), UNTIL, UNTIL + HOUR),
        (review(SNOOZED, UNTIL), UNTIL, UNTIL + HOUR),
        (review(ACCEPTED), T0 + HOUR, T0 + 2 * HOUR),
    ],
)
def test_when_it_is_due_and_from_when_on_somebody_is_late(one: Review, due: datetime, late: datetime) -> None:
    assert (due_at(one, SEEN, TIMES), late_from(one, SEEN, TIMES)) == (due, late)
    assert due_at(one, GONE, TIMES) is late_from(one, GONE, TIMES) is None
    assert overdue_by(one, SEEN, late, TIMES) is None
    assert overdue_by(one, SEEN, late + TICK, TIMES) == TICK


@pytest.mark.parametrize(
    "one, now, needs",
    [
        (review(OPEN), T0, True),
        (review(DISPUTED, UNTIL), T0, True),
        (review(ACCEPTED, UNTIL), UNTIL - TICK, False),
        (review(ACCEPTED, UNTIL), UNTIL, True),
        (review(SNOOZED, UNTIL), UNTIL - TICK, False),
        (review(SNOOZED, UNTIL), UNTIL, True),
    ],
)
def test_what_is_put_aside_needs_nobody_up_to_its_end(one: Review, now: datetime, needs: bool) -> None:
    assert needs_a_person(one, SEEN, now) is needs
    assert needs_a_person(one, GONE, now) is False


def test_what_has_no_end_or_is_another_one_needs_somebody() -> None:
    assert needs_a_person(review(ACCEPTED), SEEN, T0) is True
    assert needs_a_person(review(SNOOZED, UNTIL), replace(SEEN, opened_at=T0 + HOUR), T0) is True
