"""What people are woken with: each condition whole, and not told on this side of its boundary."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from gal_friday.domain.alert import AlertKind, Condition
from gal_friday.domain.conditions import (
    Limits,
    Waits,
    failed_run,
    missed_run,
    open_discrepancies,
    outages,
    overdue_reviews,
    stale_account,
)
from gal_friday.domain.discrepancy import PositionDiscrepancy, RecordDiscrepancy
from gal_friday.domain.finding import DiscrepancyType
from gal_friday.domain.followed import Followed
from gal_friday.domain.materiality import Severity
from gal_friday.domain.schedule import Held, Obstacle, Planned
from tests.domain.build import T0, at
from tests.domain.test_review import SEEN

LIMITS = Limits()
TICK = timedelta(microseconds=1)
D = Decimal


def condition(kind: AlertKind, subject: str, severity: str, title: str, *lines: str, **more: Any) -> Condition:
    """Return the condition of the account main at kraken, which says this."""
    terms: dict[str, Any] = {"account": "main", "exchange": "kraken", "since": T0} | more
    return Condition(kind=kind, subject=subject, severity=Severity(severity), title=title, lines=lines, **terms)


def failed(failures: int, *reasons: str, run: str = "rec_1") -> Condition | None:
    return failed_run("main", "kraken", failures=failures, at=T0, reasons=reasons, run=run, limits=LIMITS)


NOTHING_COMPARED = "nothing was compared: what differs now is not known"


@pytest.mark.parametrize(
    "failures, severity, title",
    [
        (1, "high", "the last run failed"),
        (2, "high", "2 runs failed one after the other"),
        (3, "critical", "3 runs failed one after the other"),
    ],
)
def test_a_failed_run_says_how_often_and_why_and_where_to_look(failures: int, severity: str, title: str) -> None:
    expected = condition(
        AlertKind.RUN_FAILED,
        "main",
        severity,
        title,
        *("a", "b", "c", NOTHING_COMPARED),
        path="/reports/rec_1",
        dated=False,
        magnitude=failures,
    )
    assert failed(failures, "a", "b", "c", "d") == expected
    assert failed(failures, "a", "b", "c", run="") == replace(expected, path="/accounts/main")


def test_a_run_that_did_not_fail_is_not_told() -> None:
    assert failed(0, "a") is None


def graded(severity: str, **latest: Any) -> Followed:
    return replace(SEEN, latest=replace(SEEN.latest, severity=Severity(severity), **latest), since=at(-60))


def discrepancy(severity: str, title: str, *lines: str, value: str | None = "5") -> Condition:
    return condition(
        AlertKind.DISCREPANCIES,
        SEEN.id,
        severity,
        title,
        *lines,
        path=f"/discrepancies/{SEEN.id}",
        value=None if value is None else D(value),
    )


SINCE = "since 2026-01-31 11:00:00 UTC, seen in 1 runs"
BALANCE = graded("critical")
POSITION = replace(
    SEEN,
    latest=PositionDiscrepancy(
        id=SEEN.id,
        key="positions:XRP/USD:net",
        trading_pair="XRP/USD",
        mode="net",
        type=DiscrepancyType.QUANTITY_MISMATCH,
        internal=D("10.0"),
        exchange=D(-3),
        difference=D(-13),
        severity=Severity.CRITICAL,
        explanation="a fill is missing",
    ),
    occurrences=3,
    since=at(-60),
)
RECORD = replace(
    POSITION,
    latest=RecordDiscrepancy(
        id=SEEN.id,
        key="fills:T1",
        record_id="T1",
        about="XRP/USD",
        type=DiscrepancyType.FILL_MISSING_INTERNAL,
        field="quantity",
        exchange="40.0",
        severity=Severity.CRITICAL,
        value=D("20.005"),
    ),
)


@pytest.mark.parametrize(
    "followed, expected",
    [
        (
            BALANCE,
            discrepancy("critical", "XRP in spot: book 100, exchange 105, worth 5.00 EUR (critical)", SINCE),
        ),
        (
            POSITION,
            discrepancy(
                "critical",
                "position XRP/USD: book 10, exchange -3 (critical)",
                "since 2026-01-31 11:00:00 UTC, seen in 3 runs",
                "a fill is missing",
                value=None,
            ),
        ),
        (
            RECORD,
            discrepancy(
                "critical",
                "T1 quantity: book nothing, exchange 40.0, worth 20.00 EUR (critical)",
                "since 2026-01-31 11:00:00 UTC, seen in 3 runs",
                value="20.005",
            ),
        ),
    ],
    ids=["balance", "position", "record"],
)
def test_what_differs_is_told_with_both_sides_and_what_it_is_worth(followed: Followed, expected: Condition) -> None:
    assert list(open_discrepancies([Waits(followed)], Limits(currency="EUR"))) == [expected]


def test_what_is_less_grave_than_asked_for_wakes_nobody() -> None:
    waiting = [Waits(graded(one)) for one in ("low", "medium", "high", "critical")]
    told = [one.severity for one in open_discrepancies(waiting, Limits(severity=Severity.HIGH))]
    assert told == ["high", "critical"]
    assert [one.severity for one in open_discrepancies(waiting, LIMITS)] == ["critical"]


@pytest.mark.parametrize(
    "severity, told", [("low", "medium"), ("medium", "medium"), ("high", "high"), ("critical", "high")]
)
@pytest.mark.parametrize(
    "late, span",
    [
        (timedelta(seconds=1), "1 minutes"),
        (timedelta(minutes=119), "119 minutes"),
        (timedelta(minutes=120), "2 hours"),
        (timedelta(hours=47, minutes=59), "47 hours"),
        (timedelta(hours=48), "2 days"),
        (timedelta(hours=73), "3 days"),
    ],
)
def test_a_review_that_is_late_says_of_what_and_by_how_much(
    severity: str, told: str, late: timedelta, span: str
) -> None:
    waiting = [Waits(graded(severity)), Waits(graded(severity), late)]
    assert list(overdue_reviews(waiting)) == [
        condition(
            AlertKind.REVIEW_OVERDUE,
            SEEN.id,
            told,
            "nobody has looked at XRP in spot in time",
            f"{severity}, overdue by {span}",
            path=f"/discrepancies/{SEEN.id}",
            value=D(5),
        )
    ]


def planned(**fields: Any) -> Planned:
    return replace(Planned(account="main", due=T0), **fields)


def missed(why: str = "nobody ran it", since: int = 0, due: str = "12:00:00") -> Condition:
    return condition(
        AlertKind.RUN_MISSED,
        "main",
        "high",
        "a run was due and did not happen",
        f"due at 2026-01-31 {due} UTC",
        why,
        path="/accounts/main",
        since=at(since),
        dated=False,
    )


NOTICED = {"due": at(60), "missed": at(-30), "missed_at": T0}


@pytest.mark.parametrize(
    "plan, now, expected",
    [
        (planned(), at(5), None),
        (planned(), at(5) + TICK, missed()),
        (planned(begun=at(1)), at(9), None),
        (planned(paused_by="ann"), at(9), None),
        (
            planned(held=Held(Obstacle.LOCKOUT, at(15))),
            at(9),
            missed("lockout: nothing is tried before 2026-01-31 12:15:00 UTC"),
        ),
        (planned(**NOTICED), at(5), missed(since=-30, due="11:30:00")),
        (planned(**NOTICED), at(5) + TICK, None),
        (planned(due=at(60), missed=at(-30)), at(1), None),
        (planned(due=at(60)), at(1), None),
    ],
)
def test_a_run_that_did_not_happen_is_told_once_it_is_late_and_a_while_after_that_was_noticed(
    plan: Planned, now: Any, expected: Condition | None
) -> None:
    assert missed_run(plan, "kraken", now, LIMITS) == expected


STALE = condition(
    AlertKind.STALE,
    "main",
    "high",
    "the account was not seen whole for too long",
    "the last run that saw everything was at 2026-01-31 12:00:00 UTC",
    path="/accounts/main",
    since=at(360),
    dated=False,
)


@pytest.mark.parametrize(
    "plan, now, expected",
    [
        (planned(last_complete=T0), at(360), None),
        (planned(last_complete=T0), at(360) + TICK, STALE),
        (planned(last_complete=T0, paused_by="ann"), at(999), None),
        (planned(), at(999), None),
    ],
)
def test_an_account_that_nobody_sees_whole_is_told_after_six_hours(
    plan: Planned, now: Any, expected: Condition | None
) -> None:
    assert stale_account(plan, "kraken", now, LIMITS) == expected


def down(account: str, obstacle: Obstacle = Obstacle.OUTAGE, **fields: Any) -> tuple[Planned, str]:
    terms = {"account": account, "failures": 1, "held": Held(obstacle, at(1))} | fields
    return planned(**terms), "kraken"


def test_an_exchange_that_answers_nobody_is_one_alert_since_its_first_failure() -> None:
    down_now = [down("b", due=at(7)), down("a", Obstacle.MAINTENANCE, last_run=at(4), due=at(3))]
    others = [
        down("c", Obstacle.THROTTLED),
        down("d", failures=0),
        down("e", held=None),
        (down("f")[0], "bitfinex"),
    ]
    (outage,) = outages([*down_now, *others], LIMITS)
    assert outage == condition(
        AlertKind.OUTAGE,
        "kraken",
        "critical",
        "kraken gives 2 accounts no usable answer",
        "their failed runs are not told one by one",
        account="",
        path="/accounts",
        since=at(4),
        dated=False,
        magnitude=2,
    )
    assert list(outages(down_now[:1], LIMITS)) == []
    (undated,) = outages([down("b", due=at(7)), down("a", due=at(9))], LIMITS)
    assert undated.since == at(7)
