"""When accounts are due, and what is told of a run that did not happen."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from gal_friday.domain.facts import Actor, FactKind, KnownBy
from gal_friday.domain.materiality import Severity
from gal_friday.domain.schedule import (
    Ended,
    Held,
    Obstacle,
    Planned,
    Timing,
    Why,
    abandoned,
    begin,
    begun_with,
    ended,
    first_served,
    is_due,
    marked,
    missed,
    paced,
    paused,
    resumed,
    started,
)

T0 = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOURLY = Timing()
EXACT = Timing(jitter_percent=0)
ANN = Actor("ann", KnownBy.SELF_DECLARED)


def at(minutes: float) -> datetime:
    return T0 + timedelta(minutes=minutes)


def waiting(due: float = 0, **fields: object) -> Planned:
    return replace(Planned(account="main", due=at(due), because=Why.INTERVAL), **fields)


def under_way(begun: float = 0, **fields: object) -> Planned:
    return waiting(begun, begun=at(begun), owner="p", last_begun=at(begun), **fields)


def good(minutes: float, **fields: object) -> Ended:
    return replace(Ended(at=at(minutes), report="rec_1", status="success", verdict="reconciled"), **fields)


def test_a_new_account_is_due_at_once() -> None:
    step = begun_with("main", T0)
    assert is_due(step.planned, T0)
    assert [fact.kind for fact in step.facts] == [FactKind.RUN_SCHEDULED]


@pytest.mark.parametrize("minutes, due", [(-0.01, False), (0, True)])
def test_an_account_is_due_from_its_instant_on(minutes: float, due: bool) -> None:
    assert is_due(waiting(), at(minutes)) is due


@pytest.mark.parametrize(
    "fields", [{"begun": T0}, {"paused_by": "ann"}, {"held": Held(Obstacle.LOCKOUT, at(1))}], ids=str
)
def test_nothing_begins_while_something_stands_against_it(fields: dict[str, object]) -> None:
    assert begin(replace(waiting(), **fields), T0, owner="p") is None


def test_the_next_run_is_counted_from_the_beginning_of_the_last() -> None:
    done = ended(under_way(0), good(7), EXACT).planned
    assert (done.due, done.because, done.begun) == (at(60), Why.INTERVAL, None)


def test_a_run_that_took_longer_than_the_interval_is_followed_at_once() -> None:
    assert ended(under_way(0), good(90), EXACT).planned.due == at(90)


@given(st.text(min_size=1), st.integers(0, 100_000))
def test_jitter_brings_a_run_forward_by_its_share_at_most(account: str, seconds: int) -> None:
    one = replace(under_way(0), account=account, begun=T0 + timedelta(seconds=seconds))
    due = ended(one, good(0), replace(HOURLY, jitter_percent=10)).planned.due
    assert timedelta(minutes=54) <= due - T0 - timedelta(seconds=seconds) <= timedelta(minutes=60)


def test_accounts_are_spread_by_their_names() -> None:
    ends = {ended(replace(under_way(0), account=f"a{n}"), good(1), HOURLY).planned.due for n in range(50)}
    assert len(ends) > 40


def test_an_event_brings_the_run_forward() -> None:
    step = marked(waiting(30), Why.STREAM, T0)
    assert (step.planned.due, step.planned.because) == (T0, Why.STREAM)


def test_an_event_during_a_run_makes_another_one_due_after_it() -> None:
    moved = marked(under_way(0), Why.STREAM, at(1)).planned
    done = ended(moved, good(2), EXACT).planned
    assert (done.due, done.because) == (at(2), Why.STREAM)


def test_an_event_before_the_run_began_is_served_by_it() -> None:
    begun = begin(marked(waiting(30), Why.STREAM, T0).planned, at(1), owner="p")
    assert begun is not None
    assert ended(begun.planned, good(2), EXACT).planned.due == at(61)


def test_an_event_does_not_open_what_the_exchange_has_locked() -> None:
    held = waiting(0, held=Held(Obstacle.LOCKOUT, at(15)))
    assert not is_due(marked(held, Why.REQUESTED, at(1)).planned, at(2))
    assert is_due(marked(held, Why.REQUESTED, at(1)).planned, at(15))


@pytest.mark.parametrize(
    "obstacle, failures, least, most",
    [
        (Obstacle.LOCKOUT, 0, 15 * 60, 19 * 60),
        (Obstacle.LOCKOUT, 5, 15 * 60, 19 * 60),
        (Obstacle.OUTAGE, 0, 15, 19),
        (Obstacle.OUTAGE, 3, 120, 150),
        (Obstacle.OUTAGE, 30, 3600, 4500),
        (Obstacle.THROTTLED, 1, 60, 75),
        (Obstacle.MAINTENANCE, 0, 60, 75),
        (Obstacle.BUSY, 3, 5, 6.25),
    ],
)
def test_how_long_is_waited_follows_from_what_stood_in_the_way(
    obstacle: Obstacle, failures: int, least: float, most: float
) -> None:
    done = ended(under_way(0, failures=failures), Ended(at=T0, report="rec_1", obstacle=obstacle), EXACT).planned
    assert least <= (done.due - T0).total_seconds() <= most
    assert done.held == Held(obstacle, done.due)


def test_what_the_exchange_says_about_when_to_come_back_is_believed() -> None:
    run = Ended(at=T0, report="rec_1", obstacle=Obstacle.THROTTLED, until=at(20))
    assert ended(under_way(0), run, EXACT).planned.due == at(20)


def test_failures_are_counted_until_a_run_succeeds() -> None:
    failed = Ended(at=at(1), report="rec_1", obstacle=Obstacle.OUTAGE)
    one = ended(under_way(0), failed, EXACT).planned
    two = ended(replace(one, begun=at(2)), replace(failed, at=at(3)), EXACT).planned
    assert (one.failures, two.failures) == (1, 2)
    assert ended(replace(two, begun=at(4)), good(5), EXACT).planned.failures == 0


def test_an_account_that_somebody_else_runs_has_not_failed() -> None:
    done = ended(under_way(0, failures=2, status="success"), Ended(at=T0, obstacle=Obstacle.BUSY), EXACT)
    assert (done.planned.failures, done.planned.status) == (2, "success")
    assert done.facts[0].kind == FactKind.RUN_SKIPPED


def test_a_part_that_could_not_be_read_does_not_bring_the_next_whole_run_forward() -> None:
    partial = good(1, status="partial", verdict="incomplete", obstacle=Obstacle.OUTAGE)
    assert ended(under_way(0), partial, EXACT).planned.due == at(60)


def test_only_a_whole_look_counts_as_complete() -> None:
    seen = ended(under_way(0), good(1, complete=at(0.5)), EXACT).planned
    assert seen.last_complete == at(0.5)
    assert ended(replace(seen, begun=at(2)), good(3), EXACT).planned.last_complete == at(0.5)


@pytest.mark.parametrize("minutes, told", [(5, False), (5.01, True)])
def test_a_run_that_nobody_did_in_time_is_told(minutes: float, told: bool) -> None:
    step = missed(waiting(), at(minutes), HOURLY)
    assert (step is not None) is told
    if step is not None:
        assert [fact.kind for fact in step.facts] == [FactKind.RUN_SKIPPED]
        assert step.facts[0].body["reason"] == "nobody ran it in time"


def test_one_missed_run_is_told_once() -> None:
    step = missed(waiting(), at(10), HOURLY)
    assert step is not None
    assert missed(step.planned, at(20), HOURLY) is None


def test_every_run_that_a_pause_keeps_from_happening_is_told() -> None:
    stopped = paused(waiting(0), ANN, at(-1)).planned
    first = missed(stopped, T0, EXACT)
    assert first is not None
    assert (first.planned.due, first.facts[0].body["reason"]) == (at(60), "paused by ann")
    assert missed(first.planned, at(59), EXACT) is None
    assert missed(first.planned, at(60), EXACT) is not None


def test_after_a_pause_a_run_is_due_at_once() -> None:
    going = resumed(paused(waiting(0), ANN, at(-1)).planned, ANN, at(5)).planned
    assert (going.due, going.because, is_due(going, at(5))) == (at(5), Why.REQUESTED, True)


def test_at_a_start_what_was_missed_is_told_and_a_run_is_due() -> None:
    step = started(waiting(0), at(600), HOURLY)
    assert [fact.kind for fact in step.facts] == [FactKind.RUN_SKIPPED]
    assert (step.planned.because, is_due(step.planned, at(600))) == (Why.START, True)


def test_a_run_whose_process_is_gone_is_told_and_done_again() -> None:
    step = abandoned(under_way(0), at(3))
    assert (step.planned.failures, step.planned.due, step.planned.begun) == (1, at(3), None)
    assert "ended without a report" in step.facts[0].body["reason"]


def test_the_riskiest_account_is_served_first() -> None:
    def account(name: str, because: Why = Why.INTERVAL, seen: float = 0) -> Planned:
        return waiting(0, account=name, because=because, last_complete=at(seen))

    due = [account("calm"), account("old", seen=-9), account("bad"), account("asked", Why.REQUESTED)]
    due += [account("told", Why.STREAM), account("worst")]
    worst = {"bad": Severity.HIGH, "worst": Severity.CRITICAL}
    assert [one.account for one in first_served(due, worst)] == ["asked", "told", "worst", "bad", "old", "calm"]


@pytest.mark.parametrize("points, minutes", [(0, 1), (14, 1), (15, 1), (30, 2), (891, 59.4)])
def test_a_small_budget_makes_reads_rarer_and_never_smaller(points: int, minutes: float) -> None:
    # Three quarters of 1,200 points an hour are 15 a minute.
    timing = paced(Timing(interval=timedelta(minutes=1)), points=points, points_per_hour=1200)
    assert timing.interval == timedelta(minutes=minutes)


@given(st.lists(st.tuples(st.sampled_from("mbegxpr"), st.integers(1, 400)), max_size=60))
def test_whatever_happens_an_account_is_run_again(story: list[tuple[str, int]]) -> None:
    """However events, runs, failures, pauses and restarts follow each other, no account is forgotten."""
    now, planned = T0, begun_with("main", T0).planned
    for what, minutes in story:
        now += timedelta(minutes=minutes)
        match what:
            case "m":
                planned = marked(planned, Why.STREAM, now).planned
            case "b":
                begun = begin(planned, now, owner="p")
                planned = planned if begun is None else begun.planned
            case "e" | "g" if planned.begun is not None:
                run = Ended(at=now, report="rec_1", status="success" if what == "g" else "failed")
                planned = ended(planned, run, HOURLY).planned
            case "x" if planned.begun is not None:
                planned = abandoned(planned, now).planned
            case "p":
                planned = resumed(paused(planned, ANN, now).planned, ANN, now).planned
            case "r":
                planned = started(planned, now, HOURLY).planned
            case _:
                step = missed(planned, now, HOURLY)
                planned = planned if step is None else step.planned
    if planned.begun is not None:
        planned = ended(planned, Ended(at=now, report="rec_2", status="success"), HOURLY).planned
    assert begin(planned, now + timedelta(minutes=76), owner="p") is not None
