"""The five addresses of the first specification, key by key."""

from typing import Any

import httpx2
import pytest

from gal_friday.api.shapes import ReportSummary
from gal_friday.domain.access import Accounts, Role
from gal_friday.domain.policy import Mode
from tests.api.world import World

REPORT = {
    "reconciliation_id",
    "timestamp",
    "status",
    "positions_checked",
    "position_discrepancies",
    "balances_checked",
    "balance_discrepancies",
    "orders_checked",
    "untracked_orders",
    "auto_corrections",
    "manual_review_required",
    "duration_seconds",
    "error_messages",
    "total_discrepancies",
    "account",
    "verdict",
    "cut",
    "fills_checked",
    "movements_checked",
    "not_checked",
    "proposals",
}


async def test_status_has_its_four_keys_and_the_last_report(here: World) -> None:
    async with await here.as_(Role.VIEWER) as client:
        answer = await client.get("/api/reconciliation/status")
    status = answer.json()
    assert set(status) == {"last_run", "next_run", "consecutive_failures", "last_report"}
    assert status["last_report"].keys() >= REPORT
    assert status["last_run"] == status["last_report"]["timestamp"]
    assert (status["next_run"], status["consecutive_failures"]) == (None, 0)
    assert "findings" not in status["last_report"]
    assert set(status["last_report"]) == set(ReportSummary.__struct_fields__)


async def test_status_of_an_account_that_was_never_run_says_so(here: World) -> None:
    async with await here.as_() as client:
        status = (await client.get("/api/reconciliation/status?account=spare")).json()
    assert status == {"last_run": None, "next_run": None, "consecutive_failures": 0, "last_report": None}


async def test_reports_have_their_keys_and_come_by_pages(here: World) -> None:
    await here.reconciled(times=2)
    async with await here.as_(Role.VIEWER) as client:
        first = (await client.get("/api/reconciliation/reports?days=7&only_discrepancies=false&limit=2")).json()
        assert set(first) == {"reports", "count", "next_cursor"}
        assert first["count"] == len(first["reports"]) == 2
        assert all(report.keys() >= REPORT for report in first["reports"])
        rest = (await client.get(f"/api/reconciliation/reports?limit=2&cursor={first['next_cursor']}")).json()
    assert (rest["count"], rest["next_cursor"]) == (1, None)
    every = [report["reconciliation_id"] for page in (first, rest) for report in page["reports"]]
    stamps = [report["timestamp"] for page in (first, rest) for report in page["reports"]]
    assert len(set(every)) == 3
    assert stamps == sorted(stamps, reverse=True)


async def test_only_discrepancies_leaves_out_what_agrees(here: World) -> None:
    await here.reconciled(mode=Mode.PROPOSE)
    async with await here.as_() as client:
        every = (await client.get("/api/reconciliation/reports")).json()["count"]
        some = (await client.get("/api/reconciliation/reports?only_discrepancies=true")).json()
    assert some["count"] == every == 2
    assert all(report["total_discrepancies"] for report in some["reports"])


async def proposed(client: httpx2.AsyncClient, pair: str = "") -> dict[str, Any]:
    answer = await client.get(f"/api/reconciliation/adjustments?trading_pair={pair}&days=30")
    assert set(answer.json()) == {"adjustments", "count", "next_cursor"}
    found: list[dict[str, Any]] = [one for one in answer.json()["adjustments"] if one["adjustment_type"] == "book_fill"]
    return found[0]


async def test_adjustments_have_their_keys_and_are_found_by_pair(here: World) -> None:
    await here.reconciled(mode=Mode.PROPOSE)
    async with await here.as_() as client:
        found = await proposed(client, "BTC/USD")
        other = (await client.get("/api/reconciliation/adjustments?trading_pair=XRP/USD")).json()
    columns = {
        "reconciliation_id",
        "trading_pair",
        "adjustment_type",
        "old_value",
        "new_value",
        "reason",
        "adjusted_at",
    }
    assert found.keys() >= columns | {"adjusted_at"}
    assert (found["old_value"], found["new_value"], found["adjusted_at"]) == ("0.1000000000", "0.0600000000", None)
    assert other == {"adjustments": [], "count": 0, "next_cursor": None}


async def test_a_run_is_asked_for_and_answers_with_its_whole_report(here: World) -> None:
    async with await here.as_(Role.REVIEWER) as client:
        answer = await client.post("/api/reconciliation/run?account=main&mode=observe")
        ran = answer.json()
        assert answer.status_code == 200
        assert set(ran) == {"status", "report"}
        assert ran["status"] == ran["report"]["status"]
        assert ran["report"].keys() >= REPORT | {"findings"}
        name = ran["report"]["reconciliation_id"]
        stored = await client.get(f"/api/reports/{name[:12]}")
    assert stored.json() == ran["report"]
    kept = await here.service.opened.store.report(name)
    assert kept is not None
    assert stored.content == kept.to_json()


async def test_with_several_accounts_a_run_has_to_name_one(here: World) -> None:
    async with await here.as_() as client:
        answer = await client.post("/api/reconciliation/run")
        assert (answer.status_code, answer.json()["type"]) == (422, "urn:gal-friday:problem:which-account")
        assert "filed, hidden, main, spare" in answer.json()["detail"]
    async with await here.as_(accounts=Accounts(("main",))) as client:
        assert (await client.post("/api/reconciliation/run")).status_code == 200


async def test_a_run_that_may_repair_is_for_approvers(here: World) -> None:
    async with await here.as_(Role.REVIEWER) as client:
        assert (await client.post("/api/reconciliation/run?account=main&mode=enforce")).status_code == 403


@pytest.mark.parametrize("approved, state", [(True, "applied"), (False, "rejected")])
async def test_an_adjustment_is_approved_or_turned_down(here: World, approved: bool, state: str) -> None:
    await here.reconciled(mode=Mode.PROPOSE)
    async with await here.as_(Role.APPROVER, "bob") as client:
        name = (await proposed(client))["adjustment_id"]
        params = {"adjustment_id": name, "approved": str(approved).lower(), "notes": "seen"}
        answer = await client.post("/api/reconciliation/approve-adjustment", params=params)
        assert answer.json() == {"status": state, "adjustment_id": name, "approved": approved}
        again = await client.post("/api/reconciliation/approve-adjustment", params=params)
        assert again.status_code == 409
        shown = (await client.get(f"/api/adjustments/{name}")).json()
        facts = (await client.get(f"/api/journal?subject={name}")).json()["entries"]
    assert (shown["state"], shown["decided_by"]) == (state, "bob")
    assert {"name": "bob", "known_by": "token"} in [fact["actor"] for fact in facts]


async def test_who_may_not_approve_does_not(here: World) -> None:
    await here.reconciled(mode=Mode.PROPOSE)
    async with await here.as_(Role.REVIEWER) as client:
        params = {"adjustment_id": (await proposed(client))["adjustment_id"], "approved": "true"}
        assert (await client.post("/api/reconciliation/approve-adjustment", params=params)).status_code == 403
