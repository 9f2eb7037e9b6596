"""The facts of alerts: that one was raised, taken on, over, delivered or given up; that a silence began or ended.

Nothing here decides or writes anything.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from gal_friday.domain.alert import Alert, AlertKind, Notice, What
from gal_friday.domain.alerting import Event, Moved
from gal_friday.domain.facts import PROGRAM, Actor, Fact, FactKind
from gal_friday.domain.muting import Silence

_OF_NOTICE = {
    What.FIRING: FactKind.ALERT_RAISED,
    What.GREW: FactKind.ALERT_CHANGED,
    What.RENEWED: FactKind.ALERT_CHANGED,
    What.REPEATED: FactKind.ALERT_CHANGED,
    What.ESCALATED: FactKind.ALERT_ESCALATED,
    What.ACKNOWLEDGED: FactKind.ALERT_ACKNOWLEDGED,
    What.RESOLVED: FactKind.ALERT_RESOLVED,
}
_OF_BREAKER = {Event.WAITED: FactKind.BREAKER_TRIPPED, Event.CLEARED: FactKind.BREAKER_RESET}


def facts_of_move(moved: Moved, at: datetime, channels: Iterable[str]) -> Iterator[Fact]:
    """Yield what the journal keeps of a step; nothing for an alert that waits, or went before anybody was told."""
    alert, notice = moved.alert, moved.notice
    if notice is not None:
        yield _of_alert(_OF_NOTICE[notice.what], alert, at, {"what": notice.what.value, "to": sorted(channels)})
    elif Event.WAITED in moved.events and alert.muted:
        yield _of_alert(FactKind.ALERT_RAISED, alert, at, {"muted": alert.muted, "to": []})
    elif Event.CLEARED in moved.events and alert.raised:
        yield _of_alert(FactKind.ALERT_RESOLVED, alert, at, {"to": []})
    if alert.kind is AlertKind.BREAKER_TRIPPED:
        for event in moved.events:
            if (kind := _OF_BREAKER.get(event)) is not None:
                yield Fact(kind=kind, at=at, account=alert.account, subject=alert.account, body={"why": alert.title})


def _of_alert(kind: FactKind, alert: Alert, at: datetime, more: dict[str, Any]) -> Fact:
    body = {
        "alert": alert.kind.value,
        "episode": alert.episode,
        "severity": alert.severity.value,
        "title": alert.title,
        "magnitude": alert.magnitude,
        **more,
    }
    taken = kind is FactKind.ALERT_ACKNOWLEDGED and alert.acknowledged_by is not None
    actor = alert.acknowledged_by if taken and alert.acknowledged_by is not None else PROGRAM
    return Fact(kind=kind, at=at, account=alert.account, subject=alert.id, actor=actor, body=body)


def sent(notice: Notice, channel: str, at: datetime, attempts: int) -> Fact:
    """Return the fact that a channel took a notice."""
    body = {"channel": channel, "key": notice.key, "what": notice.what.value, "attempts": attempts}
    return Fact(kind=FactKind.ALERT_SENT, at=at, account=notice.account, subject=notice.alert_id, body=body)


def given_up(notice: Notice, channel: str, at: datetime, attempts: int, reason: str) -> Fact:
    """Return the fact that a channel never took a notice."""
    body = {"channel": channel, "key": notice.key, "what": notice.what.value, "attempts": attempts, "reason": reason}
    return Fact(kind=FactKind.ALERT_UNDELIVERED, at=at, account=notice.account, subject=notice.alert_id, body=body)


def silenced(silence: Silence) -> Fact:
    """Return the fact that somebody asked not to be told."""
    body = {
        "matchers": [f"{one.field}={one.value}" for one in silence.matchers],
        "until": silence.ends,
        "why": silence.why,
    }
    return Fact(
        kind=FactKind.SILENCE_BEGUN, at=silence.begins, account="", subject=silence.id, actor=silence.by, body=body
    )


def unsilenced(silence: Silence, by: Actor, at: datetime) -> Fact:
    """Return the fact that somebody ended a silence early."""
    return Fact(kind=FactKind.SILENCE_ENDED, at=at, account="", subject=silence.id, actor=by)
