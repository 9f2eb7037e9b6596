"""The simulated Kraken as an HTTP server on loopback, with the private stream on the same port.

    async with SimulatedKraken(exchange) as server:
        server.url                      # http://127.0.0.1:54321
        server.stream_url               # ws://127.0.0.1:54321/v2
        server.faults.switch_on("cut_json", endpoint="Ledgers")

Raw sockets and h11 rather than a web framework, so that connections can be reset, cut in the middle of a
body, or left hanging. It never listens anywhere but on 127.0.0.1, and has no control interface unless
asked for one.
"""

import asyncio
import socket
import struct
from collections.abc import Callable
from datetime import timedelta
from types import TracebackType
from typing import Self

import h11

from gal_friday.adapters.simulated.answer import Answer, Ending, HttpRequest
from gal_friday.adapters.simulated.control import CONTROL_PREFIX, Control
from gal_friday.adapters.simulated.exchange import Exchange
from gal_friday.adapters.simulated.faults import Faults
from gal_friday.adapters.simulated.service import Service
from gal_friday.adapters.simulated.stream import StreamHub

HOST = "127.0.0.1"
READ_SIZE = 65_536
BODY_MAX = 1_000_000
STREAM_PATH = "/v2"
NEEDS_EXTRA = b"the stream needs the extra: pip install 'gal-friday[server]'"
# SO_LINGER on with a time of zero: closing sends RST instead of FIN.
_RESET = struct.pack("ii", 1, 0)


class SimulatedKraken:
    """Serves one exchange over HTTP for as long as the ``async with`` block lasts."""

    def __init__(
        self, exchange: Exchange, *, port: int = 0, enforce_limits: bool = True, max_concurrent: int = 20,
        control: bool = False, advance: Callable[[timedelta], None] | None = None,
    ) -> None:  # fmt: skip
        self.exchange = exchange
        self.service = Service(exchange, enforce_limits=enforce_limits, max_concurrent=max_concurrent)
        self._control = Control(self.service, advance) if control else None
        self._port = port
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self.hub = StreamHub(exchange, self.service.faults)

    @property
    def url(self) -> str:
        """Return the address of the server, without a slash at the end."""
        return f"http://{HOST}:{self._port}"

    @property
    def stream_url(self) -> str:
        """Return the address of the private stream, WebSocket version 2."""
        return f"ws://{HOST}:{self._port}{STREAM_PATH}"

    @property
    def faults(self) -> Faults:
        """Return the switchboard of faults."""
        return self.service.faults

    @property
    def calls(self) -> list[str]:
        """Return the endpoints that were called, in order."""
        return self.service.calls

    async def __aenter__(self) -> Self:
        self.hub.start()
        self._server = await asyncio.start_server(self._connected, HOST, self._port)
        self._port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self.hub.stop()
        self._server.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        await self._server.wait_closed()

    async def serve_forever(self) -> None:
        """Serve until canceled."""
        assert self._server is not None
        await self._server.serve_forever()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            await _Connection(self, reader, writer).run()
        except (ConnectionError, h11.RemoteProtocolError, asyncio.CancelledError):
            # The client went away, spoke nonsense, or the server stops: nothing is left to answer.
            pass
        finally:
            self._connections.discard(task)
            writer.close()

    def answer(self, http: HttpRequest) -> Answer:
        """Return the answer to one request."""
        if http.path.startswith(CONTROL_PREFIX):
            return self._control.answer(http) if self._control else Answer(b"not found", 404, "text/plain")
        return self.service.answer(http)


class _Connection:
    """One client connection, kept alive over several requests."""

    def __init__(self, server: SimulatedKraken, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._server = server
        self._reader = reader
        self._writer = writer
        self._h11 = h11.Connection(h11.SERVER)
        self._received = bytearray()

    async def run(self) -> None:
        while True:
            http = await self._receive()
            if http is not None and _wants_stream(http):
                await self._stream()
                return
            if http is None or not await self._respond(http):
                return
            if self._h11.our_state is h11.MUST_CLOSE:
                return
            self._h11.start_next_cycle()

    async def _stream(self) -> None:
        try:
            from gal_friday.adapters.simulated.stream_connection import StreamConnection
        except ImportError:
            await self._send(Answer(NEEDS_EXTRA, 501, "text/plain"))
            return
        await StreamConnection(self._server.hub, self._reader, self._writer, self._reset).run(bytes(self._received))

    async def _respond(self, http: HttpRequest) -> bool:
        """Answer one request; return whether the connection lives on."""
        service = self._server.service
        refusal = service.enter(http)
        if refusal is not None:
            return await self._send(refusal)
        try:
            answer = self._server.answer(http)
            if answer.delay:
                await asyncio.sleep(answer.delay)
            return await self._send(answer)
        finally:
            service.leave(http)

    async def _receive(self) -> HttpRequest | None:
        head: h11.Request | None = None
        body = bytearray()
        self._received.clear()
        while True:
            event = self._h11.next_event()
            if event is h11.NEED_DATA:
                data = await self._reader.read(READ_SIZE)
                self._received += data
                self._h11.receive_data(data)
            elif isinstance(event, h11.Request):
                head = event
            elif isinstance(event, h11.Data):
                body += event.data
                if len(body) > BODY_MAX:
                    return None
            elif isinstance(event, h11.EndOfMessage):
                assert head is not None
                return _request(head, bytes(body))
            else:
                return None

    async def _send(self, answer: Answer) -> bool:
        match answer.ending:
            case Ending.NEVER:
                # Until the client closes its side.
                await self._reader.read()
                return False
            case Ending.RESET:
                self._reset()
                return False
            case Ending.CUT:
                self._writer.write(self._encoded(answer)[: -max(1, len(answer.body) // 2)])
                await self._writer.drain()
                return False
            case Ending.COMPLETE:
                self._writer.write(self._encoded(answer))
                await self._writer.drain()
                return True

    def _encoded(self, answer: Answer) -> bytes:
        headers = [
            ("Content-Type", answer.content_type),
            ("Content-Length", str(len(answer.body))),
            *answer.headers,
        ]
        parts = [
            self._h11.send(h11.Response(status_code=answer.status, headers=headers)),
            self._h11.send(h11.Data(data=answer.body)),
            self._h11.send(h11.EndOfMessage()),
        ]
        return b"".join(part for part in parts if part)

    def _reset(self) -> None:
        raw = self._writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self._writer.transport.abort()


def _wants_stream(http: HttpRequest) -> bool:
    return http.path == STREAM_PATH and http.headers.get("upgrade", "").lower() == "websocket"


def _request(head: h11.Request, body: bytes) -> HttpRequest:
    path, _, query = head.target.decode("ascii").partition("?")
    headers = {name.decode("ascii"): value.decode("latin-1") for name, value in head.headers}
    return HttpRequest(head.method.decode("ascii"), path, query, headers, body)
