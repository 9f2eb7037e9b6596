"""A worker can be watched: what it counts, to who may see it, at the port that it is given, and nothing else there."""

import asyncio
from collections.abc import AsyncIterator

import httpx2
import pytest
from msgspec.structs import replace

from gal_friday.bootstrap import serve as bootstrap
from gal_friday.bootstrap.access import mint_of
from gal_friday.bootstrap.demo import running_demo
from gal_friday.bootstrap.settings import Database, load
from gal_friday.bootstrap.worker import work
from gal_friday.domain.access import Permission, Role
from gal_friday.domain.facts import Actor, KnownBy
from gal_friday.flows.tokens import Wanted, issue
from tests.postgres.databases import Databases

pytestmark = pytest.mark.postgres


@pytest.fixture
async def watched(databases: Databases) -> AsyncIterator[httpx2.AsyncClient]:
    """Give a client for the metrics of a worker, which carries out the runs of a service beside it."""
    stop = asyncio.Event()
    begun: asyncio.Future[bootstrap.Serving] = asyncio.get_running_loop().create_future()
    there: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def serving(one: bootstrap.Serving) -> None:
        begun.set_result(one)

    async def working(address: str) -> None:
        there.set_result(address)

    async with databases.fresh() as address, running_demo() as demo:
        told = load(demo.configuration, environment={})
        settings = replace(
            told,
            database=Database(url=address),
            service=replace(told.service, dispatcher="queue", metrics_port=0),
            api=replace(told.api, port=0),
        )
        async with asyncio.TaskGroup() as group:
            group.create_task(bootstrap.serve(settings, stop, ready=serving))
            opened = (await begun).service.opened
            group.create_task(work(settings, stop, ready=working))
            scopes = frozenset({Permission.METRICS, Permission.READ})
            wanted = Wanted(name="prometheus", owner="prometheus", role=Role.VIEWER, scopes=scopes)
            token = (await issue(mint_of(opened), wanted, Actor("root", KnownBy.SELF_DECLARED))).text
            async with httpx2.AsyncClient(
                base_url=await there, headers={"Authorization": f"Bearer {token}"}, timeout=10
            ) as client:
                yield client
            stop.set()


async def test_a_worker_counts_the_runs_and_calls_that_it_made(watched: httpx2.AsyncClient) -> None:
    text = ""
    async with asyncio.timeout(30):
        while 'gal_friday_runs_total{account="main"' not in text:
            await asyncio.sleep(0.1)
            text = (await watched.get("/metrics")).text
    assert 'gal_friday_exchange_calls_total{endpoint="' in text
    assert 'gal_friday_database_statement_seconds_count{kind="write"}' in text
    # States are the service's to tell: as many workers as there are would tell them as often.
    assert "gal_friday_discrepancies_open" not in text


async def test_a_worker_answers_nothing_but_who_watches_it(watched: httpx2.AsyncClient) -> None:
    asked = {path: (await watched.get(path)).status_code for path in ("/healthz", "/readyz", "/metrics")}
    assert asked == dict.fromkeys(asked, 200)
    for path in ("/api/reports", "/api/accounts", "/api/session", "/api/tokens"):
        assert (await watched.get(path)).status_code == 404, path
    stranger = await watched.get("/metrics", headers={"Authorization": ""})
    assert stranger.status_code == 401
    assert (await watched.get("/metrics", headers={"Host": "rebound.example"})).status_code == 421
