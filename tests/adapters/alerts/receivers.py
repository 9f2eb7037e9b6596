"""Receivers on loopback that do as they are told: take, refuse, redirect, hang, drip, break off; over HTTP and SMTP."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import msgspec
from msgspec import Struct, field

Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Request(Struct, frozen=True):
    """What a receiver was sent."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.body)


def says(status: int, body: bytes = b"", **headers: str) -> Answer:
    """Answer with this, in one piece."""
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return raw("\r\n".join(lines).encode() + b"\r\n\r\n" + body)


def raw(data: bytes, *, then_hang: bool = False) -> Answer:
    """Send these bytes as they are, and close, or leave the connection open."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()
        if then_hang:
            await asyncio.Event().wait()

    return answer


def drips(status: int) -> Answer:
    """Send the beginning of an answer, and then a byte after the other without an end."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: 100000\r\n\r\n".encode())
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.01)

    return answer


class Receiver:
    """An HTTP server that keeps what it is sent and gives one answer after the other, the last for ever."""

    def __init__(self, *answers: Answer) -> None:
        self.got: list[Request] = []
        self.url = ""
        self._answers = list(answers)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {
            name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:] if line)
        }
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        self.got.append(Request(lines[0].split()[1], headers, body))
        await (self._answers.pop(0) if len(self._answers) > 1 else self._answers[0])(writer)


@asynccontextmanager
async def receiving(*answers: Answer) -> AsyncIterator[Receiver]:
    """Give a receiver that answers so."""
    made = Receiver(*(answers or (says(200),)))
    async with listening(made.serve) as port:
        made.url = f"http://127.0.0.1:{port}"
        yield made


class Post(Struct):
    """A mail server: whom it refuses, where it hangs or drops, and what it took."""

    refuses: set[str] = field(default_factory=set)
    drops_at: str = ""
    hangs_at: str = ""
    offers: Sequence[str] = ()
    took: list[tuple[tuple[str, ...], bytes]] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)
    port: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        to: list[str] = []
        writer.write(b"220 here\r\n")
        while line := (await reader.readline()).decode().strip():
            self.heard.append(line)
            word = line.split()[0].upper()
            if word == self.hangs_at:
                await asyncio.Event().wait()
            if word == self.drops_at:
                return
            if word == "EHLO":
                writer.write("".join(f"250-{one}\r\n" for one in ("here", *self.offers)).encode() + b"250 HELP\r\n")
            elif word == "RCPT" and (name := line.partition("<")[2].rstrip(">")) in self.refuses:
                writer.write(f"550 no {name} here, and your password is hunter2\r\n".encode())
            elif word == "RCPT":
                to.append(name)
                writer.write(b"250 ok\r\n")
            elif word == "DATA":
                writer.write(b"354 go on\r\n")
                self.took.append((tuple(to), await reader.readuntil(b"\r\n.\r\n")))
                writer.write(b"250 taken\r\n")
            else:
                writer.write(b"221 bye\r\n" if word == "QUIT" else b"250 ok\r\n")
            if word == "QUIT":
                return


@asynccontextmanager
async def post_office(**does: Any) -> AsyncIterator[Post]:
    """Give a mail server that does so."""
    made = Post(**does)
    async with listening(made.serve) as made.port:
        yield made


@asynccontextmanager
async def listening(serve: Serve) -> AsyncIterator[int]:
    """Serve every connection so on a free port of loopback, until the end, when all are closed."""
    tasks: set[asyncio.Task[None]] = set()

    async def each(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        # Whatever the other side does, such as hanging up, is what is being tried.
        with suppress(OSError, EOFError, asyncio.CancelledError, asyncio.LimitOverrunError, ValueError):
            await serve(reader, writer)
        writer.transport.abort() if writer.transport.is_closing() else writer.close()

    server = await asyncio.start_server(each, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
