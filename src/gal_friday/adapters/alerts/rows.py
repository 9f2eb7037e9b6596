"""Rows of alerts and of the outbox: how each is written and read back, and which notices one makes needless.

Alerts are read back from their bodies alone; the other columns are taken from them, for those who look with SQL.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from gal_friday.domain.alert import Alert, Notice, What
from gal_friday.domain.muting import Silence
from gal_friday.domain.routing import Addressed
from gal_friday.ports.alerts import Delivery, DeliveryState
from gal_friday.ports.errors import SeveralMatch

_SHOWN_MAX = 5
REASON_MAX = 500
"""Characters of why a channel did not take something."""
NEVER_SUPERSEDE = frozenset({What.RESOLVED})
"""That it is over says nothing of what it was: whoever was not told yet hears both."""


def delivery_id(notice: Notice, channel: str) -> str:
    """Return the one name of this notice on its way to this channel."""
    return f"{notice.key}@{channel}"


def alert_row(alert: Alert) -> dict[str, Any]:
    """Return the row of an alert."""
    return {
        "alert_id": alert.id,
        "kind": alert.kind.value,
        "account": alert.account,
        "phase": alert.phase.value,
        "severity": alert.severity.value,
        "began": alert.began,
        "revision": alert.revision,
        "body": alert.to_json().decode(),
    }


def outbox_row(notice: Notice, to: Addressed) -> dict[str, Any]:
    """Return the row of a notice that waits for a channel."""
    return {
        "delivery_id": delivery_id(notice, to.channel),
        "alert_id": notice.alert_id,
        "incident": notice.incident,
        "number": notice.number,
        "channel": to.channel,
        "state": DeliveryState.WAITING.value,
        "written_at": notice.at,
        "due": to.not_before,
        "attempts": 0,
        "claimed_until": None,
        "ended_at": None,
        "reason": "",
        "notice": notice.to_json().decode(),
    }


def delivery_of(row: Mapping[str, Any]) -> Delivery:
    """Return what a row of the outbox says."""
    state = DeliveryState(row["state"])
    return Delivery(
        notice=Notice.from_json(row["notice"].encode()),
        channel=row["channel"],
        state=state,
        due=row["due"],
        attempts=row["attempts"],
        claimed_until=row["claimed_until"],
        sent_at=row["ended_at"] if state is DeliveryState.SENT else None,
        reason=row["reason"],
    )


def silence_row(silence: Silence) -> dict[str, Any]:
    """Return the row of a silence."""
    return {
        "silence_id": silence.id,
        "begins": silence.begins,
        "ends": silence.ends,
        "actor": silence.by.name,
        "why": silence.why,
        "body": msgspec.json.encode(silence).decode(),
    }


def silence_of(body: str) -> Silence:
    """Return what a row says."""
    return msgspec.json.decode(body, type=Silence)


def only_one(prefix: str, matches: list[str], of: str) -> str | None:
    """Return the id that is meant by the beginning of it; None where none begins so.

    Raises:
        SeveralMatch: several do.
    """
    if prefix in matches:
        return prefix
    if len(matches) > 1:
        shown = ", ".join(sorted(matches)[:_SHOWN_MAX])
        raise SeveralMatch(f"several {of} begin with {prefix}: {shown}; write more of the id")
    return matches[0] if matches else None


def ended_before(delivery: Delivery, ended_at: datetime | None, before: datetime) -> bool:
    """Say whether a delivery ended before this."""
    return delivery.state is not DeliveryState.WAITING and ended_at is not None and ended_at < before
