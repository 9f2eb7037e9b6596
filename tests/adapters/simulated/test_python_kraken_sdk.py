"""A client written by others reads the simulator unchanged: python-kraken-sdk, over HTTP and WebSocket."""

import asyncio
import io
import zipfile
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from gal_friday.adapters.simulated import Scenario, SimulatedKraken

spot = pytest.importorskip("kraken.spot", reason="python-kraken-sdk is not installed")


@pytest.fixture
async def user(server: SimulatedKraken, quiet: Scenario) -> AsyncIterator[Any]:
    connected = spot.User(quiet.key.key, quiet.key.secret, url=server.url)
    yield connected
    connected._SpotClient__session.close()


async def ask(call: Callable[..., Any], **arguments: Any) -> Any:
    return await asyncio.to_thread(lambda: call(**arguments))


async def test_it_reads_balances(user: Any) -> None:
    plain, extended = await ask(user.get_account_balance), await ask(user.get_balances)
    assert plain["ZUSD"] == extended["ZUSD"]["balance"] == "36260.4593"
    assert extended["XBT.F"]["hold_trade"] == "0.3000000000"
    assert plain["WAVES"] == "0.0000000000"


async def test_it_reads_the_worth(user: Any) -> None:
    worth = await ask(user.get_trade_balance)
    assert worth["m"] == "4026.2500"


async def test_it_reads_open_and_closed_orders(user: Any, quiet: Scenario) -> None:
    open_orders = (await ask(user.get_open_orders, trades=True))["open"]
    assert set(open_orders) == set(quiet.exchange.account("main").open_orders)
    closed = (await ask(user.get_closed_orders))["closed"]
    partly = [row for row in closed.values() if row["status"] == "canceled"]
    assert [(row["vol"], row["vol_exec"]) for row in partly] == [("1000.00000000", "314.00000000")]


async def test_it_reads_orders_by_id(user: Any, quiet: Scenario) -> None:
    ids = list(quiet.exchange.account("main").orders)[:3]
    assert list(await ask(user.get_orders_info, txid=ids)) == ids


async def test_it_reads_positions_in_both_shapes(user: Any, quiet: Scenario) -> None:
    rows = await ask(user.get_open_positions, consolidation="", docalcs=True)
    assert set(rows) == set(quiet.exchange.account("main").open_positions)
    merged = await ask(user.get_open_positions, docalcs=True)
    assert {(row["pair"], row["type"]) for row in merged} == {
        ("XXBTZUSD", "buy"),
        ("XXBTZUSD", "sell"),
        ("XXRPZUSD", "sell"),
    }


async def test_it_reads_trades(user: Any, quiet: Scenario) -> None:
    rows = (await ask(user.get_trades_history, consolidate_taker=False))["trades"]
    assert list(rows) == [fill.id for fill in reversed(quiet.exchange.account("main").trades.rows)]
    some = list(rows)[:4]
    assert list(await ask(user.get_trades_info, txid=some)) == some


async def test_it_reads_the_ledger(user: Any, quiet: Scenario) -> None:
    result = await ask(user.get_ledgers_info)
    # It asks for the class of currencies unless told otherwise: tokenized stocks are not in its ledger.
    rows = [row for row in quiet.exchange.account("main").ledger.rows if row.aclass == "currency"]
    newest = [row.id for row in reversed(rows)]
    assert list(result["ledger"]) == newest[:50]
    assert list(await ask(user.get_ledgers, id_=newest[:20])) == newest[:20]


async def test_it_fetches_an_export(user: Any, quiet: Scenario) -> None:
    made = await ask(user.request_export_report, report="ledgers", description="all of it")
    (status,) = await ask(user.get_export_report_status, report="ledgers")
    assert (status["id"], status["status"]) == (made["id"], "Processed")
    packed = await ask(user.retrieve_export, id_=made["id"])
    with zipfile.ZipFile(io.BytesIO(packed.content)) as archive:
        assert archive.read("ledgers.csv").decode() == quiet.exchange.ledgers_csv("main")
    assert await ask(user.delete_export_report, id_=made["id"], type_="delete") == {"delete": True}


async def test_it_recognises_a_refusal(server: SimulatedKraken, user: Any) -> None:
    from kraken.exceptions import KrakenPermissionDeniedError

    server.faults.switch_on("permission_lost")
    with pytest.raises(KrakenPermissionDeniedError):
        await ask(user.get_account_balance)


async def test_its_market_client_reads_names_and_prices(server: SimulatedKraken) -> None:
    market = spot.Market(url=server.url)
    try:
        assert (await ask(market.get_assets, assets="XBT"))["XXBT"]["altname"] == "XBT"
        assert (await ask(market.get_asset_pairs, pair="BTC/USD"))["XXBTZUSD"]["base"] == "XXBT"
        assert (await ask(market.get_ticker, pair="XBTUSD"))["XXBTZUSD"]["c"][0] == "60000.00000"
        assert (await ask(market.get_system_status))["status"] == "online"
    finally:
        market._SpotClient__session.close()


async def test_its_stream_client_hears_of_fills_and_balances(server: SimulatedKraken, quiet: Scenario) -> None:
    heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    stream = spot.SpotWSClient(
        quiet.key.key,
        quiet.key.secret,
        callback=heard.put,
        no_public=True,
        rest_url=server.url,
        auth_ws_url=server.stream_url.removesuffix("/v2"),
    )
    async with asyncio.timeout(20):
        await stream.start()
        await stream.subscribe(params={"channel": "executions", "snap_trades": True})
        await stream.subscribe(params={"channel": "balances"})
        while (await heard.get()).get("channel") != "balances":
            pass
        placed = quiet.exchange.place_order("main", "XXBTZUSD", "buy", "market", "0.01", parts=2)
        frames: list[dict[str, Any]] = []
        while sum(frame["data"][0].get("exec_type") == "filled" for frame in frames) < 1:
            frame = await heard.get()
            frames += [frame] if frame.get("type") == "update" else []
        assert [row["channel"] for row in stream.active_private_subscriptions] == ["executions", "balances"]
        await stream.unsubscribe(params={"channel": "balances"})
        await stream.close()
    rows = [row for frame in frames for row in frame["data"]]
    assert [row["exec_id"] for row in rows if row.get("exec_type") == "trade"] == [
        execution.trade for execution in placed.executions
    ]
    assert [row["ledger_id"] for row in rows if "ledger_id" in row] == [
        row for execution in placed.executions for row in execution.ledgers
    ]
