"""Prometheus Alertmanager: alerts are pushed as they stand, and told by it to whomever it knows.

Its labels are the identity of an alert there, so they are few and do not change within an episode; severity is one
of them because its routes go by it. An alert that is not pushed again ends there by itself: each push says for how long
it holds from then on, which is longer than the time after which it is repeated here.

Source: Alertmanager, API v2, POST /api/v2/alerts.
"""

import base64
from datetime import timedelta

import msgspec

from gal_friday.adapters.alerts import words
from gal_friday.adapters.alerts.post import Poster
from gal_friday.domain.alert import Notice, What
from gal_friday.domain.instants import exact_instant
from gal_friday.domain.materiality import Severity
from gal_friday.ports.clock import Clock

_PATH = "/api/v2/alerts"


class AlertmanagerChannel:
    """Pushes alerts to one Alertmanager."""

    def __init__(
        self,
        name: str,
        url: str,
        clock: Clock,
        *,
        holds: timedelta,
        user: str = "",
        password: str = "",
        public_url: str = "",
    ) -> None:
        """*holds* is for how long a push stands, where nothing comes after it."""
        self.name, self._clock, self._holds, self._public_url = name, clock, holds, public_url
        self._poster = Poster(name, url.rstrip("/"), clock)
        login = base64.b64encode(f"{user}:{password}".encode()).decode()
        self._headers = {"Authorization": f"Basic {login}"} if user else {}

    async def send(self, notice: Notice) -> None:
        """Return when the Alertmanager has taken the alert; see ``Channel``."""
        pushed = [self._pushed(notice, notice.severity, over=notice.what is What.RESOLVED)]
        if notice.what is not What.FIRING and notice.what is not What.TEST:
            # It may have been another alert there, under a severity that it has no more.
            others = [severity for severity in Severity if severity is not notice.severity]
            pushed += [self._pushed(notice, severity, over=True) for severity in others]
        await self._poster.post(msgspec.json.encode(pushed), self._headers, path=_PATH)

    def _pushed(self, notice: Notice, severity: Severity, *, over: bool) -> dict[str, object]:
        told: dict[str, object] = {
            "labels": {
                "alertname": f"gal_friday_{notice.kind.value}",
                "account": notice.account,
                "exchange": notice.exchange,
                "severity": severity.value,
                "incident": notice.incident,
            },
            "annotations": {"summary": words.headline(notice), "description": "\n".join(notice.lines)},
            "startsAt": exact_instant(min(notice.since, notice.at)),
            # From this attempt on, not from when it was written: what waited for long would be over on arrival.
            "endsAt": exact_instant(notice.at if over else self._clock.now() + self._holds),
        }
        if address := words.link(notice, self._public_url):
            told["generatorURL"] = address
        return told

    async def close(self) -> None:
        """Close the connections; see ``Channel``."""
        await self._poster.close()
