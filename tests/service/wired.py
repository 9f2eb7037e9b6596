"""Accounts whose exchange is at the other end of a wire, with a book that lacks one fill, and hasty programs.

What a run says of them is true or it is wrong: ``World.truth`` is what one found while nothing failed.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import pytest

from gal_friday.adapters.clock import SystemClock
from gal_friday.adapters.kraken import adapter, client, read_exports, stream
from gal_friday.adapters.kraken.patience import Patience
from gal_friday.adapters.kraken.transport import Deadlines
from gal_friday.adapters.simulated import Exchange, SimulatedKraken
from gal_friday.adapters.simulated.answer import Answer, HttpRequest
from gal_friday.bootstrap.serve import Serving, serve
from gal_friday.bootstrap.service import ReconciliationService
from gal_friday.bootstrap.settings import Settings, load
from gal_friday.domain import schedule
from gal_friday.domain.policy import Mode
from gal_friday.domain.report import ReconciliationReport
from gal_friday.domain.schedule import Obstacle
from gal_friday.service.turns import Ran
from tests.adapters.kraken.hearing import QUICK
from tests.service.wire import Wire

CLOCK = SystemClock()
ORDERS = 60
"""So many that the fills fill two pages, and the ledger three."""
_ACCOUNT = """[accounts.{name}]
api_key = "file:{folder}/{name}.key"
api_secret = "file:{folder}/{name}.secret"
url = "http://127.0.0.1:{port}"
tier = "none"
mode = "observe"
stream = {stream}
"""

Truth = frozenset[tuple[str, ...]]


class Kraken(SimulatedKraken):
    """A simulated Kraken that does something when it is asked for the so manieth time."""

    def __init__(self, exchange: Exchange) -> None:
        super().__init__(exchange, enforce_limits=False)
        self.upon: dict[int, Callable[[], object]] = {}

    def answer(self, http: HttpRequest) -> Answer:
        self.upon.pop(len(self.calls), lambda: None)()
        return super().answer(http)


class World(msgspec.Struct):
    """The accounts, what they are configured with, and the wire to their exchange."""

    kraken: Kraken
    wire: Wire
    file: Path

    @property
    def settings(self) -> Settings:
        return load(self.file, environment={})

    def trade(self, account: str = "main") -> str:
        """Let something be bought that the book does not hear of, and return the id of the fill."""
        (fill,) = self.kraken.exchange.place_order(account, "XXBTZUSD", "buy", "market", "0.001").executions
        return fill.trade

    async def run(self, service: ReconciliationService, *, asked: int = 0, then: Callable[[], object]) -> Ran:
        """Reconcile once; when the exchange is asked for the so manieth time of this run, *then* happens."""
        self.kraken.upon = {len(self.kraken.calls) + asked: then}
        return await service.run("main", mode=Mode.OBSERVE)


def truth(report: ReconciliationReport) -> Truth:
    """Return what a report says that differs, without what depends on when it was looked at."""
    rows: list[dict[str, object]] = msgspec.to_builtins(report.discrepancies)
    return frozenset(
        tuple(str(row.get(name)) for name in ("key", "type", "internal", "exchange", "difference")) for row in rows
    )


def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have everything that waits for the exchange wait for a second where it waits for a minute."""
    deadlines = partial(Deadlines, connect=1.0, read=1.0, total=1.0)
    patience = partial(Patience, attempts=2, first_pause=0.01, slow=0.9, slow_of_one=2.0, slow_in_all=2.0)
    monkeypatch.setattr(adapter, "Deadlines", deadlines)
    monkeypatch.setattr(client, "Patience", patience)
    monkeypatch.setattr(stream, "Deadlines", deadlines)
    monkeypatch.setattr(stream, "StreamPatience", lambda: QUICK)
    for obstacle in (Obstacle.OUTAGE, Obstacle.HERE):
        monkeypatch.setitem(schedule._WAITS, obstacle, timedelta(seconds=0.5))


@asynccontextmanager
async def wired(
    folder: Path, *names: str, listened: bool = False, database: str | None = None, more: str = ""
) -> AsyncIterator[World]:
    """Give accounts of these names, whose books lack the last fill; *more* is added to the configuration."""
    accounts = names or ("main",)
    exchange = traded(folder, accounts)
    async with Kraken(exchange) as kraken, Wire("127.0.0.1", urlsplit(kraken.url).port or 0) as wire:
        told = {"folder": folder, "port": wire.port, "stream": str(listened).lower()}
        file = folder / "gal-friday.toml"
        file.write_text(
            f'state_folder = "{folder}"\n[database]\n'
            f'url = "{database or f"sqlite+aiosqlite:///{folder}/gal-friday.db"}"\n[api]\nport = 0\n{more}'
            + "".join(_ACCOUNT.format(name=name, **told) for name in accounts)
        )
        world = World(kraken, wire, file)
        await _booked(folder, world.settings, accounts)
        yield world


def traded(folder: Path, accounts: Sequence[str]) -> Exchange:
    """Return an exchange on which a while ago every account traded, with keys and exports of each in files."""
    began = CLOCK.now() - timedelta(hours=2)
    exchange = Exchange(lambda: began, seed=7)
    exchange.set_price("XXBTZUSD", "60000")
    for name in accounts:
        exchange.open_account(name)
        exchange.deposit(name, "ZUSD", "100000")
        for n in range(ORDERS):
            exchange.now = partial(_plus, began, timedelta(minutes=n))
            exchange.place_order(name, "XXBTZUSD", "buy", "market", "0.01")
        key = exchange.issue_key(name, tier="pro")
        (folder / f"{name}.key").write_text(key.key)
        (folder / f"{name}.secret").write_text(key.secret)
        for kind in ("ledgers", "trades"):
            (folder / f"{name}.{kind}.csv").write_text(getattr(exchange, f"{kind}_csv")(name))
    exchange.now = CLOCK.now
    exchange.quirks.heartbeat = timedelta(seconds=0.05)
    return exchange


def _plus(began: datetime, passed: timedelta) -> datetime:
    return began + passed


async def _booked(folder: Path, settings: Settings, accounts: Sequence[str]) -> None:
    async with ReconciliationService(settings) as service:
        for name in accounts:
            exports = read_exports(folder / f"{name}.ledgers.csv", folder / f"{name}.trades.csv")
            last = max(exports.fills, key=lambda fill: fill.at)
            await service.opened.book.append(
                account=name,
                exchange="kraken",
                fills=[one for one in exports.fills if one is not last],
                movements=[one for one in exports.movements if one.refers_to != last.fill_id],
            )


async def until(found: Callable[[], Awaitable[object]], seconds: float = 20) -> None:
    """Wait until something is so; other programs write there, and tell nobody."""
    async with asyncio.timeout(seconds):
        while not await found():  # noqa: ASYNC110 - as said
            await asyncio.sleep(0.05)


@asynccontextmanager
async def served(settings: Settings, *, within: float = 20) -> AsyncIterator[Serving]:
    """Look after the accounts for as long as the block runs; the end has to come in time."""
    stop, ready = asyncio.Event(), asyncio.Queue[Serving]()
    task = asyncio.create_task(serve(settings, stop, ready=ready.put))
    try:
        yield await ready.get()
    finally:
        stop.set()
        async with asyncio.timeout(within):
            await task
