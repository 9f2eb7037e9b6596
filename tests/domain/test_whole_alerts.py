"""Alerts whole, from look to look: what is kept of each, what is told, and when time alone moves it next."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from gal_friday.domain.alert import Alert, AlertKind, Condition, Notice, Phase, Told, What
from gal_friday.domain.alerting import (
    Event,
    Moved,
    NothingToAcknowledge,
    Rules,
    acknowledged,
    look,
    next_look,
    quiet_time,
)
from gal_friday.domain.facts import Actor, KnownBy
from gal_friday.domain.materiality import Severity
from tests.domain.alerts import RULES, T0, at, condition, group
from tests.domain.test_alert_groups import ID, WHOLE

ALICE = Actor("alice", KnownBy.SELF_DECLARED)
TICK = timedelta(microseconds=1)
MINUTE, HOUR = 60, 3600
HIGH, CRITICAL, MEDIUM = Severity.HIGH, Severity.CRITICAL, Severity.MEDIUM

# One alert, look by look.
SEEN = Alert(
    id=ID,
    kind=AlertKind.DISCREPANCIES,
    account="main",
    exchange="kraken",
    phase=Phase.PENDING,
    episode=1,
    severity=CRITICAL,
    title="dis_1 is off",
    lines=("because",),
    path="/discrepancies/dis_1",
    since=T0,
    newest=T0,
    magnitude=1,
    subjects=("dis_1",),
    began=at(5),
    gone_since=None,
    resolved_at=None,
    told=None,
    notices=0,
    channels=(),
    muted="",
    raised=False,
    escalated=False,
    acknowledged_by=None,
    acknowledged_at=None,
    flaps=0,
    revision=0,
)
FIRING = replace(
    SEEN,
    phase=Phase.FIRING,
    told=Told(at(6), at(6), CRITICAL, 1, T0),
    notices=1,
    raised=True,
)
NOTICE = Notice(
    alert_id=ID,
    episode=1,
    number=1,
    what=What.FIRING,
    at=at(6),
    kind=AlertKind.DISCREPANCIES,
    account="main",
    exchange="kraken",
    severity=CRITICAL,
    title="dis_1 is off",
    lines=("because",),
    path="/discrepancies/dis_1",
    since=T0,
    magnitude=1,
    subjects=("dis_1",),
    escalated=False,
    by="",
)
TAKEN = replace(
    FIRING,
    phase=Phase.ACKNOWLEDGED,
    acknowledged_by=ALICE,
    acknowledged_at=at(9),
    told=replace(FIRING.told, at=at(9)),  # type: ignore[type-var]
    notices=2,
)


def looked(alert: Alert | None, seconds: float, *conditions: Condition, rules: Rules = RULES, **more: Any) -> Any:
    return look(alert, group(*conditions), at(seconds), rules, **more)


def test_what_is_found_waits_and_is_told_and_taken_on() -> None:
    assert looked(None, 5, condition()) == Moved(SEEN, None, (Event.SEEN,))
    assert looked(SEEN, 6 - 1e-6, condition()) is None
    assert looked(SEEN, 6, condition()) == Moved(FIRING, NOTICE, (Event.WAITED,))
    assert looked(FIRING, 7, condition()) is None
    taken = replace(NOTICE, number=2, what=What.ACKNOWLEDGED, at=at(9), by="alice")
    assert acknowledged(FIRING, ALICE, at(9)) == Moved(TAKEN, taken, (Event.TAKEN_ON,))
    assert looked(None, 5) is None
    at_once = looked(None, 5, condition(), rules=Rules(group_wait=timedelta()))
    assert (at_once.events, at_once.notice.what) == ((Event.SEEN, Event.WAITED), What.FIRING)


def over(alert: Alert, seconds: float, **more: Any) -> Alert:
    assert alert.told is not None
    told = replace(alert.told, at=at(seconds))
    gone: dict[str, Any] = {"phase": Phase.RESOLVED, "resolved_at": at(seconds), "notices": alert.notices + 1}
    return replace(alert, told=told, **gone, **more)


def test_what_is_gone_is_over_after_a_while_and_that_is_told() -> None:
    gone = replace(FIRING, gone_since=at(20))
    assert looked(FIRING, 20) == Moved(gone, None, ())
    assert looked(gone, 80 - 1e-6) is None
    resolved = over(gone, 80)
    told = replace(NOTICE, number=2, what=What.RESOLVED, at=at(80))
    assert looked(gone, 80) == Moved(resolved, told, (Event.CLEARED,))
    assert looked(resolved, 99) is None
    # Muted or not, whoever knew of it hears of it, and nothing stays muted that is over.
    assert looked(gone, 80, muted="sil_1") == Moved(resolved, told, (Event.CLEARED,))
    assert looked(resolved, 99, muted="sil_1") is None
    # What was told to nobody goes as it came.
    assert looked(replace(SEEN, gone_since=at(6)), 7) == Moved(
        replace(SEEN, gone_since=at(6), phase=Phase.RESOLVED, resolved_at=at(7)), None, (Event.CLEARED,)
    )
    assert looked(replace(gone, raised=True), 30, condition()) == Moved(FIRING, None, ())


def test_what_comes_back_soon_is_told_with_how_often() -> None:
    resolved = over(FIRING, 80, gone_since=at(20))
    again = replace(SEEN, episode=2, began=at(100), flaps=1)
    assert looked(resolved, 100, condition()) == Moved(again, None, (Event.SEEN,))
    told = looked(again, 101, condition()).notice
    assert told.lines == ("because", "came back once shortly after it was over")
    told = looked(replace(again, flaps=2), 101, condition()).notice
    assert told.lines == ("because", "came back 2 times shortly after it was over")


@pytest.mark.parametrize(
    "seconds, raised, before, flaps",
    [(80 + HOUR, True, 3, 4), (80 + HOUR + 1, True, 3, 0), (90, False, 3, 3), (80, True, 0, 1)],
)
def test_what_returns_within_an_hour_flaps(seconds: float, raised: bool, before: int, flaps: int) -> None:
    busy = {"escalated": True, "acknowledged_by": ALICE, "acknowledged_at": at(9), "channels": ("mail",)}
    resolved = over(FIRING, 80, gone_since=at(20), raised=raised, flaps=before, **busy)
    again = replace(SEEN, episode=2, began=at(seconds), flaps=flaps)
    assert looked(resolved, seconds, condition()).alert == again


def test_what_is_muted_is_kept_and_told_once_it_is_not() -> None:
    waits = replace(SEEN, muted="sil_1")
    assert looked(None, 5, condition(), muted="sil_1") == Moved(waits, None, (Event.SEEN,))
    fired = replace(waits, phase=Phase.FIRING, raised=True)
    assert looked(waits, 6, condition(), muted="sil_1") == Moved(fired, None, (Event.WAITED,))
    told = Told(at(50), at(50), CRITICAL, 1, T0)
    assert looked(fired, 50, condition()) == Moved(
        replace(FIRING, told=told), replace(NOTICE, at=at(50)), (Event.UNTOLD,)
    )
    # What was told before is neither repeated nor escalated while it is muted.
    assert looked(FIRING, 9 * HOUR, condition(), muted="sil_1") == Moved(replace(FIRING, muted="sil_1"), None, ())
    gone = replace(fired, gone_since=at(60))
    assert looked(gone, 120) == Moved(
        replace(gone, phase=Phase.RESOLVED, resolved_at=at(120), muted=""), None, (Event.CLEARED,)
    )


def again(alert: Alert, seconds: float, what: What, event: Event, *, told: Told, **changes: Any) -> Moved:
    """Return what becomes of an alert that is told again."""
    moved = replace(alert, told=told, notices=alert.notices + 1, **changes)
    shown = ("severity", "title", "lines", "path", "since", "magnitude", "subjects", "escalated")
    notice = replace(NOTICE, number=moved.notices, what=what, at=at(seconds), **{n: getattr(moved, n) for n in shown})
    return Moved(moved, notice, (event,))


FROM_6 = Told(at(6), at(6), CRITICAL, 1, T0)


def test_what_grows_is_told_at_once_with_what_it_is_now() -> None:
    both = {"title": "2 discrepancies are open", "lines": ("dis_1 is off", "dis_2 is off")}
    grown: dict[str, Any] = both | {"path": "/discrepancies?account=main", "subjects": ("dis_1", "dis_2")}
    grown |= {"magnitude": 2, "newest": at(3)}
    told = Told(at(7), at(6), CRITICAL, 2, at(3))
    assert looked(FIRING, 7, condition(), condition("dis_2", since=3)) == again(
        FIRING, 7, What.GREW, Event.GREW, told=told, **grown
    )
    # Nobody has it any more, and the time to take it on begins anew.
    free = {"phase": Phase.FIRING, "acknowledged_by": None, "acknowledged_at": None}
    assert looked(TAKEN, 17, condition(), condition("dis_2", since=3)) == again(
        TAKEN, 17, What.GREW, Event.GREW, told=replace(told, at=at(17), first_at=at(17)), **grown, **free
    )
    escalated = replace(FIRING, phase=Phase.ESCALATED, escalated=True)
    assert looked(escalated, 7, condition(), condition("dis_2", since=3)) == again(
        escalated, 7, What.GREW, Event.GREW, told=told, **grown
    )


@pytest.mark.parametrize("before, now, growth, grew", [(2, 3, 2, False), (2, 4, 2, True), (2, 5, 3, False)])
def test_growth_is_so_many_times_what_was_told(before: int, now: int, growth: int, grew: bool) -> None:
    alert = replace(FIRING, told=replace(FROM_6, magnitude=before))
    moved = looked(alert, 7, condition(magnitude=now), rules=Rules(growth=growth))
    assert moved.events == ((Event.GREW,) if grew else ())
    assert moved.alert.told.magnitude == (now if grew else before)


def test_what_shrinks_is_measured_against_the_most_that_was_told() -> None:
    alert = replace(FIRING, told=replace(FROM_6, magnitude=9, newest=at(4)))
    renewed = looked(alert, 4 * HOUR + 6, condition(), rules=Rules(escalate_after=timedelta(days=9)))
    assert renewed.alert.told == Told(at(4 * HOUR + 6), at(6), CRITICAL, 9, at(4))
    unknown = looked(alert, 4 * HOUR + 6, condition(dated=False), rules=Rules(escalate_after=timedelta(days=9)))
    assert unknown.alert.told == Told(at(4 * HOUR + 6), at(6), CRITICAL, 9, at(4))
    first = looked(replace(SEEN, newest=None), 6, condition(dated=False))
    assert first.alert.told == Told(at(6), at(6), CRITICAL, 1, None)


def test_of_many_accounts_so_few_that_news_is_measured_anew_count_from_there() -> None:
    alert = replace(FIRING, magnitude=9, told=replace(FROM_6, magnitude=9))
    few = replace(WHOLE, few=True, magnitude=3)
    moved = look(alert, few, at(7), RULES)
    assert moved == Moved(replace(alert, magnitude=3, told=replace(FROM_6, magnitude=3)), None, ())
    moved = look(alert, replace(few, few=False), at(7), RULES)
    assert moved == Moved(replace(alert, magnitude=3), None, ())
    more = look(replace(alert, told=replace(FROM_6, magnitude=2)), few, at(7), RULES)
    assert more == Moved(replace(alert, magnitude=3, told=replace(FROM_6, magnitude=2)), None, ())


LATE = Rules(escalate_after=timedelta(days=9))


@pytest.mark.parametrize(
    "seconds, rules, what, event, changes",
    [
        (306, RULES, What.RENEWED, Event.RENEWED, {}),
        (30 * MINUTE + 6, RULES, What.ESCALATED, Event.UNHEARD, {"phase": Phase.ESCALATED, "escalated": True}),
        (4 * HOUR + 6, LATE, What.REPEATED, Event.REPEATED, {}),
    ],
)
def test_each_notice_that_follows_comes_at_its_time_and_not_before(
    seconds: float, rules: Rules, what: What, event: Event, changes: dict[str, Any]
) -> None:
    newer = condition("dis_2" if what is What.RENEWED else "dis_1", since=9 if what is What.RENEWED else 0)
    shown = group(newer)
    assert shown is not None
    fields = ("title", "path", "subjects", "since", "newest")
    now = {name: getattr(shown, name) for name in fields} | {"since": T0 if what is not What.RENEWED else at(9)}
    alert = replace(FIRING, **now)
    assert looked(alert, seconds - 1e-6, newer, rules=rules) is None
    told = Told(at(seconds), at(6), CRITICAL, 1, shown.newest)
    assert looked(alert, seconds, newer, rules=rules) == again(alert, seconds, what, event, told=told, **changes)
    held = replace(alert, phase=Phase.ESCALATED, escalated=True)
    if event is not Event.UNHEARD:
        assert looked(held, seconds, newer, rules=rules) == again(held, seconds, what, event, told=told)


DAY = 24 * HOUR


def test_who_took_it_on_is_told_again_after_a_day_and_has_it_no_more() -> None:
    assert looked(TAKEN, DAY + 9 - 1e-6, condition()) is None
    lapsed = again(
        TAKEN,
        DAY + 9,
        What.REPEATED,
        Event.LAPSED,
        told=Told(at(DAY + 9), at(DAY + 9), CRITICAL, 1, T0),
        phase=Phase.FIRING,
        acknowledged_by=None,
        acknowledged_at=None,
    )
    assert looked(TAKEN, DAY + 9, condition()) == lapsed
    # What gets graver is told at once, and what is somebody's neither repeats nor renews.
    assert looked(TAKEN, 5 * HOUR, condition(), rules=LATE) is None
    assert looked(TAKEN, 5 * HOUR, condition("dis_2", since=99)).events == ()


@pytest.mark.parametrize(
    "severity, least, escalates",
    [(MEDIUM, HIGH, False), (HIGH, HIGH, True), (CRITICAL, HIGH, True), (HIGH, CRITICAL, False)],
)
def test_only_what_is_grave_enough_escalates(severity: Severity, least: Severity, escalates: bool) -> None:
    alert = replace(FIRING, severity=severity, told=replace(FROM_6, severity=severity))
    rules = Rules(escalate_from=least)
    moved = looked(alert, 30 * MINUTE + 6, condition(severity=severity), rules=rules)
    assert (moved.events if moved else ()) == ((Event.UNHEARD,) if escalates else ())
    assert next_look(alert, rules) == at((30 * MINUTE if escalates else 4 * HOUR) + 6)


@pytest.mark.parametrize(
    "alert, said",
    [
        (TAKEN, "is acknowledged, taken on by alice"),
        (replace(FIRING, told=None, muted="sil_1"), "is firing"),
        (SEEN, "is pending"),
        (replace(TAKEN, phase=Phase.RESOLVED), "is resolved"),
    ],
)
def test_what_cannot_be_taken_on_says_why_and_where_to_look(alert: Alert, said: str) -> None:
    with pytest.raises(NothingToAcknowledge) as refused:
        acknowledged(alert, ALICE, at(9))
    shows = "there is nothing to take on; `gal-friday alerts list` shows what is"
    assert str(refused.value) == f"{ID} {said}: {shows}"


def test_channels_that_hear_of_an_episode_are_kept_once_and_in_order() -> None:
    moved = Moved(FIRING, NOTICE, (Event.WAITED,))
    heard = moved.heard_by(["mail", "chat"])
    assert heard == Moved(replace(FIRING, channels=("chat", "mail")), NOTICE, (Event.WAITED,))
    assert heard.heard_by(["mail"]) is heard
    assert heard.heard_by(["boss"]).alert.channels == ("boss", "chat", "mail")


ESCALATED = replace(FIRING, phase=Phase.ESCALATED, escalated=True)


@pytest.mark.parametrize(
    "alert, due",
    [
        (replace(FIRING, phase=Phase.RESOLVED), None),
        (SEEN, 6),
        (replace(SEEN, muted="sil_1"), 6),
        (replace(SEEN, gone_since=at(7)), 67),
        (replace(FIRING, gone_since=at(20)), 80),
        (replace(FIRING, gone_since=at(20), flaps=1, muted="sil_1"), 140),
        (FIRING, 30 * MINUTE + 6),
        (replace(FIRING, told=replace(FROM_6, at=at(99))), 30 * MINUTE + 6),
        (replace(FIRING, told=replace(FROM_6, first_at=at(4 * HOUR))), 4 * HOUR + 6),
        (replace(FIRING, newest=at(1)), 306),
        (replace(FIRING, muted="sil_1"), None),
        (replace(FIRING, told=None), None),
        (ESCALATED, 4 * HOUR + 6),
        (replace(ESCALATED, newest=at(1)), 306),
        (replace(ESCALATED, told=replace(FROM_6, newest=None)), 306),
        (TAKEN, DAY + 9),
        (replace(TAKEN, newest=at(1)), DAY + 9),
        (replace(TAKEN, acknowledged_at=None), None),
    ],
)
def test_when_time_alone_moves_an_alert_next(alert: Alert, due: float | None) -> None:
    assert next_look(alert, RULES) == (None if due is None else at(due))


def test_how_long_each_wait_is_unless_it_is_said_otherwise() -> None:
    assert Rules() == Rules(
        group_wait=timedelta(seconds=1),
        group_interval=timedelta(minutes=5),
        repeat_interval=timedelta(hours=4),
        escalate_after=timedelta(minutes=30),
        escalate_from=HIGH,
        acknowledged_for=timedelta(hours=24),
        resolve_after=timedelta(seconds=60),
        flap_window=timedelta(hours=1),
        growth=2,
    )
    long = Rules(resolve_after=timedelta(hours=2))
    assert quiet_time(replace(FIRING, flaps=3), long) == timedelta(hours=2)
    # However often it came back, the wait is doubled no more than sixteen times.
    brief = Rules(resolve_after=TICK)
    assert quiet_time(replace(FIRING, flaps=15), brief) == 2**15 * TICK
    assert quiet_time(replace(FIRING, flaps=17), brief) == quiet_time(replace(FIRING, flaps=16), brief) == 2**16 * TICK


def test_what_has_no_beginning_began_when_it_was_first_seen_in_its_episode() -> None:
    undated = condition(since=50, dated=False)
    alert = looked(None, 5, condition(since=40, dated=False)).alert
    assert (alert.since, alert.newest) == (at(40), None)
    assert looked(alert, 5, undated) is None
    assert looked(alert, 5, condition(since=30, dated=False)).alert.since == at(30)
    assert looked(alert, 5, condition(since=50)).alert.since == at(50)
    assert looked(over(FIRING, 80), HOUR, undated).alert.since == at(50)


def test_what_is_gone_stays_gone_since_its_first_look() -> None:
    gone = replace(FIRING, gone_since=at(20))
    assert looked(gone, 30) is None
    assert looked(gone, 30, muted="sil_1") == Moved(replace(gone, muted="sil_1"), None, ())


def test_the_incident_and_the_message_have_a_name_each() -> None:
    assert (FIRING.incident, NOTICE.incident, replace(NOTICE, number=3).key) == (f"{ID}.1", f"{ID}.1", f"{ID}.1.3")
    assert (FIRING.is_open, over(FIRING, 9).is_open) == (True, False)
    assert Alert.from_json(TAKEN.to_json()) == TAKEN
    assert Notice.from_json(NOTICE.to_json()) == NOTICE
