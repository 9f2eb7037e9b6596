"""A wire between two programs that fails when it is told to, for as long as wanted: a TCP proxy on loopback.

``swallow`` lets nothing arrive any more, in connections that stand and in new ones; ``mend`` carries again, and resets
what lost bytes; ``reset`` breaks every connection that stands, once.
"""

import asyncio
import socket
import struct
from contextlib import suppress
from types import TracebackType
from typing import Self

_HOST = "127.0.0.1"
_READ_SIZE = 65_536
# SO_LINGER on with a time of zero: closing sends RST instead of FIN.
_RESET = struct.pack("ii", 1, 0)


class Wire:
    """Carries connections to one address, and fails when it is told to."""

    def __init__(self, host: str, port: int) -> None:
        """Carry to this address; nothing listens yet."""
        self._to, self.port = (host, port), 0
        self._swallows = False
        self._server: asyncio.Server | None = None
        self._ends: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

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

    def swallow(self) -> None:
        """Take everything and pass nothing on: a black hole."""
        self._swallows = True

    def mend(self) -> None:
        """Carry again. What stood meanwhile has lost bytes, and is reset."""
        self._swallows = False
        self.reset()

    def reset(self) -> None:
        """Reset every connection that stands."""
        for end in tuple(self._ends):
            with suppress(OSError):
                end.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            end.transport.abort()

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._ends.add(writer)
        far: asyncio.StreamWriter | None = None
        try:
            answers, far = await asyncio.open_connection(*self._to)
            self._ends.add(far)
            await asyncio.gather(self._carry(reader, far), self._carry(answers, writer))
        except (OSError, asyncio.CancelledError):
            pass  # either side went away, or was made to; or it is all over
        finally:
            for end in (writer, far):
                if end is not None:
                    self._ends.discard(end)
                    end.transport.abort()
            self._tasks.discard(task)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(_READ_SIZE):
            if not self._swallows:
                writer.write(data)
                await writer.drain()
        with suppress(OSError):
            writer.write_eof()
