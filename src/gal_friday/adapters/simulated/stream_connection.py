"""One WebSocket connection on the simulator's own port: bytes in, bytes out, and the ways in which it breaks.

The protocol is ``websockets``' own, without its sockets (sans-I/O), so that the connection can be reset, left
hanging, or closed with any code.
"""

import asyncio
from collections.abc import Callable
from http import HTTPStatus

from websockets.exceptions import ProtocolError
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import OPEN
from websockets.server import ServerProtocol

from gal_friday.adapters.simulated.stream import StreamHub, StreamSession
from gal_friday.adapters.simulated.stream_faults import Close, Cut, Said, Silence

READ_SIZE = 65_536
MESSAGE_MAX = 1_000_000
NORMAL = 1000


class StreamConnection:
    """Carries the frames of one session until either side ends it."""

    def __init__(
        self, hub: StreamHub, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, reset: Callable[[], None]
    ) -> None:
        self._hub = hub
        self._session = StreamSession(hub)
        self._reader = reader
        self._writer = writer
        self._reset = reset
        self._protocol = ServerProtocol(max_size=MESSAGE_MAX)

    async def run(self, handshake: bytes) -> None:
        """Shake hands over the request that came as *handshake*, then talk until the connection ends."""
        if not await self._shaken(handshake):
            return
        self._session.open()
        tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._speak())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._session.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _shaken(self, handshake: bytes) -> bool:
        self._protocol.receive_data(handshake)
        (request,) = self._protocol.events_received()
        assert isinstance(request, Request)
        if self._session.refused:
            response = self._protocol.reject(HTTPStatus.SERVICE_UNAVAILABLE, "try again later")
        else:
            response = self._protocol.accept(request)
        self._protocol.send_response(response)
        await self._flush()
        return self._protocol.state is OPEN

    async def _listen(self) -> None:
        while data := await self._reader.read(READ_SIZE):
            self._protocol.receive_data(data)
            for event in self._protocol.events_received():
                if isinstance(event, Frame) and event.opcode in (Opcode.TEXT, Opcode.BINARY):
                    self._session.received(bytes(event.data))
            await self._flush()
            if self._protocol.state is not OPEN:
                return

    async def _speak(self) -> None:
        loop = asyncio.get_running_loop()
        subscribed = loop.time()
        while True:
            self._session.changed.clear()
            if await self._drain():
                return
            quirks = self._hub.exchange.quirks
            subscribed = loop.time() if self._session.subscriptions else subscribed
            if loop.time() - subscribed >= quirks.stream_idle.total_seconds():
                self._protocol.send_close(NORMAL, "no subscriptions")
                await self._flush()
                return
            try:
                async with asyncio.timeout(quirks.heartbeat.total_seconds()):
                    await self._session.changed.wait()
            except TimeoutError:
                self._session.idle()

    async def _drain(self) -> bool:
        """Send what there is to say; return whether that ended the connection."""
        outbox = self._session.outbox
        while outbox:
            match outbox.popleft():
                case Said(text, delay):
                    await asyncio.sleep(delay)
                    self._protocol.send_text(text)
                    await self._flush()
                case Close(code, reason):
                    self._protocol.send_close(code, reason)
                    await self._flush()
                    return True
                case Cut():
                    self._reset()
                    return True
                case Silence():
                    await asyncio.Event().wait()
        return False

    async def _flush(self) -> None:
        try:
            for data in self._protocol.data_to_send():
                if data:
                    self._writer.write(data)
        except ProtocolError:
            return
        await self._writer.drain()
