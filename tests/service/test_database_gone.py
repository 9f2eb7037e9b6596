"""A database that goes away and returns under a running API: who asks is told in time, and all goes on by itself."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import make_url

from gal_friday.adapters.sql import engine
from gal_friday.api import health
from gal_friday.bootstrap.api import app_of
from gal_friday.bootstrap.service import ReconciliationService
from gal_friday.bootstrap.settings import AccountSettings, Database, Settings
from tests.postgres.databases import Databases
from tests.service.wire import Wire

pytestmark = pytest.mark.postgres


@asynccontextmanager
async def asked(databases: Databases, folder: Path) -> AsyncIterator[tuple[httpx2.AsyncClient, Wire]]:
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
                transport = httpx2.ASGITransport(app_of(service), raise_app_exceptions=False)
                async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client:
                    yield client, wire


async def test_a_database_that_swallows_everything_is_told_in_time_and_its_return_is_noticed(
    databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "_WITHIN_SECONDS", 0.3)
    async with asked(databases, tmp_path) as (client, wire):
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
    async with asked(databases, tmp_path) as (client, wire):
        assert (await client.get("/readyz")).status_code == 200
        wire.reset()
        assert (await client.get("/readyz")).status_code == 200


async def test_a_service_ends_in_time_though_its_database_swallows_everything(
    databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "CLOSE_SECONDS", 0.5)
    async with asyncio.timeout(10):
        async with asked(databases, tmp_path) as (client, wire):
            await asyncio.gather(*(client.get("/readyz") for _ in range(4)))  # so that several connections stand
            wire.swallow()
            began = asyncio.get_running_loop().time()
    assert asyncio.get_running_loop().time() - began < 8
