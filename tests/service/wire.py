"""A wire between two programs that fails when it is told to, for as long as wanted: a TCP proxy on loopback.

One program calls and asks, the other one answers. What goes wrong holds for connections that stand and for new ones:

- ``slow``: everything arrives late.
- ``swallow``: nothing arrives any more, and nobody is told: a black hole.
- ``linger``: who ends a connection is not heard; the other one waits for more.
- ``cut``: the answers of a connection end after so many bytes, with it or (``half``) without it.
- ``lose_answer``: what asks arrives and is done, and its answer is lost with the connection.
- ``reset``: every connection that stands breaks, once.

``mend`` carries again, and resets what lost bytes.
"""

import asyncio
import socket
import struct
from contextlib import suppress
from types import TracebackType
from typing import Self

_HOST = "127.0.0.1"
_READ_SIZE = 65_536
_REMEMBERED = 1_000_000
# SO_LINGER on with a time of zero: closing sends RST instead of FIN.
_RESET = struct.pack("ii", 1, 0)


class Wire:
    """Carries connections to one address, and fails when it is told to."""

    def __init__(self, host: str, port: int) -> None:
        """Carry to this address; nothing listens yet."""
        self._to, self.port = (host, port), 0
        self.lost = 0
        """How many answers were lost as ``lose_answer`` asks for."""
        self._whole()
        self._server: asyncio.Server | None = None
        self._lines: set[_Line] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def _whole(self) -> None:
        self.delay, self.swallows, self.half = 0.0, False, False
        self.most: int | None = None
        self.loses: tuple[bytes, bytes] | None = None
        self.heeded = asyncio.Event()
        """Whether the end of a connection is passed on."""
        self.heeded.set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accepted, _HOST, 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        self.reset()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def standing(self) -> int:
        """How many connections stand."""
        return len(self._lines)

    def slow(self, seconds: float) -> None:
        """Pass everything on so much later."""
        self.delay = seconds

    def swallow(self) -> None:
        """Take everything and pass nothing on: a black hole."""
        self.swallows = True

    def linger(self) -> None:
        """Tell nobody that the other side has ended its connection."""
        self.heeded.clear()

    def cut(self, after: int, *, half: bool = False) -> None:
        """Let so many more bytes of answers pass in each connection, then end it; *half*: only its answers."""
        self.most, self.half = after, half
        for line in self._lines:
            line.answered = 0

    def lose_answer(self, to: bytes, *, after: bytes = b"") -> None:
        """Pass *to* on, and lose what is answered together with the connection, once.

        Only in a connection in which *after* was sent before.
        """
        self.loses = (to, after)

    def mend(self) -> None:
        """Carry again. What stood meanwhile has lost bytes, and is reset."""
        self.heeded.set()
        self._whole()
        self.reset()

    def reset(self) -> None:
        """Reset every connection that stands."""
        for line in tuple(self._lines):
            line.reset()

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        line = _Line(self, writer)
        self._lines.add(line)
        try:
            answers, line.far = await asyncio.open_connection(*self._to)
            await asyncio.gather(line.ask(reader), line.answer(answers))
        except (OSError, asyncio.CancelledError):
            pass  # either side went away, or was made to; or it is all over
        finally:
            self._lines.discard(line)
            line.abort()
            self._tasks.discard(task)


class _Line:
    """One connection, from the one who called to the one who answers."""

    def __init__(self, wire: Wire, near: asyncio.StreamWriter) -> None:
        self._wire, self._near = wire, near
        self.far: asyncio.StreamWriter | None = None
        self.answered = 0
        """Bytes, since ``cut`` was asked for."""
        self._asked = b""
        self._loses = False

    async def ask(self, reader: asyncio.StreamReader) -> None:
        assert self.far is not None
        while data := await reader.read(_READ_SIZE):
            await asyncio.sleep(self._wire.delay)
            if not self._wire.swallows:
                self._remember(data)
                self.far.write(data)
                await self.far.drain()
        await self._end(self.far)

    async def answer(self, reader: asyncio.StreamReader) -> None:
        while data := await reader.read(_READ_SIZE):
            await asyncio.sleep(self._wire.delay)
            if self._loses:
                self._wire.lost += 1
                return self.reset()
            if not self._wire.swallows and await self._passed(data):
                return None
        await self._end(self._near)
        return None

    async def _passed(self, data: bytes) -> bool:
        """Pass an answer on, or as much of it as is left to pass; say whether that was the end."""
        left = len(data) if self._wire.most is None else max(self._wire.most - self.answered, 0)
        self.answered += len(data)
        if part := data[:left]:
            self._near.write(part)
            await self._near.drain()
        if left >= len(data):
            return False
        if not self._wire.half:
            self._near.close()
        elif not self._near.is_closing():
            self._near.write_eof()
        return True

    async def _end(self, writer: asyncio.StreamWriter) -> None:
        await self._wire.heeded.wait()
        with suppress(OSError):
            writer.write_eof()

    def _remember(self, data: bytes) -> None:
        if self._wire.loses is None:
            return
        to, after = self._wire.loses
        self._asked = (self._asked + data)[-_REMEMBERED:]
        if after in self._asked and to in self._asked[self._asked.rfind(after) :]:
            self._wire.loses, self._loses = None, True

    def reset(self) -> None:
        for end in self._ends():
            with suppress(OSError):
                end.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.abort()

    def abort(self) -> None:
        for end in self._ends():
            end.transport.abort()

    def _ends(self) -> list[asyncio.StreamWriter]:
        return [end for end in (self._near, self.far) if end is not None]
