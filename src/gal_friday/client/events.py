"""Events as they happen, one after the other, over as many connections as it takes: none is missed, none told twice."""

from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

import httpx2
import msgspec
from msgspec import Struct

from gal_friday.client.transport import Transport, problem_of


class Event(Struct, frozen=True):
    """One entry of the journal."""

    id: int
    """Its place; go on behind it with ``after``."""
    kind: str
    entry: dict[str, Any]
    """Its fields: account, subject, at, actor, body."""


async def events(transport: Transport, *, after: int | None, account: str | None) -> AsyncGenerator[Event, None]:
    """Yield events without end; whoever has enough stops listening.

    Raises:
        Problem: the service says no: the token is not good, or may not look.
    """
    failed, seen = 0, after
    while True:
        try:
            async for event in _connected(transport, seen, account):
                failed, seen = 0, event.id
                yield event
        except httpx2.TransportError:
            failed += 1
        await transport.wait(failed)


async def _connected(transport: Transport, after: int | None, account: str | None) -> AsyncIterator[Event]:
    headers = transport.headers() | ({} if after is None else {"Last-Event-ID": str(after)})
    params = {} if account is None else {"account": account}
    # Between two heartbeats nothing is sent: longer than that means that nobody is there.
    timeout = httpx2.Timeout(10.0, read=60.0)
    async with transport.http.stream("GET", "/api/events", params=params, headers=headers, timeout=timeout) as answer:
        if answer.status_code in (429, 503):
            return
        if answer.status_code != 200:
            raise problem_of(answer.status_code, await answer.aread())
        fields: dict[str, str] = {}
        async for line in answer.aiter_lines():
            if line:
                name, _, value = line.partition(":")
                fields[name] = value.removeprefix(" ")
                continue
            if "data" in fields:
                entry = msgspec.json.decode(fields["data"], type=dict[str, Any])
                yield Event(int(fields["id"]), fields["event"], entry)
            fields = {}
