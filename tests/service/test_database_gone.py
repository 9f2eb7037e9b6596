"""A database that goes away and returns under a running API: who asks is told in time, and all goes on by itself."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
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
from gal_friday.bootstrap.serve import Serving
from gal_friday.bootstrap.service import ReconciliationService
from gal_friday.bootstrap.settings import AccountSettings, Database, Settings
from gal_friday.domain.access import Role
from gal_friday.domain.facts import Actor, KnownBy
from gal_friday.domain.schedule import Planned, Why
from gal_friday.domain.verdict import ReconciliationStatus, Verdict
from gal_friday.flows.tokens import Mint, Wanted, issue
from gal_friday.ports.errors import StoreFailed
from gal_friday.service import scheduler
from tests.postgres.databases import Databases
from tests.service.wire import Wire
from tests.service.wired import CLOCK, hasty, served, until, wired

LIMITS = Limits()
NAMES = ("a", "b", "c")
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


@pytest.mark.parametrize("outage", [Wire.swallow, partial(Wire.cut, after=0)], ids=["swallowed", "refused"])
async def test_every_account_is_run_when_its_database_is_back_and_nothing_is_done_twice(
    databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, outage: Callable[[Wire], None]
) -> None:
    hasty(monkeypatch)
    for name, quick in (("_YOUNG", timedelta(seconds=1)), ("_GONE_EVERY", 1), ("_AFTER_FAILURE_SECONDS", 0.2)):
        monkeypatch.setattr(scheduler, name, quick)
    async with databases.fresh(tables=True) as address:
        url = make_url(address)
        async with Wire(str(url.host), int(url.port or 5432)) as wire:
            through = url.set(host="127.0.0.1", port=wire.port).render_as_string(hide_password=False)
            more = "[service]\nlease_seconds = 4\n"
            async with wired(tmp_path, *NAMES, database=through, more=more) as world, served(world.settings) as serving:
                await until(partial(ended, serving))
                world.wire.slow(0.03)  # so that every run is under way when it happens
                for name in NAMES:
                    await serving.mark(name, Why.REQUESTED)
                await until(partial(under_way, serving))
                struck = CLOCK.now()
                outage(wire)
                await until(partial(unanswered, serving))
                world.wire.mend()
                wire.mend()
                await until(partial(ended, serving, struck))
                reports = await serving.service.opened.store.reports()
        told = "SELECT count(*) - count(DISTINCT subject) FROM journal_entries WHERE kind = 'run_finished'"
        assert await databases.command(told, database=url.database) == 0
        # A run whose book was cut off says so where the database is back in time for it, and claims nothing.
        cut_off = [report for report in reports if report.status is ReconciliationStatus.FAILED]
        whole = [report for report in reports if report not in cut_off]
        assert {(report.verdict, report.total_discrepancies) for report in cut_off} <= {(Verdict.INCOMPLETE, 0)}
        assert {(report.verdict, report.total_discrepancies) for report in whole} == {(Verdict.DISCREPANCIES, 65)}
        assert {report.account for report in whole} == set(NAMES)
        assert len(reports) <= 3 * len(NAMES)


async def schedules(serving: Serving) -> Sequence[Planned]:
    try:
        return await serving.service.opened.schedules.all()
    except StoreFailed:
        return ()


async def ended(serving: Serving, after: datetime = datetime(2020, 1, 1, tzinfo=UTC)) -> bool:
    """Say whether every account has ended a run well that ended after this instant, and none is under way."""
    all_of_them = await schedules(serving)
    well = [one for one in all_of_them if one.begun is None and one.status == "partial" and not one.failures]
    return len(well) == len(NAMES) and all(one.last_run and one.last_run > after for one in well)


async def under_way(serving: Serving) -> bool:
    return all(one.begun for one in await schedules(serving))


async def unanswered(serving: Serving) -> bool:
    """Say whether the database answers nothing, or that it cannot be asked."""
    try:
        async with asyncio.timeout(1):
            return not await schedules(serving)
    except TimeoutError:
        return True
