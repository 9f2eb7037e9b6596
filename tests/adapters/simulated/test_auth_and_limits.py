"""Who gets in, who does not, and how often: signature, nonce, rights, lockout, call counter, throttle."""

import asyncio
import base64
from collections.abc import AsyncIterator
from datetime import timedelta

import msgspec
import pytest

from gal_friday.adapters.simulated import ApiKey, Exchange, SimulatedKraken, VirtualClock
from gal_friday.adapters.simulated.auth import signature
from tests.adapters.simulated.client import Client, connect


class World(msgspec.Struct, frozen=True):
    clock: VirtualClock
    exchange: Exchange
    server: SimulatedKraken

    def client(self, key: ApiKey) -> Client:
        return connect(self.server, key)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    clock = VirtualClock()
    exchange = Exchange(clock.now)
    exchange.open_account("main")
    exchange.deposit("main", "ZUSD", "100")
    async with SimulatedKraken(exchange) as server:
        yield World(clock, exchange, server)


def test_the_signature_of_the_documentation_is_reproduced() -> None:
    secret = "kQH5HW/8p1uGOVjbgWA7FunAmGO8lsSUXNsu3eow76sz84Q18fWxnyRzBHCd3pd5nE9qa99HAZtuZuj6F1huXg=="
    body = b"nonce=1616492376594&ordertype=limit&pair=XBTUSD&price=37500&type=buy&volume=1.25"
    assert signature(base64.b64decode(secret), "/0/private/AddOrder", "1616492376594", body) == (
        "4/dpxb3iT4tp/ZCVEwSnEsLxx0bqyhLpdfOpc6fn7OR8+UClSV5n9E6aSS8MPtnRfp32bAb0nmbRn6H8ndwLUQ=="
    )


def test_the_signature_of_krakens_own_sdk_is_reproduced() -> None:
    nonce = "1700000000000000000"
    assert signature(b"\x01" * 32, "/0/private/Balance", nonce, f"nonce={nonce}".encode()) == (
        "6i7+cpXVLDDnDOekgsRcgFQhkYFyPDSSxhSVA8OrA6vjziXcy2K1DP3n7f9B/Kgni71WjBSQusZKxduRsdF20Q=="
    )


async def test_a_json_body_is_signed_as_its_text(world: World) -> None:
    async with world.client(world.exchange.issue_key("main")) as client:
        body = '{"nonce": "5", "asset": "ZUSD"}'
        sign = client.sign("/0/private/BalanceEx", "5", body)
        headers = {"API-Key": client.key.key, "API-Sign": sign, "Content-Type": "application/json"}
        answer = await client.http.post("/0/private/BalanceEx", content=body, headers=headers)
        assert answer.json()["result"] == {"ZUSD": {"balance": "100.0000", "hold_trade": "0.0000"}}


async def test_a_nonce_that_does_not_grow_is_refused(world: World) -> None:
    async with world.client(world.exchange.issue_key("main")) as client:
        assert await client.errors("Balance", nonce=10) == []
        assert await client.errors("Balance", nonce=10) == ["EAPI:Invalid nonce"]
        assert await client.errors("Balance", nonce=9) == ["EAPI:Invalid nonce"]
        assert await client.errors("Balance", nonce=11) == []


async def test_a_nonce_inside_the_window_is_taken_once(world: World) -> None:
    async with world.client(world.exchange.issue_key("main", nonce_window=5)) as client:
        assert await client.errors("Balance", nonce=100) == []
        assert await client.errors("Balance", nonce=95) == []
        assert await client.errors("Balance", nonce=95) == ["EAPI:Invalid nonce"]
        assert await client.errors("Balance", nonce=94) == ["EAPI:Invalid nonce"]


async def test_a_nonce_beyond_64_bits_is_refused(world: World) -> None:
    async with world.client(world.exchange.issue_key("main")) as client:
        assert await client.errors("Balance", nonce=2**64) == ["EAPI:Invalid nonce"]
        assert await client.errors("Balance", nonce=2**64 - 1) == []


async def test_a_missing_right_is_refused(world: World) -> None:
    key = world.exchange.issue_key("main", rights=("query-funds",))
    async with world.client(key) as client:
        assert await client.errors("Balance") == []
        assert await client.errors("Ledgers") == ["EGeneral:Permission denied"]


async def test_the_second_factor_is_asked_for(world: World) -> None:
    async with world.client(world.exchange.issue_key("main", otp="123456")) as client:
        assert await client.errors("Balance") == ["EGeneral:Permission denied"]
        assert await client.errors("Balance", otp="123456") == []


async def test_five_bad_signatures_lock_a_key_out_for_a_quarter_of_an_hour(world: World) -> None:
    async with world.client(world.exchange.issue_key("main")) as client:
        for _ in range(5):
            assert await client.errors("Balance", sign="bm8=") == ["EAPI:Invalid signature"]
        assert await client.errors("Balance") == ["EGeneral:Temporary lockout"]
        world.clock.advance(timedelta(minutes=15) - timedelta(seconds=1))
        assert await client.errors("Balance") == ["EGeneral:Temporary lockout"]
        world.clock.advance(timedelta(seconds=1))
        assert await client.errors("Balance") == []


async def test_a_good_call_between_bad_ones_prevents_the_lockout(world: World) -> None:
    async with world.client(world.exchange.issue_key("main")) as client:
        for _ in range(4):
            await client.errors("Balance", sign="bm8=")
        assert await client.errors("Balance") == []
        await client.errors("Balance", sign="bm8=")
        assert await client.errors("Balance") == []


async def test_an_unknown_key_is_refused(world: World) -> None:
    async with world.client(ApiKey("", "nobody", "bm8=", "main", set())) as client:
        assert await client.errors("Balance") == ["EAPI:Invalid key"]


@pytest.mark.parametrize("endpoint", ["AddOrder", "CancelOrder", "Withdraw", "CancelAll"])
async def test_nothing_can_be_written(world: World, endpoint: str) -> None:
    async with world.client(world.exchange.issue_key("main")) as client:
        assert await client.errors(endpoint) == ["EGeneral:Permission denied"]


async def test_an_unknown_method_is_named_as_such(world: World) -> None:
    async with world.client(world.exchange.issue_key("main")) as client:
        assert await client.errors("Fortune") == ["EGeneral:Unknown method"]


async def test_a_starter_key_has_fifteen_points_and_gets_one_back_in_just_over_three_seconds(
    world: World,
) -> None:
    async with world.client(world.exchange.issue_key("main", tier="starter")) as client:
        for _ in range(15):
            assert await client.errors("Balance") == []
        assert await client.errors("Balance") == ["EAPI:Rate limit exceeded"]
        world.clock.advance(timedelta(seconds=3))
        assert await client.errors("Balance") == ["EAPI:Rate limit exceeded"]
        world.clock.advance(timedelta(milliseconds=31))
        assert await client.errors("Balance") == []


@pytest.mark.parametrize("tier, points", [("starter", 15), ("intermediate", 20), ("pro", 20)])
async def test_history_costs_two_points(world: World, tier: str, points: int) -> None:
    async with world.client(world.exchange.issue_key("main", tier=tier)) as client:
        answers = [await client.errors("Ledgers") for _ in range(points // 2 + 1)]
        assert answers == [[]] * (points // 2) + [["EAPI:Rate limit exceeded"]]


async def test_two_processes_on_one_key_share_the_counter(world: World) -> None:
    key = world.exchange.issue_key("main", tier="starter", nonce_window=1000)
    async with world.client(key) as one, world.client(key) as other:
        other.nonce = 500
        for _ in range(7):
            assert await one.errors("Balance") == []
            assert await other.errors("Balance") == []
        assert await one.errors("Balance") == []
        assert await other.errors("Balance") == ["EAPI:Rate limit exceeded"]


async def test_too_many_calls_at_once_are_throttled(world: World) -> None:
    world.server.service.max_concurrent = 2
    world.server.faults.switch_on("latency", times=None, seconds=0.1)
    async with world.client(world.exchange.issue_key("main", nonce_window=100)) as client:
        answers = await asyncio.gather(*(client.errors("Balance") for _ in range(3)))
        unixtime = int(world.clock.now().timestamp())
        assert sorted(answers) == [[], [], [f"EService:Throttled: {unixtime + 1}"]]


async def test_a_key_with_a_window_gets_short_history_without_any_error(world: World) -> None:
    world.clock.advance(timedelta(days=10))
    world.exchange.deposit("main", "ZUSD", "7")
    key = world.exchange.issue_key("main", query_from=world.clock.now() - timedelta(days=5))
    async with world.client(key) as client:
        result = await client.read("Ledgers")
        assert [row["amount"] for row in result["ledger"].values()] == ["7.0000"]
        assert result["count"] == 1


async def test_a_key_may_not_see_what_came_after_its_window(world: World) -> None:
    key = world.exchange.issue_key("main", query_to=world.clock.now() + timedelta(days=1))
    world.clock.advance(timedelta(days=10))
    world.exchange.deposit("main", "ZUSD", "7")
    async with world.client(key) as client:
        assert [row["amount"] for row in (await client.read("Ledgers"))["ledger"].values()] == ["100.0000"]


async def test_an_expired_key_is_invalid(world: World) -> None:
    key = world.exchange.issue_key("main", valid_until=world.clock.now() + timedelta(seconds=1))
    async with world.client(key) as client:
        assert await client.errors("Balance") == []
        world.clock.advance(timedelta(seconds=1))
        assert await client.errors("Balance") == ["EAPI:Invalid key"]


async def test_key_info_shows_rights_window_and_last_nonce(world: World) -> None:
    key = world.exchange.issue_key("main", rights=("query-funds",), nonce_window=3, name="mine")
    async with world.client(key) as client:
        info = await client.read("GetApiKeyInfo", nonce=77)
    assert info["permissions"] == ["query-funds"]
    assert (info["nonce"], info["nonce_window"], info["api_key_name"]) == ("77", "3", "mine")
    assert (info["query_from"], info["valid_until"], info["ip_allowlist"]) == ("0", "0", [""])
