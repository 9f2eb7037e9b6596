"""Handing adjustments over by HTTP. docs/handing-over.md describes what is said and answered.

    POST url            Idempotency-Key: adj_…          the adjustment; its answer
    GET  url/adj_…      Gal-Friday-Token: 7             what became of it

An answer counts when it is whole, of our format, and names the adjustment. 401, 403 and a 404 without such an answer
say that nobody may speak here: nothing arrived. Everything else leaves the outcome unknown. Nothing is sent twice.
"""

from gal_friday.adapters.book_http.transport import Deadlines, NothingBack, Returned, Transport, Unreachable
from gal_friday.domain.handover import (
    Absent,
    Answer,
    Handover,
    NoAnswer,
    NotSent,
    Took,
    TurnedDown,
    Waits,
    answer_in,
)
from gal_friday.ports.errors import BookFailed

ANSWER_MAX = 64 * 1024
_NOBODY = "adj_0000000000000000"
"""An id that no adjustment has: asking about it shows that one may ask."""
_BARRED = {401: "it does not know the token", 403: "the token may not do this", 404: "there is nothing at this address"}


class HttpReceiver:
    """A ``Receiver`` behind one address."""

    def __init__(self, url: str, *, token: str | None, deadlines: Deadlines | None = None) -> None:
        """Keep the address and the token; nothing is opened yet.

        Raises:
            UnusableAddress: the address may not carry a token, or the token is none.
        """
        self._transport = Transport(url, token, deadlines=deadlines or Deadlines())

    @property
    def place(self) -> str:
        """Return the address, which holds no secret."""
        return self._transport.url

    async def send(self, handover: Handover) -> Answer:
        """Hand it over once; see ``Receiver``."""
        headers = {"Content-Type": "application/json", "Idempotency-Key": handover.adjustment_id}
        try:
            back = await self._transport.exchange("POST", "", most=ANSWER_MAX, headers=headers, body=handover.body)
        except Unreachable as failure:
            return NotSent(f"{self.place}: {failure}")
        except NothingBack as failure:
            return NoAnswer(f"{self.place}: {failure}")
        answer = self._read(back, handover.adjustment_id)
        if isinstance(answer, NoAnswer) and back.status in _BARRED:
            return NotSent(self._barred(back.status))
        if isinstance(answer, Absent):
            return NoAnswer(f"{self.place}: it was sent, and the answer says that it is not there")
        return answer

    async def ask(self, handover: Handover) -> Answer:
        """Ask about it; see ``Receiver``."""
        try:
            back = await self._asked(handover.adjustment_id, handover.token)
        except (Unreachable, NothingBack) as failure:
            return NoAnswer(f"{self.place}: {failure}")
        answer = self._read(back, handover.adjustment_id)
        if isinstance(answer, NoAnswer) and back.status in _BARRED:
            return NoAnswer(self._barred(back.status))
        return answer

    async def close(self, handover: Handover) -> Answer:
        """Ask about it: nothing can be closed from here; see ``Receiver``."""
        return await self.ask(handover)

    async def check(self) -> str:
        """Ask about an adjustment that nobody has; see ``Receiver``."""
        try:
            back = await self._asked(_NOBODY, None)
        except (Unreachable, NothingBack) as failure:
            raise BookFailed(f"{self.place}: {failure}") from None
        if isinstance(self._read(back, _NOBODY), Absent):
            return f"{self.place} answers, and takes the token"
        if back.status in _BARRED:
            raise BookFailed(self._barred(back.status))
        raise BookFailed(
            f"{self.place} answers with status {back.status}, and not as docs/handing-over.md says of an adjustment "
            "that it does not have; check the address, and what runs there"
        )

    async def aclose(self) -> None:
        """Close the connections."""
        await self._transport.close()

    async def _asked(self, name: str, token: int | None) -> Returned:
        headers = {} if token is None else {"Gal-Friday-Token": str(token)}
        return await self._transport.exchange("GET", f"/{name}", most=ANSWER_MAX, headers=headers)

    def _read(self, back: Returned, name: str) -> Answer:
        answer = answer_in(back.body, name)
        match answer:
            case Took(version) if back.status in (200, 201):
                return Took(None if version is None else self._transport.hidden(version))
            case Waits(reason) if back.status in (200, 202):
                return Waits(self._transport.hidden(reason))
            case TurnedDown(reason) if back.status == 200 or 400 <= back.status < 500:
                flag = "it has this key with other content: " if back.status == 409 else ""
                return TurnedDown(flag + self._transport.hidden(reason))
            case Absent() if back.status in (200, 404):
                return answer
            case NoAnswer(reason) if back.status == 200:
                return NoAnswer(f"{self.place}: {reason}")
            case _:
                return NoAnswer(f"{self.place} answered with status {back.status}{_about(back.status)}")

    def _barred(self, status: int) -> str:
        return (
            f"{self.place} answered with status {status}: {_BARRED[status]}; put the url or the token of the account's "
            "book.writer right, then run: gal-friday preflight"
        )


def _about(status: int) -> str:
    return ", a redirect, which is not followed because the token would go with it" if 300 <= status < 400 else ""
