"""A running service for the tests of the API: a simulated Kraken, a database on disk, tokens, a server on loopback.

The account ``main`` has a book that lacks the last of two fills; ``spare`` has an exchange of its own and no book;
``filed`` has its book in a file. Nobody else sees ``hidden``.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from shutil import copytree
from typing import Any

import httpx2
from fastapi import FastAPI
from msgspec import Struct

from gal_friday.adapters.access import MemoryAccess, MemoryThrottle, SystemChance
from gal_friday.adapters.clock import SystemClock
from gal_friday.adapters.kraken.exports import read_exports
from gal_friday.adapters.simulated import Exchange, SimulatedKraken
from gal_friday.api.backend import Limits
from gal_friday.bootstrap.api import app_of, serving
from gal_friday.bootstrap.service import ReconciliationService
from gal_friday.bootstrap.settings import AccountSettings, BookInFile, Database, EmbeddedBook, Reconciliation, Settings
from gal_friday.domain.access import ALL, Accounts, Permission, Role
from gal_friday.domain.access_facts import user_created
from gal_friday.domain.credentials import User
from gal_friday.domain.facts import Actor, KnownBy
from gal_friday.domain.plain import plain
from gal_friday.domain.policy import Mode
from gal_friday.domain.records import Kind
from gal_friday.domain.throttle import Limit, Tried
from gal_friday.flows.tokens import Mint, Wanted, issue

ROOT = Actor("root", KnownBy.SELF_DECLARED)
# Kraken's exports do not list orders, so this book does not speak of them.
KINDS = (Kind.BALANCES, Kind.POSITIONS, Kind.FILLS, Kind.MOVEMENTS)
LIMITS = Limits(body_bytes=4_000_000, heartbeat_seconds=0.2, poll_seconds=0.02, streams_per_caller=2)

# A generator of bad calls shows more tokens that are not good than anybody may; test_guessing holds the real limits.
PATIENT = MemoryThrottle({one: Limit(1_000_000, timedelta(microseconds=1)) for one in Tried})


class World(Struct, frozen=True):
    """The service, and ways to call it."""

    app: FastAPI
    service: ReconciliationService
    exchange: Exchange
    mint: Mint
    folder: Path
    missed: str
    """The fill that the book lacks."""

    async def token(self, role: Role = Role.ADMIN, owner: str = "alice", **more: Any) -> str:
        """Return a token of this role; *scopes* and *accounts* narrow it."""
        # Whoever may approve is a person.
        person = User(name=owner, role=Role.ADMIN, accounts=ALL, password=None, created=self.mint.clock.now())
        await self.mint.access.save_user(person, user_created(person, ROOT))
        return (await issue(self.mint, Wanted(name="test", owner=owner, role=role, **more), ROOT)).text

    async def feeder(self) -> str:
        """Return the token of a trading system: it feeds the book and asks the gate, and nothing else."""
        scopes = frozenset({Permission.FEED, Permission.READ})
        return await self.token(Role.VIEWER, "bot", scopes=scopes, accounts=Accounts(("main", "spare")))

    async def token_for_everything(self) -> str:
        """Return a token that may do all there is."""
        return await self.token(Role.ADMIN, "root", scopes=frozenset(Permission))

    def in_days(self, days: int) -> str:
        """Return the instant so many days from now, as text."""
        return (SystemClock().now() + timedelta(days=days)).isoformat()

    def exported(self, event: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Return the fill of this id and its movements, as a trading system would push them."""
        exports = read_exports(self.folder / "ledgers.csv", self.folder / "trades.csv")
        fills = [one for one in exports.fills if one.fill_id == event]
        movements = [one for one in exports.movements if one.refers_to == event]
        drop = {"raw", "extra"}
        told = [[{k: v for k, v in plain(one).items() if k not in drop} for one in some] for some in (fills, movements)]
        return told[0], told[1]

    async def as_(self, role: Role = Role.ADMIN, owner: str = "alice", **more: Any) -> httpx2.AsyncClient:
        """Return a client that calls the application in this process."""
        return self.client(await self.token(role, owner, **more))

    def client(self, token: str | None) -> httpx2.AsyncClient:
        """Return a client with this token, or none."""
        return httpx2.AsyncClient(
            transport=httpx2.ASGITransport(self.app, raise_app_exceptions=False),
            base_url="http://localhost",
            headers={} if token is None else {"Authorization": f"Bearer {token}"},
            timeout=30,
        )

    async def reconciled(self, *, times: int = 1, mode: Mode = Mode.OBSERVE) -> None:
        """Run the account ``main``."""
        for _ in range(times):
            await self.service.run_reconciliation("main", mode=mode, only=KINDS)


class Template(Struct, frozen=True):
    """A world that was made once: its exchange, and the files that it left behind."""

    exchange: Exchange
    folder: Path
    missed: str


async def template(folder: Path) -> Template:
    """Make a world whose account ``main`` was reconciled once."""
    made = _traded(folder)
    async with world(folder, made) as running:
        await _fed(running.service, folder, made.missed)
        await running.reconciled()
    return made


@asynccontextmanager
async def world(folder: Path, like: Template, *, limits: Limits = LIMITS) -> AsyncIterator[World]:
    """Give a service that goes on where *like* ended."""
    if folder != like.folder:
        copytree(like.folder, folder, dirs_exist_ok=True)
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(SimulatedKraken(like.exchange, enforce_limits=False))
        service = await stack.enter_async_context(ReconciliationService(_settings(folder, server.url)))
        access = MemoryAccess()
        mint = Mint(access, SystemChance(), SystemClock())
        yield World(
            app_of(service, access, limits=limits, throttle=PATIENT), service, like.exchange, mint, folder, like.missed
        )


def _traded(folder: Path) -> Template:
    exchange = Exchange(lambda: SystemClock().now() - timedelta(hours=1), seed=5)
    for name in ("main", "spare"):
        exchange.open_account(name)
    exchange.set_price("XXBTZUSD", "60000")
    for name in ("main", "spare"):
        exchange.deposit(name, "ZUSD", "10000")
    exchange.place_order("main", "XXBTZUSD", "buy", "market", "0.1")
    missed = exchange.place_order("main", "XXBTZUSD", "sell", "market", "0.04").executions[0].trade
    exchange.now = SystemClock().now
    for name in ("ledgers", "trades"):
        (folder / f"{name}.csv").write_text(getattr(exchange, f"{name}_csv")("main"))
    for name in ("main", "spare"):
        key = exchange.issue_key(name, tier="pro")
        (folder / f"{name}.key").write_text(key.key)
        (folder / f"{name}.secret").write_text(key.secret)
    return Template(exchange, folder, missed)


def _settings(folder: Path, url: str) -> Settings:
    def account(name: str, book: Any = EmbeddedBook()) -> AccountSettings:  # noqa: B008 - never changed
        key, secret = (f"file:{folder / name}.{part}" for part in ("key", "secret"))
        return AccountSettings(api_key=key, api_secret=secret, url=url, tier="none", book=book)

    return Settings(
        state_folder=str(folder),
        database=Database(url=f"sqlite+aiosqlite:///{folder / 'gal-friday.db'}"),
        reconciliation=Reconciliation(confirmations=1, grace_seconds=1),
        accounts={
            "main": account("main"),
            "spare": account("spare"),
            "filed": account("spare", BookInFile(path=str(folder / "book.json"))),
            "hidden": account("spare"),
        },
    )


async def _fed(service: ReconciliationService, folder: Path, missed: str) -> None:
    exports = read_exports(folder / "ledgers.csv", folder / "trades.csv")
    await service.opened.book.append(
        account="main",
        exchange="kraken",
        fills=[one for one in exports.fills if one.fill_id != missed],
        movements=[one for one in exports.movements if one.refers_to != missed],
    )


@asynccontextmanager
async def served(app: FastAPI) -> AsyncIterator[str]:
    """Serve an application on loopback, and give its address."""
    server = serving(app, host="127.0.0.1", port=0)
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.stop()
        await asyncio.wait_for(task, 10)
