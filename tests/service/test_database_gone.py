"""A database that goes away and returns under a running API: who asks is told in time, and all goes on by itself."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import make_url

from gal_friday.adapters.access import MemoryAccess, SystemChance
from gal_friday.adapters.clock import SystemClock
from gal_friday.adapters.sql import engine
from gal_friday.api import health
from gal_friday.api.backend import Limits
from gal_friday.bootstrap.api import app_of
from gal_friday.bootstrap.service import ReconciliationService
from gal_friday.bootstrap.settings import AccountSettings, Database, Settings
from gal_friday.domain.access import Role
from gal_friday.domain.facts import Actor, KnownBy
from gal_friday.flows.tokens import Mint, Wanted, issue
from tests.postgres.databases import Databases
from tests.service.wire import Wire

LIMITS = Limits()
WANTED = Wanted(name="test", owner="bot", role=Role.VIEWER)
ROOT = Actor("root", KnownBy.SELF_DECLARED)
pytestmark = pytest.mark.postgres


@asynccontextmanager
async def asked(
    databases: Databases, folder: Path, limits: Limits = LIMITS
) -> AsyncIterator[tuple[httpx2.AsyncClient, Wire, Mint]]:
    """Give a caller of an API whose database is at the other end of a wire."""
    (folder / "key").write_text("x")
    key = f"file:{folder / 'key'}"
    async with databases.fresh(tables=True) as address:
        url = make_url(address)
        async with Wire(str(url.host), int(url.port or 5432)) as wire:
            through = url.set(host="127.0.0.1", port=wire.port).render_as_string(hide_password=False)
            settings = Settings(
                state_folder=str(folder),
                database=Database(url=through),
                accounts={"main": AccountSettings(api_key=key, api_secret=key)},
            )
            async with ReconciliationService(settings) as service:
                access = MemoryAccess()
                transport = httpx2.ASGITransport(app_of(service, access, limits=limits), raise_app_exceptions=False)
                async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client:
                    yield client, wire, Mint(access, SystemChance(), SystemClock())


async def test_a_database_that_swallows_everything_is_told_in_time_and_its_return_is_noticed(
    databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "_WITHIN_SECONDS", 0.3)
    async with asked(databases, tmp_path) as (client, wire, _):
        assert (await client.get("/readyz")).status_code == 200
        wire.swallow()
        gone = await client.get("/readyz")
        assert (gone.status_code, gone.headers["content-type"]) == (503, "application/problem+json")
        assert (await client.get("/healthz")).status_code == 200
        wire.mend()
        assert (await client.get("/readyz")).status_code in {200, 503}  # the first may meet a connection that was reset
        assert (await client.get("/readyz")).status_code == 200


async def test_connections_that_were_reset_are_replaced_without_anybody_being_told(
    databases: Databases, tmp_path: Path
) -> None:
    async with asked(databases, tmp_path) as (client, wire, _):
        assert (await client.get("/readyz")).status_code == 200
        wire.reset()
        assert (await client.get("/readyz")).status_code == 200


async def test_a_service_ends_in_time_though_its_database_swallows_everything(
    databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "CLOSE_SECONDS", 0.5)
    async with AsyncExitStack() as stack:
        client, wire, _ = await stack.enter_async_context(asked(databases, tmp_path))
        await asyncio.gather(*(client.get("/readyz") for _ in range(4)))  # so that several connections stand
        wire.swallow()
        async with asyncio.timeout(8):  # from here: making the first database of a test run takes longer than this
            await stack.aclose()


async def test_whoever_asks_is_answered_in_time_though_the_database_swallows_everything(
    databases: Databases, tmp_path: Path
) -> None:
    async with asked(databases, tmp_path, Limits(question_seconds=0.5)) as (client, wire, mint):
        token = (await issue(mint, WANTED, ROOT)).text
        headers = {"Authorization": f"Bearer {token}"}
        assert (await client.get("/api/accounts", headers=headers)).status_code == 200
        wire.swallow()
        for path in ("/api/accounts", "/api/reports", "/api/reconciliation/status"):
            gone = await client.get(path, headers=headers)
            assert (gone.status_code, gone.headers["content-type"]) == (503, "application/problem+json"), path
            assert gone.json()["detail"].startswith("the database does not answer")
        wire.mend()
        answers = [(await client.get("/api/accounts", headers=headers)).status_code for _ in range(3)]
        assert answers[-1] == 200
