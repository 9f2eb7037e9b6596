"""The shapes of answers, to the digit: what stands in which field, and what is absent."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from gal_friday.adapters.simulated import Scenario, SimulatedKraken, scenarios
from tests.adapters.simulated.client import Client, connect


@pytest.fixture
async def virgin() -> AsyncIterator[tuple[Scenario, Client]]:
    scenario = scenarios.virgin()
    async with (
        SimulatedKraken(scenario.exchange, enforce_limits=False) as server,
        connect(server, scenario.key) as client,
    ):
        yield scenario, client


@pytest.mark.parametrize("endpoint", ["Balance", "BalanceEx"])
async def test_an_account_that_never_held_anything_answers_without_a_result(
    virgin: tuple[Scenario, Client], endpoint: str
) -> None:
    assert await virgin[1].call(endpoint) == {"error": []}


@pytest.mark.parametrize("endpoint, result",
    [
        ("OpenOrders", {"open": {}}), ("ClosedOrders", {"closed": {}, "count": 0}), ("OpenPositions", {}),
        ("TradesHistory", {"trades": {}, "count": 0}), ("Ledgers", {"ledger": {}, "count": 0}),
    ],
)  # fmt: skip
async def test_an_empty_account_has_empty_lists(virgin: tuple[Scenario, Client], endpoint: str, result: Any) -> None:
    assert await virgin[1].read(endpoint) == result


async def test_the_margin_level_is_absent_when_nothing_is_open(virgin: tuple[Scenario, Client]) -> None:
    scenario, client = virgin
    scenario.exchange.deposit("main", "ZUSD", "1000")
    assert "ml" not in await client.read("TradeBalance")
    scenario.exchange.place_order("main", "XBTUSD", "buy", "market", "0.01", leverage=5)
    worth = await client.read("TradeBalance")
    assert (worth["m"], worth["c"], worth["ml"]) == ("120.0000", "600.0000", "831.33")


async def test_an_order_names_its_pair_by_altname_a_trade_by_id(client: Client, quiet: Scenario) -> None:
    orders = (await client.read("OpenOrders"))["open"].values()
    assert {order["descr"]["pair"] for order in orders} == {"XBTUSD", "ADAUSD", "ETHUSD"}
    trades = (await client.read("TradesHistory"))["trades"].values()
    assert {"XXBTZUSD", "XXRPZUSD", "XDGUSD", "AAPLxUSD", "WAVESUSD", "ADAUSD"} == {row["pair"] for row in trades}


async def test_an_order_reads_like_krakens(virgin: tuple[Scenario, Client]) -> None:
    scenario, client = virgin
    scenario.exchange.deposit("main", "ZUSD", "1000")
    placed = scenario.exchange.place_order(
        "main", "XBTUSD", "buy", "limit", "0.01", "50000.5", leverage=5, userref=3, cl_ord_id="c-1",
        close=("limit", "70000"),
    )  # fmt: skip
    row = (await client.read("OpenOrders"))["open"][placed.order]
    row.pop("opentm")
    assert row == {
        "refid": None,
        "userref": 3,
        "status": "open",
        "starttm": 0,
        "expiretm": 0,
        "descr": {
            "pair": "XBTUSD",
            "aclass": "forex",
            "type": "buy",
            "ordertype": "limit",
            "price": "50000.5",
            "price2": "0",
            "leverage": "5:1",
            "order": "buy 0.01000000 XBTUSD @ limit 50000.5 with 5:1 leverage",
            "close": "close position @ limit 70000.0",
        },
        "vol": "0.01000000",
        "vol_exec": "0.00000000",
        "cost": "0.00000",
        "fee": "0.00000",
        "price": "0.00000",
        "stopprice": "0.00000",
        "limitprice": "0.00000",
        "misc": "",
        "oflags": "fciq",
        "time_in_force": "gtc",
        "cl_ord_id": "c-1",
        "margin": True,
    }


async def test_a_spot_trade_reads_like_krakens(virgin: tuple[Scenario, Client]) -> None:
    scenario, client = virgin
    scenario.exchange.deposit("main", "ZUSD", "1000")
    placed = scenario.exchange.place_order("main", "XBTUSD", "buy", "market", "0.01")
    (execution,) = placed.executions
    row = (await client.read("TradesHistory", ledgers="true"))["trades"][execution.trade]
    row.pop("time")
    assert row == {
        "ordertxid": placed.order,
        "postxid": "TKH2SE-M7IF5-CFI7LT",
        "pair": "XXBTZUSD",
        "aclass": "forex",
        "type": "buy",
        "ordertype": "market",
        "tradeordertype": "market",
        "price": "60000.00000",
        "cost": "600.00000",
        "fee": "2.40000",
        "vol": "0.01000000",
        "margin": "0.00000",
        "leverage": "0",
        "misc": "",
        "trade_id": 1000001,
        "maker": False,
        "ledgers": list(execution.ledgers),
    }


async def test_a_position_reads_like_krakens(virgin: tuple[Scenario, Client]) -> None:
    scenario, client = virgin
    exchange = scenario.exchange
    exchange.deposit("main", "ZUSD", "1000")
    opened = exchange.place_order("main", "XBTUSD", "buy", "market", "0.01", leverage=5)
    exchange.place_order("main", "XBTUSD", "sell", "market", "0.004", leverage=5)
    exchange.set_price("XBTUSD", "61000")
    position = opened.executions[0].trade
    row = (await client.read("OpenPositions", docalcs="true"))[position]
    rollover = int(row.pop("time")) + 4 * 3600
    assert abs(int(row.pop("rollovertm")) - rollover) <= 1
    assert row == {
        "ordertxid": opened.order,
        "posstatus": "open",
        "pair": "XXBTZUSD",
        "class": "forex",
        "type": "buy",
        "ordertype": "market",
        "cost": "600.00000",
        "fee": "2.40000",
        "vol": "0.01000000",
        "vol_closed": "0.00400000",
        "margin": "120.00000",
        "terms": "0.0100% per 4 hours",
        "misc": "",
        "oflags": "",
        "leverage": "5",
        "value": "366.0",
        "net": "+6.0000",
    }
    trade = (await client.read("QueryTrades", txid=position))[position]
    assert (trade["posstatus"], trade["cvol"], trade["ccost"]) == ("open", "0.00400000", "240.00000")


async def test_a_short_at_a_loss_has_a_minus(virgin: tuple[Scenario, Client]) -> None:
    scenario, client = virgin
    scenario.exchange.deposit("main", "ZUSD", "1000")
    scenario.exchange.place_order("main", "XBTUSD", "sell", "market", "0.01", leverage=5)
    scenario.exchange.set_price("XBTUSD", "61000")
    (row,) = await client.read("OpenPositions", docalcs="true", consolidation="market")
    assert row == {
        "pair": "XXBTZUSD",
        "positions": "1",
        "type": "sell",
        "leverage": "5.00000",
        "cost": "600.00000",
        "fee": "2.40000",
        "vol": "0.01000000",
        "vol_closed": "0.00000000",
        "margin": "120.00000",
        "value": "610.00000",
        "net": "-10.00000",
    }


async def test_credit_shows_in_the_extended_balance_only(client: Client, quiet: Scenario) -> None:
    quiet.exchange.set_credit("main", "ZUSD", "5000", "100")
    row = (await client.read("BalanceEx"))["ZUSD"]
    assert (row["credit"], row["credit_used"]) == ("5000.0000", "100.0000")
    assert "credit" not in (await client.read("BalanceEx"))["CHF"]


async def test_a_pending_withdrawal_is_off_the_balance_and_not_in_the_ledger(client: Client, quiet: Scenario) -> None:
    assert (await client.read("Balance"))["USDT"] == "1147.00000000"
    newest = next(iter((await client.read("Ledgers", asset="USDT"))["ledger"].values()))
    assert newest["balance"] == "1250.00000000"
    statuses = [(row["status"], row.get("status-prop")) for row in await client.read("WithdrawStatus")]
    assert statuses == [("Pending", None), ("Failure", "return"), ("Success", None)]


async def test_one_unknown_id_fails_a_whole_list_of_orders_or_not(client: Client, quiet: Scenario) -> None:
    known = next(iter(quiet.exchange.account("main").orders))
    txid = f"{known},OAAAAA-BBBBB-CCCCCC"
    assert await client.errors("QueryOrders", txid=txid) == ["EOrder:Unknown order"]
    quiet.exchange.quirks.unknown_id_fails_list = False
    assert list(await client.read("QueryOrders", txid=txid)) == [known]


@pytest.mark.parametrize("endpoint, name, most", [
    ("QueryOrders", "txid", 50), ("QueryTrades", "txid", 20), ("QueryLedgers", "id", 20),
])  # fmt: skip
async def test_a_list_of_ids_has_a_limit(client: Client, endpoint: str, name: str, most: int) -> None:
    ids = ",".join(f"LAAAAA-BBBBB-{number:06d}" for number in range(most + 1))
    assert await client.errors(endpoint, **{name: ids}) == [f"EGeneral:Invalid arguments:{name}"]


async def test_a_rebase_changes_the_shown_balance_and_nothing_else(client: Client, quiet: Scenario) -> None:
    quiet.exchange.rebase("AAPLx", "4")
    assert (await client.read("Balance"))["AAPLx"] == "8.0000000000"
    assert (await client.read("Balance", rebase_multiplier="base"))["AAPLx"] == "2.0000000000"
    newest = next(iter((await client.read("Ledgers", asset="AAPLx"))["ledger"].values()))
    assert newest["balance"] == "2.0000000000"


async def test_an_amended_order_keeps_its_id_and_lists_its_amendments(client: Client, quiet: Scenario) -> None:
    rows = (await client.read("OpenOrders"))["open"]
    (order_id,) = [key for key, row in rows.items() if "amended" in row["misc"]]
    amends = await client.read("OrderAmends", order_id=order_id)
    assert (amends["count"], amends["amends"][0]["limit_price"]) == (1, "0.410000")
    milliseconds = int(rows[order_id]["opentm"] * 1000)
    assert milliseconds <= int(amends["amends"][0]["timestamp"]) <= milliseconds + 1000


async def test_names_of_every_kind_are_known(client: Client) -> None:
    assets, pairs = await client.public("Assets"), await client.public("AssetPairs")
    assert {"XXBT", "XXDG", "XTZ", "ZRX", "CHF", "ZEUR", "KFEE", "DOT28.S", "EUR.HOLD"} <= set(assets)
    assert {"XXBTZUSD", "XDGUSD", "USDTZUSD", "XBTUSD:BTNL"} <= set(pairs)
    assert not {"WAVES", "AAPLx"} & set(assets)
    assert not {"WAVESUSD", "AAPLxUSD"} & set(pairs)


async def test_tokenized_stocks_show_only_in_their_class(client: Client) -> None:
    assets = await client.public("Assets", aclass="tokenized_asset")
    pairs = await client.public("AssetPairs", aclass_base="tokenized_asset")
    assert set(assets) == {"AAPLx", "AAOIx"}
    assert {pairs["AAOISPVUSD"]["altname"], pairs["AAOIxUSD"]["altname"]} == {"AAOIxUSD"}


async def test_pairs_are_narrowed_to_what_is_asked(client: Client) -> None:
    pairs = await client.public("AssetPairs", pair="XBTUSD", info="margin")
    assert pairs == {"XXBTZUSD": {"margin_call": 80, "margin_level": 40}}


async def test_modern_names_on_request(client: Client) -> None:
    assert {"BTC", "DOGE", "USD"} <= set(await client.public("Assets", assetVersion="1"))
    assert {"BTC/USD", "DOGE/USD", "ETH/BTC"} <= set(await client.public("AssetPairs", assetVersion="1"))


async def test_a_token_lives_for_a_quarter_of_an_hour(client: Client) -> None:
    assert (await client.read("GetWebSocketsToken"))["expires"] == 900


async def test_an_export_is_not_ready_at_once(client: Client, quiet: Scenario) -> None:
    quiet.exchange.quirks.export_delay = timedelta(seconds=10)
    made = await client.read("AddExport", report="trades", description="d")
    assert (await client.read("ExportStatus", report="trades"))[0]["status"] == "Queued"
    assert await client.errors("RetrieveExport", id=made["id"]) == ["EExport:Not ready"]
    quiet.clock.advance(timedelta(seconds=10))
    assert (await client.raw("RetrieveExport", id=made["id"])).content[:2] == b"PK"
