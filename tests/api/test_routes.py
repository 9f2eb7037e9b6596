"""The whole table of routes: none without its role, and no account in sight of who may not see it."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from gal_friday.adapters.access import MemoryAccess
from gal_friday.adapters.clock import SystemClock
from gal_friday.api.app import OPEN, create_app
from gal_friday.api.documented import amounts
from gal_friday.domain.access import Accounts, Permission, Role
from gal_friday.domain.policy import Mode
from gal_friday.flows.door import Door
from gal_friday.ports.steps import unwatched
from tests.api.world import LIMITS, World

APP = create_app(
    cast("Any", SimpleNamespace(version="0", limits=LIMITS, steps=unwatched)), Door(MemoryAccess(), SystemClock())
)
DESCRIBED = APP.openapi()


def operations() -> list[tuple[str, str]]:
    return [(method.upper(), path) for path, methods in DESCRIBED["paths"].items() for method in methods]


async def test_no_route_is_open_but_those_that_tell_nothing(here: World) -> None:
    async with here.client(None) as client:
        for method, path in operations():
            answer = await client.request(method, path.replace("{seq}", "1"))
            assert (answer.status_code == 401) is (path not in OPEN), f"{method} {path}"
            if path not in OPEN:
                assert answer.headers["content-type"] == "application/problem+json"
                assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_who_may_do_nothing_is_let_in_nowhere(here: World) -> None:
    async with await here.as_(scopes=frozenset[Permission]()) as client:
        for method, path in operations():
            answer = await client.request(method, path.replace("{seq}", "1"))
            assert (answer.status_code == 403) is (path not in OPEN), f"{method} {path}"


async def test_what_changes_something_takes_more_than_looking(here: World) -> None:
    looking = frozenset({Permission.READ, Permission.METRICS})
    async with await here.as_(scopes=looking) as client:
        for method, path in operations():
            assert method in ("GET", "POST")
            if method == "POST":
                answer = await client.post(path)
                assert answer.status_code == 403, f"{method} {path} {answer.text}"


def test_every_post_takes_a_key_and_every_answer_is_described() -> None:
    for path, methods in DESCRIBED["paths"].items():
        for method, operation in methods.items():
            names = {one["name"] for one in operation.get("parameters", ())}
            assert (method == "post") == ("Idempotency-Key" in names), path
            assert set(operation["responses"]) >= {"200", "401", "403", "404", "413", "422", "429", "500", "503"}, path
            assert operation["description"], path
            assert (path in OPEN) == ("security" not in operation), path


def test_amounts_are_described_as_strings_of_digits() -> None:
    every = list(amounts(DESCRIBED))
    assert len(every) > 50
    assert all(one["type"] == "string" and one["pattern"] for one in every)
    assert DESCRIBED["openapi"].startswith("3.1")


@pytest.mark.parametrize("names", [(), ("spare",)])
async def test_an_account_that_is_not_the_callers_is_nowhere_to_be_seen(here: World, names: tuple[str, ...]) -> None:
    await here.reconciled(mode=Mode.PROPOSE)
    async with await here.as_() as client:
        report = (await client.get("/api/reports")).json()["reports"][0]["reconciliation_id"]
        discrepancy = (await client.get("/api/discrepancies")).json()["discrepancies"][0]["id"]
        adjustment = (await client.get("/api/adjustments")).json()["adjustments"][0]["adjustment_id"]
        entry = (await client.get("/api/journal?account=main")).json()["entries"][0]["seq"]
    one = [
        f"/api/reports/{report}",
        f"/api/discrepancies/{discrepancy}",
        f"/api/adjustments/{adjustment}",
        f"/api/journal/{entry}",
        f"/api/journal/{entry}/proof",
        "/api/accounts/main",
        "/api/book/main",
        "/api/gate/main/BTC/USD",
        "/api/reconciliation/status?account=main",
        "/api/reports?account=main",
        "/api/prices?account=main",
        "/api/reports/rec_",
        "/api/discrepancies/dis_",
        "/api/adjustments/adj_",
    ]
    everything = frozenset(Permission)
    async with await here.as_(accounts=Accounts(names), scopes=everything) as client:
        for path in one:
            answer = await client.get(path)
            assert (answer.status_code, "main" in answer.text.replace("'main'", "")) == (404, False), path
        for path in ("reports", "adjustments", "discrepancies", "journal", "prices"):
            assert (await client.get(f"/api/{path}")).json()["count"] == 0, path
        assert [each["account"] for each in (await client.get("/api/accounts")).json()["accounts"]] == list(names)
        assert (await client.get("/api/reconciliation/status")).json()["last_report"] is None
        for path in ("head", "heads", "verification", "verification/progress"):
            assert (await client.get(f"/api/journal/{path}")).status_code == 403
        for path in (
            f"discrepancies/{discrepancy}/comment",
            f"adjustments/{adjustment}/approve",
            "accounts/main/pause",
        ):
            assert (await client.post(f"/api/{path}", json={"note": "x"})).status_code == 404, path
        row = {
            "fill_id": "T",
            "instrument": "A/B",
            "side": "buy",
            "quantity": "1",
            "price": "1",
            "at": "2026-01-01T00:00Z",
        }
        pushed = await client.post("/api/book/fills", json={"account": "main", "fills": [row]})
        assert pushed.status_code == 404


async def test_a_role_may_what_it_may(here: World) -> None:
    async with await here.as_(Role.VIEWER) as client:
        assert (await client.post("/api/accounts/main/pause")).status_code == 403
        assert (await client.post("/api/book/fills", json={})).status_code == 403
    async with here.client(await here.feeder()) as client:
        assert (await client.get("/api/gate/main/BTC/USD")).status_code == 200
        assert (await client.post("/api/reconciliation/run?account=main")).status_code == 403
