"""Kraken's private stream behind the ``Stream`` port: token, connection, subscriptions, and all of it again.

One connection at a time, each with a fresh token and a deadline for everything. A connection that says nothing
is asked, and given up when it does not answer. Between two connections there is a growing pause, spread so that
services that failed together do not come back together. Code 1008, and a refusal of the key, end the stream: a
person has to act.

Source: Kraken WebSocket v2 documentation; Kraken REST documentation, Get Websockets Token.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from datetime import datetime, timedelta
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit

import httpx2
from msgspec import Struct
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from gal_friday.adapters.kraken import wire
from gal_friday.adapters.kraken.adapter import BASE_URL
from gal_friday.adapters.kraken.client import Client
from gal_friday.adapters.kraken.endpoints import GET_WEBSOCKETS_TOKEN
from gal_friday.adapters.kraken.key import refuse_rights_to_act
from gal_friday.adapters.kraken.listing import KnownNames
from gal_friday.adapters.kraken.names import Names
from gal_friday.adapters.kraken.opening import ask_about_key, listed_names
from gal_friday.adapters.kraken.patience import Patience
from gal_friday.adapters.kraken.signing import Credentials
from gal_friday.adapters.kraken.stream_balances import Balances
from gal_friday.adapters.kraken.stream_executions import Executions
from gal_friday.adapters.kraken.stream_memory import Seen
from gal_friday.adapters.kraken.stream_pairs import Pairs
from gal_friday.adapters.kraken.stream_queue import EVENTS_MAX, EventQueue
from gal_friday.adapters.kraken.stream_session import PING, StreamEnded, StreamSession
from gal_friday.adapters.kraken.transport import USER_AGENT, Deadlines, Transport
from gal_friday.ports.clock import Clock
from gal_friday.ports.errors import ExchangeFailed, ExchangeRefused, ExchangeUnavailable
from gal_friday.ports.exchange import Calls
from gal_friday.ports.stream import Connected, Disconnected, StreamEvent

STREAM_URL = "wss://ws-auth.kraken.com/v2"
POLICY_VIOLATION = 1008
# A snapshot has the open orders and fifty fills: less than a thousandth of this.
FRAME_MAX = 16 * 1024 * 1024
NAMES_LAST = timedelta(days=1)

_LOCAL = frozenset({"127.0.0.1", "::1", "localhost"})


class StreamPatience(Struct, frozen=True):
    """How long things may take, in seconds."""

    connect: float = 10.0
    answer: float = 10.0
    """Until every channel has had its snapshot."""
    silence: float = 10.0
    """Kraken sends a heartbeat each second: after half of this it is asked, after all of it the connection is dead."""
    pair: float = 3.0
    """So much later than its ledger row may an execution come."""
    first_pause: float = 1.0
    """Doubles with each connection that fails."""
    longest_pause: float = 60.0
    lived: float = 60.0
    """A connection that lived this long was a good one: pauses begin anew after it."""
    tokens: int = 3
    """So many tokens in a row may be refused."""


class KrakenStream:
    """The private stream of one Kraken account, through one read-only key."""

    def __init__(
        self,
        *,
        key: str,
        secret: str,
        clock: Clock,
        otp: str | None = None,
        url: str = BASE_URL,
        stream_url: str | None = None,
        tier: str = "starter",
        state_folder: Path | None = None,
        allow_trading_key: bool = False,
        known: KnownNames | None = None,
        deadlines: Deadlines | None = None,
        patience: Patience | None = None,
        stream_patience: StreamPatience | None = None,
        spread: Callable[[], float] | None = None,
        events_max: int = EVENTS_MAX,
        calls: Calls | None = None,
        http: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        """Make no call yet; turn, nonce and call counter are shared with every other client of the key.

        *stream_url* by default follows from *url*. *spread* gives a number from 0 to 1 for each pause; by default
        the digits of the clock do. *calls* is told of every call.

        Raises:
            ExchangeRefused: the key is unusable, or an address would send it or its token over an open line.
        """
        self._stream_url = checked(stream_url or stream_url_of(url))
        transport = Transport(url, deadlines=deadlines or Deadlines(), http=http)
        credentials = Credentials(key, secret, otp)
        self._client = Client(
            credentials, transport, clock, tier=tier, state_dir=state_folder, patience=patience, calls=calls
        )
        self._key = key
        self._clock = clock
        self._allow_trading_key = allow_trading_key
        self._known = known
        self._patience = stream_patience or StreamPatience()
        self._spread = spread or (lambda: clock.now().microsecond / 1e6)
        self._events_max = events_max
        self._listening = False
        self._named_at: datetime | None = None
        names = Names.without_network(known)
        fills = Seen()
        self._executions = Executions(names, fills)
        self._pairs = Pairs(fills, timedelta(seconds=self._patience.pair))
        self._balances = Balances(names, Seen())

    async def events(self) -> AsyncGenerator[StreamEvent, None]:
        """Connect, and yield what is told; see the port."""
        assert not self._listening, "one iterator at a time"
        self._listening = True
        queue = EventQueue(self._events_max)
        # Apart from the listener: a connection whose listener is busy is read, and answers pings, all the same.
        hearing = asyncio.create_task(self._hear(queue))
        try:
            async with aclosing(queue.taken()) as taken:
                async for event in taken:
                    yield event
            await hearing
        finally:
            hearing.cancel()
            await asyncio.gather(hearing, return_exceptions=True)
            await self._client.close()
            self._listening = False

    async def _hear(self, queue: EventQueue) -> None:
        try:
            await self._again_and_again(queue)
        finally:
            queue.finish()

    async def _again_and_again(self, queue: EventQueue) -> None:
        failed, refused, told = 0, 0, ""
        while True:
            began = self._clock.monotonic()
            live = _Live(queue)
            ended = await self._one_connection(live)
            refused = refused + 1 if ended.token else 0
            final = ended.final or refused >= self._patience.tokens
            if live.connected or final or ended.because != told:
                told = ended.because
                queue.put(Disconnected(ended.because, final, self._clock.now()))
            if final:
                return
            failed = 1 if self._clock.monotonic() - began >= self._patience.lived else failed + 1
            await self._clock.sleep(max(self._pause(failed), ended.pause))

    def _pause(self, failed: int) -> float:
        pause = self._patience.first_pause * 2.0 ** min(failed - 1, 30)
        return min(self._patience.longest_pause, pause) * (0.5 + self._spread())

    async def _one_connection(self, live: "_Live") -> StreamEnded:
        """Connect, listen until it ends, and return why it did."""
        try:
            await self._learn_names()
            token = await self._token()
            async with self._socket() as socket:
                await self._talk(socket, StreamSession(token, self._executions, self._balances, self._pairs), live)
        except StreamEnded as ended:
            return ended
        except ExchangeRefused as refused:
            return StreamEnded(str(refused), final=True)
        except ExchangeFailed as failed:
            return StreamEnded(str(failed), pause=self._until(failed))
        except ConnectionClosed as closed:
            return _closed(closed)
        except InvalidStatus as answered:
            return StreamEnded(f"the stream answered with HTTP {answered.response.status_code}")
        except (OSError, WebSocketException) as error:
            return StreamEnded(f"no connection to the stream ({type(error).__name__})")

    async def _talk(self, socket: ClientConnection, session: StreamSession, live: "_Live") -> NoReturn:
        asked = False
        complete = self._clock.monotonic()
        while True:
            await self._say(socket, session)
            try:
                async with asyncio.timeout(self._patience.silence / 2):
                    data = await socket.recv(decode=False)
            except TimeoutError:
                if asked:
                    raise StreamEnded(f"the stream was silent for {self._patience.silence:g} s") from None
                asked = True
                session.outgoing.append(PING)
            else:
                asked = False
                live.tell(session.heard(data, self._clock.now()))
            if session.ended is not None:
                raise session.ended
            complete = self._clock.monotonic() if session.ready else complete
            if self._clock.monotonic() - complete > self._patience.answer:
                raise StreamEnded(f"the stream sent no snapshot within {self._patience.answer:g} s")

    async def _say(self, socket: ClientConnection, session: StreamSession) -> None:
        while session.outgoing:
            async with asyncio.timeout(self._patience.answer):
                await socket.send(session.outgoing[0], text=True)
            del session.outgoing[0]

    def _socket(self) -> "_Connect":
        return _Connect(
            self._stream_url,
            compression=None,
            open_timeout=self._patience.connect,
            close_timeout=1.0,
            ping_interval=None,
            max_size=FRAME_MAX,
            proxy=None,
            user_agent_header=USER_AGENT,
        )

    async def _learn_names(self) -> None:
        """Read names and rights, once a day: pairs are added, and keys are changed."""
        now = self._clock.now()
        if self._named_at is not None and now - self._named_at < NAMES_LAST:
            return
        key = await ask_about_key(self._client, self._key)
        if key is not None and not self._allow_trading_key:
            refuse_rights_to_act(key)
        names = Names(await listed_names(self._client), self._known)
        self._known = names.known
        self._executions.names = self._balances.names = names
        self._named_at = now

    async def _token(self) -> str:
        reply = await self._client.call(GET_WEBSOCKETS_TOKEN)
        where = (GET_WEBSOCKETS_TOKEN.name, "")
        if not isinstance(reply.result, dict):
            wire.refuse(where, "", "an object was expected")
        return wire.word(reply.result, "token", where)

    def _until(self, failed: ExchangeFailed) -> float:
        """Return the seconds before which asking again is pointless or harmful."""
        if not isinstance(failed, ExchangeUnavailable) or failed.retry_at is None:
            return 0.0
        return max(0.0, (failed.retry_at - self._clock.now()).total_seconds())


class _Live:
    """Passes on what one connection tells, and remembers whether it ever began to."""

    def __init__(self, queue: EventQueue) -> None:
        self._queue = queue
        self.connected = False

    def tell(self, events: list[StreamEvent]) -> None:
        for event in events:
            self.connected = self.connected or isinstance(event, Connected)
            self._queue.put(event)


class _Connect(connect):
    """Opens a connection, and follows no redirect: the token would go with it."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


def stream_url_of(url: str) -> str:
    """Return where the private stream of a REST address is: Kraken's own, or the same host's."""
    if url.rstrip("/") == BASE_URL:
        return STREAM_URL
    scheme, found, rest = url.partition("://")
    return f"{'wss' if scheme == 'https' else 'ws'}{found}{rest.rstrip('/')}/v2"


def checked(url: str) -> str:
    """Return an address that may carry a token: encrypted, or on this machine.

    Raises:
        ExchangeRefused: another one, or one that holds more than scheme, host, port and path.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ExchangeRefused(f"the stream_url cannot be read; write one such as {STREAM_URL}") from None
    if "@" in parts.netloc or parts.query or parts.fragment or port == 0:
        raise ExchangeRefused("the stream_url holds more than scheme, host, port and path; take the rest out")
    if not host or parts.scheme not in {"ws", "wss"} or (parts.scheme == "ws" and host not in _LOCAL):
        raise ExchangeRefused(f"stream_url {url!r}: only wss, or ws on this machine, may carry a token")
    return url


def _closed(closed: ConnectionClosed) -> StreamEnded:
    code = None if closed.rcvd is None else closed.rcvd.code
    if code == POLICY_VIOLATION:
        return StreamEnded(
            "Kraken closed the stream for good (code 1008): token or rights are wrong; "
            "check the key with: gal-friday preflight",
            final=True,
        )
    return StreamEnded("the connection broke off (code 1006)" if code is None else f"Kraken closed the stream ({code})")
