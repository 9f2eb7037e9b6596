"""Who hears of a notice, and from when on: every rule of a route on both sides of its boundary."""

from datetime import UTC, datetime, time, timedelta, timezone
from typing import Any

import pytest
from msgspec.structs import replace

from gal_friday.domain.alert import AlertKind, Notice, What
from gal_friday.domain.materiality import Severity
from gal_friday.domain.routing import Addressed, Quiet, Route, addressed
from tests.domain.test_whole_facts import NOTICE

TICK = timedelta(microseconds=1)
FIRING = replace(NOTICE, what=What.FIRING, severity=Severity.HIGH)
MAIL = Route(channel="mail")


def hearing(notice: Notice, *routes: Route, told: tuple[str, ...] = ()) -> list[str]:
    return [one.channel for one in addressed(notice, routes, told)]


def test_a_channel_hears_of_everything_at_any_hour_unless_it_is_said_otherwise() -> None:
    assert Route(channel="mail", severity=Severity.LOW, accounts=(), only_escalated=False, quiet=None) == MAIL
    assert Quiet(time(22), time(7)).below is Severity.CRITICAL
    assert addressed(FIRING, [MAIL, Route(channel="chat")]) == (
        Addressed("mail", FIRING.at),
        Addressed("chat", FIRING.at),
    )


@pytest.mark.parametrize(
    "severity, asked, heard",
    [("low", "medium", False), ("medium", "medium", True), ("high", "medium", True), ("high", "critical", False)],
)
def test_a_channel_hears_from_its_severity_on(severity: str, asked: str, heard: bool) -> None:
    route = replace(MAIL, severity=Severity(asked))
    assert hearing(replace(FIRING, severity=Severity(severity)), route) == ["mail"] * heard


@pytest.mark.parametrize("account, heard", [("main", True), ("b", True), ("c", False), ("", True)])
def test_a_channel_of_some_accounts_hears_of_those_and_of_what_concerns_none(account: str, heard: bool) -> None:
    route = replace(MAIL, accounts=("main", "b"))
    assert hearing(replace(FIRING, account=account), route) == ["mail"] * heard
    assert hearing(replace(FIRING, account=account), MAIL) == ["mail"]


def test_a_channel_for_what_nobody_takes_on_hears_of_nothing_else() -> None:
    boss = replace(MAIL, only_escalated=True)
    escalated = replace(FIRING, escalated=True)
    assert (hearing(FIRING, boss), hearing(escalated, boss)) == ([], ["mail"])
    assert hearing(escalated, replace(boss, severity=Severity.CRITICAL)) == []
    assert hearing(escalated, replace(boss, accounts=("other",))) == []


@pytest.mark.parametrize("what", list(What))
def test_that_it_is_over_or_taken_on_is_told_to_those_who_knew_and_to_nobody_else(what: What) -> None:
    follows = what in (What.RESOLVED, What.ACKNOWLEDGED)
    strict = Route(channel="boss", severity=Severity.CRITICAL, accounts=("other",), only_escalated=True)
    notice = replace(FIRING, what=what)
    # Whoever heard of it once hears of it again, also where it is not grave enough any more.
    assert hearing(notice, MAIL, strict, told=("boss",)) == (["boss"] if follows else ["mail", "boss"])
    assert hearing(notice, MAIL, strict) == ([] if follows else ["mail"])


@pytest.mark.parametrize(
    "kind, subjects, heard",
    [
        (AlertKind.CHANNEL_FAILING, ("mail",), False),
        (AlertKind.CHANNEL_FAILING, ("chat",), True),
        (AlertKind.STALE, ("mail",), True),
    ],
)
def test_that_a_channel_takes_nothing_is_not_told_through_it(
    kind: AlertKind, subjects: tuple[str, ...], heard: bool
) -> None:
    notice = replace(FIRING, kind=kind, subjects=subjects)
    assert hearing(notice, MAIL) == hearing(notice, MAIL, told=("mail",)) == ["mail"] * heard
    # That it takes something again is told by it too, where it was told that it does not.
    assert hearing(replace(notice, what=What.RESOLVED), MAIL, told=("mail",)) == ["mail"]


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC)


NIGHT, LUNCH = Quiet(time(22), time(7)), Quiet(time(12), time(13, 30))
EAST = timezone(timedelta(hours=9))


@pytest.mark.parametrize(
    "quiet, now, over",
    [
        (LUNCH, at(5, 12) - TICK, None),
        (LUNCH, at(5, 12), at(5, 13, 30)),
        (LUNCH, at(5, 13, 30) - TICK, at(5, 13, 30)),
        (LUNCH, at(5, 13, 30), None),
        (NIGHT, at(5, 22) - TICK, None),
        (NIGHT, at(5, 22), at(6, 7)),
        (NIGHT, at(6, 0), at(6, 7)),
        (NIGHT, at(6, 7) - TICK, at(6, 7)),
        (NIGHT, at(6, 7), None),
        (NIGHT, at(5, 22).astimezone(EAST), at(6, 7)),
        (Quiet(time(7), time(7)), at(5, 7), at(6, 7)),
        (Quiet(time(7), time(7)), at(5, 7) - TICK, at(5, 7)),
    ],
)
def test_quiet_hours_end_on_the_day_after_where_they_have_to(
    quiet: Quiet, now: datetime, over: datetime | None
) -> None:
    assert quiet.over_at(now) == (over or now)
    route = replace(MAIL, quiet=quiet)
    assert addressed(replace(FIRING, at=now), [route]) == (Addressed("mail", over or now),)


@pytest.mark.parametrize(
    "severity, below, waits",
    [("high", "critical", True), ("critical", "critical", False), ("high", "high", False), ("medium", "high", True)],
)
def test_only_what_is_less_grave_than_asked_for_waits(severity: str, below: str, waits: bool) -> None:
    route = replace(MAIL, quiet=replace(NIGHT, below=Severity(below)))
    terms: dict[str, Any] = {"at": at(5, 23), "severity": Severity(severity)}
    (one,) = addressed(replace(FIRING, **terms), [route])
    assert one.not_before == (at(6, 7) if waits else at(5, 23))
