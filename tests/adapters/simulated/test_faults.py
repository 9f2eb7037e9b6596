"""Every fault does what its sentence says, over real HTTP."""

import asyncio
import contextlib
import json
from typing import Any

import httpx2
import pytest

from gal_friday.adapters.simulated import FAULTS, Scenario, SimulatedKraken
from tests.adapters.simulated.client import Client, connect


async def test_every_fault_can_be_switched_on_and_bites_once(server: SimulatedKraken, quiet: Scenario) -> None:
    async with connect(server, quiet.key, timeout=0.3) as client:
        for name in FAULTS:
            server.faults.switch_on(name)
            with contextlib.suppress(httpx2.TransportError):
                await client.raw("Ledgers")
            assert server.faults.fired[-1] == (name, "Ledgers")
            assert server.faults.switches == []
    async with connect(server, quiet.key) as client:
        client.nonce = 1000
        assert await client.errors("Ledgers") == []


def test_an_unknown_fault_is_refused(server: SimulatedKraken) -> None:
    with pytest.raises(KeyError, match="no fault 'gremlin'"):
        server.faults.switch_on("gremlin")


async def test_a_fault_waits_for_its_endpoint(server: SimulatedKraken, client: Client) -> None:
    server.faults.switch_on("unavailable", endpoint="Ledgers")
    assert await client.errors("Balance") == []
    assert await client.errors("Ledgers") == ["EService:Unavailable"]
    assert await client.errors("Ledgers") == []


async def test_a_fault_bites_after_some_calls_and_so_many_times(server: SimulatedKraken, client: Client) -> None:
    server.faults.switch_on("unavailable", after=2, times=2)
    assert [bool(await client.errors("Balance")) for _ in range(6)] == [
        False,
        False,
        True,
        True,
        False,
        False,
    ]


async def test_a_fault_without_number_bites_until_switched_off(server: SimulatedKraken, client: Client) -> None:
    server.faults.switch_on("unavailable", times=None)
    assert all([await client.errors("Balance") for _ in range(5)])
    server.faults.switch_off("unavailable")
    assert await client.errors("Balance") == []


async def test_chance_is_seeded(quiet: Scenario) -> None:
    async def bitten(scenario: Scenario) -> list[bool]:
        async with SimulatedKraken(scenario.exchange, enforce_limits=False) as server:
            server.faults.switch_on("unavailable", times=None, chance=0.4)
            async with connect(server, scenario.key) as client:
                return [bool(await client.errors("Balance")) for _ in range(30)]

    from gal_friday.adapters.simulated import scenarios

    first, second = await bitten(scenarios.quiet(9)), await bitten(scenarios.quiet(9))
    assert first == second
    assert 0 < sum(first) < 30


async def test_latency_delays_the_answer(server: SimulatedKraken, client: Client) -> None:
    server.faults.switch_on("latency", seconds=0.2)
    loop = asyncio.get_running_loop()
    before = loop.time()
    assert await client.errors("Balance") == []
    assert loop.time() - before >= 0.2


async def test_timeout_never_answers(server: SimulatedKraken, quiet: Scenario) -> None:
    server.faults.switch_on("timeout")
    async with connect(server, quiet.key, timeout=0.2) as client:
        with pytest.raises(httpx2.ReadTimeout):
            await client.raw("Balance")


async def test_reset_breaks_the_connection(server: SimulatedKraken, client: Client) -> None:
    server.faults.switch_on("reset")
    with pytest.raises(httpx2.ReadError):
        await client.raw("Balance")


async def test_cut_connection_ends_in_the_middle_of_the_body(server: SimulatedKraken, client: Client) -> None:
    server.faults.switch_on("cut_connection")
    with pytest.raises(httpx2.RemoteProtocolError):
        await client.raw("Ledgers")


@pytest.mark.parametrize(
    "name, status",
    [
        ("bad_gateway_html", 502),
        ("unknown_error_520", 520),
        ("blocked_html", 403),
        ("too_many_requests", 429),
    ],
)
async def test_the_front_end_answers_with_html(server: SimulatedKraken, client: Client, name: str, status: int) -> None:
    server.faults.switch_on(name)
    answer = await client.raw("Balance")
    assert (answer.status_code, answer.text[:15]) == (status, "<!DOCTYPE html>")
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers.get("retry-after") == ("7" if status == 429 else None)


@pytest.mark.parametrize("status", [503, 504, 522, 525])
async def test_the_front_end_has_other_troubles_too(server: SimulatedKraken, client: Client, status: int) -> None:
    server.faults.switch_on("bad_gateway_html", status=status)
    assert (await client.raw("Balance")).status_code == status


async def test_the_body_can_be_empty(server: SimulatedKraken, client: Client) -> None:
    server.faults.switch_on("empty_body")
    answer = await client.raw("Balance")
    assert (answer.status_code, answer.content) == (200, b"")


async def test_json_can_stop_in_the_middle(server: SimulatedKraken, client: Client) -> None:
    server.faults.switch_on("cut_json")
    answer = await client.raw("Ledgers")
    assert answer.text.startswith('{"error":[],"result":')
    with pytest.raises(json.JSONDecodeError):
        answer.json()


@pytest.mark.parametrize(
    "name, error",
    [
        ("plain_string_error", "EService:Unavailable"),
        ("several_errors", ["WGeneral:Deprecated", "EService:Busy", "EGeneral:Internal error"]),
        ("nonce_error", ["EAPI:Invalid nonce"]),
        ("lockout", ["EGeneral:Temporary lockout"]),
        ("rate_limit", ["EAPI:Rate limit exceeded"]),
        ("unavailable", ["EService:Unavailable"]),
        ("internal_error", ["EGeneral:Internal error"]),
        ("permission_lost", ["EGeneral:Permission denied"]),
        ("maintenance", ["EService:Unavailable"]),
        ("cancel_only", []),
    ],
)
async def test_errors_come_in_the_envelope(server: SimulatedKraken, client: Client, name: str, error: Any) -> None:
    server.faults.switch_on(name)
    assert await client.errors("Balance") == error


async def test_throttle_says_when_to_come_back(server: SimulatedKraken, client: Client, quiet: Scenario) -> None:
    server.faults.switch_on("throttle", seconds=3)
    until = int(quiet.clock.now().timestamp()) + 3
    assert await client.errors("Balance") == [f"EService:Throttled: {until}"]


async def test_a_warning_comes_with_a_valid_result(server: SimulatedKraken, client: Client) -> None:
    server.faults.switch_on("warning_with_result")
    answer = await client.call("Balance")
    assert answer["error"] == ["WGeneral:Something to know"]
    assert answer["result"] == await client.read("Balance")


@pytest.mark.parametrize("name", ["maintenance", "cancel_only"])
async def test_the_status_of_the_system_says_so(server: SimulatedKraken, client: Client, name: str) -> None:
    server.faults.switch_on(name)
    assert (await client.public("SystemStatus"))["status"] == name
    assert (await client.public("SystemStatus"))["status"] == "online"


async def test_the_clock_can_be_ahead(server: SimulatedKraken, client: Client) -> None:
    server.faults.switch_on("clock_offset", endpoint="Time", seconds=45)
    ahead, right = await client.public("Time"), await client.public("Time")
    assert ahead["unixtime"] - right["unixtime"] == 45


async def test_a_page_is_repeated(server: SimulatedKraken, client: Client) -> None:
    first = await client.read("Ledgers")
    server.faults.switch_on("page_repeated")
    assert await client.read("Ledgers", ofs=50) == first
    assert await client.read("Ledgers", ofs=50) != first


async def test_a_page_is_skipped(server: SimulatedKraken, client: Client) -> None:
    right = await client.read("Ledgers", ofs=50)
    server.faults.switch_on("page_skipped")
    assert await client.read("Ledgers") == right


async def test_rows_come_again_on_the_next_page(server: SimulatedKraken, client: Client) -> None:
    first = list((await client.read("Ledgers"))["ledger"])
    server.faults.switch_on("duplicate_ids")
    second = list((await client.read("Ledgers", ofs=50))["ledger"])
    assert second[:5] == first[-5:]
    assert second[5:] == list((await client.read("Ledgers", ofs=50))["ledger"])


@pytest.mark.parametrize("endpoint, inner", [("Ledgers", "ledger"), ("TradesHistory", "trades")])
async def test_rows_arrive_between_pages(server: SimulatedKraken, client: Client, endpoint: str, inner: str) -> None:
    first = list((await client.read(endpoint))[inner])
    server.faults.switch_on("rows_arriving")
    second = list((await client.read(endpoint))[inner])
    assert second[0] not in first


async def test_balances_are_stale_against_a_fresh_ledger(
    server: SimulatedKraken, client: Client, quiet: Scenario
) -> None:
    quiet.exchange.deposit("main", "ZUSD", "11")
    server.faults.switch_on("stale_balance", rows=1)
    stale, fresh = await client.read("BalanceEx"), await client.read("BalanceEx")
    newest = next(iter((await client.read("Ledgers", asset="ZUSD"))["ledger"].values()))
    assert newest["balance"] == fresh["ZUSD"]["balance"] != stale["ZUSD"]["balance"]


def amounts(result: dict[str, Any]) -> list[Any]:
    return [row["amount"] for row in result["ledger"].values()]


async def test_the_first_amount_is_not_a_number(server: SimulatedKraken, client: Client) -> None:
    right = amounts(await client.read("Ledgers"))
    server.faults.switch_on("nan_amount")
    assert amounts(await client.read("Ledgers")) == ["NaN", *right[1:]]


async def test_amounts_in_scientific_notation_are_equal(server: SimulatedKraken, client: Client) -> None:
    from decimal import Decimal

    right = amounts(await client.read("Ledgers"))
    server.faults.switch_on("exponent_amounts")
    odd = amounts(await client.read("Ledgers"))
    assert [Decimal(each) for each in odd] == [Decimal(each) for each in right]
    assert any("E" in each for each in odd)


async def test_amounts_can_be_numbers(server: SimulatedKraken, client: Client) -> None:
    right = (await client.raw("Balance")).text
    server.faults.switch_on("number_amounts")
    odd = (await client.raw("Balance")).text
    assert '"ZUSD":"36260.4593"' in right
    assert '"ZUSD":36260.4593' in odd


async def test_the_first_amount_has_sixty_digits(server: SimulatedKraken, client: Client) -> None:
    server.faults.switch_on("long_amount")
    assert len(amounts(await client.read("Ledgers"))[0].replace(".", "")) == 60


async def test_the_first_amount_has_another_type(server: SimulatedKraken, client: Client) -> None:
    server.faults.switch_on("wrong_type")
    assert amounts(await client.read("Ledgers"))[0] == {"unexpected": True}


async def test_every_row_has_a_field_nobody_knows(server: SimulatedKraken, client: Client) -> None:
    server.faults.switch_on("unknown_field")
    rows = (await client.read("Ledgers"))["ledger"]
    rows.pop("a_field_nobody_knows")
    assert all(row["a_field_nobody_knows"] == "seen" for row in rows.values())


@pytest.mark.parametrize(
    "endpoint, inner, field",
    [
        ("Ledgers", "ledger", "type"),
        ("ClosedOrders", "closed", "status"),
        ("TradesHistory", "trades", "type"),
    ],
)
async def test_the_first_row_has_a_value_nobody_knows(
    server: SimulatedKraken, client: Client, endpoint: str, inner: str, field: str
) -> None:
    server.faults.switch_on("unknown_enum")
    first = next(iter((await client.read(endpoint))[inner].values()))
    assert first[field] == "some_future_value"


async def test_the_result_is_null_or_missing(server: SimulatedKraken, client: Client) -> None:
    server.faults.switch_on("null_result")
    assert await client.call("Ledgers") == {"error": [], "result": None}
    server.faults.switch_on("missing_result")
    assert await client.call("Ledgers") == {"error": []}


async def test_the_result_is_that_of_another_endpoint(server: SimulatedKraken, client: Client) -> None:
    server.faults.switch_on("other_endpoint")
    assert "trades" in await client.read("Ledgers")
    server.faults.switch_on("other_endpoint", instead="OpenOrders")
    assert "open" in await client.read("Ledgers")


async def test_the_result_is_that_of_another_account(server: SimulatedKraken, client: Client) -> None:
    server.faults.switch_on("other_account")
    assert await client.read("Balance") == {"ZUSD": "1000.0000"}


async def test_times_keep_their_digits_when_a_fault_changes_the_rows(server: SimulatedKraken, client: Client) -> None:
    right = [row["time"] for row in (await client.read("Ledgers"))["ledger"].values()]
    server.faults.switch_on("nan_amount")
    assert [row["time"] for row in (await client.read("Ledgers"))["ledger"].values()] == right
