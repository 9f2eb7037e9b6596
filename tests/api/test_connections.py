"""Whoever neither asks nor listens makes room for others, and keeps nobody waiting."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import httpx2
import pytest

from gal_friday.bootstrap import connections
from tests.api.world import World, served

HEALTH = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
Line = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@pytest.fixture
async def port(here: World, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    """Serve with little patience, and give the port."""
    monkeypatch.setattr(connections, "REQUEST_SECONDS", 0.3)
    monkeypatch.setattr(connections, "TAKING_SECONDS", 0.3)
    monkeypatch.setattr(connections, "CONNECTIONS_MAX", 5)
    async with served(here.app) as url:
        yield int(url.rpartition(":")[2])


@asynccontextmanager
async def sent(port: int, data: bytes) -> AsyncIterator[Line]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(data)
        yield reader, writer
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


async def rest(line: Line) -> bytes:
    """Return what comes until the other side ends it, and send a byte now and then while it does not."""

    async def dripping() -> None:
        while True:
            line[1].write(b"a")
            await asyncio.sleep(0.02)

    drip = asyncio.create_task(dripping())
    found = b""
    with suppress(ConnectionError):
        async with asyncio.timeout(10):
            while part := await line[0].read(65536):
                found += part
    drip.cancel()
    return found


@pytest.mark.parametrize(
    "begun",
    [
        b"",
        b"GET /healthz HTTP/1.1\r\nX: ",
        HEALTH + b"GET /healthz HTTP/1.1\r\nX: ",
        b"POST /api/session HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n",
        b"POST /api/book/fills HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nfff\r\n",
    ],
)
async def test_a_request_that_does_not_come_to_its_end_is_not_waited_for(port: int, begun: bytes) -> None:
    async with sent(port, begun) as line:
        assert b" 500 " not in await rest(line)


async def test_whoever_takes_nothing_is_sent_nothing_more(port: int) -> None:
    asked = b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n"
    async with sent(port, b"") as (_, writer), asyncio.timeout(20):
        with suppress(ConnectionError):
            while True:
                writer.write(asked * 20)
                await writer.drain()
                await asyncio.sleep(0.01)


async def test_too_many_connections_are_closed_and_those_that_were_there_go_on(port: int) -> None:
    async with AsyncExitStack() as stack:
        first = [await stack.enter_async_context(sent(port, b"")) for _ in range(5)]
        async with sent(port, HEALTH) as line:
            assert await rest(line) == b""
        first[0][1].write(HEALTH)
        assert (await first[0][0].readline()).startswith(b"HTTP/1.1 200")


async def test_an_event_stream_is_longer_than_any_request(port: int, here: World) -> None:
    headers = {"Authorization": f"Bearer {await here.token()}"}
    async with (
        httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=headers) as http,
        http.stream("GET", "/api/events") as answer,
    ):
        told = answer.aiter_lines()
        async with asyncio.timeout(10):
            for _ in range(12):  # six signs of life, one every 0.2 seconds
                await anext(told)


async def test_whoever_goes_away_within_a_body_is_no_mistake_of_the_program(
    port: int, here: World, caplog: pytest.LogCaptureFixture
) -> None:
    head = f"POST /api/book/fills HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {await here.feeder()}\r\n"
    with caplog.at_level(logging.WARNING):
        async with sent(port, head.encode() + b"Content-Type: application/json\r\nContent-Length: 99\r\n\r\n{"):
            pass
        async with httpx2.AsyncClient() as http:
            assert (await http.get(f"http://localhost:{port}/healthz")).status_code == 200
    assert [one.message for one in caplog.records] == []
