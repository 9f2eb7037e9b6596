"""Events: in order, resumed, bounded, alive, scoped, and ended when the service stops."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx2
import pytest
from msgspec.structs import replace

from gal_friday.domain.access import Accounts
from gal_friday.domain.access_facts import user_created
from gal_friday.flows.tokens import revoke
from tests.api.world import ROOT, World, served

Ended = Callable[[World, str], Awaitable[None]]


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@asynccontextmanager
async def listening(here: World) -> AsyncIterator[httpx2.AsyncClient]:
    """Serve the application, and give a client of it."""
    headers = bearer(await here.token())
    async with served(here.app) as url, httpx2.AsyncClient(base_url=url, headers=headers) as http:
        yield http


async def lines(answer: httpx2.Response, count: int) -> list[str]:
    found: list[str] = []
    async for line in answer.aiter_lines():
        found.append(line)
        if len(found) >= count:
            break
    return found


async def test_an_event_is_the_entry_at_its_place(here: World) -> None:
    first = await here.service.opened.journal_reading.one(1)
    assert first is not None
    async with listening(here) as http, http.stream("GET", "/api/events?after=0") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store"
        told = await lines(answer, 6)
    assert told == ["retry: 2000", "", "id: 1", "event: journal_begun", f"data: {first.text.decode()}", ""]


async def test_a_stream_without_events_stays_alive(here: World) -> None:
    async with listening(here) as http, http.stream("GET", "/api/events") as answer:
        assert (await asyncio.wait_for(lines(answer, 5), 5))[2:] == [": still here", "", ": still here"]


async def test_nobody_is_told_of_accounts_that_are_not_theirs(here: World) -> None:
    token = await here.token(accounts=Accounts(("spare",)))
    async with served(here.app) as url, httpx2.AsyncClient(base_url=url, headers=bearer(token)) as http:
        async with http.stream("GET", "/api/events?after=0") as answer:
            assert (await asyncio.wait_for(lines(answer, 3), 5))[2] == ": still here"
        assert (await http.get("/api/events?account=main")).status_code == 404


async def test_everybody_has_few_streams_and_gets_one_back_that_was_closed(here: World) -> None:
    headers = bearer(await here.token())
    async with served(here.app) as url, httpx2.AsyncClient(base_url=url, headers=headers) as http:
        async with AsyncExitStack() as stack:
            for _ in range(2):
                await stack.enter_async_context(http.stream("GET", "/api/events"))
            refused = await http.get("/api/events")
            assert (refused.status_code, refused.json()["type"]) == (429, "urn:gal-friday:problem:too-many-streams")
            other = bearer(await here.token(owner="bob"))
            async with http.stream("GET", "/api/events", headers=other) as answer:
                assert answer.status_code == 200
        for _ in range(200):
            if not here.app.state.streams.open:
                break
            await asyncio.sleep(0.02)
        async with http.stream("GET", "/api/events") as answer:
            assert answer.status_code == 200


async def test_the_service_stops_with_streams_open(here: World) -> None:
    async with AsyncExitStack() as stack:
        headers: dict[str, Any] = bearer(await here.token())
        http = await stack.enter_async_context(httpx2.AsyncClient(headers=headers))
        async with served(here.app) as url:
            answer = await stack.enter_async_context(http.stream("GET", f"{url}/api/events"))
            assert answer.status_code == 200
        # It has stopped by now: the stream has come to its end, and was not cut off.
        assert "retry: 2000" in [line async for line in answer.aiter_lines()]
        assert here.app.state.streams.open == 0


async def _revoked(here: World, token: str) -> None:
    assert await revoke(here.mint, token.split("_")[1], ROOT)


async def _disabled(here: World, token: str) -> None:
    alice = await here.mint.access.user("alice")
    assert alice is not None
    gone = replace(alice, disabled=here.mint.clock.now())
    await here.mint.access.save_user(gone, user_created(gone, ROOT))


async def _demoted(here: World, token: str) -> None:
    alice = await here.mint.access.user("alice")
    assert alice is not None
    less = replace(alice, accounts=Accounts(("spare",)))
    await here.mint.access.save_user(less, user_created(less, ROOT))


@pytest.mark.parametrize("ended", [_revoked, _disabled, _demoted])
async def test_a_stream_ends_when_its_caller_would_not_be_let_in_any_more(here: World, ended: Ended) -> None:
    token = await here.token()
    async with (
        served(here.app) as url,
        httpx2.AsyncClient(base_url=url, headers=bearer(token)) as http,
        http.stream("GET", "/api/events") as answer,
    ):
        told = answer.aiter_lines()
        assert [await anext(told), await anext(told)] == ["retry: 2000", ""]
        await ended(here, token)
        await here.reconciled()  # something to tell
        async with asyncio.timeout(5):
            assert [line async for line in told if line.startswith("data")] == []
