"""The simulated stream speaks Kraken's WebSocket version 2, and tells everything that happens once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from gal_friday.adapters.simulated import Scenario, SimulatedKraken
from gal_friday.domain import quantity
from tests.adapters.simulated.client import Client
from tests.adapters.simulated.listener import Frame, Listener, listening


@pytest.fixture
async def listener(server: SimulatedKraken) -> AsyncIterator[Listener]:
    async with listening(server) as connected:
        yield connected


@pytest.fixture
async def token(client: Client) -> str:
    return str((await client.read("GetWebSocketsToken"))["token"])


def rows(frames: list[Frame]) -> list[dict[str, Any]]:
    return [row for frame in frames for row in frame["data"]]


async def test_the_status_comes_unasked(listener: Listener) -> None:
    frame = await listener.until(lambda frame: True)
    assert (frame["channel"], frame["data"][0]["system"], frame["data"][0]["api_version"]) == ("status", "online", "v2")


async def test_a_ping_is_answered_by_a_pong(listener: Listener) -> None:
    await listener.send({"method": "ping", "req_id": 7})
    assert (await listener.until(lambda frame: frame.get("method") == "pong"))["req_id"] == 7


async def test_an_acknowledgement_repeats_the_options(listener: Listener, token: str) -> None:
    reply = await listener.reply("subscribe", channel="executions", token=token, snap_trades=True)
    expected = {"channel": "executions", "maxratecount": 125, "snap_orders": True, "snap_trades": True}
    assert (reply["success"], reply["result"]) == (True, expected)
    assert token not in str(reply)


async def test_the_snapshot_holds_the_open_orders_and_the_last_fills(
    listener: Listener, token: str, quiet: Scenario
) -> None:
    snapshot = await listener.subscribed("executions", token, snap_trades=True)
    account = quiet.exchange.account("main")
    assert (snapshot["type"], snapshot["sequence"]) == ("snapshot", 1)
    assert {row["order_id"] for row in snapshot["data"] if row["exec_type"] == "new"} == set(account.open_orders)
    fills = [row["exec_id"] for row in snapshot["data"] if row["exec_type"] == "trade"]
    assert fills == [trade.id for trade in account.trades.rows[::-1]][:50]


async def test_an_order_is_told_from_its_placing_to_its_end(listener: Listener, token: str, quiet: Scenario) -> None:
    await listener.subscribed("executions", token)
    placed = quiet.exchange.place_order("main", "XXBTZUSD", "buy", "market", "0.01", parts=2)
    frames = await listener.updates("executions", 5)
    assert [frame["sequence"] for frame in frames] == [2, 3, 4, 5, 6]
    told = rows(frames)
    assert [row["exec_type"] for row in told] == ["pending_new", "new", "trade", "trade", "filled"]
    assert [row["exec_id"] for row in told[2:4]] == [execution.trade for execution in placed.executions]
    assert [row["cum_qty"] for row in told[2:]] == [Decimal("0.005"), Decimal("0.01"), Decimal("0.01")]
    assert (told[2]["symbol"], told[2]["fees"]) == ("BTC/USD", [{"asset": "USD", "qty": Decimal("1.2")}])


async def test_an_update_is_sparse(listener: Listener, token: str, quiet: Scenario) -> None:
    await listener.subscribed("executions", token)
    placed = quiet.exchange.place_order("main", "XXBTZUSD", "buy", "limit", "0.01", "50000", userref=3)
    _, new = await listener.updates("executions", 2)
    assert set(new["data"][0]) == {"order_id", "exec_type", "order_status", "timestamp", "order_userref"}
    quiet.exchange.amend_order(placed.order, price="51000")
    (amended,) = (await listener.update("executions"))["data"]
    assert (amended["exec_type"], amended["limit_price"], "side" in amended) == ("amended", Decimal("51000"), False)
    quiet.exchange.cancel_order(placed.order)
    (canceled,) = (await listener.update("executions"))["data"]
    assert (canceled["order_status"], canceled["reason"]) == ("canceled", "User requested")


async def test_only_transitions_come_where_nothing_else_was_asked_for(
    listener: Listener, token: str, quiet: Scenario
) -> None:
    await listener.subscribed("executions", token, order_status=False)
    quiet.exchange.place_order("main", "XXBTZUSD", "buy", "market", "0.01")
    assert [row["exec_type"] for row in rows(await listener.updates("executions", 3))] == ["new", "trade", "filled"]


async def test_the_fee_is_told_in_the_asset_of_which_it_was_taken(
    listener: Listener, token: str, quiet: Scenario
) -> None:
    await listener.subscribed("executions", token)
    quiet.exchange.place_order("main", "XXRPZUSD", "buy", "market", "100", oflags=("fcib",))
    frames = await listener.updates("executions", 3)
    (fee,) = frames[2]["data"][0]["fees"]
    row = quiet.exchange.account("main").ledger.rows[-1]
    assert (fee["asset"], fee["qty"]) == ("XRP", row.fee)


async def test_a_liquidation_is_told_though_nobody_placed_an_order(
    listener: Listener, token: str, quiet: Scenario
) -> None:
    await listener.subscribed("executions", token)
    executions = quiet.exchange.liquidate("main", "XXRPZUSD")
    frames = await listener.updates("executions", 2 * len(executions))
    fills = [row for row in rows(frames) if row["exec_type"] == "trade"]
    assert [row["exec_id"] for row in fills] == [execution.trade for execution in executions]
    assert all(row["liquidated"] and row["margin"] for row in fills)


async def test_the_balances_are_those_of_the_account_by_wallet(listener: Listener, token: str, quiet: Scenario) -> None:
    snapshot = await listener.subscribed("balances", token)
    held = {row["asset"]: row for row in snapshot["data"]}
    account = quiet.exchange.account("main")
    assert held["BTC"]["wallets"] == [
        {"type": "spot", "id": "main", "balance": account.balances["XXBT"]},
        {"type": "earn", "id": "flex", "balance": account.balances["XBT.F"]},
    ]
    assert held["BTC"]["balance"] == quantity.add(account.balances["XXBT"], account.balances["XBT.F"])


async def test_a_ledger_row_is_an_update_of_the_balances(listener: Listener, token: str, quiet: Scenario) -> None:
    await listener.subscribed("balances", token)
    booked = quiet.exchange.deposit("main", "ZUSD", "12.5")
    (row,) = (await listener.update("balances"))["data"]
    ledger = quiet.exchange.account("main").ledger.rows[-1]
    assert (row["ledger_id"], row["ref_id"]) == (ledger.id, booked.refid)
    assert (row["asset"], row["wallet_id"], row["amount"], row["balance"]) == (
        "USD", "main", Decimal("12.5"), ledger.balance,
    )  # fmt: skip


async def test_every_channel_counts_for_itself(listener: Listener, token: str, quiet: Scenario) -> None:
    await listener.subscribed("executions", token)
    await listener.subscribed("balances", token)
    quiet.exchange.place_order("main", "XXBTZUSD", "buy", "market", "0.01")
    quiet.exchange.deposit("main", "ZUSD", "1")
    await listener.until(lambda frame: frame.get("channel") == "balances" and frame["sequence"] == 4)
    await listener.send({"method": "ping"})
    await listener.until(lambda frame: frame.get("method") == "pong")
    for channel in ("executions", "balances"):
        counted = [frame["sequence"] for frame in listener.frames if frame.get("channel") == channel]
        assert counted == list(range(1, len(counted) + 1))


async def test_nothing_of_another_account_is_told(listener: Listener, token: str, quiet: Scenario) -> None:
    await listener.subscribed("balances", token)
    quiet.exchange.deposit("savings", "ZUSD", "1")
    booked = quiet.exchange.deposit("main", "ZUSD", "2")
    assert (await listener.update("balances"))["data"][0]["ref_id"] == booked.refid


async def test_nothing_comes_after_unsubscribing(listener: Listener, token: str, quiet: Scenario) -> None:
    await listener.subscribed("balances", token)
    assert (await listener.reply("unsubscribe", channel="balances", token=token))["success"]
    quiet.exchange.deposit("main", "ZUSD", "1")
    await listener.send({"method": "ping"})
    await listener.until(lambda frame: frame.get("method") == "pong")
    assert not any(frame.get("type") == "update" and frame["channel"] == "balances" for frame in listener.frames)
    assert (await listener.reply("unsubscribe", channel="balances"))["error"] == "Subscription Not Found"


@pytest.mark.parametrize(
    "params, error",
    [
        ({"channel": "executions"}, "ESession:Invalid session"),
        ({"channel": "executions", "token": "made-up"}, "ESession:Invalid session"),
        ({"channel": "gossip", "token": "made-up"}, "Channel not found"),
    ],
)
async def test_a_wrong_subscription_is_refused(listener: Listener, params: dict[str, str], error: str) -> None:
    reply = await listener.reply("subscribe", **params)
    assert (reply["success"], reply["error"]) == (False, error)


async def test_a_token_is_good_for_fifteen_minutes_and_in_use_for_as_long_as_it_is_used(
    listener: Listener, client: Client, quiet: Scenario
) -> None:
    answer = await client.read("GetWebSocketsToken")
    assert answer["expires"] == 900
    quiet.clock.advance(timedelta(seconds=899))
    await listener.subscribed("executions", answer["token"])
    quiet.clock.advance(timedelta(seconds=1))
    await listener.subscribed("balances", answer["token"])
    await listener.reply("unsubscribe", channel="balances")
    await listener.reply("unsubscribe", channel="executions")
    assert (await listener.reply("subscribe", channel="balances", token=answer["token"]))["success"] is False


async def test_a_key_without_the_right_gets_no_token(client: Client, quiet: Scenario) -> None:
    quiet.exchange.revoke_right(quiet.key.key, "create-ws-token")
    assert await client.errors("GetWebSocketsToken") == ["EGeneral:Permission denied"]


async def test_a_token_opens_what_its_key_may_read(listener: Listener, token: str, quiet: Scenario) -> None:
    for right in ("query-funds", "query-ledger"):
        quiet.exchange.revoke_right(quiet.key.key, right)
    assert (await listener.reply("subscribe", channel="balances", token=token))["error"] == "EGeneral:Permission denied"
    await listener.subscribed("executions", token)


@pytest.mark.parametrize("method", ["add_order", "cancel_order", "edit_order"])
async def test_nothing_can_be_ordered(listener: Listener, token: str, method: str) -> None:
    assert (await listener.reply(method, token=token))["error"] == "EGeneral:Permission denied"


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"method": 3}', '{"method": "subscribe", "params": []}'])
async def test_nonsense_is_answered(listener: Listener, text: str) -> None:
    await listener.send(text)
    assert (await listener.until(lambda frame: "error" in frame))["success"] is False


async def test_a_heartbeat_comes_when_nothing_else_does(listener: Listener, token: str, quiet: Scenario) -> None:
    quiet.exchange.quirks.heartbeat = timedelta(seconds=0.02)
    await listener.subscribed("balances", token)
    for _ in range(3):
        await listener.until(lambda frame: frame.get("channel") == "heartbeat")


async def test_a_connection_without_a_subscription_is_closed(server: SimulatedKraken, quiet: Scenario) -> None:
    quiet.exchange.quirks.heartbeat = timedelta(seconds=0.02)
    quiet.exchange.quirks.stream_idle = timedelta(seconds=0.1)
    async with listening(server) as listener:
        with pytest.raises(ConnectionClosed) as closed:
            await listener.until(lambda frame: False)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1000


async def test_a_server_that_stops_ends_its_streams(quiet: Scenario) -> None:
    async with AsyncExitStack() as open_servers:
        server = await open_servers.enter_async_context(SimulatedKraken(quiet.exchange, enforce_limits=False))
        async with listening(server) as listener:
            await listener.until(lambda frame: True)
            await open_servers.aclose()
            with pytest.raises(ConnectionClosed):
                await listener.until(lambda frame: False)
    assert quiet.exchange.listeners == []


async def test_only_the_path_of_the_stream_can_be_upgraded(server: SimulatedKraken) -> None:
    from websockets.asyncio.client import connect

    with pytest.raises(InvalidStatus):
        async with connect(f"{server.stream_url}/elsewhere", proxy=None):
            await asyncio.sleep(0)
