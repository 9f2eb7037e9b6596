"""Trading systems push: what is answered is on the disk, to the digit, and once."""

import asyncio
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from gal_friday.adapters.book_sql import SqlBook
from gal_friday.adapters.clock import SystemClock
from gal_friday.adapters.sql import open_engine
from gal_friday.domain.snapshot import Scales, Snapshot
from tests.api.world import World

SINCE = datetime(2020, 1, 1, tzinfo=UTC)
SNAPSHOT = {
    "format": "gal-friday/snapshot/1",
    "side": "internal",
    "account": "spare",
    "exchange": "kraken",
    "as_of": "2026-01-31T12:00:00Z",
    "coverage": {"balances": "total", "positions": "total"},
    "balances": [{"asset": "BTC", "total": 1.5}],
    "positions": [],
}


def fill(name: str = "T1", **more: Any) -> dict[str, Any]:
    same = {"instrument": "BTC/USD", "side": "buy", "price": "60000", "at": "2026-01-31T12:00:00Z"}
    return {"fill_id": name, "quantity": "0.123456789012345678"} | same | more


def batch(*rows: dict[str, Any], account: str = "spare", kind: str = "fills") -> dict[str, Any]:
    return {"account": account, kind: list(rows)}


async def on_disk(here: World, account: str = "spare") -> Snapshot:
    """Return what somebody else reads who opens the database now."""
    engine = open_engine(f"sqlite+aiosqlite:///{here.folder / 'gal-friday.db'}")
    try:
        book = SqlBook(engine, clock=SystemClock())
        return await book.snapshot(account=account, since=SINCE, scales=Scales())
    finally:
        await engine.dispose()


async def test_what_is_answered_is_on_the_disk_to_the_digit(here: World) -> None:
    async with here.client(await here.feeder()) as client:
        answer = await client.post("/api/book/fills", json=batch(fill("T1"), fill("T2")))
    assert answer.json() == {
        "account": "spare",
        "version": 1,
        "new": 2,
        "already_known": 0,
        "gave_way": [],
        "replaced": [],
    }
    assert [one.quantity for one in (await on_disk(here)).fills] == [Decimal("0.123456789012345678")] * 2


async def test_pushing_the_same_again_changes_nothing(here: World) -> None:
    async with here.client(await here.feeder()) as client:
        await client.post("/api/book/fills", json=batch(fill("T1")))
        again = (await client.post("/api/book/fills", json=batch(fill("T1", quantity="0.1234567890123456780")))).json()
        more = (await client.post("/api/book/fills", json=batch(fill("T1"), fill("T2")))).json()
    assert (again["version"], again["new"], again["already_known"]) == (1, 0, 1)
    assert (more["version"], more["new"], more["already_known"]) == (2, 1, 1)


async def test_under_a_key_the_first_answer_comes_again(here: World) -> None:
    async with here.client(await here.feeder()) as client:
        first = await client.post("/api/book/fills", json=batch(fill()), headers={"Idempotency-Key": "1"})
        again = await client.post("/api/book/fills", json=batch(fill()), headers={"Idempotency-Key": "1"})
        other = await client.post("/api/book/fills", json=batch(fill("T2")), headers={"Idempotency-Key": "1"})
    assert (again.json(), other.status_code) == (first.json(), 422)
    assert len((await on_disk(here)).fills) == 1


async def test_many_pushes_at_once_lose_nothing_and_repeat_nothing(here: World) -> None:
    async with here.client(await here.feeder()) as client:
        calls = [client.post("/api/book/fills", json=batch(fill(f"T{n}"), fill(f"T{n + 1}"))) for n in range(10)]
        answers = await asyncio.gather(*calls)
    assert {one.status_code for one in answers} == {200}
    assert sum(one.json()["new"] for one in answers) == 11
    assert sorted({one.fill_id for one in (await on_disk(here)).fills}) == sorted(f"T{n}" for n in range(11))


async def test_one_bad_record_refuses_the_batch_and_is_named(here: World) -> None:
    async with here.client(await here.feeder()) as client:
        answer = await client.post("/api/book/fills", json=batch(fill("T1"), fill("T2", quantity="-1")))
        assert (answer.status_code, answer.json()["place"]) == (422, "fills[1].quantity")
        assert (await client.get("/api/book/spare")).status_code == 404


async def test_movements_and_orders_are_pushed_alike(here: World) -> None:
    movement = {
        "movement_id": "L1",
        "kind": "deposit",
        "asset": "USD",
        "amount": "100.50",
        "at": "2026-01-31T12:00:00Z",
    }
    order = {"order_id": "O1", "instrument": "BTC/USD", "side": "buy", "quantity": "2", "filled": "1", "status": "open"}
    async with here.client(await here.feeder()) as client:
        assert (await client.post("/api/book/movements", json=batch(movement, kind="movements"))).json()["new"] == 1
        told = [batch(order | {"status": status}, kind="orders") for status in ("open", "filled", "filled")]
        assert [(await client.post("/api/book/orders", json=one)).json()["new"] for one in told] == [1, 1, 0]
        shown = (await client.get("/api/book/spare")).json()
    assert [(one["asset"], one["total"]) for one in shown["balances"]] == [("USD", "100.50")]
    assert shown["version"] == "3"


async def test_a_snapshot_begins_a_book_and_its_numbers_are_read_exactly(here: World) -> None:
    text = json.dumps(SNAPSHOT).replace("1.5", "12345678901234567890.123456789012345678")
    async with here.client(await here.feeder()) as client:
        json_ = {"content-type": "application/json"}
        assert (await client.post("/api/book/snapshots", content=text, headers=json_)).json()["version"] == 1
        shown = (await client.get("/api/book/spare")).json()
        # The book has begun: another snapshot adds its records, and its balances follow from them.
        more = SNAPSHOT | {"fills": [fill()], "coverage": {"fills": "total"}, "balances": [], "positions": []}
        assert (await client.post("/api/book/snapshots", json=more)).json()["new"] == 1
    assert shown["balances"][0]["total"] == "12345678901234567890.123456789012345678"


@pytest.mark.parametrize(
    "change",
    [{"side": "exchange"}, {"exchange": "elsewhere"}, {"coverage": {"balances": "total"}}, {"format": "x"}],
)
async def test_a_snapshot_that_cannot_begin_the_book_is_refused(here: World, change: dict[str, Any]) -> None:
    async with here.client(await here.feeder()) as client:
        assert (await client.post("/api/book/snapshots", json=SNAPSHOT | change)).status_code == 422


async def test_a_snapshot_without_a_price_is_the_senders_to_complete(here: World) -> None:
    change = {"positions": [{"instrument": "BTC/USD", "mode": "net", "quantity": "1"}]}
    async with here.client(await here.feeder()) as client:
        answer = await client.post("/api/book/snapshots", json=SNAPSHOT | change)
    assert (answer.status_code, "retry-after" in answer.headers) == (422, False)
    assert "no average_price, and none is invented; add to positions" in answer.json()["detail"]


async def test_a_book_that_is_a_file_takes_nothing(here: World) -> None:
    async with here.client(await here.token_for_everything()) as client:
        answer = await client.post("/api/book/fills", json=batch(fill(), account="filed"))
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:gal-friday:problem:book-elsewhere")


async def test_the_missing_fill_is_pushed_and_the_next_run_agrees(here: World) -> None:
    known = list((await on_disk(here, "main")).fills)
    assert here.missed not in [one.fill_id for one in known]
    fills, movements = here.exported(here.missed)
    async with here.client(await here.token_for_everything()) as client:
        await client.post("/api/book/fills", json=batch(*fills, account="main"))
        await client.post("/api/book/movements", json=batch(*movements, account="main", kind="movements"))
        await here.reconciled()
        status = (await client.get("/api/reconciliation/status?account=main")).json()
    assert status["last_report"]["total_discrepancies"] == 0


async def test_the_largest_amounts_that_are_taken_stop_no_run(here: World) -> None:
    most, at = "9" * 40 + "." + "9" * 30, here.in_days(-1)
    deal = {"instrument": "BTC/USD", "side": "buy", "quantity": most, "price": most, "at": at}
    moved = {"kind": "deposit", "asset": "ETH", "amount": most, "at": at}
    async with here.client(await here.token_for_everything()) as client:
        fills = [{"fill_id": "T1", **deal}, {"fill_id": "T2", "margin": True, **deal}]
        (await client.post("/api/book/fills", json={"account": "main", "fills": fills})).raise_for_status()
        rows = [{"movement_id": f"M{number}", **moved} for number in range(2)]
        (await client.post("/api/book/movements", json={"account": "main", "movements": rows})).raise_for_status()
        ran = await client.post("/api/reconciliation/run?account=main&mode=propose")
        assert ran.status_code == 200, ran.text
        eth = next(one for one in ran.json()["report"]["balance_discrepancies"] if one["currency"] == "ETH")
        assert eth["difference"] == "-1" + "9" * 40 + "." + "9" * 29 + "8"
        for proposed in (await client.get("/api/adjustments?state=proposed")).json()["adjustments"]:
            await client.post(f"/api/adjustments/{proposed['adjustment_id']}/approve")
        for path in ("/api/book/main", f"/api/discrepancies/{eth['id']}", "/api/reports", "/api/adjustments"):
            assert (await client.get(path)).status_code == 200, path
        ran = await client.post("/api/reconciliation/run?account=main")
        assert ran.status_code == 200, ran.text
