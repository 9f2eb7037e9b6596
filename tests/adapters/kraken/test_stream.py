"""The stream against the simulated Kraken, over a real WebSocket, under every fault it has.

The promise of the port is held to in each: for every fill that happens while somebody listens there is a
``FillSeen``, or, after it happened, a ``Missed``; and nothing is told twice.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import timedelta
from pathlib import Path
from random import Random  # noqa: TID251 - seeded, as the simulator

import pytest

from gal_friday.adapters.clock import SystemClock
from gal_friday.adapters.kraken import KrakenExchange, with_ledger_fees
from gal_friday.adapters.kraken.stream import KrakenStream, StreamPatience
from gal_friday.adapters.simulated import (
    READ_RIGHTS,
    STREAM_FAULTS,
    TRADING_RIGHTS,
    Scenario,
    SimulatedKraken,
    scenarios,
)
from gal_friday.domain.assets import is_unresolved
from gal_friday.ports.stream import (
    BalanceSeen,
    Connected,
    Disconnected,
    FillSeen,
    Missed,
    OrderSeen,
    StreamEvent,
)
from tests.adapters.kraken.hearing import CLOCK, QUICK, Heard, listening, stream_of


@pytest.fixture
def quiet() -> Scenario:
    scenario = scenarios.quiet(1)
    scenario.exchange.quirks.heartbeat = timedelta(seconds=0.05)
    return scenario


@pytest.fixture
async def server(quiet: Scenario) -> AsyncIterator[SimulatedKraken]:
    async with SimulatedKraken(quiet.exchange, enforce_limits=False) as running:
        yield running


@pytest.fixture
async def heard(server: SimulatedKraken, quiet: Scenario) -> AsyncIterator[Heard]:
    async with listening(stream_of(server, quiet), quiet) as listener:
        yield listener


async def test_a_connection_is_followed_by_a_missed(heard: Heard) -> None:
    kinds = [type(event) for event in heard.events]
    assert kinds[0] is Connected
    assert kinds.index(Missed) > kinds.index(FillSeen)


async def test_the_last_fills_are_told_at_the_beginning_as_replayed(heard: Heard, quiet: Scenario) -> None:
    fills = quiet.exchange.account("main").trades.rows[-50:]
    assert [(seen.fill.fill_id, seen.replayed) for seen in heard.of(FillSeen)] == [(fill.id, True) for fill in fills]


async def test_a_fill_is_told_as_it_happens(heard: Heard) -> None:
    before = CLOCK.now()
    (execution,) = heard.trade("0.01")
    await heard.until(lambda: heard.of(FillSeen)[-1].fill.fill_id == execution.trade)
    seen = heard.of(FillSeen)[-1]
    assert (seen.fill.instrument, seen.replayed) == ("BTC/USD", False)
    assert before <= seen.received_at <= CLOCK.now()
    assert str(seen.fill.fee) == "2.4000"


async def test_a_fill_of_the_stream_is_that_of_the_rest_interface(
    heard: Heard, server: SimulatedKraken, quiet: Scenario
) -> None:
    heard.trade("0.01", parts=2)
    await heard.until(lambda: not heard.untold())
    exchange = KrakenExchange(
        key=quiet.key.key, secret=quiet.key.secret, clock=CLOCK, url=server.url, tier="none", allow_trading_key=True
    )
    try:
        since = quiet.clock.now() - timedelta(hours=12)
        movements = await exchange.movements(since=since, until=quiet.clock.now())
        fills = await exchange.fills(since=since, until=quiet.clock.now())
    finally:
        await exchange.close()
    fields = ("instrument", "side", "quantity", "price", "order_id", "fee", "fee_asset", "cost", "margin")
    read = {fill.fill_id: fill for fill in with_ledger_fees(fills.rows, movements.rows)}
    told = {seen.fill.fill_id: seen.fill for seen in heard.of(FillSeen)}
    assert set(told) == set(read)
    for name, fill in told.items():
        if is_unresolved(fill.instrument):
            # Kraken's own spelling, and that is another one here.
            assert is_unresolved(read[name].instrument)
            continue
        assert [getattr(fill, field) for field in fields] == [getattr(read[name], field) for field in fields]
        assert abs(fill.at - read[name].at) < timedelta(microseconds=2)


async def test_orders_and_balances_are_told(heard: Heard) -> None:
    order = heard.rest()
    heard.exchange.cancel_order(order)
    await heard.until(lambda: heard.of(OrderSeen)[-1].status == "canceled")
    assert [seen.status for seen in heard.of(OrderSeen) if seen.order_id == order] == ["pending", "open", "canceled"]
    booked = heard.exchange.deposit("main", "ZUSD", "5")
    await heard.until(lambda: heard.of(BalanceSeen)[-1].refers_to == booked.refid)
    assert heard.of(BalanceSeen)[-1].total == heard.exchange.account("main").balances["ZUSD"]


AT_ONCE = sorted(set(STREAM_FAULTS) - {"close_1008", "subscription_denied"})


@pytest.mark.parametrize("place", ["executions", "balances"])
@pytest.mark.parametrize("fault", AT_ONCE)
async def test_every_fill_is_told_or_missed_under_every_fault(
    server: SimulatedKraken, heard: Heard, fault: str, place: str
) -> None:
    connections = len(heard.of(Connected))
    server.faults.switch_on(fault, times=2)
    if fault in ("handshake_refused", "maintenance_status", "never_subscribed", "token_refused", "late_updates"):
        # These wait for a connection: end this one.
        server.faults.switch_on("cut", endpoint=place)
    for number in range(8):
        heard.trade(parts=1 + number % 3)
        await asyncio.sleep(0.01)
    await heard.until(lambda: fault in {name for name, _ in server.faults.fired})
    await asyncio.sleep(0.1)
    for _ in range(3):
        heard.trade()
    await heard.until(lambda: not heard.untold())
    assert heard.twice() == []
    assert len(heard.of(Connected)) - connections <= 4


@pytest.mark.parametrize("seed", range(6))
async def test_every_fill_is_told_or_missed_under_any_mixture_of_faults(
    server: SimulatedKraken, heard: Heard, seed: int
) -> None:
    chance = Random(seed)
    for fault in chance.sample(AT_ONCE, 8):
        server.faults.switch_on(fault, times=3, chance=0.2)
    for _ in range(25):
        heard.trade(parts=chance.randint(1, 3))
        await asyncio.sleep(chance.choice((0, 0.005, 0.02)))
    server.faults.switch_off()
    await heard.until(lambda: not heard.untold())
    assert heard.twice() == []


async def test_the_last_frame_lost_is_missed_though_nothing_comes_after_it(
    server: SimulatedKraken, heard: Heard
) -> None:
    order = heard.rest()
    await heard.until(lambda: heard.of(OrderSeen)[-1].order_id == order)
    server.faults.switch_on("frame_dropped", endpoint="executions")
    for execution in heard.exchange.fill_order(order, "0.001"):
        heard.happened.append((execution.trade, CLOCK.now()))
    await heard.until(lambda: not heard.untold())
    assert "its execution did not" in heard.of(Missed)[-1].because


@pytest.mark.parametrize(
    "fault, because",
    [("close_1008", "code 1008"), ("subscription_denied", "EGeneral:Permission denied")],
)
async def test_what_a_person_has_to_mend_is_told_once_and_not_tried_again(
    server: SimulatedKraken, heard: Heard, fault: str, because: str
) -> None:
    server.faults.switch_on(fault, times=None)
    if fault != "close_1008":
        server.faults.switch_on("cut")
    heard.trade()
    await heard.until(lambda: heard.ended)
    last = heard.events[-1]
    assert isinstance(last, Disconnected)
    assert last.final
    assert because in last.because
    assert len([event for event in heard.of(Disconnected) if event.final]) == 1


async def test_a_token_that_is_refused_again_and_again_is_for_a_person(server: SimulatedKraken, heard: Heard) -> None:
    server.faults.switch_on("token_refused", times=None)
    server.faults.switch_on("cut")
    heard.trade()
    await heard.until(lambda: heard.ended)
    assert server.calls.count("GetWebSocketsToken") == 1 + QUICK.tokens


@pytest.mark.parametrize("missing", ["create-ws-token", "query-funds"])
async def test_a_key_without_the_right_is_told_which(server: SimulatedKraken, quiet: Scenario, missing: str) -> None:
    quiet.exchange.revoke_right(quiet.key.key, missing)
    if missing == "query-funds":
        quiet.exchange.revoke_right(quiet.key.key, "query-ledger")
    async with listening(stream_of(server, quiet), quiet, connected=False) as heard:
        await heard.until(lambda: heard.ended)
    (last,) = heard.of(Disconnected)
    assert last.final
    assert missing in last.because or "balances" in last.because


async def test_a_key_that_may_trade_opens_no_stream(server: SimulatedKraken, quiet: Scenario) -> None:
    key = quiet.exchange.issue_key("main", rights=(*READ_RIGHTS, *TRADING_RIGHTS))
    stream = stream_of(server, Scenario(quiet.exchange, quiet.clock, key))
    async with listening(stream, quiet, connected=False) as heard:
        await heard.until(lambda: heard.ended)
    assert "modify-trades" in heard.of(Disconnected)[0].because
    assert "GetWebSocketsToken" not in server.calls


async def test_nothing_that_is_told_holds_a_secret(server: SimulatedKraken, quiet: Scenario) -> None:
    async with listening(stream_of(server, quiet), quiet) as heard:
        for fault in ("cut", "malformed_frame", "token_refused", "strange_channel"):
            server.faults.switch_on(fault)
            heard.trade()
            await heard.until(lambda: not heard.untold())
    tokens = list(quiet.exchange._tokens)
    assert tokens
    told = "".join(map(str, heard.events))
    assert not [secret for secret in (*tokens, quiet.key.secret, quiet.key.key) if secret in told]


async def test_an_exchange_that_is_down_is_told_once_and_asked_with_growing_pauses(quiet: Scenario) -> None:
    async with SimulatedKraken(quiet.exchange, enforce_limits=False) as server:
        pauses: list[float] = []
        enough = asyncio.Event()

        class Noting(SystemClock):
            async def sleep(self, seconds: float) -> None:
                # The others are waits for the call budget, which is empty of waiting here.
                if seconds >= 1:
                    pauses.append(seconds)
                if len(pauses) == 9:
                    enough.set()
                await super().sleep(min(seconds, 0.001))

        patience = StreamPatience(first_pause=1.0, longest_pause=60.0, connect=0.5, answer=0.5, silence=0.3)
        stream = KrakenStream(
            key=quiet.key.key, secret=quiet.key.secret, clock=Noting(), url=server.url, tier="none",
            stream_patience=patience, spread=lambda: 0.5,
        )  # fmt: skip
        async with listening(stream, quiet) as heard:
            server.faults.switch_on("handshake_refused", times=None)
            server.faults.switch_on("cut")
            pauses.clear()
            heard.trade()
            await heard.until(lambda: len(heard.of(Disconnected)) == 2)
            await asyncio.wait_for(enough.wait(), 8)
    assert pauses[:9] == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert [event.because for event in heard.of(Disconnected)] == [
        "the connection broke off (code 1006)",
        "the stream answered with HTTP 503",
    ]


async def test_a_stream_connects_again_when_the_exchange_is_back(quiet: Scenario) -> None:
    async with SimulatedKraken(quiet.exchange, enforce_limits=False) as server:
        stream = stream_of(server, quiet)
        port = int(server.url.rpartition(":")[2])
        async with listening(stream, quiet) as heard:
            await server.__aexit__(None, None, None)
            await heard.until(lambda: heard.of(Disconnected))
            heard.trade()
            async with SimulatedKraken(quiet.exchange, port=port, enforce_limits=False):
                await heard.until(lambda: len(heard.of(Connected)) == 2 and not heard.untold())
        await server.__aenter__()
    assert heard.twice() == []


async def test_a_listener_that_is_too_slow_is_told_so(server: SimulatedKraken, quiet: Scenario) -> None:
    stream = stream_of(server, quiet, events_max=5)
    told: list[StreamEvent] = []
    async with aclosing(stream.events()) as events:
        async for event in events:
            told.append(event)
            await asyncio.sleep(0.05)
            if isinstance(event, Missed):
                break
    assert [type(event) for event in told] == [Connected, Missed]
    assert "too slow" in told[-1].because  # type: ignore[union-attr]


async def test_a_listener_that_stops_leaves_nothing_behind(server: SimulatedKraken, quiet: Scenario) -> None:
    before = asyncio.all_tasks()
    async with listening(stream_of(server, quiet), quiet):
        assert server.hub.sessions
    async with asyncio.timeout(3):
        await asyncio.gather(*(asyncio.all_tasks() - before), return_exceptions=True)
    assert server.hub.sessions == []


async def test_the_stream_and_the_reads_of_one_key_share_its_nonce(
    server: SimulatedKraken, quiet: Scenario, tmp_path: Path
) -> None:
    exchange = KrakenExchange(
        key=quiet.key.key, secret=quiet.key.secret, clock=CLOCK, url=server.url, tier="none", state_folder=tmp_path
    )
    try:
        async with listening(stream_of(server, quiet, state_folder=tmp_path), quiet) as heard:
            server.faults.switch_on("cut", times=2)
            for _ in range(6):
                heard.trade()
                await exchange.balances()
            await heard.until(lambda: not heard.untold())
    finally:
        await exchange.close()
