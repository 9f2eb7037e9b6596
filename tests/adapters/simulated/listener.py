"""A small client of the stream for the tests: it sends, collects, and knows nothing of the server's code."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import msgspec
from websockets.asyncio.client import ClientConnection, connect

from gal_friday.adapters.simulated import SimulatedKraken

DECODER = msgspec.json.Decoder(float_hook=Decimal)
Frame = dict[str, Any]


class Listener:
    """One connection, and every frame that came over it."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.frames: list[Frame] = []

    async def send(self, message: Any) -> None:
        await self.socket.send(json.dumps(message) if not isinstance(message, str) else message)

    async def until(self, found: Callable[[Frame], bool]) -> Frame:
        """Return the next frame like that."""
        async with asyncio.timeout(5):
            while True:
                frame: Frame = DECODER.decode(await self.socket.recv())
                self.frames.append(frame)
                if found(frame):
                    return frame

    async def reply(self, method: str, **params: Any) -> Frame:
        """Send a request and return its answer."""
        await self.send({"method": method, "params": params})
        return await self.until(lambda frame: frame.get("method") == method)

    async def subscribed(self, channel: str, token: str, **options: Any) -> Frame:
        """Subscribe and return the snapshot."""
        reply = await self.reply("subscribe", channel=channel, token=token, **options)
        assert reply["success"], reply
        return await self.until(lambda frame: frame.get("channel") == channel)

    async def update(self, channel: str) -> Frame:
        return await self.until(lambda frame: frame.get("channel") == channel and frame["type"] == "update")

    async def updates(self, channel: str, count: int) -> list[Frame]:
        return [await self.update(channel) for _ in range(count)]


@asynccontextmanager
async def listening(server: SimulatedKraken) -> AsyncIterator[Listener]:
    async with connect(server.stream_url, proxy=None, ping_interval=None) as socket:
        yield Listener(socket)
