"""The simulator as a process of its own, and the control interface that reaches into it."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest

from gal_friday.adapters.simulated import ApiKey, Scenario, SimulatedKraken
from tests.adapters.simulated.client import Client


class Running(Client):
    """A client of the process, with its control interface."""

    async def control(self, path: str, **arguments: Any) -> Any:
        answer = await self.http.post(f"/control/{path}", content=json.dumps(arguments))
        assert answer.status_code == 200, answer.text
        return answer.json()["result"]


@asynccontextmanager
async def process(*arguments: str) -> AsyncIterator[Running]:
    started = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gal_friday.adapters.simulated",
        "--no-limits", "--control", *arguments,
        stdout=asyncio.subprocess.PIPE, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert started.stdout is not None
    url = (await started.stdout.readline()).decode().strip()
    given = json.loads(await started.stdout.readline())
    try:
        async with Running(url, ApiKey("", given["key"], given["secret"], "main", set())) as client:
            yield client
    finally:
        started.terminate()
        await started.wait()


@pytest.fixture
async def quiet_process() -> AsyncIterator[Running]:
    async with process("--scenario", "quiet") as client:
        yield client


async def test_a_scenario_of_ones_own_runs_on_a_clock_that_starts_when_told() -> None:
    scenario = "gal_friday.adapters.simulated.scenarios:virgin"
    async with process("--scenario", scenario, "--start", "2026-05-01T00:00:00+00:00") as client:
        assert await client.call("Balance") == {"error": []}
        first = (await client.public("Time"))["unixtime"]
        await client.control("clock", advance=10)
        assert 1777593600 <= first <= (await client.public("Time"))["unixtime"] - 10


async def test_it_prints_its_address_serves_and_obeys(quiet_process: Running) -> None:
    process = quiet_process
    assert process.url.startswith("http://127.0.0.1:")
    assert (await process.read("Balance"))["ZUSD"] == "36260.4593"

    booked = await process.control("exchange/deposit", account="main", asset="ZUSD", amount="0.5")
    newest = next(iter((await process.read("Ledgers"))["ledger"].values()))
    assert (newest["refid"], newest["balance"]) == (booked["refid"], "36260.9593")

    before = (await process.public("Time"))["unixtime"]
    await process.control("clock", advance=90)
    assert (await process.public("Time"))["unixtime"] == before + 90

    await process.control("faults", name="unavailable", endpoint="Ledgers", times=1)
    assert await process.errors("Ledgers") == ["EService:Unavailable"]
    assert await process.errors("Ledgers") == []


async def test_there_is_no_control_interface_unless_asked_for(server: SimulatedKraken) -> None:
    async with httpx2.AsyncClient(base_url=server.url) as http:
        assert (await http.get("/control/faults")).status_code == 404


@pytest.fixture
async def controlled(quiet: Scenario) -> AsyncIterator[httpx2.AsyncClient]:
    async with (
        SimulatedKraken(quiet.exchange, control=True, advance=quiet.clock.advance) as server,
        httpx2.AsyncClient(base_url=server.url) as http,
    ):
        yield http


@pytest.mark.parametrize(
    "path, body, status",
    [
        ("faults", '{"name": "gremlin"}', 400),
        ("quirks", '{"no_such": 1}', 400),
        ("exchange/issue_key", '{"account": "main"}', 400),
        ("exchange/deposit", '{"account": "main"}', 400),
        ("exchange/deposit", "not json", 400),
        ("exchange/withdraw", '{"account": "main", "asset": "ZUSD", "amount": "99999999"}', 409),
    ],
)
async def test_a_wrong_command_is_refused_with_its_reason(
    controlled: httpx2.AsyncClient, path: str, body: str, status: int
) -> None:
    answer = await controlled.post(f"/control/{path}", content=body)
    assert answer.status_code == status
    assert answer.json()["error"]


async def test_quirks_are_set_from_outside(controlled: httpx2.AsyncClient, quiet: Scenario) -> None:
    answer = await controlled.post("/control/quirks", content='{"fill_lag": 30, "refid_none_as_text": true}')
    assert answer.status_code == 200
    assert quiet.exchange.quirks.fill_lag.total_seconds() == 30
    assert quiet.exchange.quirks.refid_none_as_text


async def test_an_order_can_be_placed_from_outside(controlled: httpx2.AsyncClient, quiet: Scenario) -> None:
    body = json.dumps(
        {"account": "main", "pair": "XRPUSD", "side": "buy", "ordertype": "limit", "volume": "10",
         "price": "0.5", "oflags": ["post", "fciq"]}
    )  # fmt: skip
    placed = (await controlled.post("/control/exchange/place_order", content=body)).json()["result"]
    assert quiet.exchange.account("main").open_orders[placed["order"]].oflags == ("post", "fciq")
