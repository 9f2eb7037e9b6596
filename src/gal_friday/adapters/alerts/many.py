"""The many channels of apprise: chat, push and text messages behind one address each.

It knows no incidents, so each notice is a message. The address holds tokens and is never shown.
"""

import logging
from typing import Any

from gal_friday.adapters.alerts import words
from gal_friday.adapters.alerts.threads import Thread
from gal_friday.domain.alert import Notice, What, rank
from gal_friday.domain.materiality import Severity
from gal_friday.ports.alerts import Undelivered

MISSING = "apprise channels need the extra: pip install 'gal-friday[alerts]'"


class AppriseChannel:
    """Sends notices through apprise."""

    def __init__(self, name: str, url: str, *, public_url: str = "") -> None:
        """Keep the address, which is never shown.

        Raises:
            Undelivered: the extra is not installed, or the address is none that apprise knows.
        """
        try:
            import apprise
        except ImportError:
            raise Undelivered(MISSING) from None
        # What it logs may quote the address.
        quiet = logging.getLogger("apprise")
        quiet.addHandler(logging.NullHandler())
        quiet.propagate = False
        self.name, self._public_url = name, public_url
        # As everywhere here, no redirect is followed: what is in the address and the text is for one receiver.
        self._sender: Any = apprise.Apprise(asset=apprise.AppriseAsset(http_redirects=False))
        if not self._sender.add(url):
            raise Undelivered(f"{name}: apprise knows no such address; its wiki lists all that it does")
        self._thread = Thread(name)

    async def send(self, notice: Notice) -> None:
        """Return when the service has taken the message; see ``Channel``."""
        title, _, body = words.text(notice, self._public_url).partition("\n")
        kind = "success" if notice.what is What.RESOLVED else "info"
        if kind == "info" and notice.what is not What.ACKNOWLEDGED:
            kind = "failure" if rank(notice.severity) >= rank(Severity.HIGH) else "warning"
        taken: list[bool] = []

        def notify() -> None:
            # Older versions return True, False or None, newer ones an object with an outcome, true where all took it.
            taken.append(bool(self._sender.notify(body=body, title=title, notify_type=kind, body_format="text")))

        await self._thread.do(notify)
        if taken != [True]:
            raise Undelivered(f"{self.name} was not taken; apprise says no more than that")

    async def close(self) -> None:
        """Nothing stays open; see ``Channel``."""
