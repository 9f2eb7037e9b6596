"""Connections that take too long: whoever neither asks nor listens makes room for others.

The server below waits for ever for a request to be sent and for its answer to be taken. A few hundred connections that
do neither would take the last file that this process may open, and its runs would fail for want of one.
"""

import asyncio

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

CONNECTIONS_MAX = 500
"""At once; a process may often open 1,024 files, and runs need some."""
REQUEST_SECONDS = 60.0
"""In which a request has to be there as a whole, counted from the connection or the answer before it."""
TAKING_SECONDS = 120.0
"""In which what is sent has to be taken, where the buffers between both sides are full."""


class Bounded(H11Protocol):
    """A connection that is closed where the other side keeps it waiting."""

    _asked_by: asyncio.TimerHandle | None = None
    _taken_by: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request, or make room where there are too many connections."""
        super().connection_made(transport)
        self._expect()
        if len(self.connections) > CONNECTIONS_MAX:
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        _cancel(self._asked_by, self._taken_by)
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """Begin to wait for the next request."""
        super().on_response_complete()
        if not self.transport.is_closing():
            self._expect()

    def pause_writing(self) -> None:
        """Begin to wait until what was sent is taken."""
        super().pause_writing()
        self._taken_by = self.loop.call_later(TAKING_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on: it was taken."""
        _cancel(self._taken_by)
        super().resume_writing()

    def _expect(self) -> None:
        _cancel(self._asked_by)
        self._asked_by = self.loop.call_later(REQUEST_SECONDS, self._check_asked)

    def _check_asked(self) -> None:
        if self.conn.their_state in (h11.IDLE, h11.SEND_BODY):
            self.transport.abort()


def _cancel(*timers: asyncio.TimerHandle | None) -> None:
    for timer in timers:
        if timer is not None:
            timer.cancel()
