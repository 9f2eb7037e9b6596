"""The API under load: a server in a process of its own, on loopback, over an SQLite file with 100,000 reports.

Calls are made at fixed instants, 200 a second, whether or not the ones before were answered: a server that falls behind
shows it. A latency counts from the instant at which the call was due.
"""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import httpx2
from msgspec.structs import replace
from sqlalchemy import insert

from benchmarks.measured import Measured
from gal_friday.adapters.access import MemoryAccess, SystemChance
from gal_friday.adapters.clock import SystemClock
from gal_friday.adapters.sql.engine import open_engine, writing
from gal_friday.adapters.sql.migration import upgrade
from gal_friday.adapters.sql.tables import RECONCILIATION_EVENTS
from gal_friday.adapters.store.sql import _row
from gal_friday.bootstrap.api import app_of, serving
from gal_friday.bootstrap.service import ReconciliationService
from gal_friday.bootstrap.settings import AccountSettings, Database, Settings
from gal_friday.domain.access import Permission, Role
from gal_friday.domain.facts import Actor, KnownBy
from gal_friday.domain.report import compare
from gal_friday.flows.tokens import Mint, Wanted, issue
from gal_friday.ports.errors import StoreFailed
from tests.domain.build import balance, exchange, internal

REPORTS = 100_000
A_SECOND = 200
SECONDS = 10
FILLS, BATCH = 20_000, 1_000
ACCOUNTS = 100


def run() -> Iterator[Measured]:
    """Measure status, reports and the gate under load, then pushes."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        asyncio.run(filled(folder))
        server = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.api", str(folder)], stdout=subprocess.PIPE, text=True
        )
        assert server.stdout is not None
        said = json.loads(server.stdout.readline())
        try:
            yield from asyncio.run(_measured(**said))
        finally:
            server.terminate()
            server.wait(20)


async def _measured(url: str, token: str) -> list[Measured]:
    headers = {"Authorization": f"Bearer {token}"}
    limits = httpx2.Limits(max_connections=50)
    done = []
    async with httpx2.AsyncClient(base_url=url, headers=headers, limits=limits, timeout=30) as http:
        for what, path, bar in (
            ("GET status", "/api/reconciliation/status", "20"),
            ("GET reports, 7 days, a page of 20", "/api/reconciliation/reports?days=7&limit=20", "20"),
            ("GET reports, 7 days, a page of 100", "/api/reconciliation/reports?days=7", "20"),
            ("GET gate", "/api/gate/a0/BTC/USD", "5"),
        ):
            took = sorted(await _load(http, path))
            name = f"{what} at {A_SECOND}/s, {REPORTS} reports"
            done.append(Measured(f"{name}: median", took[len(took) // 2] * 1000, "ms"))
            done.append(Measured(f"{name}: p99", took[int(len(took) * 0.99)] * 1000, "ms", bar))
        done.append(
            Measured(f"fills pushed, batches of {BATCH}, durable, per second", await _pushed(http), "/s", "10000")
        )
    return done


async def _load(http: httpx2.AsyncClient, path: str) -> list[float]:
    for _ in range(A_SECOND // 4):
        await http.get(path)
    began = perf_counter() + 1.0  # Until then every call is waiting for its instant.

    async def one(number: int) -> float:
        due = began + number / A_SECOND
        await asyncio.sleep(max(0.0, due - perf_counter()))
        answer = await http.get(path)
        assert answer.status_code == 200, answer.text
        return perf_counter() - due

    return await asyncio.gather(*map(one, range(A_SECOND * SECONDS)))


async def _pushed(http: httpx2.AsyncClient) -> float:
    def row(number: int) -> dict[str, Any]:
        same = {"instrument": "XRP/USD", "side": "buy", "quantity": "40.5", "price": "0.6123", "fee_asset": "USD"}
        return {
            "fill_id": f"T{number:08}",
            "fee": "0.06",
            "at": "2026-01-31T12:00:00Z",
            "order_id": f"O{number}",
        } | same

    batches = [[row(number) for number in range(at, at + BATCH)] for at in range(0, FILLS, BATCH)]
    bodies = [json.dumps({"account": "a1", "fills": rows}).encode() for rows in batches]
    began = perf_counter()
    for number, body in enumerate(bodies):
        headers = {"Content-Type": "application/json", "Idempotency-Key": str(number)}
        answer = await http.post("/api/book/fills", content=body, headers=headers)
        assert answer.json()["new"] == BATCH, answer.text
    return FILLS / (perf_counter() - began)


async def filled(folder: Path) -> None:
    """Write reports of a hundred accounts, one a minute; a tenth of them found something."""
    engine = open_engine(_address(folder))
    await upgrade(engine)
    now = SystemClock().now()
    assets = [f"A{number}" for number in range(20)] + ["BTC", "USD"]
    sides = (internal(*(balance(asset, "1") for asset in assets)), exchange(*(balance(asset, "1") for asset in assets)))
    good = compare(*sides)
    bad = compare(sides[0], exchange(*(balance(asset, "2" if asset == "A1" else "1") for asset in assets)))
    for at in range(0, REPORTS, 1000):
        rows = [_row(_numbered(bad if number % 10 == 0 else good, number, now)) for number in range(at, at + 1000)]
        async with writing(engine, StoreFailed) as connection:
            await connection.execute(insert(RECONCILIATION_EVENTS), rows)
    await engine.dispose()


def _numbered(report: Any, number: int, now: Any) -> Any:
    at = now - timedelta(minutes=REPORTS - number)
    return replace(report, reconciliation_id=f"rec_{number:016x}", account=f"a{number % ACCOUNTS}", timestamp=at)


def _address(folder: Path) -> str:
    return f"sqlite+aiosqlite:///{folder / 'gal-friday.db'}"


@asynccontextmanager
async def service_over(folder: Path) -> Any:
    """Give a service over the database in this folder."""
    account = AccountSettings(api_key="env:NONE", api_secret="env:NONE")
    accounts = {f"a{number}": account for number in range(ACCOUNTS)}
    settings = Settings(state_folder=str(folder), database=Database(url=_address(folder)), accounts=accounts)
    async with ReconciliationService(settings) as service:
        yield service


async def _serve(folder: Path) -> None:
    access = MemoryAccess()
    mint = Mint(access, SystemChance(), SystemClock())
    # A program that decides nothing: only people may.
    scopes = frozenset(Permission) - {Permission.APPROVE, Permission.ADMINISTER}
    wanted = Wanted(name="load", owner="load", role=Role.ADMIN, scopes=scopes)
    token = (await issue(mint, wanted, Actor("load", KnownBy.SYSTEM))).text
    async with service_over(folder) as service:
        server = serving(app_of(service, access), host="127.0.0.1", port=0)
        task = asyncio.create_task(server.serve())
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        print(json.dumps({"url": f"http://127.0.0.1:{port}", "token": token}), flush=True)
        await task


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1])))
