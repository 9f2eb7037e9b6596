"""Spans reach a collector over HTTP; one that does not answer costs spans, and no more time than is allowed."""

import asyncio
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from gal_friday.adapters.tracing.exported import exported
from gal_friday.bootstrap.errors import BadConfiguration
from gal_friday.bootstrap.settings import ServiceSettings, Settings
from gal_friday.bootstrap.tracing import watching
from gal_friday.ports.steps import unwatched

TRACES = Settings(service=ServiceSettings(traces=True))


@asynccontextmanager
async def collector(monkeypatch: pytest.MonkeyPatch, *, answers: bool) -> AsyncIterator[list[bytes]]:
    """Give what a collector on loopback is sent; one that does not answer keeps everybody waiting."""
    got: list[bytes] = []
    waiting: set[asyncio.StreamWriter] = set()

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        waiting.add(writer)
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        got.append(head + await reader.readexactly(length))
        if answers:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            await writer.drain()
            writer.close()

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{port}")
    try:
        yield got
    finally:
        for writer in waiting:
            writer.close()
        server.close()
        await server.wait_closed()


async def test_the_last_spans_are_sent_when_the_service_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    async with collector(monkeypatch, answers=True) as got:
        async with watching(TRACES) as steps:
            with steps("run", account="main"):
                pass
        (sent,) = got
    assert sent.startswith(b"POST /v1/traces ")
    for part in (b"gal-friday", b"run", b"main"):
        assert part in sent


async def test_a_collector_that_does_not_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    async with collector(monkeypatch, answers=False) as got:
        async with asyncio.timeout(0.9):
            async with exported("1", last_seconds=0.3) as steps:
                with steps("run"):
                    pass
        assert got
    for thread in [one for one in threading.enumerate() if one.name == "last spans"]:
        await asyncio.to_thread(thread.join, 5)  # it gives up by itself


async def test_nobody_watches_where_it_is_not_wanted() -> None:
    async with watching(Settings()) as steps:
        assert steps is unwatched
        with steps("run") as step:
            assert step.context() == ""


async def test_traces_without_the_extra_are_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "gal_friday.adapters.tracing.exported", raising=False)
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    with pytest.raises(BadConfiguration, match=r"service.traces needs the extra: pip install 'gal-friday\[otel\]'"):
        async with watching(TRACES):
            pass
