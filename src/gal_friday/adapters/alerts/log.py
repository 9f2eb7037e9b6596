"""The log: each notice is a line of it. It is always there, so that no alert is told to nobody."""

import logging

from gal_friday.adapters.alerts import words
from gal_friday.domain.alert import Notice, What, rank
from gal_friday.domain.materiality import Severity

_LOG = logging.getLogger("gal_friday.alerts")


class LogChannel:
    """Writes notices to the log of this program."""

    def __init__(self, name: str, *, public_url: str = "") -> None:
        """Keep under which address this program is reached."""
        self.name, self._public_url = name, public_url

    async def send(self, notice: Notice) -> None:
        """Return when it stands in the log; see ``Channel``."""
        grave = notice.what is not What.RESOLVED and rank(notice.severity) >= rank(Severity.HIGH)
        text = " ·".join(words.text(notice, self._public_url).split("\n"))
        _LOG.log(logging.ERROR if grave else logging.WARNING, "alert %s", text, extra={"alert": notice.key})

    async def close(self) -> None:
        """Nothing is open; see ``Channel``."""
