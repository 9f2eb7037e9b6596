"""What people are woken with of corrections, keys, the journal and channels: each condition whole."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from gal_friday.domain.adjusted import AdjustmentChange, Kept
from gal_friday.domain.adjustment import AdjustmentState
from gal_friday.domain.alert import AlertKind, Condition
from gal_friday.domain.candidate import Bars
from gal_friday.domain.conditions import (
    JournalSeen,
    Limits,
    Stuck,
    failing_channels,
    journal_doubts,
    key_ending,
    tripped_breakers,
    unreadable,
    unsettled_adjustments,
)
from gal_friday.domain.decision import Choice, Decided, Decision
from gal_friday.domain.materiality import Severity
from gal_friday.domain.report import compare
from tests.domain.build import T0, at, balance, exchange, internal
from tests.domain.test_conditions import LIMITS, TICK, condition
from tests.domain.test_decision import proven
from tests.domain.test_observed import made


def test_a_breaker_is_told_once_though_its_count_grows() -> None:
    def stopped(*reasons: str) -> Decided:
        return Decided(replace(proven(), bars=Bars()), Decision(Choice.PROPOSE, reasons, "pol_1"))

    report = compare(internal(balance("XRP", "1")), exchange(balance("XRP", "1")))
    reasons = ("corrections stopped: b 31", "corrections stopped: a 101 (x)", "it came back 3 times")
    told = [*tripped_breakers(replace(report, decisions=(stopped(*reasons), stopped(reasons[0]))))]
    assert told == [
        condition(
            AlertKind.BREAKER_TRIPPED,
            subject,
            "high",
            title,
            "nothing is posted without a person until this is over",
            path=f"/reports/{report.reconciliation_id}",
            since=report.timestamp,
            dated=False,
        )
        for subject, title in (
            ("corrections stopped: a  (x)", "corrections stopped: a 101 (x)"),
            ("corrections stopped: b ", "corrections stopped: b 31"),
        )
    ]


@pytest.mark.parametrize(
    "state, severity, title",
    [
        ("outcome_unknown", "critical", "nobody knows whether the book holds {}"),
        ("unverified", "high", "after {} a difference was still seen"),
        ("applied", "", ""),
        ("refused", "", ""),
    ],
)
def test_an_adjustment_that_somebody_must_look_at_says_which_and_since_when(
    state: str, severity: str, title: str
) -> None:
    kept = Kept(adjustment=made(), state=AdjustmentState(state), proposed_by="ann")
    change = AdjustmentChange(1, at(7), None, kept.state, "ann")
    told = [*unsettled_adjustments([kept, replace(kept, history=(change, replace(change, at=at(8))))])]
    expected = [
        condition(
            AlertKind.ADJUSTMENT_UNSETTLED,
            kept.id,
            severity,
            title.format(kept.id),
            "it never arrived",
            path=f"/adjustments/{kept.id}",
            since=since,
        )
        for since in (T0, at(8))
        if severity
    ]
    assert told == expected


DAY = timedelta(days=1)


@pytest.mark.parametrize(
    "left, severity, title",
    [
        (14 * DAY + TICK, "", ""),
        (14 * DAY, "medium", "the key ends in 14 days"),
        (3 * DAY + TICK, "medium", "the key ends in 3 days"),
        (3 * DAY, "high", "the key ends in 3 days"),
        (TICK, "high", "the key ends in 1 minutes"),
        (0 * DAY, "critical", "the key has ended"),
        (-DAY, "critical", "the key has ended"),
    ],
)
def test_a_key_is_told_two_weeks_before_it_ends(left: timedelta, severity: str, title: str) -> None:
    expected = condition(
        AlertKind.KEY_EXPIRING,
        "main",
        severity or "low",
        title,
        "valid until 2026-01-31 12:00:00 UTC",
        "make a new one with query rights only, and put it in its place",
        path="/accounts/main",
        since=T0 - 14 * DAY,
    )
    assert key_ending("main", "kraken", T0, T0 - left, LIMITS) == (expected if severity else None)


def journal(subject: str, severity: str, title: str, *lines: str, hours: int = 0) -> list[Condition]:
    since = T0 + timedelta(hours=hours)
    kind, verify = AlertKind.JOURNAL_UNVERIFIED, "run: gal-friday journal verify"
    return [
        condition(kind, subject, severity, title, *lines, verify, account="", exchange="", path="/journal", since=since)
    ]


BROKEN = journal("broken", "critical", "the journal is not what was written: entry 7")
TOO_LONG = "nobody has verified the journal for too long"
NEVER = journal("age", "medium", TOO_LONG, "never yet", hours=48)
LAST = journal("age", "medium", TOO_LONG, "last at 2026-01-31 12:00:00 UTC", hours=48)


@pytest.mark.parametrize(
    "seen, begun, now, expected",
    [
        (JournalSeen(at=T0, broken="entry 7"), T0, T0, BROKEN),
        (JournalSeen(at=T0, broken="entry 7"), T0, T0 + 9 * DAY, BROKEN),
        (JournalSeen(at=T0), T0 - 9 * DAY, T0 + 2 * DAY, []),
        (JournalSeen(at=T0), T0 - 9 * DAY, T0 + 2 * DAY + TICK, LAST),
        (None, T0, T0 + 2 * DAY, []),
        (None, T0, T0 + 2 * DAY + TICK, NEVER),
    ],
)
def test_a_journal_that_is_broken_or_unlooked_at_is_told(seen: Any, begun: Any, now: Any, expected: Any) -> None:
    assert list(journal_doubts(seen, begun, now, LIMITS)) == expected


@pytest.mark.parametrize("waiting, said", [(1, "1 notice waits"), (2, "2 notices wait")])
def test_a_channel_that_takes_nothing_is_told_after_two_minutes(waiting: int, said: str) -> None:
    stuck = Stuck(channel="mail", waiting=waiting, since=T0, attempts=4, reason="it is down")
    assert list(failing_channels([stuck], at(2), LIMITS)) == []
    assert list(failing_channels([stuck], at(2) + TICK, LIMITS)) == [
        condition(
            AlertKind.CHANNEL_FAILING,
            "mail",
            "high",
            "the channel mail takes nothing since 2026-01-31 12:00:00 UTC",
            f"{said}, after 4 attempts: it is down",
            account="",
            exchange="",
            path="/alerts",
        )
    ]


def test_that_nothing_can_be_read_is_told_as_the_gravest() -> None:
    assert unreadable("no database", T0) == condition(
        AlertKind.EVALUATION_FAILING,
        "evaluation",
        "critical",
        "what holds cannot be read: nobody would be told of anything else",
        "no database",
        account="",
        exchange="",
        path="/alerts",
        dated=False,
    )


def test_the_limits_are_what_the_documents_promise() -> None:
    assert Limits() == Limits(
        severity=Severity.CRITICAL,
        failures=3,
        late_after=timedelta(minutes=5),
        stale_after=timedelta(hours=6),
        key_ends_within=timedelta(days=14),
        journal_unverified_after=timedelta(days=2),
        channel_failing_after=timedelta(minutes=2),
        accounts_of_an_outage=2,
        accounts_told_alone=5,
        currency="USD",
    )
    seen = JournalSeen(at=T0)
    assert (seen.broken, seen.journal, seen.head, seen.entries, seen.root) == ("", "", 0, 0, "")
