"""When people are told: the life of an alert as one table, and how long each wait is.

Everything that can move an alert is in STEPS; what a step tells stands beside it. Level-triggered: a step is taken from
where the alert stands, what holds now and the time, so that whatever was missed by a crash is done at the next look.
One step writes at most one notice, and no state is told twice.

What is muted is carried on and kept like anything else, and told to nobody; what still holds when that ends is told
then. That an alert is over is told to whoever knew of it, muted or not.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from gal_friday.domain.alert import Alert, Group, Notice, Phase, Told, What, rank
from gal_friday.domain.errors import GalFridayError
from gal_friday.domain.facts import Actor
from gal_friday.domain.materiality import Severity


class NothingToAcknowledge(GalFridayError, ValueError):
    """The alert is over, or nobody was told of it yet."""


class Rules(Struct, frozen=True, kw_only=True):
    """How long an alert waits, and from when on it is told again."""

    group_wait: timedelta = timedelta(seconds=1)
    """Before the first notice: what fails together is told together."""
    group_interval: timedelta = timedelta(minutes=5)
    """Between notices about something new of the same kind."""
    repeat_interval: timedelta = timedelta(hours=4)
    """After so long without any news it is told again."""
    escalate_after: timedelta = timedelta(minutes=30)
    """When nobody has taken it on by then, more people are told."""
    escalate_from: Severity = Severity.HIGH
    """What is less grave never escalates."""
    acknowledged_for: timedelta = timedelta(hours=24)
    """After so long whoever took it on is told again that it still holds."""
    resolve_after: timedelta = timedelta(seconds=60)
    """So long it must be gone before it is called over; twice as long for every time that it came back at once."""
    flap_window: timedelta = timedelta(hours=1)
    """What returns within this after it was over came back at once; also the longest wait before it is over."""
    growth: int = 2
    """Told again at once when there is so many times as much of it."""


class Event(StrEnum):
    """What can move an alert."""

    SEEN = "seen"
    WAITED = "waited"
    CLEARED = "cleared"
    UNTOLD = "untold"
    """It holds, nobody was told, and it is muted no more."""
    GREW = "grew"
    RENEWED = "renewed"
    UNHEARD = "unheard"
    REPEATED = "repeated"
    TAKEN_ON = "taken_on"
    LAPSED = "lapsed"
    """Whoever took it on did not end it in time."""


class Row(Struct, frozen=True):
    """One line of the table."""

    before: Phase
    event: Event
    after: Phase
    tells: What | None = None


_FIRING, _ESCALATED, _TAKEN = Phase.FIRING, Phase.ESCALATED, Phase.ACKNOWLEDGED

STEPS = (
    Row(Phase.RESOLVED, Event.SEEN, Phase.PENDING),
    Row(Phase.PENDING, Event.CLEARED, Phase.RESOLVED),
    Row(Phase.PENDING, Event.WAITED, _FIRING, What.FIRING),
    Row(_FIRING, Event.CLEARED, Phase.RESOLVED, What.RESOLVED),
    Row(_FIRING, Event.UNTOLD, _FIRING, What.FIRING),
    Row(_FIRING, Event.UNHEARD, _ESCALATED, What.ESCALATED),
    Row(_FIRING, Event.GREW, _FIRING, What.GREW),
    Row(_FIRING, Event.RENEWED, _FIRING, What.RENEWED),
    Row(_FIRING, Event.REPEATED, _FIRING, What.REPEATED),
    Row(_FIRING, Event.TAKEN_ON, _TAKEN, What.ACKNOWLEDGED),
    Row(_ESCALATED, Event.CLEARED, Phase.RESOLVED, What.RESOLVED),
    Row(_ESCALATED, Event.GREW, _ESCALATED, What.GREW),
    Row(_ESCALATED, Event.RENEWED, _ESCALATED, What.RENEWED),
    Row(_ESCALATED, Event.REPEATED, _ESCALATED, What.REPEATED),
    Row(_ESCALATED, Event.TAKEN_ON, _TAKEN, What.ACKNOWLEDGED),
    Row(_TAKEN, Event.CLEARED, Phase.RESOLVED, What.RESOLVED),
    Row(_TAKEN, Event.GREW, _FIRING, What.GREW),
    Row(_TAKEN, Event.LAPSED, _FIRING, What.REPEATED),
)
"""Of several events that would move an alert, the first in this order does."""

_BY_PHASE: Mapping[Phase, tuple[Row, ...]] = {
    phase: tuple(row for row in STEPS if row.before is phase) for phase in Phase
}


class Moved(Struct, frozen=True):
    """An alert after a look, and what has to be told."""

    alert: Alert
    notice: Notice | None = None
    events: tuple[Event, ...] = ()

    def heard_by(self, channels: Iterable[str]) -> "Moved":
        """Return it with these channels among those that heard of the episode."""
        heard = tuple(sorted({*self.alert.channels, *channels}))
        return self if heard == self.alert.channels else replace(self, alert=replace(self.alert, channels=heard))


def look(known: Alert | None, group: Group | None, now: datetime, rules: Rules, *, muted: str = "") -> Moved | None:
    """Return what becomes of an alert of which *group* holds now, or nothing any more; None where nothing does.

    *muted* says why nobody is told; empty where they are.
    """
    alert = known if known is not None else _first(group, now)
    if alert is None:
        return None
    alert = replace(_refreshed(alert, group, now), muted=muted if group is not None or alert.is_open else "")
    notice, events = None, []
    while notice is None and (row := _next(alert, group, now, rules)) is not None:
        alert, notice = _taken(alert, row, group, now, rules)
        events.append(row.event)
    return None if alert == known else Moved(alert, notice, tuple(events))


def acknowledged(alert: Alert, by: Actor, now: datetime) -> Moved:
    """Return the alert taken on by somebody: nothing is repeated and nothing escalates, unless it gets worse.

    Raises:
        NothingToAcknowledge: it is over, or nobody was told yet; or somebody has taken it on before.
    """
    row = next((row for row in _BY_PHASE[alert.phase] if row.event is Event.TAKEN_ON), None)
    if row is None or alert.told is None:
        taken = f", taken on by {alert.acknowledged_by.name}" if alert.acknowledged_by and alert.is_open else ""
        raise NothingToAcknowledge(
            f"{alert.id} is {alert.phase}{taken}: there is nothing to take on; `gal-friday alerts list` shows what is"
        )
    moved, notice = _told(replace(alert, phase=row.after, acknowledged_by=by, acknowledged_at=now), row, now)
    return Moved(moved, notice, (row.event,))


def next_look(alert: Alert, rules: Rules) -> datetime | None:
    """Return when time alone moves this alert next, as it stands; None where only a change of what holds does."""
    due = [at for at in _waits(alert, rules) if at is not None]
    return min(due, default=None)


def quiet_time(alert: Alert, rules: Rules) -> timedelta:
    """Return how long the alert must be gone before it is over."""
    doubled: int = 2 ** min(alert.flaps, _FLAPS_MAX)
    return min(rules.resolve_after * doubled, max(rules.flap_window, rules.resolve_after))


_FLAPS_MAX = 16


def _first(group: Group | None, now: datetime) -> Alert | None:
    if group is None:
        return None
    return Alert(
        id=group.id,
        kind=group.kind,
        account=group.account,
        exchange=group.exchange,
        phase=Phase.RESOLVED,
        episode=0,
        severity=group.severity,
        title=group.title,
        lines=group.lines,
        path=group.path,
        since=group.since,
        newest=group.newest,
        magnitude=group.magnitude,
        began=now,
    )


def _refreshed(alert: Alert, group: Group | None, now: datetime) -> Alert:
    """Return the alert with what holds now; what was last known of it stays where nothing does."""
    if group is None:
        return replace(alert, gone_since=alert.gone_since or now) if alert.is_open else alert
    return replace(
        alert,
        gone_since=None,
        severity=group.severity,
        title=group.title,
        lines=group.lines,
        path=group.path,
        # Where nobody knows when it began, it began at the latest when it was first seen.
        since=min(group.since, alert.since) if group.newest is None and alert.is_open else group.since,
        newest=group.newest,
        magnitude=group.magnitude,
        subjects=group.subjects,
        told=_known(alert.told, group),
    )


def _known(told: Told | None, group: Group) -> Told | None:
    """Return what people know; once only a few of many are left, many again are news."""
    if told is None or not group.few or told.magnitude <= group.magnitude:
        return told
    return replace(told, magnitude=group.magnitude)


def _next(alert: Alert, group: Group | None, now: datetime, rules: Rules) -> Row | None:
    rows = _BY_PHASE[alert.phase]
    return next((row for row in rows if _has_come(row.event, alert, group, now, rules)), None)


def _has_come(event: Event, alert: Alert, group: Group | None, now: datetime, rules: Rules) -> bool:
    if event is Event.CLEARED:
        return _is_over(alert, now, rules)
    if group is None or event is Event.TAKEN_ON:
        return False  # only a person takes it on
    if event in _OF_WHAT_HOLDS:
        return event is Event.SEEN or now - alert.began >= rules.group_wait
    if event is Event.UNTOLD:
        return alert.told is None and not alert.muted
    return alert.told is not None and not alert.muted and _is_news(event, alert, alert.told, now, rules)


_OF_WHAT_HOLDS = frozenset({Event.SEEN, Event.WAITED})


def _is_over(alert: Alert, now: datetime, rules: Rules) -> bool:
    if alert.gone_since is None:
        return False
    return alert.phase is Phase.PENDING or now - alert.gone_since >= quiet_time(alert, rules)


def _is_news(event: Event, alert: Alert, told: Told, now: datetime, rules: Rules) -> bool:
    match event:
        case Event.GREW:
            return rank(alert.severity) > rank(told.severity) or alert.magnitude >= told.magnitude * rules.growth
        case Event.RENEWED:
            return _is_newer(alert, told) and now - told.at >= rules.group_interval
        case Event.UNHEARD:
            grave = rank(alert.severity) >= rank(rules.escalate_from)
            return grave and now - told.first_at >= rules.escalate_after
        case Event.LAPSED:
            return alert.acknowledged_at is not None and now - alert.acknowledged_at >= rules.acknowledged_for
        case _:
            return now - told.at >= rules.repeat_interval


def _is_newer(alert: Alert, told: Told) -> bool:
    return alert.newest is not None and (told.newest is None or alert.newest > told.newest)


def _taken(alert: Alert, row: Row, group: Group | None, now: datetime, rules: Rules) -> tuple[Alert, Notice | None]:
    match row.event:
        case Event.SEEN:
            return _begun(alert, now, rules), None
        case Event.CLEARED:
            over = replace(alert, phase=row.after, resolved_at=now, muted="")
            return (over, None) if alert.told is None else _told(over, row, now)
        case Event.WAITED:
            alert = replace(alert, raised=True)
            if alert.muted:
                return replace(alert, phase=row.after), None
        case Event.UNHEARD:
            alert = replace(alert, escalated=True)
        case Event.GREW | Event.LAPSED if alert.phase is Phase.ACKNOWLEDGED:
            # Nobody has it any more: the time in which somebody must take it on begins anew.
            assert alert.told is not None, "only what was told is taken on"
            anew = replace(alert.told, first_at=now)
            alert = replace(alert, acknowledged_by=None, acknowledged_at=None, told=anew)
    return _told(replace(alert, phase=row.after), row, now)


def _begun(alert: Alert, now: datetime, rules: Rules) -> Alert:
    soon = alert.resolved_at is not None and now - alert.resolved_at <= rules.flap_window
    return replace(
        alert,
        phase=Phase.PENDING,
        episode=alert.episode + 1,
        began=now,
        gone_since=None,
        resolved_at=None,
        told=None,
        notices=0,
        channels=(),
        raised=False,
        escalated=False,
        acknowledged_by=None,
        acknowledged_at=None,
        flaps=alert.flaps + (1 if alert.raised else 0) if soon else 0,
    )


def _told(alert: Alert, row: Row, now: datetime) -> tuple[Alert, Notice]:
    assert row.tells is not None, "only a row that tells comes here"
    before = alert.told
    told = Told(
        at=now,
        first_at=before.first_at if before is not None else now,
        severity=alert.severity,
        magnitude=max(alert.magnitude, before.magnitude if before is not None else 0),
        newest=max((at for at in (alert.newest, before.newest if before else None) if at is not None), default=None),
    )
    done = replace(alert, told=told, notices=alert.notices + 1)
    return done, _notice(done, row.tells, now)


def _notice(alert: Alert, what: What, now: datetime) -> Notice:
    return Notice(
        alert_id=alert.id,
        episode=alert.episode,
        number=alert.notices,
        what=what,
        at=now,
        kind=alert.kind,
        account=alert.account,
        exchange=alert.exchange,
        severity=alert.severity,
        title=alert.title,
        lines=_lines(alert),
        path=alert.path,
        since=alert.since,
        magnitude=alert.magnitude,
        subjects=alert.subjects,
        escalated=alert.escalated,
        by=alert.acknowledged_by.name if alert.acknowledged_by is not None else "",
    )


def _lines(alert: Alert) -> tuple[str, ...]:
    times = "once" if alert.flaps == 1 else f"{alert.flaps} times"
    return (*alert.lines, f"came back {times} shortly after it was over") if alert.flaps else alert.lines


def _waits(alert: Alert, rules: Rules) -> Iterable[datetime | None]:
    if not alert.is_open:
        return
    if alert.gone_since is not None:
        yield alert.gone_since + quiet_time(alert, rules)
        return
    if alert.phase is Phase.PENDING:
        yield alert.began + rules.group_wait
    elif alert.told is not None and not alert.muted:
        yield from _tellings(alert, alert.told, rules)


def _tellings(alert: Alert, told: Told, rules: Rules) -> Iterable[datetime | None]:
    if alert.phase is Phase.ACKNOWLEDGED:
        yield alert.acknowledged_at and alert.acknowledged_at + rules.acknowledged_for
        return
    yield told.at + rules.repeat_interval
    if _is_newer(alert, told):
        yield told.at + rules.group_interval
    if alert.phase is Phase.FIRING and rank(alert.severity) >= rank(rules.escalate_from):
        yield told.first_at + rules.escalate_after
