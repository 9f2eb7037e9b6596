"""What Kraken says, each answer and frame through the code that reads it in a run.

Only ``ExchangeFailed`` may come out. The answer under test is the bytes that are tried; everything else that a read
needs is answered from the corpus.
"""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

import httpx2

from gal_friday.adapters.clock import SteppedClock
from gal_friday.adapters.kraken.adapter import KrakenExchange
from gal_friday.adapters.kraken.client import Client
from gal_friday.adapters.kraken.endpoints import LEDGERS
from gal_friday.adapters.kraken.recorded import Player
from gal_friday.adapters.kraken.signing import Credentials
from gal_friday.adapters.kraken.stream import KrakenStream
from gal_friday.adapters.kraken.stream_balances import Balances
from gal_friday.adapters.kraken.stream_executions import Executions
from gal_friday.adapters.kraken.stream_memory import Seen
from gal_friday.adapters.kraken.stream_pairs import Pairs
from gal_friday.adapters.kraken.stream_session import StreamEnded, StreamSession
from gal_friday.adapters.kraken.transport import Deadlines, Transport
from gal_friday.domain.assets import Asset
from gal_friday.domain.records import Kind
from gal_friday.ports.errors import ExchangeFailed
from gal_friday.ports.recordings import Failure
from tests.adapters.kraken.streamed import NAMES
from tests.fuzz.running import run

CORPUS = Path(__file__).with_name("corpus")
KEY, SECRET = "key", "c2VjcmV0"  # Of no account.
SINCE = datetime(2021, 3, 25, tzinfo=UTC)
UNTIL = SINCE + timedelta(days=1)
ORDER, TRADE, ROW = "OAAAAA-BBBBB-CCCCCC", "TAAAAA-BBBBB-CCCCCC", "LAAAAA-BBBBB-CCCCCC"


class Answers:
    """What is played to a connector: for one endpoint the bytes that are tried, for the others a good answer."""

    def __init__(self, endpoint: str, tried: bytes) -> None:
        self._endpoint, self._tried = endpoint, tried
        self.gone = b""

    def call(self, endpoint: str, params: Mapping[str, str]) -> bytes | Failure:
        """Answer one call."""
        if endpoint == self._endpoint:
            return self._tried
        if "aclass" in params or "aclass_base" in params:
            return Failure("WrongArguments", "not in this country")
        return GOOD[endpoint]


async def _ledger(exchange: KrakenExchange) -> None:
    await exchange.head()
    await exchange.movements(since=SINCE, until=UNTIL)
    await exchange.fills(since=SINCE, until=UNTIL)


async def _fills(exchange: KrakenExchange) -> None:
    await exchange.fills(since=SINCE, until=UNTIL)
    await exchange.movements(since=SINCE, until=UNTIL)


READS: dict[str, Callable[[KrakenExchange], Awaitable[object]]] = {
    "SystemStatus": KrakenExchange.open,
    "Time": KrakenExchange.open,
    "Assets": KrakenExchange.open,
    "AssetPairs": KrakenExchange.open,
    "GetApiKeyInfo": KrakenExchange.preflight,
    "BalanceEx": KrakenExchange.balances,
    "TradeBalance": KrakenExchange.positions,
    "OpenPositions": KrakenExchange.positions,
    "OpenOrders": lambda exchange: exchange.orders(since=SINCE, known=(ORDER,)),
    "ClosedOrders": lambda exchange: exchange.orders(since=SINCE, known=(ORDER,)),
    "QueryOrders": lambda exchange: exchange.confirm(Kind.ORDERS, (ORDER,)),
    "TradesHistory": _fills,
    "QueryTrades": lambda exchange: exchange.confirm(Kind.FILLS, (TRADE,)),
    "Ledgers": _ledger,
    "QueryLedgers": lambda exchange: exchange.confirm(Kind.MOVEMENTS, (ROW,)),
    "Ticker": lambda exchange: exchange.prices((Asset("BTC"),), currency=Asset("USD")),
}
"""What reads the answer of each endpoint."""

GOOD = {endpoint: (CORPUS / f"kraken-{endpoint}" / "good.json").read_bytes() for endpoint in READS}


def answer_of(endpoint: str) -> Callable[[bytes], None]:
    """Return what tries bytes as the answer of this endpoint."""

    async def read(data: bytes) -> None:
        clock = SteppedClock(UNTIL)
        player = Player(cast("Any", Answers(endpoint, data)), clock)
        exchange = KrakenExchange(key=KEY, secret=SECRET, clock=clock, tier="none", recorder=player)
        with suppress(ExchangeFailed):
            await exchange.open()
            await READS[endpoint](exchange)

    return lambda data: run(read(data))


def http(data: bytes) -> None:
    """Try bytes as an answer with its head: the status, a Retry-After and the content type are its first lines."""
    status, wait, kind, body = (*data.split(b"\n", 3), b"", b"", b"")[:4]
    headers = {"retry-after": wait, "content-type": kind}
    sound = {name: value.strip() for name, value in headers.items() if value.strip().isascii()}

    def answer(_request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(100 + sum(status) % 500, headers=cast("Any", sound), content=body)

    run(_called(httpx2.MockTransport(answer), key=sha256(data).hexdigest()))


async def _called(http: httpx2.MockTransport, *, key: str) -> None:
    # A key of its own each time: one that was locked out stays so for everybody in a process.
    transport = Transport("https://kraken.test", deadlines=Deadlines(), http=http)
    client = Client(Credentials(key, SECRET), transport, SteppedClock(UNTIL))
    with suppress(ExchangeFailed):
        await client.call(LEDGERS)
    await client.close()


def token(data: bytes) -> None:
    """Try bytes as the answer that holds the token of a stream."""
    transport = httpx2.MockTransport(lambda _request: httpx2.Response(200, content=data))

    async def asked() -> None:
        stream = KrakenStream(key=KEY, secret=SECRET, clock=SteppedClock(UNTIL), tier="none", http=transport)
        with suppress(ExchangeFailed):
            await stream._token()

    run(asked())


def frames(data: bytes) -> None:
    """Try each line as a frame of the private stream; only an end of the connection may come out."""
    seen, at = Seen(), UNTIL
    session = StreamSession("token", Executions(NAMES, seen), Balances(NAMES, Seen()), Pairs(seen))
    with suppress(StreamEnded):
        for line in data.split(b"\n"):
            at += timedelta(seconds=1)
            session.heard(line, at)
            if session.ended is not None:
                raise session.ended


TARGETS: dict[str, Callable[[bytes], None]] = {
    **{f"kraken-{endpoint}": answer_of(endpoint) for endpoint in READS},
    "kraken-http": http,
    "kraken-GetWebSocketsToken": token,
    "kraken-frames": frames,
}
