"""A trading system that takes adjustments over real HTTP on loopback, with everything that can go wrong on the way.

Its rules are those of ``MemoryReceiver``: a key is posted once. What goes wrong is a list of faults, one for each
request in turn; a fault says whether the book was asked at all, and what becomes of its answer.
"""

import asyncio
import json
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import h11
from msgspec import Struct
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from gal_friday.adapters.book_http import MemoryReceiver
from gal_friday.adapters.clock import SteppedClock
from gal_friday.adapters.sql import open_engine

TOKEN = "s3cr3t-of-the-receiver"
HOST = "127.0.0.1"
_RESET = struct.pack("ii", 1, 0)


class Fault(Struct, frozen=True, kw_only=True):
    """What goes wrong with one request."""

    posts: bool = True
    """Whether the book takes the adjustment before it goes wrong."""
    status: int | None = None
    body: bytes | None = None
    headers: tuple[tuple[str, str], ...] = ()
    ending: str = "whole"
    """``whole``, ``never`` (nothing), ``reset`` (in the middle), ``cut`` (half of it), ``drip`` (too slowly)."""


class Asked(Struct, frozen=True):
    """One request, as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class ReceivingServer:
    """The trading system's side."""

    def __init__(self) -> None:
        self.book = MemoryReceiver()
        self.faults: list[Fault] = []
        self.asked: list[Asked] = []
        self.port = 0
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}/adjustments"

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            connection = h11.Connection(h11.SERVER)
            while (asked := await _read(connection, reader)) is not None:
                self.asked.append(asked)
                if not await self._answer(asked, connection, writer):
                    break
                connection.start_next_cycle()
        except (ConnectionError, h11.RemoteProtocolError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            writer.close()

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _answer(self, asked: Asked, connection: h11.Connection, writer: asyncio.StreamWriter) -> bool:
        fault = self.faults.pop(0) if self.faults else Fault()
        status, told = self._told(asked) if fault.posts else (503, {})
        body = json.dumps(told).encode() if fault.body is None else fault.body
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body))), *fault.headers]
        head = connection.send(h11.Response(status_code=fault.status or status, headers=headers)) or b""
        rest = (connection.send(h11.Data(data=body)) or b"") + (connection.send(h11.EndOfMessage()) or b"")
        match fault.ending:
            case "never":
                await asyncio.sleep(60)
                return False
            case "reset":
                writer.write(head + rest[: len(body) // 2])
                await writer.drain()
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                writer.transport.abort()
                return False
            case "cut":
                writer.write(head + rest[: len(body) // 2])
                await writer.drain()
                return False
            case "drip":
                for each in head + rest:
                    writer.write(bytes((each,)))
                    await writer.drain()
                    await asyncio.sleep(0.05)
        writer.write(head + rest)
        await writer.drain()
        return connection.our_state is not h11.MUST_CLOSE

    def _told(self, asked: Asked) -> tuple[int, dict[str, Any]]:
        if asked.headers.get("authorization") != f"Bearer {TOKEN}":
            return 401, {"title": f"no such token: {asked.headers.get('authorization')}"}
        if asked.method == "GET":
            token = asked.headers.get("gal-friday-token")
            name = asked.path.rpartition("/")[2]
            told = self.book.asked(name, account="main", token=None if token is None else int(token))
            return (404 if told["outcome"] == "absent" else 200), told
        assert asked.headers["idempotency-key"] == json.loads(asked.body)["adjustment_id"]
        told = self.book.received(asked.body)
        return (409 if told.pop("conflict", False) else 422 if told["outcome"] == "refused" else 200), told


@asynccontextmanager
async def receiving() -> AsyncIterator[ReceivingServer]:
    """Run one on a free port of loopback."""
    made = ReceivingServer()
    server = await asyncio.start_server(made.connected, HOST, 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        await made.stop()
        await server.wait_closed()


async def _read(connection: h11.Connection, reader: asyncio.StreamReader) -> Asked | None:
    head: h11.Request | None = None
    body = b""
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(await reader.read(65_536))
        elif isinstance(event, h11.Request):
            head = event
        elif isinstance(event, h11.Data):
            body += bytes(event.data)
        elif isinstance(event, h11.EndOfMessage):
            assert head is not None
            headers = {name.decode().lower(): value.decode() for name, value in head.headers}
            return Asked(head.method.decode(), head.target.decode(), headers, body)
        else:
            return None


TABLE = (
    "CREATE TABLE gal_friday_handovers (adjustment_id text PRIMARY KEY, account text NOT NULL, token bigint, "
    "content text NOT NULL, body text NOT NULL, outcome text, version text, reason text)"
)


class ReadingSystem:
    """A trading system that reads its table, and answers in the transaction in which it posts."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self.book = MemoryReceiver()
        self.works = True

    async def work(self) -> None:
        if not self.works:
            return
        async with self.engine.begin() as connection:
            query = text("SELECT adjustment_id, body FROM gal_friday_handovers WHERE outcome IS NULL")
            for name, body in (await connection.execute(query)).all():
                told = self.book.received(body.encode())
                answer = {"outcome": told["outcome"], "version": told.get("version"), "reason": told.get("reason")}
                done = "UPDATE gal_friday_handovers SET outcome = :outcome, version = :version, reason = :reason "
                await connection.execute(text(done + "WHERE adjustment_id = :name"), {**answer, "name": name})


class WorkingClock(SteppedClock):
    """A clock on which the trading system works whenever somebody waits."""

    system: ReadingSystem | None = None

    async def sleep(self, seconds: float) -> None:
        if self.system is not None:
            await self.system.work()
        self.advance(seconds)


@asynccontextmanager
async def reading_table(address: str, clock: WorkingClock) -> AsyncIterator[ReadingSystem]:
    """Run one on a database of its own."""
    engine = open_engine(address)
    try:
        async with engine.begin() as connection:
            await connection.execute(text(TABLE))
        clock.system = ReadingSystem(engine)
        yield clock.system
    finally:
        await engine.dispose()
