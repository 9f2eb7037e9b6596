"""Each step of a schedule, whole: what is kept of an account, and what the journal is told with it."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from gal_friday.domain.facts import Actor, Fact, FactKind, KnownBy
from gal_friday.domain.materiality import Severity
from gal_friday.domain.schedule import (
    Ended,
    Held,
    Obstacle,
    Planned,
    Step,
    Timing,
    Why,
    abandoned,
    begin,
    begun_with,
    ended,
    first_served,
    interrupted,
    is_due,
    marked,
    missed,
    paced,
    paused,
    resumed,
    started,
)
from tests.domain.test_schedule import EXACT, T0, at

SPACED = Timing(jitter_percent=0, least=timedelta(minutes=10))
ANN = Actor("ann", KnownBy.SESSION)
BOB = Actor("bob", KnownBy.SESSION)
TICK = timedelta(microseconds=1)


WAITING = Planned(account="main", due=T0, because=Why.INTERVAL)
RUNNING = Planned(
    account="main",
    due=T0,
    because=Why.STREAM,
    marked=at(-1),
    marked_because=Why.STREAM,
    begun=at(1),
    owner="p1",
    last_begun=at(1),
    last_run=at(-60),
    last_complete=at(-59),
    last_report="rec_0",
    status="success",
    verdict="reconciled",
    failures=1,
    spent=80,
    missed=at(-90),
    missed_at=at(-80),
)


def told(kind: FactKind, now: datetime, **body: Any) -> Fact:
    return Fact(kind=kind, at=now, account="main", subject="main", body=body)


def scheduled(now: datetime, due: datetime, because: str, failures: int = 0, **more: Any) -> Fact:
    return told(FactKind.RUN_SCHEDULED, now, due=due, because=because, failures=failures, **more)


def skipped(now: datetime, reason: str, because: str = "interval", due: datetime = T0) -> Fact:
    return told(FactKind.RUN_SKIPPED, now, due=due, because=because, reason=reason)


def test_a_new_account_is_kept_as_due_and_told() -> None:
    new = Planned(account="main", due=T0, because=Why.START)
    assert begun_with("main", T0) == Step(new, (scheduled(T0, T0, "start"),))
    assert new == Planned(account="main", due=T0)


def test_a_start_runs_what_waits_and_tells_what_was_missed() -> None:
    assert started(WAITING, at(5), EXACT) == Step(replace(WAITING, because=Why.START), ())
    later = replace(WAITING, due=at(30))
    assert started(later, at(5), EXACT) == Step(replace(WAITING, due=at(5), because=Why.START), ())
    assert started(WAITING, at(6), EXACT) == Step(
        replace(WAITING, because=Why.START, missed=T0, missed_at=at(6)), (skipped(at(6), "nobody ran it in time"),)
    )


MARKED = {"marked": at(3), "marked_because": Why.STREAM}


@pytest.mark.parametrize(
    "planned, why, timing, changes",
    [
        (WAITING, Why.STREAM, None, MARKED),
        (replace(WAITING, due=at(3)), Why.STREAM, None, MARKED),
        (replace(WAITING, due=at(4)), Why.STREAM, None, MARKED | {"due": at(3), "because": Why.STREAM}),
        (RUNNING, Why.STREAM, None, MARKED),
        (replace(RUNNING, due=at(99)), Why.STREAM, None, MARKED),
        (
            replace(WAITING, due=at(30), last_begun=T0),
            Why.STREAM,
            SPACED,
            MARKED | {"due": at(10), "because": Why.STREAM},
        ),
        (replace(WAITING, due=at(10), last_begun=T0), Why.STREAM, SPACED, MARKED),
        (
            replace(WAITING, due=at(30), last_begun=T0),
            Why.REQUESTED,
            SPACED,
            {"marked": at(3), "marked_because": Why.REQUESTED, "due": at(3), "because": Why.REQUESTED},
        ),
    ],
)
def test_a_mark_brings_a_run_forward_as_far_as_the_calls_allow(
    planned: Planned, why: Why, timing: Timing | None, changes: dict[str, Any]
) -> None:
    assert marked(planned, why, at(3), timing) == Step(replace(planned, **changes), ())


def test_a_run_begins_under_its_owners_name_and_serves_what_was_marked() -> None:
    waiting = replace(WAITING, **MARKED, held=Held(Obstacle.BUSY, at(4)))
    assert begin(waiting, at(4) - TICK, owner="p1") is None
    assert begin(waiting, at(4), owner="p1") == Step(
        replace(waiting, begun=at(4), last_begun=at(4), owner="p1", marked=None, marked_because=None), ()
    )
    assert not is_due(replace(WAITING, paused_by="ann"), at(9))


AFTER = replace(RUNNING, begun=None, owner="", last_run=at(5), failures=0, spent=70)
GOOD = Ended(at=at(5), report="rec_1", status="partial", verdict="pending", complete=at(4), spent=70)


def test_a_good_run_leaves_its_report_and_the_next_one_an_interval_after_it_began() -> None:
    done = replace(
        AFTER,
        due=at(61),
        because=Why.INTERVAL,
        last_complete=at(4),
        last_report="rec_1",
        status="partial",
        verdict="pending",
    )
    assert ended(RUNNING, GOOD, EXACT) == Step(done, (scheduled(at(5), at(61), "interval"),))
    # A run whose beginning nobody knows began when it ended.
    unknown = ended(replace(RUNNING, begun=None), GOOD, EXACT)
    assert unknown.planned.due == at(65)


@pytest.mark.parametrize("moment, because", [(1, Why.STREAM), (0.99, Why.INTERVAL)])
def test_what_was_marked_from_the_beginning_of_the_run_on_is_run_again(moment: float, because: Why) -> None:
    running = replace(RUNNING, marked=at(moment), marked_because=None)
    done = ended(running, GOOD, SPACED).planned
    assert (done.due, done.because) == (at(11) if because is Why.STREAM else at(61), because)
    asked = ended(replace(RUNNING, marked=at(2), marked_because=Why.REQUESTED), GOOD, SPACED).planned
    assert (asked.due, asked.because) == (at(5), Why.REQUESTED)


@pytest.mark.parametrize(
    "spent_before, spent, reckoned", [(80, 70, 70), (80, 71, 71), (80, 0, 70), (7, 0, 7), (8, 0, 7), (0, 9, 9)]
)
def test_a_dear_run_counts_at_once_and_is_forgotten_slowly(spent_before: int, spent: int, reckoned: int) -> None:
    assert ended(replace(RUNNING, spent=spent_before), replace(GOOD, spent=spent), EXACT).planned.spent == reckoned


def test_a_run_that_failed_without_a_report_is_told_with_why_and_when_it_is_tried_again() -> None:
    failed = Ended(at=at(5), because="the disk is full")
    step = ended(RUNNING, failed, EXACT)
    (hold, again) = (step.planned.held, step.planned.due)
    # 15 seconds, doubled for the second failure, and up to a quarter more: the account's own share of it.
    assert again == at(5.5) + timedelta(seconds=0.93)
    assert hold == Held(Obstacle.HERE, again)
    done = replace(
        AFTER, due=again, because=Why.RETRY, last_report="", status="failed", verdict="", failures=2, held=hold
    )
    assert step == Step(
        done,
        (
            skipped(at(5), "the disk is full", "stream"),
            scheduled(at(5), again, "retry", 2, obstacle="here", not_before=again),
        ),
    )
    assert ended(RUNNING, Ended(at=at(5)), EXACT).facts[0] == skipped(at(5), "it left no report", "stream")


def test_an_account_that_somebody_else_runs_keeps_what_its_last_run_left() -> None:
    step = ended(RUNNING, Ended(at=at(5), obstacle=Obstacle.BUSY, because="p2 runs it"), EXACT)
    again = step.planned.due
    assert at(5) + timedelta(seconds=5) <= again < at(5) + timedelta(seconds=6.25)
    held = Held(Obstacle.BUSY, again)
    assert step.planned == replace(AFTER, due=again, because=Why.RETRY, failures=1, held=held)
    assert step.facts[0] == skipped(at(5), "p2 runs it", "stream")


@pytest.mark.parametrize(
    "obstacle, failures, seconds",
    [
        (Obstacle.LOCKOUT, 9, 900),
        (Obstacle.REFUSED, 9, 900),
        (Obstacle.THROTTLED, 0, 30),
        (Obstacle.THROTTLED, 1, 60),
        (Obstacle.MAINTENANCE, 0, 60),
        (Obstacle.MAINTENANCE, 1, 120),
        (Obstacle.OUTAGE, 0, 15),
        (Obstacle.OUTAGE, 1, 30),
        (Obstacle.BUSY, 9, 5),
        (Obstacle.HERE, 0, 15),
        (Obstacle.HERE, 2, 60),
        (Obstacle.HERE, 10, 15 * 1024),
        (Obstacle.HERE, 11, 15 * 1024),
    ],
)
def test_how_long_each_obstacle_keeps_an_account_waiting(obstacle: Obstacle, failures: int, seconds: float) -> None:
    rare = replace(EXACT, interval=timedelta(hours=9))
    done = ended(replace(RUNNING, failures=failures), Ended(at=at(5), obstacle=obstacle), rare).planned
    assert seconds <= (done.due - at(5)).total_seconds() < seconds * 1.25


def test_no_wait_is_longer_than_the_interval_unless_the_first_is() -> None:
    short = replace(EXACT, interval=timedelta(seconds=10))
    done = ended(replace(RUNNING, failures=5), Ended(at=at(5), obstacle=Obstacle.OUTAGE), short).planned
    assert 15 <= (done.due - at(5)).total_seconds() < 18.75
    partial = replace(GOOD, obstacle=Obstacle.LOCKOUT, until=at(200))
    done = ended(RUNNING, partial, EXACT).planned
    assert (done.due, done.because, done.held) == (at(200), Why.RETRY, Held(Obstacle.LOCKOUT, at(200)))
    part = ended(RUNNING, replace(GOOD, obstacle=Obstacle.OUTAGE), EXACT).planned
    assert (part.due, part.because, part.failures) == (at(61), Why.RETRY, 0)


def test_who_failed_together_does_not_come_back_together() -> None:
    failed = Ended(at=at(5), obstacle=Obstacle.REFUSED)
    waits = {
        (ended(replace(RUNNING, account=f"a{n}"), failed, EXACT).planned.due - at(5)).total_seconds()
        for n in range(200)
    }
    assert len(waits) > 100
    assert min(waits) < 910
    assert max(waits) > 1100


def test_accounts_are_spread_over_the_whole_of_their_jitter() -> None:
    tenth = Timing(interval=timedelta(minutes=100), jitter_percent=10)
    dues = [ended(replace(RUNNING, account=f"a{n}"), GOOD, tenth).planned.due for n in range(200)]
    assert at(91) <= min(dues) < at(91.3)
    assert at(100.7) < max(dues) <= at(101)


def test_a_run_whose_process_is_gone_failed_and_is_done_again_at_once() -> None:
    done = replace(RUNNING, begun=None, owner="", due=at(7), because=Why.RETRY, failures=2)
    why = "the run that p1 began at 2026-03-01 12:01:00 UTC ended without a report"
    assert abandoned(RUNNING, at(7)) == Step(done, (skipped(at(7), why, "stream"),))
    why = "the run that somebody began at 2026-03-01 12:01:00 UTC ended without a report"
    assert abandoned(replace(RUNNING, owner=""), at(7)).facts == (skipped(at(7), why, "stream"),)


def test_a_run_that_was_stopped_with_the_service_did_not_fail_and_is_done_again() -> None:
    done = replace(RUNNING, begun=None, owner="", due=at(7), because=Why.RETRY)
    why = "the service stopped during the run that began at 2026-03-01 12:01:00 UTC"
    assert interrupted(RUNNING, at(7)) == Step(done, (skipped(at(7), why, "stream"),))
    why = "the service stopped during the run that began at 2026-03-01 12:07:00 UTC"
    assert interrupted(WAITING, at(7)).facts == (skipped(at(7), why),)


PAUSED = replace(WAITING, paused_by="ann", paused_at=at(-9), paused_because="it moves")
HELD = replace(WAITING, held=Held(Obstacle.LOCKOUT, at(15)))


@pytest.mark.parametrize(
    "planned, now, changes, why",
    [
        (WAITING, at(5), None, ""),
        (WAITING, at(5) + TICK, {}, "nobody ran it in time"),
        (HELD, at(6), {}, "lockout: nothing was tried before 2026-03-01 12:15:00 UTC"),
        (replace(HELD, held=Held(Obstacle.LOCKOUT, T0)), at(6), {}, "nobody ran it in time"),
        (replace(WAITING, missed=T0), at(6), None, ""),
        (replace(WAITING, missed=at(-60)), at(6), {}, "nobody ran it in time"),
        (replace(WAITING, begun=at(1)), at(6), None, ""),
        (PAUSED, at(0) - TICK, None, ""),
        (PAUSED, T0, {"due": at(60), "because": Why.INTERVAL}, "paused by ann"),
        (PAUSED, at(59), {"due": at(60), "because": Why.INTERVAL}, "paused by ann"),
        (PAUSED, at(60), {"due": at(120), "because": Why.INTERVAL}, "paused by ann"),
    ],
)
def test_what_was_missed_is_kept_and_told_with_why(
    planned: Planned, now: datetime, changes: dict[str, Any] | None, why: str
) -> None:
    expected = None
    if changes is not None:
        expected = Step(replace(planned, missed=T0, missed_at=now, **changes), (skipped(now, why),))
    assert missed(planned, now, EXACT) == expected


def by(who: Actor, kind: FactKind, now: datetime, **body: Any) -> Fact:
    return replace(told(kind, now, **body), actor=who)


def test_who_stops_and_resumes_runs_is_kept_and_told() -> None:
    assert paused(WAITING, ANN, at(-9), "it moves") == Step(
        PAUSED, (by(ANN, FactKind.RUNS_PAUSED, at(-9), note="it moves"),)
    )
    assert paused(WAITING, ANN, at(-9)).facts == (by(ANN, FactKind.RUNS_PAUSED, at(-9), note=""),)
    assert paused(PAUSED, BOB, at(1), "again") == Step(PAUSED, ())
    stopped = replace(PAUSED, missed=at(-1), missed_at=at(-1))
    going = replace(WAITING, due=at(5), because=Why.REQUESTED)
    assert resumed(stopped, BOB, at(5)) == Step(going, (by(BOB, FactKind.RUNS_RESUMED, at(5)),))
    assert resumed(WAITING, BOB, at(5)) == Step(WAITING, ())


def test_a_scarce_budget_goes_to_the_worst_then_to_the_longest_unseen_then_to_the_longest_due() -> None:
    def account(name: str, seen: float | None = 0, due: float = 0) -> Planned:
        return replace(WAITING, account=name, last_complete=None if seen is None else at(seen), due=at(due))

    due = [account("c"), account("b"), account("early", due=-1), account("old", -9), account("never", None)]
    due += [account("low"), account("medium"), account("high"), account("critical")]
    worst = {name: Severity(name) for name in ("low", "medium", "high", "critical")}
    names = [one.account for one in first_served(due, worst)]
    assert names == ["critical", "high", "medium", "low", "never", "old", "early", "b", "c"]


def test_a_budget_that_is_shared_spaces_reads_as_well() -> None:
    wanted = Timing(interval=timedelta(minutes=2), least=timedelta(minutes=1))
    assert paced(wanted, points=30, points_per_hour=None) == wanted
    assert paced(wanted, points=0, points_per_hour=0) == wanted
    # Three quarters of 1,200 points an hour are 15 a minute.
    two, three = timedelta(minutes=2), timedelta(minutes=3)
    assert paced(wanted, points=1, points_per_hour=1200) == wanted
    assert paced(wanted, points=30, points_per_hour=1200) == replace(wanted, least=two)
    assert paced(wanted, points=45, points_per_hour=1200) == replace(wanted, interval=three, least=three)


def test_an_account_is_reconciled_every_hour_unless_it_is_said_otherwise() -> None:
    assert Timing() == Timing(
        interval=timedelta(hours=1), jitter_percent=10, least=timedelta(0), late_after=timedelta(minutes=5)
    )
    new = Planned(account="main", due=T0)
    assert (new.owner, new.last_report, new.status, new.verdict, new.failures) == ("", "", "", "", 0)
    assert (new.paused_by, new.paused_because, new.spent, new.revision, new.is_paused) == ("", "", 0, 0, False)
    assert (new.marked, new.begun, new.held, new.missed, new.last_run, new.because) == (*[None] * 5, Why.START)
    run = Ended(at=T0)
    assert run == Ended(at=T0, report="", status="failed", verdict="", complete=None, spent=0, because="")
    assert (run.obstacle, run.until) == (None, None)
