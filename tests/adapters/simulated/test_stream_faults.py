"""Every fault of the stream does what its sentence says, over a real WebSocket."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal

import msgspec
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from gal_friday.adapters.simulated import FAULTS, STREAM_FAULTS, Scenario, SimulatedKraken
from tests.adapters.simulated.client import Client
from tests.adapters.simulated.listener import Listener, listening


@pytest.fixture
async def token(client: Client) -> str:
    return str((await client.read("GetWebSocketsToken"))["token"])


@asynccontextmanager
async def subscribed(server: SimulatedKraken, token: str) -> AsyncIterator[Listener]:
    async with listening(server) as listener:
        await listener.subscribed("balances", token)
        yield listener


def deposit(quiet: Scenario, *amounts: str) -> None:
    for amount in amounts:
        quiet.exchange.deposit("main", "ZUSD", amount)


async def told(listener: Listener, count: int) -> list[tuple[int, Decimal]]:
    """Return sequence and amount of the next updates."""
    return [(frame["sequence"], frame["data"][0]["amount"]) for frame in await listener.updates("balances", count)]


def test_no_fault_is_on_both_lists() -> None:
    assert not set(FAULTS) & set(STREAM_FAULTS)


async def test_a_fault_of_the_stream_never_bites_on_a_call(server: SimulatedKraken, client: Client) -> None:
    for name in STREAM_FAULTS:
        server.faults.switch_on(name)
    assert await client.errors("Balance") == []
    assert server.faults.fired == []


async def test_every_fault_bites_once(server: SimulatedKraken, quiet: Scenario, token: str) -> None:
    for name in STREAM_FAULTS:
        server.faults.switch_on(name)
        for place in ("connect", "subscribe", "balances"):
            server.faults.due_on_stream(place)
        assert server.faults.fired[-1][0] == name
        assert server.faults.switches == []


async def test_a_dropped_frame_leaves_a_gap(server: SimulatedKraken, quiet: Scenario, token: str) -> None:
    async with subscribed(server, token) as listener:
        server.faults.switch_on("frame_dropped")
        deposit(quiet, "1", "2")
        assert await told(listener, 1) == [(3, Decimal(2))]


async def test_a_gap_can_be_one_of_numbers_only(server: SimulatedKraken, quiet: Scenario, token: str) -> None:
    async with subscribed(server, token) as listener:
        server.faults.switch_on("sequence_gap", by=4)
        deposit(quiet, "1", "2")
        assert await told(listener, 2) == [(6, Decimal(1)), (7, Decimal(2))]


async def test_frames_come_twice_or_in_another_order_or_late(
    server: SimulatedKraken, quiet: Scenario, token: str
) -> None:
    async with subscribed(server, token) as listener:
        server.faults.switch_on("frame_duplicated")
        server.faults.switch_on("frames_reordered", after=1)
        server.faults.switch_on("frame_delayed", after=2, seconds=0.05)
        deposit(quiet, "1", "2", "3")
        assert await told(listener, 4) == [(2, Decimal(1)), (2, Decimal(1)), (4, Decimal(3)), (3, Decimal(2))]


async def test_a_frame_can_stop_in_the_middle(server: SimulatedKraken, quiet: Scenario, token: str) -> None:
    async with subscribed(server, token) as listener:
        server.faults.switch_on("malformed_frame")
        deposit(quiet, "1")
        with pytest.raises(msgspec.DecodeError):
            await listener.update("balances")


@pytest.mark.parametrize(
    "name, field, value",
    [
        ("number_texts", "amount", "1.0000"),
        ("nan_quantity", "amount", "NaN"),
        ("strange_exec_type", "type", "some_future_value"),
        ("strange_fields", "a_field_nobody_knows", {"seen": True}),
        ("strange_wallet", "wallet_id", "some_future_value"),
        ("strange_name", "asset", "XFOO"),
    ],
)
async def test_a_row_can_be_strange(
    server: SimulatedKraken, quiet: Scenario, token: str, name: str, field: str, value: object
) -> None:
    async with subscribed(server, token) as listener:
        server.faults.switch_on(name)
        deposit(quiet, "1")
        assert (await listener.update("balances"))["data"][0][field] == value


async def test_a_frame_can_be_of_a_strange_channel_or_without_a_number(
    server: SimulatedKraken, quiet: Scenario, token: str
) -> None:
    async with subscribed(server, token) as listener:
        server.faults.switch_on("strange_channel")
        server.faults.switch_on("frame_without_sequence", after=1)
        deposit(quiet, "1", "2")
        await listener.update("some_future_value")
        assert "sequence" not in await listener.update("balances")


@pytest.mark.parametrize("name, code", [("close_1008", 1008), ("cut", None)])
async def test_the_connection_ends(
    server: SimulatedKraken, quiet: Scenario, token: str, name: str, code: int | None
) -> None:
    async with subscribed(server, token) as listener:
        server.faults.switch_on(name)
        deposit(quiet, "1")
        with pytest.raises(ConnectionClosed) as closed:
            await listener.update("balances")
        assert (closed.value.rcvd and closed.value.rcvd.code) == code


async def test_silence_is_silent(server: SimulatedKraken, quiet: Scenario, token: str) -> None:
    async with subscribed(server, token) as listener:
        server.faults.switch_on("silence")
        deposit(quiet, "1")
        await listener.send({"method": "ping"})
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await listener.update("balances")


async def test_a_handshake_can_be_refused(server: SimulatedKraken) -> None:
    server.faults.switch_on("handshake_refused")
    with pytest.raises(InvalidStatus) as refused:
        async with listening(server):
            raise AssertionError("no connection was expected")
    assert refused.value.response.status_code == 503


async def test_the_status_can_be_maintenance(server: SimulatedKraken) -> None:
    server.faults.switch_on("maintenance_status")
    async with listening(server) as listener:
        assert (await listener.until(lambda frame: True))["data"][0]["system"] == "maintenance"


@pytest.mark.parametrize(
    "name, error",
    [("token_refused", "ESession:Invalid session"), ("subscription_denied", "EGeneral:Permission denied")],
)
async def test_a_subscription_can_be_refused(server: SimulatedKraken, token: str, name: str, error: str) -> None:
    server.faults.switch_on(name)
    async with listening(server) as listener:
        assert (await listener.reply("subscribe", channel="balances", token=token))["error"] == error


async def test_a_subscription_may_never_be_acknowledged(server: SimulatedKraken, token: str) -> None:
    server.faults.switch_on("never_subscribed")
    async with listening(server) as listener:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await listener.reply("subscribe", channel="balances", token=token)


async def test_late_updates_follow_a_snapshot(server: SimulatedKraken, quiet: Scenario, token: str) -> None:
    async with subscribed(server, token) as listener:
        deposit(quiet, "1", "2")
        await listener.updates("balances", 2)
        await listener.reply("unsubscribe", channel="balances")
        server.faults.switch_on("late_updates", count=1)
        snapshot = await listener.subscribed("balances", token)
        assert snapshot["sequence"] == 1
        assert await told(listener, 1) == [(2, Decimal(2))]
