"""E-mail: one message for each notice, threaded by incident, over TLS unless the server is this machine's.

What stands in a header was made by ``words`` and is one printable line; the library refuses line ends once more.
"""

import smtplib
import ssl
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

    async def send(self, notice: Notice) -> None:
        """Return when the server has taken the message; see ``Channel``."""
        message = self.message(notice)
        try:
            await self._thread.do(lambda: self._hand_in(message))
        except (smtplib.SMTPException, OSError) as error:
            raise Undelivered(f"{self.name} ({self._box.host}) did not take the mail ({_reason(error)})") from None

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

    def _hand_in(self, message: EmailMessage) -> None:
        box = self._box
        trust = self._context or ssl.create_default_context()
        if box.security == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(box.host, box.port, timeout=SECONDS, context=trust)
        else:
            server = smtplib.SMTP(box.host, box.port, timeout=SECONDS)
        with server:
            if box.security == "starttls":
                server.starttls(context=trust)
            if box.user:
                server.login(box.user, box.password)
            server.send_message(message)

    async def close(self) -> None:
        """Nothing stays open; see ``Channel``."""


def _reason(error: Exception) -> str:
    """Return what went wrong without what was said: a server may quote anything."""
    code = getattr(error, "smtp_code", None)
    return f"{type(error).__name__}, {code}" if code else type(error).__name__
