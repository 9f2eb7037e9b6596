"""The wire that other tests stand on fails as it says, and carries again when it is mended."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.adapters.alerts.receivers import listening
from tests.service.wire import Wire

SOON = 0.2
"""Seconds in which an answer on loopback is here, if it comes at all."""
ANSWER = b"0123456789"


@asynccontextmanager
async def answered() -> AsyncIterator[tuple[Wire, asyncio.Queue[bytes]]]:
    """Give a wire to somebody who gives the same answer to every line, and keeps what was asked."""
    asked: asyncio.Queue[bytes] = asyncio.Queue()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            asked.put_nowait(line)
            writer.write(ANSWER)

    async with listening(serve) as port, Wire("127.0.0.1", port) as wire:
        yield wire, asked


@asynccontextmanager
async def called(wire: Wire) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", wire.port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def said(wire: Wire, line: bytes = b"x\n") -> bytes:
    async with called(wire) as (reader, writer):
        writer.write(line)
        async with asyncio.timeout(SOON):
            return await reader.read(len(ANSWER))


async def test_a_whole_wire_carries_and_a_slow_one_carries_late() -> None:
    async with answered() as (wire, _):
        assert await said(wire) == ANSWER
        wire.slow(SOON)
        with pytest.raises(TimeoutError):
            await said(wire)
        wire.mend()
        assert await said(wire) == ANSWER


async def test_what_is_swallowed_is_neither_asked_nor_answered_and_who_waited_is_reset() -> None:
    async with answered() as (wire, asked), called(wire) as (reader, writer):
        wire.swallow()
        with pytest.raises(TimeoutError):
            await said(wire)
        writer.write(b"x\n")
        wire.mend()
        with pytest.raises(ConnectionResetError):
            await reader.read()
        assert await said(wire, b"y\n") == ANSWER
        assert (asked.get_nowait(), asked.empty()) == (b"y\n", True)


@pytest.mark.parametrize("half", [False, True])
async def test_an_answer_that_is_cut_ends_after_as_many_bytes_with_its_connection_or_without(half: bool) -> None:
    async with answered() as (wire, asked), called(wire) as (reader, writer):
        wire.cut(13, half=half)
        writer.write(b"x\ny\n")
        assert await reader.read() == (ANSWER + ANSWER)[:13]
        writer.write(b"z\n")
        async with asyncio.timeout(5):
            lines = [await asked.get() for _ in range(3 if half else 2)]
        assert lines == [b"x\n", b"y\n", b"z\n"][: len(lines)]


async def test_who_lingers_does_not_hear_the_end() -> None:
    async with answered() as (wire, _), called(wire) as (reader, writer):
        wire.linger()
        writer.write(b"x\n")
        writer.write_eof()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(SOON):
                assert await reader.read() == ANSWER


async def test_an_answer_is_lost_once_after_what_asked_for_it_was_done() -> None:
    async with answered() as (wire, asked), called(wire) as (reader, writer):
        wire.lose_answer(b"commit", after=b"insert")
        assert await said(wire, b"commit\n") == ANSWER
        writer.write(b"insert\n")
        assert await reader.read(len(ANSWER)) == ANSWER
        writer.write(b"commit\n")
        with pytest.raises(ConnectionResetError):
            await reader.read()
        assert [asked.get_nowait() for _ in range(3)] == [b"commit\n", b"insert\n", b"commit\n"]
        assert wire.lost == 1
        assert await said(wire, b"insert commit\n") == ANSWER
