"""A commit that was done and whose answer was lost: nobody can tell, and nothing is lost or done twice."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url

from gal_friday.bootstrap.service import ReconciliationService
from gal_friday.domain.access import Permission, Role
from gal_friday.domain.policy import Mode
from gal_friday.domain.verdict import ReconciliationStatus
from gal_friday.flows.tokens import Wanted, issue
from tests.postgres.databases import Databases
from tests.service.test_database_gone import ROOT, asked
from tests.service.wire import Wire
from tests.service.wired import wired

pytestmark = pytest.mark.postgres
FEEDER = Wanted(name="feeder", owner="bot", role=Role.VIEWER, scopes=frozenset({Permission.FEED, Permission.READ}))
SAME = {"instrument": "BTC/USD", "side": "buy", "quantity": "1", "price": "60000", "at": "2026-01-31T12:00:00Z"}
FILLS: dict[str, Any] = {"account": "main", "fills": [{"fill_id": name} | SAME for name in ("T1", "T2")]}
COMMIT = b"COMMIT;"


@pytest.mark.parametrize("written", [b"INSERT INTO given_answers", b"INSERT INTO book_fills", b"UPDATE given_answers"])
async def test_a_push_is_sent_again_until_it_is_answered_and_is_in_the_book_once(
    databases: Databases, tmp_path: Path, written: bytes
) -> None:
    async with asked(databases, tmp_path) as (client, wire, mint):
        headers = {"Authorization": f"Bearer {(await issue(mint, FEEDER, ROOT)).text}", "Idempotency-Key": "k1"}
        wire.lose_answer(COMMIT, after=written)
        lost = await client.post("/api/book/fills", json=FILLS, headers=headers)
        assert (lost.status_code, wire.lost) == (503, 1)
        again = await client.post("/api/book/fills", json=FILLS, headers=headers)
        assert (again.status_code, again.json()["version"]) == (200, 1)
        once_more = await client.post("/api/book/fills", json=FILLS, headers=headers)
        assert (once_more.json(), once_more.headers["Idempotency-Replayed"]) == (again.json(), "true")
        book = await client.get("/api/book/main", headers=headers)
        held = {(one["asset"]): one["total"] for one in book.json()["balances"]}
        assert held["BTC"] == "2"


async def test_a_report_that_was_saved_is_no_failure_though_the_answer_was_lost(
    databases: Databases, tmp_path: Path
) -> None:
    async with databases.fresh(tables=True) as address:
        url = make_url(address)
        async with Wire(str(url.host), int(url.port or 5432)) as wire:
            through = url.set(host="127.0.0.1", port=wire.port).render_as_string(hide_password=False)
            async with wired(tmp_path, database=through) as world, ReconciliationService(world.settings) as service:
                wire.lose_answer(COMMIT, after=b"INSERT INTO reconciliation_events")
                report = await service.run_reconciliation("main", mode=Mode.OBSERVE)
                assert wire.lost == 1
                assert (report.status, report.error_messages) == (ReconciliationStatus.PARTIAL, ())
                assert await service.opened.store.reports() == (report,)
        told = "SELECT count(*) FROM journal_entries WHERE kind = 'run_finished'"
        assert await databases.command(told, database=url.database) == 1
