"""Every error is problem+json: what happened, and what to do; and nothing of the inside."""

from typing import Any

import httpx2
import pytest
from msgspec.structs import replace

from gal_friday.api.failures import NAMED, problem_of
from gal_friday.api.shield import HEADERS
from gal_friday.domain.access import Role
from gal_friday.domain.errors import GalFridayError
from gal_friday.ports.errors import AccountBusy, StoreFailed
from tests.api.world import World


def problem(answer: httpx2.Response, status: int, code: str) -> dict[str, Any]:
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    body: dict[str, Any] = answer.json()
    assert (body["type"], body["status"]) == (f"urn:gal-friday:problem:{code}", status)
    assert body["title"]
    assert body["detail"]
    return body


@pytest.mark.parametrize(
    "path, code",
    [
        ("/nothing", "not-found"),
        ("/api/reports/rec_nothing", "unknown-report"),
        ("/api/discrepancies/dis_nothing", "unknown-discrepancy"),
        ("/api/adjustments/adj_nothing", "unknown-adjustment"),
        ("/api/journal/99999", "unknown-entry"),
        ("/api/accounts/nobody", "unknown-account"),
        ("/api/gate/nobody/BTC/USD", "unknown-account"),
        ("/api/book/hidden", "no-book"),
    ],
)
async def test_what_is_not_there(here: World, path: str, code: str) -> None:
    async with await here.as_() as client:
        problem(await client.get(path), 404, code)


@pytest.mark.parametrize(
    "path, code, told",
    [
        ("/api/reconciliation/reports?days=0", "bad-parameter", "days"),
        ("/api/reconciliation/reports?days=many", "bad-parameter", "days"),
        ("/api/reconciliation/reports?dayz=7", "unknown-parameter", "days"),
        ("/api/reconciliation/reports?days=1&days=2", "repeated-parameter", "days"),
        ("/api/reconciliation/reports?limit=501", "bad-parameter", "limit"),
        ("/api/reconciliation/reports?cursor=x", "bad-cursor", "cursor"),
        ("/api/reconciliation/reports?cursor=W10", "bad-cursor", "cursor"),
        ("/api/reports?since=yesterday", "bad-parameter", "since"),
        ("/api/reports?since=2026-01-31T12:00:00", "bad-parameter", "zone"),
        ("/api/discrepancies?severity=awful", "bad-parameter", "severity"),
        ("/api/journal/0", "bad-parameter", "seq"),
        ("/api/gate/main/BTC/USD?max_age=-1", "bad-parameter", "max_age"),
    ],
)
async def test_a_parameter_that_is_none(here: World, path: str, code: str, told: str) -> None:
    async with await here.as_() as client:
        assert told in problem(await client.get(path), 422, code)["detail"]


async def test_another_method(here: World) -> None:
    async with await here.as_() as client:
        answer = await client.delete("/api/accounts")
    problem(answer, 405, "method-not-allowed")
    assert answer.headers["allow"] == "GET"


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
async def test_a_body_that_is_no_json(here: World, kind: str) -> None:
    async with here.client(await here.feeder()) as client:
        answer = await client.post("/api/book/fills", content=b"{}", headers={"content-type": kind})
    problem(answer, 415, "not-json")


async def test_a_body_that_is_too_large_is_refused_before_it_is_read(here: World) -> None:
    async with here.client(await here.feeder()) as client:
        json = {"content-type": "application/json"}
        stated = await client.post("/api/book/fills", content=b" " * 4_000_001, headers=json)
        assert "4000000 bytes" in problem(stated, 413, "too-large")["detail"]

        async def parts() -> Any:
            for _ in range(50):
                yield b" " * 100_000

        unstated = await client.post("/api/book/fills", content=parts(), headers=json)
        problem(unstated, 413, "too-large")
    async with await here.as_() as client:
        note = await client.post("/api/discrepancies/dis_1/comment", json={"note": "x" * 50_000})
        problem(note, 413, "too-large")


async def test_an_ambiguous_id_is_told_from_an_unknown_one(here: World) -> None:
    async with await here.as_() as client:
        problem(await client.get("/api/discrepancies/dis_"), 409, "ambiguous-id")


@pytest.mark.parametrize(
    "step, body, status, code",
    [
        ("comment", {"note": ""}, 422, "bad-remark"),
        ("comment", {"note": "a\u0007b"}, 422, "bad-remark"),
        ("comment", {"note": "x" * 2001}, 422, "bad-remark"),
        ("comment", {"note": 7}, 422, "bad-body"),
        ("comment", {"notes": "x"}, 422, "bad-body"),
        ("comment", [], 422, "bad-body"),
        ("accept", {"reason": "because", "until": "2027-01-01T00:00:00Z"}, 422, "bad-body"),
        ("accept", {"reason": "other", "note": "x", "until": "2020-01-01T00:00:00Z"}, 422, "bad-remark"),
        ("snooze", {"until": "2027-01-01T00:00:00"}, 422, "bad-remark"),
        ("reopen", {}, 409, "illegal-action"),
    ],
)
async def test_a_step_that_cannot_be_taken(here: World, step: str, body: Any, status: int, code: str) -> None:
    async with await here.as_() as client:
        name = (await client.get("/api/discrepancies")).json()["discrepancies"][0]["id"]
        said = problem(await client.post(f"/api/discrepancies/{name}/{step}", json=body), status, code)
    assert "--" not in said["detail"]  # an option of the command line helps no program


async def test_a_database_that_is_gone_is_503_and_tells_a_stranger_nothing(here: World) -> None:
    here.app.state.backend = replace(here.app.state.backend, pages=Gone())
    async with await here.as_(Role.VIEWER) as client:
        answer = await client.get("/api/reconciliation/status")
        problem(answer, 503, "store-failed")
        assert answer.headers["retry-after"] == "5"
    async with here.client(None) as client:
        assert "secret" not in problem_text(await client.get("/readyz"))
        assert (await client.get("/healthz")).status_code == 200


async def test_a_stranger_is_not_told_where_the_database_is(here: World) -> None:
    reception, token = here.app.state.reception, await here.token()
    door = replace(reception.door, access=Gone())
    here.app.state.door = door
    here.app.state.reception = replace(reception, door=door, entry=replace(reception.entry, door=door))
    page = {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}
    async with here.client(None) as client:
        for answer in (
            await client.post("/api/session", json={"name": "alice", "password": "x"}, headers=page),
            await client.get("/api/me", headers={"Authorization": f"Bearer {token}"}),
        ):
            assert "secret" not in problem(answer, 503, "store-failed")["detail"]


class Gone:
    """Pages of a database that is not there, or who is known in it."""

    def __getattr__(self, name: str) -> Any:
        async def fails(*_: Any, **__: Any) -> Any:
            raise StoreFailed("/secret/place/gal-friday.db cannot be opened; check that its folder exists")

        return fails


def problem_text(answer: httpx2.Response) -> str:
    problem(answer, 503, "not-ready")
    return answer.text


async def test_a_mistake_of_ours_leaks_nothing(here: World) -> None:
    class Wrong:
        def __getattr__(self, name: str) -> Any:
            raise RuntimeError("the password is swordfish")

    here.app.state.backend = replace(here.app.state.backend, pages=Wrong())
    async with await here.as_() as client:
        answer = await client.get("/api/reconciliation/status")
    problem(answer, 500, "internal")
    assert "swordfish" not in answer.text
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    assert answer.headers["X-Request-Id"]


async def test_an_account_that_somebody_else_reconciles_is_409(here: World) -> None:
    lease = await here.service.opened.leases.acquire("main", owner="another process", seconds=60)
    assert lease is not None
    async with await here.as_() as client:
        answer = await client.post("/api/reconciliation/run?account=main")
    assert "another process" in problem(answer, 409, "account-busy")["detail"]
    assert answer.headers["retry-after"]


def test_every_error_of_ours_has_a_name_of_its_own() -> None:
    for number, (kind, *_) in enumerate(NAMED):
        assert not any(issubclass(kind, before) for before, *_ in NAMED[:number]), f"{kind} is never reached"
    assert problem_of(AccountBusy("x")).code == "account-busy"
    assert problem_of(GalFridayError("x")).status == 422
