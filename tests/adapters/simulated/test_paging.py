"""How history is paged: fifty a page, newest first, start exclusive, end inclusive, ids as bounds."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from gal_friday.adapters.simulated import Scenario, SimulatedKraken, scenarios
from tests.adapters.simulated.client import Client, connect


@pytest.fixture
async def world() -> AsyncIterator[tuple[Scenario, Client]]:
    scenario = scenarios.busy(5, fills=120, ledger_rows=300)
    async with (
        SimulatedKraken(scenario.exchange, enforce_limits=False) as server,
        connect(server, scenario.key) as client,
    ):
        yield scenario, client


async def all_pages(client: Client, endpoint: str, inner: str, **params: Any) -> list[str]:
    ids: list[str] = []
    while True:
        page = list((await client.read(endpoint, ofs=len(ids), **params))[inner])
        if not page:
            return ids
        ids += page


async def test_the_pages_are_the_whole_ledger_newest_first(world: tuple[Scenario, Client]) -> None:
    scenario, client = world
    expected = [row.id for row in reversed(scenario.exchange.account("main").ledger.rows)]
    assert await all_pages(client, "Ledgers", "ledger") == expected


async def test_a_page_has_fifty_rows_and_the_count_of_all(world: tuple[Scenario, Client]) -> None:
    _, client = world
    page = await client.read("Ledgers")
    assert (len(page["ledger"]), page["count"]) == (50, 300)


async def test_the_count_is_left_out_on_request(world: tuple[Scenario, Client]) -> None:
    _, client = world
    assert "count" not in await client.read("Ledgers", without_count="true")


async def test_start_is_exclusive_and_end_inclusive(world: tuple[Scenario, Client]) -> None:
    scenario, client = world
    rows = scenario.exchange.account("main").ledger.rows
    times = [digits(row.ticks) for row in rows]
    page = await client.read("Ledgers", start=times[10], end=times[13])
    assert list(page["ledger"]) == [rows[13].id, rows[12].id, rows[11].id]


async def test_ids_stand_for_the_time_of_their_row(world: tuple[Scenario, Client]) -> None:
    scenario, client = world
    rows = scenario.exchange.account("main").ledger.rows
    page = await client.read("Ledgers", start=rows[10].id, end=rows[13].id)
    assert list(page["ledger"]) == [rows[13].id, rows[12].id, rows[11].id]


async def test_an_unknown_id_as_a_bound_is_refused(world: tuple[Scenario, Client]) -> None:
    _, client = world
    assert await client.errors("Ledgers", start="LAAAAA-BBBBB-CCCCCC") == ["EGeneral:Invalid arguments:start"]


async def test_times_are_written_digit_for_digit(world: tuple[Scenario, Client]) -> None:
    scenario, client = world
    text = (await client.raw("Ledgers")).text
    for row in scenario.exchange.account("main").ledger.rows[-50:]:
        assert f'"time":{digits(row.ticks)},' in text


async def test_offset_paging_over_a_growing_list_shows_rows_twice(world: tuple[Scenario, Client]) -> None:
    scenario, client = world
    first = list((await client.read("Ledgers"))["ledger"])
    scenario.exchange.deposit("main", "ZUSD", "1")
    second = list((await client.read("Ledgers", ofs=50))["ledger"])
    assert second[0] == first[-1]


async def test_a_frozen_end_keeps_the_list_still(world: tuple[Scenario, Client]) -> None:
    scenario, client = world
    first = list((await client.read("Ledgers"))["ledger"])
    scenario.exchange.deposit("main", "ZUSD", "1")
    second = list((await client.read("Ledgers", ofs=50, end=first[0]))["ledger"])
    assert second[0] not in first


async def test_filters_by_asset_and_type_narrow_rows_and_count(world: tuple[Scenario, Client]) -> None:
    _, client = world
    page = await client.read("Ledgers", asset="XBT", type="deposit")
    assert [row["asset"] for row in page["ledger"].values()] == ["XXBT"]
    assert page["count"] == 1
    assert (await client.read("Ledgers", type="earn"))["count"] == 300 - 2 * 120 - 2


async def test_the_class_of_assets_filters_only_when_asked(quiet: Scenario, client: Client) -> None:
    everything = (await client.read("Ledgers"))["count"]
    currencies = (await client.read("Ledgers", aclass="currency"))["count"]
    assert everything - currencies == (await client.read("Ledgers", aclass="tokenized_asset"))["count"] == 1


async def test_the_count_under_a_filter_is_wrong_when_told_so(world: tuple[Scenario, Client]) -> None:
    scenario, client = world
    scenario.exchange.quirks.wrong_count_under_filter = True
    page = await client.read("Ledgers", type="deposit")
    assert (len(page["ledger"]), page["count"]) == (2, 9)
    assert (await client.read("Ledgers"))["count"] == 300


async def test_trades_are_paged_like_the_ledger(world: tuple[Scenario, Client]) -> None:
    scenario, client = world
    expected = [fill.id for fill in reversed(scenario.exchange.account("main").trades.rows)]
    assert await all_pages(client, "TradesHistory", "trades", consolidate_taker="false") == expected


async def test_closed_orders_are_paged_like_the_ledger(world: tuple[Scenario, Client]) -> None:
    scenario, client = world
    expected = [order.id for order in reversed(scenario.exchange.account("main").closed_orders.rows)]
    assert await all_pages(client, "ClosedOrders", "closed") == expected


async def test_the_window_of_closed_orders_means_opening_or_closing(quiet: Scenario, client: Client) -> None:
    clock, exchange = quiet.clock, quiet.exchange
    opened = int(clock.now().timestamp())
    placed = exchange.place_order("main", "XXRPZUSD", "buy", "limit", "100", "0.5")
    clock.advance(timedelta(hours=1))
    exchange.cancel_order(placed.order)
    window = {"start": opened - 1, "end": opened + 1}
    assert list((await client.read("ClosedOrders", closetime="open", **window))["closed"]) == [placed.order]
    assert list((await client.read("ClosedOrders", closetime="both", **window))["closed"]) == [placed.order]
    assert list((await client.read("ClosedOrders", closetime="close", **window))["closed"]) == []


async def test_adjacent_taker_fills_are_merged_unless_told_otherwise(quiet: Scenario, client: Client) -> None:
    placed = quiet.exchange.place_order("main", "XXBTZUSD", "buy", "market", "0.03", parts=3)
    ids = [execution.trade for execution in placed.executions]
    merged = (await client.read("TradesHistory", ledgers="true"))["trades"]
    single = (await client.read("TradesHistory", consolidate_taker="false"))["trades"]
    assert (merged[ids[0]]["vol"], merged[ids[0]]["cost"]) == ("0.03000000", "1800.00000")
    assert len(merged[ids[0]]["ledgers"]) == 6
    assert ids[1] not in merged
    assert [single[each]["vol"] for each in ids] == ["0.01000000"] * 3


async def test_maker_fills_are_never_merged(quiet: Scenario, client: Client) -> None:
    placed = quiet.exchange.place_order("main", "XXRPZUSD", "buy", "limit", "100", "0.5")
    quiet.exchange.fill_order(placed.order, "40")
    quiet.exchange.fill_order(placed.order, "60")
    merged = (await client.read("TradesHistory"))["trades"]
    assert [row["vol"] for row in merged.values() if row["ordertxid"] == placed.order] == [
        "60.00000000",
        "40.00000000",
    ]


@pytest.mark.parametrize(
    "kind, leverages",
    [("no position", {"0"}), ("any position", {"3", "4", "5"}), ("closing position", {"5"})],
)
async def test_trades_are_filtered_by_their_part_in_positions(client: Client, kind: str, leverages: set[str]) -> None:
    rows = (await client.read("TradesHistory", type=kind))["trades"]
    assert {row["leverage"] for row in rows.values()} == leverages


async def test_closed_positions_are_a_kind_of_trade_of_their_own(quiet: Scenario, client: Client) -> None:
    async def closed() -> dict[str, Any]:
        rows = await client.read("TradesHistory", type="closed position", trades="true")
        return {row["pair"]: row for row in rows["trades"].values()}

    assert set(await closed()) == {"XXBTZUSD"}
    quiet.exchange.liquidate("main", "XRPUSD")
    row = (await closed())["XXRPZUSD"]
    assert (row["posstatus"], row["cvol"], len(row["trades"])) == ("closed", "500.00000000", 1)


async def test_a_fill_shows_after_the_lag_and_the_order_stays_open_until_then(quiet: Scenario, client: Client) -> None:
    exchange, clock = quiet.exchange, quiet.clock
    clock.advance(timedelta(minutes=5))
    exchange.quirks.fill_lag = timedelta(seconds=30)
    placed = exchange.place_order("main", "XXRPZUSD", "buy", "limit", "100", "0.5")
    exchange.fill_order(placed.order)
    trade = exchange.account("main").orders[placed.order].trades[0]
    assert trade not in (await client.read("TradesHistory"))["trades"]
    order = (await client.read("OpenOrders"))["open"][placed.order]
    assert (order["status"], order["vol_exec"]) == ("open", "0.00000000")
    clock.advance(timedelta(seconds=31))
    assert trade in (await client.read("TradesHistory"))["trades"]
    assert placed.order not in (await client.read("OpenOrders"))["open"]
    order = (await client.read("QueryOrders", txid=placed.order))[placed.order]
    assert (order["status"], order["vol_exec"]) == ("closed", "100.00000000")


@pytest.mark.parametrize("window", [{}, {"start": 1}, {"start": 1, "closetime": "close"}])
async def test_an_order_is_not_among_the_closed_before_its_end_has_reached_rest(
    quiet: Scenario, client: Client, window: dict[str, Any]
) -> None:
    quiet.clock.advance(timedelta(minutes=5))
    quiet.exchange.quirks.fill_lag = timedelta(seconds=30)
    order = quiet.exchange.place_order("main", "XXRPZUSD", "buy", "market", "100").order
    assert order not in (await client.read("ClosedOrders", **window))["closed"]
    quiet.clock.advance(timedelta(seconds=31))
    assert order in (await client.read("ClosedOrders", **window))["closed"]


async def test_an_order_lists_its_fills_merged_or_one_by_one(quiet: Scenario, client: Client) -> None:
    placed = quiet.exchange.place_order("main", "XXBTZUSD", "buy", "market", "0.03", parts=3)
    ids = [execution.trade for execution in placed.executions]
    question = {"txid": placed.order, "trades": "true"}
    merged = (await client.read("QueryOrders", **question))[placed.order]
    single = (await client.read("QueryOrders", consolidate_taker="false", **question))[placed.order]
    assert (merged["trades"], single["trades"]) == (ids[:1], ids)


async def test_a_new_order_is_absent_for_the_first_moments(quiet: Scenario, client: Client) -> None:
    quiet.exchange.quirks.new_order_lag = timedelta(seconds=2)
    placed = quiet.exchange.place_order("main", "XXRPZUSD", "buy", "limit", "100", "0.5")
    assert placed.order not in (await client.read("OpenOrders"))["open"]
    assert await client.errors("QueryOrders", txid=placed.order) == ["EOrder:Unknown order"]
    quiet.clock.advance(timedelta(seconds=3))
    assert placed.order in (await client.read("OpenOrders"))["open"]


async def test_lagging_ledger_and_balance_agree_with_each_other(quiet: Scenario, client: Client) -> None:
    quiet.exchange.quirks.ledger_lag = timedelta(seconds=10)
    quiet.clock.advance(timedelta(seconds=60))
    before = (await client.read("Balance"))["ZUSD"]
    quiet.exchange.deposit("main", "ZUSD", "5")
    newest = next(iter((await client.read("Ledgers", asset="ZUSD"))["ledger"].values()))
    assert (await client.read("Balance"))["ZUSD"] == before == newest["balance"]


def digits(ticks: int) -> str:
    seconds, fraction = divmod(ticks, 10**7)
    text = f"{fraction:07d}"
    return f"{seconds}.{text[:4]}{text[4:].rstrip('0')}"
