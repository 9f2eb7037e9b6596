"""How long somebody who asks is kept waiting: a question that the database leaves unanswered is answered with 503.

Questions alone: they can be asked again. Whatever changes something goes on to its end, and is asked for again under
its Idempotency-Key. Events stay open by their nature.
"""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gal_friday.api.problem import Problem, answer

_QUESTIONS = frozenset({"GET", "HEAD"})
_STREAMS = "/api/events"


class Patient:
    """Puts a bound on the time that a question takes until its answer begins."""

    def __init__(self, app: ASGIApp, *, seconds: float) -> None:
        """Stand before *app*."""
        self._app, self._seconds = app, seconds
        self._late: set[asyncio.Future[None]] = set()
        """Given up, and not yet ended: a driver that was interrupted may wait for its database once more."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the call on, or answer 503."""
        if scope["type"] != "http" or scope["method"] not in _QUESTIONS or scope["path"] == _STREAMS:
            await self._app(scope, receive, send)
            return
        begun = asyncio.Event()
        given_up = False

        async def told(message: Message) -> None:
            begun.set()  # What has begun is told to its end.
            if not given_up:
                await send(message)

        asking = asyncio.ensure_future(self._app(scope, receive, told))
        try:
            await asyncio.wait((asking,), timeout=self._seconds)
            if asking.done() or begun.is_set():
                await asking
                return
            given_up = True
        finally:
            self._leave(asking)
        await answer(_silent())(scope, receive, send)

    def _leave(self, asking: "asyncio.Future[None]") -> None:
        if not asking.done():
            asking.cancel()
            self._late.add(asking)
            asking.add_done_callback(self._ended)

    def _ended(self, asking: "asyncio.Future[None]") -> None:
        self._late.discard(asking)
        if not asking.cancelled():
            asking.exception()  # Whoever asked was answered; why it failed then is nobody's question any more.


def _silent() -> Problem:
    detail = "the database does not answer; nothing was changed, ask again in a moment"
    return Problem(503, "no-answer", "No answer in time", detail, headers={"Retry-After": "5"})
