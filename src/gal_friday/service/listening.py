"""One account's stream, listened to: what it tells makes the account due, and every fill is looked for in the book.

The stream is a trigger and no evidence. A fill that the book has after its grace needs no run; one that it lacks, and
everything that may have been missed, makes the account due at once; the latter once more after the grace, for what
the first run found too young to be judged. Nothing is compared here, and nothing is kept: what is forgotten with the
process is found by the run at the next start.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from contextlib import aclosing
from datetime import timedelta
from typing import assert_never

import structlog

from gal_friday.ports.clock import Clock
from gal_friday.ports.errors import BookFailed, StoreFailed
from gal_friday.ports.stream import (
    BalanceSeen,
    Connected,
    Disconnected,
    FillSeen,
    Missed,
    OrderSeen,
    Stream,
    StreamEvent,
)

_LOG: structlog.stdlib.BoundLogger = structlog.get_logger("gal_friday.stream")
_WAITING_MAX = 10_000
"""Fills that wait for the book at once; with more of them the account is read, whatever the book has."""
_MARGIN_SECONDS = 0.05
"""A record that is as old as the grace to the microsecond may still be a delay."""
_MOVEMENT = "movement:"
"""So begins the name of what is in no list of fills, and makes the account due whatever the book has."""
_MISSED = f"{_MOVEMENT}missed"
_AGAIN_SECONDS = 15 * 60.0
"""After the exchange refused the stream for good, so long until it is tried again: a person has to act."""

Knows = Callable[[Collection[str]], Awaitable[Collection[str]]]
"""Returns those of these fills that the book has."""
Mark = Callable[[], Awaitable[object]]
"""Makes the account due."""


class Listening:
    """Listens for one account."""

    def __init__(
        self, account: str, stream: Stream, knows: Knows, mark: Mark, clock: Clock, *, grace: timedelta
    ) -> None:
        """*grace* is how long a fill may take to reach the book."""
        self.account, self._stream, self._knows, self._mark, self._clock = account, stream, knows, mark, clock
        self._grace = grace.total_seconds() + _MARGIN_SECONDS
        self._waiting: dict[str, float] = {}
        self._more = asyncio.Event()
        self.connected = False
        """Whether the exchange tells anything at the moment."""
        self.because = ""
        """Why it told nothing the last time that it stopped."""

    async def run(self) -> None:
        """Listen until cancelled."""
        checking = asyncio.create_task(self._checked(), name=f"fills of {self.account}")
        try:
            while True:
                async with aclosing(self._stream.events()) as events:
                    async for event in events:
                        await self._heard(event)
                self.connected = False
                await self._clock.sleep(_AGAIN_SECONDS)
        finally:
            self.connected = False
            checking.cancel()
            await asyncio.wait((checking,))

    async def _heard(self, event: StreamEvent) -> None:
        match event:
            case FillSeen(fill=fill, replayed=False):
                self._look_for(fill.fill_id)
            case FillSeen():
                return  # an old one: the run that follows a connection sees to it
            case BalanceSeen(movement_id=None):
                return
            case BalanceSeen(refers_to=event_id):
                # A row of a fill is that fill's business; others are no less due than a fill.
                if event_id not in self._waiting:
                    self._look_for(f"{_MOVEMENT}{event.movement_id}")
            case Missed():
                await self._marked()
                # What was missed a moment ago may be too young for that run to judge it.
                self._look_for_later(_MISSED)
            case Connected():
                self.connected = True
                _LOG.info("stream_connected", account=self.account)
            case Disconnected(because=because, final=final):
                self.connected, self.because = False, because
                say = _LOG.error if final else _LOG.warning
                say("stream_disconnected", account=self.account, final=final, because=because)
            case OrderSeen():
                return  # its fills are told; what else became of it the next run sees
            case _:
                assert_never(event)

    def _look_for_later(self, name: str) -> None:
        self._waiting.pop(name, None)
        self._look_for(name)

    def _look_for(self, name: str) -> None:
        self._waiting.setdefault(name, self._clock.monotonic() + self._grace)
        self._more.set()

    async def _checked(self) -> None:
        """Look for fills in the book, each when its grace is over."""
        while True:
            await self._more.wait()
            if len(self._waiting) < _WAITING_MAX:
                # The first one waits the longest: they are told in order, and each waits as long.
                await self._clock.sleep(max(0.0, next(iter(self._waiting.values())) - self._clock.monotonic()))
            now, many = self._clock.monotonic(), len(self._waiting) >= _WAITING_MAX
            ripe = [name for name, at in self._waiting.items() if many or at <= now]
            for name in ripe:
                del self._waiting[name]
            if not self._waiting:
                self._more.clear()
            if many or await self._lacks(ripe):
                await self._marked()

    async def _lacks(self, names: Collection[str]) -> bool:
        fills = [name for name in names if not name.startswith(_MOVEMENT)]
        if len(fills) < len(names):
            return True
        try:
            return bool(fills) and not set(fills) <= set(await self._knows(fills))
        except BookFailed as failure:
            _LOG.warning("stream_book_failed", account=self.account, because=str(failure))
            return True

    async def _marked(self) -> None:
        try:
            await self._mark()
        except StoreFailed as failure:
            # The account is run at its interval at the latest.
            _LOG.warning("stream_mark_failed", account=self.account, because=str(failure))
