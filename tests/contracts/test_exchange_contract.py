"""What every exchange promises, held against each adapter and its simulated exchange over real HTTP.

Another adapter joins by one more entry in ``VENUES``: how to reach the simulated exchange through it.
The faults of the simulated exchange are switched on one after the other. Whatever happens, a read gives
everything, or says what is missing, or fails with an error of the port: never silently less (N1).
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from gal_friday.adapters.kraken import KrakenExchange
from gal_friday.adapters.simulated import FAULTS, SimulatedKraken, scenarios
from gal_friday.domain.assets import Asset, Wallet
from gal_friday.domain.quantity import add, subtract, total
from gal_friday.domain.records import Kind, PositionMode
from gal_friday.domain.snapshot import Coverage
from gal_friday.ports import exchange as port
from gal_friday.ports.errors import ExchangeFailed, ExchangeRefused, ExchangeUnavailable
from tests.contracts.exchange_world import READS, Reading, World, ids, lively, world_of

VENUES: dict[str, Callable[[World], port.Exchange]] = {"kraken": lambda world: world.kraken()}


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with world_of(lively(), tmp_path) as built:
        yield built


@pytest.fixture(params=sorted(VENUES))
async def exchange(request: pytest.FixtureRequest, world: World) -> port.Exchange:
    opened = VENUES[request.param](world)
    await opened.open()
    return opened


# --- everything is there ----------------------------------------------------------------------


@pytest.mark.parametrize("what", READS)
async def test_an_undisturbed_read_is_total_and_needs_no_excuse(
    exchange: port.Exchange, world: World, what: str
) -> None:
    reading = await world.read(exchange, what)
    assert reading.coverage is Coverage.TOTAL
    assert reading.reasons == ()
    assert reading.rows
    assert len(set(ids(reading, what))) == len(reading.rows)


async def test_every_amount_the_exchange_holds_is_in_some_balance(exchange: port.Exchange, world: World) -> None:
    reading = await exchange.balances()
    held = {raw: world.account.balance(raw) for raw in world.account.balances}
    read = {raw for row in reading.rows for raw in row.raw}
    assert {raw for raw, amount in held.items() if amount} <= read
    for row in reading.rows:
        assert row.total == total(held[raw] for raw in row.raw)


async def test_balances_are_ordered_by_asset_and_wallet(exchange: port.Exchange) -> None:
    keys = [(row.asset, row.wallet) for row in (await exchange.balances()).rows]
    assert keys == sorted(keys)


async def test_spellings_of_one_holding_are_one_balance(exchange: port.Exchange) -> None:
    (spot,) = [row for row in (await exchange.balances()).rows if (row.asset, row.wallet) == ("BTC", Wallet.SPOT)]
    assert set(spot.raw) == {"XXBT", "XBT.F"}


async def test_every_fill_is_read_oldest_first(exchange: port.Exchange, world: World) -> None:
    reading = await world.read(exchange, "fills")
    assert {row.fill_id for row in reading.rows} == {row.id for row in world.account.trades.rows}
    assert [row.at for row in reading.rows] == sorted(row.at for row in reading.rows)


async def test_every_ledger_row_is_read_oldest_first(exchange: port.Exchange, world: World) -> None:
    reading = await world.read(exchange, "movements")
    assert [row.movement_id for row in reading.rows] == [row.id for row in world.account.ledger.rows]
    assert reading.head == reading.rows[-1].movement_id


async def test_the_running_balance_ends_at_the_balance(exchange: port.Exchange, world: World) -> None:
    last = {row.raw[0]: row.balance_after for row in (await world.read(exchange, "movements")).rows}
    assert exchange.capabilities.running_balance
    assert last == {raw: world.account.settled(raw) for raw in last}


async def test_fills_carry_the_fees_of_the_ledger_once_it_was_read(exchange: port.Exchange, world: World) -> None:
    movements = (await world.read(exchange, "movements")).rows
    fees: dict[tuple[str, str], Decimal] = {}
    for row in movements:
        if row.refers_to is not None and row.fee and row.kind != "rollover":
            fees[row.refers_to, row.asset] = add(fees.get((row.refers_to, row.asset), Decimal(0)), row.fee)
    fills = (await world.read(exchange, "fills")).rows
    assert {fill.fee_asset for fill in fills} > {"USD"}
    for fill in fills:
        if fill.fee and (fill.fill_id, fill.fee_asset) in fees:
            assert fill.fee == fees[fill.fill_id, fill.fee_asset]
        else:
            assert not fill.fee


async def test_positions_are_signed_lots_of_what_is_still_open(exchange: port.Exchange, world: World) -> None:
    lots = {row.position_id: row for row in (await exchange.positions()).rows}
    expected = world.account.open_positions
    assert lots.keys() == expected.keys()
    assert any(row.quantity < 0 for row in lots.values())
    for name, row in expected.items():
        remaining = subtract(row.volume, row.closed_volume)
        assert lots[name].mode is PositionMode.LOT
        assert lots[name].quantity == (remaining if row.side == "buy" else -remaining)


async def test_open_orders_lately_closed_ones_and_the_books_own_are_all_read(
    exchange: port.Exchange, world: World
) -> None:
    reading = await world.read(exchange, "orders")
    assert {row.order_id for row in reading.rows} == set(world.account.orders)
    opened = {row.order_id for row in reading.rows if row.status in {"open", "pending"}}
    assert opened == set(world.account.open_orders)


async def test_an_order_of_the_book_is_asked_for_by_its_id_when_no_list_shows_it(  # N4
    exchange: port.Exchange, world: World
) -> None:
    closed = [order.id for order in world.account.orders.values() if not order.is_open]
    since = world.clock.now()
    without = await exchange.orders(since=since)
    assert not set(closed) & {row.order_id for row in without.rows}
    # The unknown id among them must not cost the others.
    known = (*closed, "OAAAAA-AAAAA-AAAAAA", "no id at all")
    reading = await exchange.orders(since=since, known=known)
    assert set(closed) <= {row.order_id for row in reading.rows}
    assert any("OAAAAA-AAAAA-AAAAAA" in note for note in reading.notes)
    assert any("no id at all" in note for note in reading.notes)


async def test_a_window_excludes_its_start_and_includes_its_end(exchange: port.Exchange, world: World) -> None:
    rows = (await world.read(exchange, "movements")).rows
    times = sorted({row.at for row in rows})
    since, until = times[5], times[-5]
    inside = [row.movement_id for row in rows if since < row.at <= until]
    reading = await exchange.movements(since=since, until=until)
    assert [row.movement_id for row in reading.rows] == inside
    assert reading.coverage is Coverage.TOTAL
    fills = (await exchange.fills(since=since, until=until)).rows
    assert all(since < row.at <= until for row in fills)


async def test_an_account_that_never_held_anything_is_empty_and_total(tmp_path: Path) -> None:
    async with world_of(scenarios.virgin(1), tmp_path) as world:
        exchange = world.kraken()
        for what in READS:
            reading = await world.read(exchange, what)
            assert reading.rows == ()
            assert reading.coverage is Coverage.TOTAL, reading.reasons


async def test_two_reads_of_a_quiet_account_are_equal_to_the_byte(exchange: port.Exchange, world: World) -> None:
    # TradeBalance moves with prices and OpenPositions with the next rollover; these three do not.
    for what in ("balances", "movements", "orders"):
        first, second = await world.read(exchange, what), await world.read(exchange, what)
        assert first.rows == second.rows
        assert [each.digest for each in first.evidence] == [each.digest for each in second.evidence]


async def test_prices_come_directly_or_over_one_currency_or_not_at_all(exchange: port.Exchange) -> None:
    prices = await exchange.prices([Asset("BTC"), Asset("USD"), Asset("NOPE")], currency=Asset("USD"))
    assert prices == {Asset("BTC"): Decimal(60000), Asset("USD"): Decimal(1)}


async def test_the_digits_that_the_exchange_keeps_are_known(exchange: port.Exchange) -> None:
    scales = await exchange.scales()
    assert scales.assets[Asset("BTC")] == 10
    assert scales.assets[Asset("USD")] == 4


async def test_preflight_finds_nothing_wrong_with_a_good_key(exchange: port.Exchange) -> None:
    assert {check.outcome for check in await exchange.preflight()} <= {"ok", "warning"}


async def test_closing_twice_does_no_harm(exchange: port.Exchange, world: World) -> None:
    await exchange.close()
    await exchange.close()
    assert (await world.read(exchange, "balances")).rows


# --- the list moves while it is read ----------------------------------------------------------


async def test_rows_that_arrive_while_pages_are_read_cost_no_row(exchange: port.Exchange, world: World) -> None:
    before = {row.id for row in world.account.ledger.rows}
    world.server.faults.switch_on("rows_arriving", endpoint="Ledgers", times=2, after=1)
    reading = await world.read(exchange, "movements")
    assert before <= {row.movement_id for row in reading.rows}
    assert reading.coverage is Coverage.TOTAL, reading.reasons


# --- keys -------------------------------------------------------------------------------------


@pytest.mark.parametrize("right", ["modify-trades", "close-trades", "withdraw-funds"])
async def test_a_key_that_could_act_is_refused_by_name_of_the_right(world: World, right: str) -> None:  # I8
    rights = {"query-funds", "query-open-trades", "query-closed-trades", "query-ledger", right}
    with pytest.raises(ExchangeRefused, match=right):
        await world.kraken(key={"rights": rights}).open()
    await world.kraken(key={"rights": rights}, allow_trading_key=True).open()


async def test_a_right_that_is_missing_fails_its_part_only(world: World) -> None:
    rights = {"query-funds", "query-open-trades", "query-closed-trades"}
    exchange = world.kraken(key={"rights": rights})
    assert (await world.read(exchange, "balances")).rows
    with pytest.raises(ExchangeRefused, match="query-ledger"):
        await world.read(exchange, "movements")
    assert (await world.read(exchange, "orders")).rows


async def test_a_key_that_is_shown_part_of_history_never_claims_all_of_it(world: World) -> None:
    begin = world.clock.now() - timedelta(minutes=11)
    exchange = world.kraken(key={"query_from": begin})
    for what in ("movements", "fills", "orders"):
        reading = await world.read(exchange, what)
        assert reading.coverage is Coverage.PARTIAL
        assert any("shows nothing before" in reason for reason in reading.reasons)


async def test_a_wrong_secret_is_refused_and_not_tried_again(world: World) -> None:
    key = world.simulated.issue_key("main")
    exchange = KrakenExchange(key=key.key, secret="d3Jvbmc=", clock=world.clock, url=world.server.url, tier="none")
    for _ in range(2):
        with pytest.raises(ExchangeRefused, match="Invalid"):
            await exchange.balances()
    await exchange.close()
    assert world.server.calls.count("GetApiKeyInfo") == 1


async def test_maintenance_is_unavailable_and_nothing_is_read(world: World) -> None:
    world.server.faults.switch_on("maintenance", times=None)
    with pytest.raises(ExchangeUnavailable, match="maintenance"):
        await world.kraken().open()
    assert not {"BalanceEx", "Ledgers"} & set(world.server.calls)


async def test_limits_are_kept_so_that_the_exchange_never_has_to_refuse(tmp_path: Path) -> None:
    scene = lively()
    async with SimulatedKraken(scene.exchange, enforce_limits=True) as server:
        world = World(scene.exchange, scene.clock, server, tmp_path)
        key = scene.exchange.issue_key("main", tier="starter")
        exchange = KrakenExchange(key=key.key, secret=key.secret, clock=world.clock, url=server.url, tier="starter")
        for what in (*READS, *READS):
            assert (await world.read(exchange, what)).coverage is Coverage.TOTAL
        await exchange.close()
        assert world.clock.monotonic() > 20


# --- every fault ------------------------------------------------------------------------------

# These change what is true, or cannot be told from the truth by looking at one answer:
# a balance of a moment ago is found by the cut, another account's only by its key.
INVISIBLE = {
    "stale_balance": {"balances"},
    "other_account": set(READS),
}
# The rows are all there and differ from the undisturbed ones in what the fault says.
OTHER_CONTENT = {
    "unknown_field",
    "unknown_enum",
    "rows_arriving",
    "exponent_amounts",
    "number_amounts",
    "stale_balance",
}


@pytest.mark.parametrize("times", [1, None], ids=["once", "always"])
@pytest.mark.parametrize("fault", sorted(FAULTS))
async def test_a_fault_costs_a_retry_or_a_clear_word_but_never_rows(
    exchange: port.Exchange, world: World, fault: str, times: int | None
) -> None:
    truth = {what: await world.read(exchange, what) for what in READS}
    for what in READS:
        # Fills take their fees from the ledger that was read before them.
        await world.read(exchange, "movements")
        world.server.faults.switch_on(fault, times=times)
        outcome = await _outcome(lambda what=what: world.read(exchange, what))  # type: ignore[misc]
        world.server.faults.switch_off()
        # Whoever was told to stay away stays away; then everything is well again.
        world.virtual.advance(timedelta(minutes=16))
        if what not in INVISIBLE.get(fault, set()):
            _judge(outcome, truth[what], fault, what)


async def _outcome(read: Callable[[], Awaitable[Reading]]) -> Reading | ExchangeFailed:
    try:
        async with asyncio.timeout(20):
            return await read()
    except ExchangeFailed as failure:
        return failure


def _judge(outcome: Reading | ExchangeFailed, truth: Reading, fault: str, what: str) -> None:
    if isinstance(outcome, ExchangeFailed):
        assert str(outcome)
        return
    if outcome.coverage is Coverage.PARTIAL:
        assert outcome.reasons
        assert all(reason.strip() for reason in outcome.reasons)
        return
    assert outcome.coverage is Coverage.TOTAL
    assert set(ids(truth, what)) <= set(ids(outcome, what)), f"{fault}: rows are missing and nobody says so"
    if fault not in OTHER_CONTENT:
        assert outcome.rows == truth.rows


@pytest.mark.parametrize("fault", sorted(FAULTS))
async def test_opening_under_a_fault_succeeds_or_fails_clearly(world: World, fault: str) -> None:
    exchange = world.kraken()
    world.server.faults.switch_on(fault, times=1)
    outcome = await _outcome_of_opening(exchange)
    assert outcome is None or str(outcome)
    world.server.faults.switch_off()
    world.virtual.advance(timedelta(minutes=16))
    if not isinstance(outcome, ExchangeRefused):
        await exchange.open()


async def _outcome_of_opening(exchange: port.Exchange) -> ExchangeFailed | None:
    try:
        async with asyncio.timeout(20):
            await exchange.open()
    except ExchangeFailed as failure:
        return failure
    return None


@pytest.mark.parametrize("fault", sorted(FAULTS))
async def test_preflight_reports_a_fault_and_never_raises(world: World, fault: str) -> None:
    exchange = world.kraken()
    world.server.faults.switch_on(fault, times=None)
    assert await exchange.preflight()


# --- heads and ids ----------------------------------------------------------------------------


async def test_the_head_is_the_newest_ledger_row_and_moves_with_it(exchange: port.Exchange, world: World) -> None:
    assert await exchange.head() == world.account.ledger.rows[-1].id
    booked = world.simulated.deposit("main", "ZUSD", "1")
    assert await exchange.head() == booked.ledgers[-1]


@pytest.mark.parametrize("kind", [Kind.ORDERS, Kind.FILLS, Kind.MOVEMENTS])
@pytest.mark.parametrize("one_fails_all", [True, False])
async def test_records_asked_for_by_id_are_those_of_the_lists_and_unknown_ones_are_denied(
    exchange: port.Exchange, world: World, kind: Kind, one_fails_all: bool
) -> None:
    """N4: one id that the exchange does not know takes nothing away from the others."""
    world.simulated.quirks.unknown_id_fails_list = one_fails_all
    reading = await world.read(exchange, kind.value)
    listed = dict(zip(ids(reading, kind.value), reading.rows, strict=True))
    some = sorted(listed)[:30]
    unknown = ["OGHOST-AAAAA-BBBBBB", "TGHOST-AAAAA-BBBBBB", "LGHOST-AAAAA-BBBBBB", "mine,too", ""]
    answer = await exchange.confirm(kind, [*some[:7], *unknown, *some[7:]])
    assert answer.coverage is Coverage.TOTAL
    assert list(ids(answer, kind.value)) == some
    if kind is Kind.MOVEMENTS:
        assert list(answer.rows) == [listed[name] for name in some]


async def test_a_question_about_ids_that_is_not_answered_fails(exchange: port.Exchange, world: World) -> None:  # N1
    name = ids(await world.read(exchange, "fills"), "fills")[0]
    world.server.faults.switch_on("cut_json", endpoint="QueryTrades", times=None)
    with pytest.raises(ExchangeFailed):
        await exchange.confirm(Kind.FILLS, [name])
