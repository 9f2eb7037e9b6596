"""Events as they happen: the journal, sent entry by entry to whoever stays connected (server-sent events).

The id of an event is its place in the journal, so whoever comes back with ``Last-Event-ID`` misses nothing and is told
nothing twice. Only what was committed is ever sent. A stream ends when the service stops, and when whoever listens
would not be let in any more; everybody has few.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.responses import StreamingResponse

from gal_friday.api.backend import Backend, Limits
from gal_friday.api.documented import wrong
from gal_friday.api.guard import Account, backend_of, seen_by
from gal_friday.api.problem import Problem
from gal_friday.api.security import caller
from gal_friday.domain.access import Permission
from gal_friday.flows.door import Caller, Door, is_still_in
from gal_friday.ports.errors import StoreFailed
from gal_friday.ports.journal_reading import StoredEntry, Wanted

router = APIRouter(prefix="/api/events", tags=["events"])
_AT_ONCE = 200
_MEDIA_TYPE = "text/event-stream"
_EVENT = {"type": "object", "properties": {name: {"type": "string"} for name in ("id", "event", "data")}}
_SCHEMA: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Events: `id` is the place in the journal, `event` the kind of fact, `data` the entry as JSON.",
        "content": {_MEDIA_TYPE: {"schema": _EVENT}},
    }
}


class Streams:
    """The open streams, counted, and the word that ends them all."""

    def __init__(self, limits: Limits) -> None:
        """Begin with none."""
        self._limits = limits
        self._open: Counter[str] = Counter()
        self.closing = asyncio.Event()

    def enter(self, who: Caller) -> None:
        """Count one more.

        Raises:
            Problem: 429 where this caller, or everybody together, has as many as there may be; 503 while stopping.
        """
        if self.closing.is_set():
            raise Problem(503, "stopping", "The service is stopping", "connect again in a moment")
        mine = self._open[who.actor.name] >= self._limits.streams_per_caller
        if mine or self._open.total() >= self._limits.streams:
            detail = "close another event stream first; one carries everything that you may see"
            raise Problem(429, "too-many-streams", "Too many streams", detail, headers={"Retry-After": "5"})
        self._open[who.actor.name] += 1

    def leave(self, who: Caller) -> None:
        """Count one less."""
        self._open[who.actor.name] -= 1
        self._open += Counter()

    @property
    def open(self) -> int:
        """How many there are."""
        return self._open.total()

    def close(self) -> None:
        """End all of them, and let none begin: the service stops."""
        self.closing.set()


@router.get("", response_class=StreamingResponse, responses=_SCHEMA | wrong())
async def events(
    request: Request,
    who: Annotated[Caller, Depends(caller(Permission.READ))],
    account: Account = None,
    last_event_id: Annotated[str | None, Header(pattern=r"^[0-9]{1,18}$")] = None,
    after: Annotated[
        int | None, Query(ge=0, le=2**62, description="The same as Last-Event-ID; 0 sends the whole journal.")
    ] = None,
) -> StreamingResponse:
    """Stay connected and be told what happens, beginning with now or behind the last event that was seen."""
    backend, streams = backend_of(request), _streams(request)
    wanted = Wanted(accounts=seen_by(who, account))
    seq = int(last_event_id) if last_event_id is not None else after
    if seq is None:
        seq = await backend.journal.newest()
    streams.enter(who)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    told = _told(backend, streams, request.app.state.door, who, wanted, seq)
    return StreamingResponse(told, media_type=_MEDIA_TYPE, headers=headers)


def _streams(request: Request) -> Streams:
    streams: Streams = request.app.state.streams
    return streams


async def _told(
    backend: Backend, streams: Streams, door: Door, who: Caller, wanted: Wanted, seq: int
) -> AsyncIterator[bytes]:
    clock, limits = backend.clock, backend.limits
    try:
        yield b"retry: 2000\n\n"
        silent_since = clock.monotonic()
        ends = silent_since + limits.stream_seconds
        while not streams.closing.is_set() and clock.monotonic() < ends:
            try:
                # Whoever listens may be gone at any await: a question that is under way is let to its end.
                found = await asyncio.shield(backend.journal.after(wanted, seq=seq, limit=_AT_ONCE))
                silent = clock.monotonic() - silent_since >= limits.heartbeat_seconds
                if (found or silent) and not await asyncio.shield(is_still_in(door, who)):
                    return
            except StoreFailed:
                return  # Whoever listens connects again, and goes on behind the last event.
            if found:
                yield b"".join(_event(one) for one in found)
                seq, silent_since = found[-1].seq, clock.monotonic()
                continue
            if silent:
                yield b": still here\n\n"
                silent_since = clock.monotonic()
            with suppress(TimeoutError):
                await asyncio.wait_for(streams.closing.wait(), limits.poll_seconds)
    finally:
        streams.leave(who)


def _event(one: StoredEntry) -> bytes:
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (one.seq, one.kind.encode(), one.text)
