"""The pages of the dashboard, over an SQLite file with 100,000 reports of 100 accounts and 5,000 open discrepancies.

Each is asked for by somebody who is signed in, one after the other, without the network between: what the server takes.
"""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import httpx2
from msgspec.structs import replace

from benchmarks.api import ACCOUNTS, REPORTS, filled, service_over
from benchmarks.compare import snapshot
from benchmarks.measured import Measured
from gal_friday.adapters.access import MemoryAccess, SystemChance
from gal_friday.adapters.clock import SystemClock
from gal_friday.bootstrap.api import app_of
from gal_friday.bootstrap.service import ReconciliationService
from gal_friday.domain.access import ALL, Role
from gal_friday.domain.access_facts import user_created
from gal_friday.domain.credentials import User
from gal_friday.domain.facts import Actor, KnownBy
from gal_friday.domain.following import carry_forward
from gal_friday.domain.policy import Policy
from gal_friday.domain.recall import run_of
from gal_friday.domain.report import compare
from gal_friday.flows.sign_in import link_for

OPEN = 5_000
ROUNDS = 15
PAGES = (
    "/",
    "/discrepancies",
    "/discrepancies?account=a0&severity=high",
    "/adjustments",
    "/runs",
    "/history",
    "/journal",
)


def run() -> Iterator[Measured]:
    """Measure each page."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        asyncio.run(filled(folder))
        yield from asyncio.run(_measured(folder))


async def _measured(folder: Path) -> list[Measured]:
    access, done = MemoryAccess(), []
    async with service_over(folder) as service:
        await _differing(service)
        app = app_of(service, access)
        transport = httpx2.ASGITransport(app)
        headers = {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}
        async with httpx2.AsyncClient(transport=transport, base_url="http://localhost", headers=headers) as browser:
            await _signed_in(browser, access)
            one = (await service.opened.store.open_discrepancies("a0"))[0]
            newest = (await service.opened.pages.reports(None, limit=1))[0]
            for path in (*PAGES, f"/discrepancies/{one.id}", f"/runs/{newest.reconciliation_id}"):
                seconds, size = await _asked(browser, path)
                shown = "/".join("…" if "_" in part else part for part in path.split("/"))
                name = f"page {shown}, {REPORTS} reports, {ACCOUNTS} accounts, {OPEN} open"
                done.append(Measured(name, seconds * 1000, "ms", "300"))
                done.append(Measured(f"page {shown}: its size", size / 1000, "kB", "150"))
    return done


async def _asked(browser: httpx2.AsyncClient, path: str) -> tuple[float, int]:
    """Return the median of the seconds, and the bytes."""
    seconds, size = [], 0
    for _ in range(ROUNDS):
        began = perf_counter()
        answer = await browser.get(path)
        seconds.append(perf_counter() - began)
        assert answer.status_code == 200, f"{path}: {answer.text[:300]}"
        size = len(answer.content)
    return sorted(seconds)[ROUNDS // 2], size


async def _signed_in(browser: httpx2.AsyncClient, access: MemoryAccess) -> None:
    clock = SystemClock()
    person = User(name="alice", role=Role.ADMIN, accounts=ALL, password=None, created=clock.now())
    await access.save_user(person, user_created(person, Actor("load", KnownBy.SYSTEM)))
    link = await link_for(access, SystemChance(), clock, person)
    answer = await browser.post("/api/session/link", json={"link": link})
    assert answer.status_code == 200, answer.text


async def _differing(service: ReconciliationService) -> None:
    """Record a run of the first account in which everything differs."""
    sides = (snapshot("internal", OPEN, 0), snapshot("exchange", OPEN, 1, one_in=1))
    ours, theirs = (replace(side, account="a0", as_of=SystemClock().now()) for side in sides)
    report = compare(ours, theirs)
    run = run_of(report, since=report.timestamp - timedelta(days=1))
    carried = carry_forward((), report.findings, report.discrepancies, run=run, policy=Policy())
    await service.opened.store.save_report(report, carried, pending={})
