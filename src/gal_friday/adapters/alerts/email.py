"""E-mail: one message for each notice, threaded by incident, over TLS unless the server is this machine's.

What stands in a header was made by ``words`` and is one printable line; the library refuses line ends once more.

Who has taken a message is remembered until everybody has: whom the server refuses is tried again, and nobody else is
sent it twice. Once the server has taken it, nothing that comes after that undoes it.
"""

import smtplib
import ssl
from contextlib import suppress
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Literal

from gal_friday.adapters.alerts import words
from gal_friday.adapters.alerts.threads import Thread
from gal_friday.domain.alert import Notice
from gal_friday.ports.alerts import Undelivered

Security = Literal["starttls", "tls", "none"]
SECONDS = 10.0
"""For every answer of the server."""
_HALF_TAKEN_MAX = 1000
"""Messages of which it is remembered who has them."""


class Mailbox:
    """Where mail is handed in, and who is told. Its text form says nothing."""

    __slots__ = ("host", "password", "port", "security", "sender", "to", "user")

    def __init__(
        self,
        *,
        host: str,
        port: int,
        security: Security,
        sender: str,
        to: tuple[str, ...],
        user: str = "",
        password: str = "",
    ) -> None:
        """Keep it."""
        self.host, self.port, self.security = host, port, security
        self.sender, self.to, self.user, self.password = sender, to, user, password

    def __repr__(self) -> str:
        """Say nothing of the password."""
        return f"Mailbox({self.host})"


class EmailChannel:
    """Hands notices to a mail server."""

    def __init__(
        self, name: str, mailbox: Mailbox, *, public_url: str = "", context: ssl.SSLContext | None = None
    ) -> None:
        """*context* takes the place of the system's trust in certificates."""
        self.name, self._box, self._public_url, self._context = name, mailbox, public_url, context
        self._thread = Thread(name)
        self._taken: dict[str, set[str]] = {}

    async def send(self, notice: Notice) -> None:
        """Return when the server has taken the message; see ``Channel``."""
        taken = self._taken.setdefault(notice.key, set())
        while len(self._taken) > _HALF_TAKEN_MAX:
            del self._taken[next(iter(self._taken))]
        try:
            message = self.message(notice)
            await self._thread.do(lambda: self._hand_in(message, taken))
        except (smtplib.SMTPException, OSError, ValueError) as error:
            raise Undelivered(f"{self.name} ({self._box.host}) did not take the mail ({_reason(error)})") from None
        if missing := len(set(self._box.to) - taken):
            raise Undelivered(f"{self.name} ({self._box.host}) refused {missing} of {len(self._box.to)} recipients")
        self._taken.pop(notice.key, None)

    def message(self, notice: Notice) -> EmailMessage:
        """Return the message."""
        domain = self._box.sender.rpartition("@")[2].rstrip(">") or "gal-friday.invalid"
        message = EmailMessage()
        message["From"], message["To"] = self._box.sender, ", ".join(self._box.to)
        message["Subject"] = words.headline(notice)
        message["Date"] = format_datetime(notice.at)
        # The same in every attempt: a mailbox that has it can drop the second.
        message["Message-ID"] = f"<{notice.key}@{domain}>"
        if notice.number > 1:
            first = f"<{notice.incident}.1@{domain}>"
            message["In-Reply-To"] = message["References"] = first
        message["Auto-Submitted"] = "auto-generated"
        message["X-Gal-Friday-Key"] = notice.key
        message.set_content(words.text(notice, self._public_url))
        return message

    def _hand_in(self, message: EmailMessage, taken: set[str]) -> None:
        to = [one for one in self._box.to if one not in taken]
        if not to:
            return  # by an attempt that nobody waited for to its end
        with self._connected() as server:
            refused = server.send_message(message, to_addrs=to)
            taken.update(set(to) - refused.keys())
            with suppress(smtplib.SMTPException, OSError):
                server.quit()
            server.close()  # so that leaving the block says nothing more

    def _connected(self) -> smtplib.SMTP:
        box = self._box
        trust = self._context or ssl.create_default_context()
        if box.security == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(box.host, box.port, timeout=SECONDS, context=trust)
        else:
            server = smtplib.SMTP(box.host, box.port, timeout=SECONDS)
        try:
            if box.security == "starttls":
                server.starttls(context=trust)
            if box.user:
                server.login(box.user, box.password)
        except BaseException:
            server.close()
            raise
        return server

    async def close(self) -> None:
        """Nothing stays open; see ``Channel``."""


def _reason(error: Exception) -> str:
    """Return what went wrong without what was said: a server may quote anything."""
    code = getattr(error, "smtp_code", None)
    return f"{type(error).__name__}, {code}" if code else type(error).__name__
