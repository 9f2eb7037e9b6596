"""PagerDuty: one incident for each episode, triggered, acknowledged and resolved under one key.

Source: PagerDuty, Events API v2 (POST /v2/enqueue; dedup_key at most 255 characters, summary 1024).
"""

import msgspec

from gal_friday.adapters.alerts import words
from gal_friday.adapters.alerts.post import Poster
from gal_friday.domain.alert import Notice, What
from gal_friday.domain.instants import exact_instant
from gal_friday.domain.materiality import Severity
from gal_friday.ports.clock import Clock

URL = "https://events.pagerduty.com"
_PATH = "/v2/enqueue"
_ACTIONS = {What.ACKNOWLEDGED: "acknowledge", What.RESOLVED: "resolve"}
_SEVERITIES = {
    Severity.LOW: "info",
    Severity.MEDIUM: "warning",
    Severity.HIGH: "error",
    Severity.CRITICAL: "critical",
}


class PagerDutyChannel:
    """Sends events to one service of PagerDuty."""

    def __init__(self, name: str, routing_key: str, clock: Clock, *, url: str = URL, public_url: str = "") -> None:
        """Keep the routing key, which is never shown."""
        self.name, self._routing_key, self._public_url = name, routing_key, public_url
        self._poster = Poster(name, url.rstrip("/"), clock)

    async def send(self, notice: Notice) -> None:
        """Return when PagerDuty has taken the event; see ``Channel``."""
        action = _ACTIONS.get(notice.what, "trigger")
        event: dict[str, object] = {"routing_key": self._routing_key, "event_action": action}
        event["dedup_key"] = notice.incident
        if action == "trigger":
            event |= self._what_is_wrong(notice)
        await self._poster.post(msgspec.json.encode(event), {"X-Gal-Friday-Key": notice.key}, path=_PATH)

    def _what_is_wrong(self, notice: Notice) -> dict[str, object]:
        details = {"lines": list(notice.lines), "count": notice.magnitude, "since": exact_instant(notice.since)}
        told: dict[str, object] = {
            "payload": {
                "summary": words.headline(notice),
                "source": notice.account or notice.exchange or "gal-friday",
                "severity": _SEVERITIES[notice.severity],
                "timestamp": exact_instant(notice.at),
                "component": notice.exchange,
                "group": notice.account,
                "class": notice.kind.value,
                "custom_details": details,
            },
            "client": "gal-friday",
        }
        if address := words.link(notice, self._public_url):
            told["client_url"] = address
            told["links"] = [{"href": address, "text": notice.title}]
        return told

    async def close(self) -> None:
        """Close the connections; see ``Channel``."""
        await self._poster.close()
