"""An exchange that drips its answers, or never ends them, costs a part of a run and minutes, never a night."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import httpx2
import pytest
from msgspec.structs import replace

from gal_friday.adapters.clock import SteppedClock
from gal_friday.adapters.kraken import Deadlines, KrakenExchange
from gal_friday.adapters.kraken.endpoints import BALANCE_EX, LEDGERS, OPEN_ORDERS
from gal_friday.adapters.kraken.patience import Patience
from gal_friday.adapters.kraken.slowness import PAUSE, Slowness
from gal_friday.domain.records import Kind
from gal_friday.domain.verdict import Verdict
from gal_friday.ports.errors import ExchangeUnavailable
from tests.adapters.kraken.script import Connection, Script, ok, raw
from tests.flows.worlds import World, world

STRETCH = 150
"""Seconds of the clock in one of waiting: a deadline of 0.2 s stands for 30."""


class Stretched(httpx2.AsyncBaseTransport):
    """The real way to the server, on which waiting moves the clock."""

    def __init__(self, clock: SteppedClock) -> None:
        self._inner = httpx2.AsyncHTTPTransport()
        self._clock = clock

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            return await self._inner.handle_async_request(request)
        finally:
            waited = loop.time() - began
            # An answer that came is one in time, however busy this machine is.
            self._clock.advance(waited * STRETCH if waited > 0.15 else 0)

    async def aclose(self) -> None:
        await self._inner.aclose()


class Drip(httpx2.AsyncByteStream):
    """A body that comes byte by byte and never ends."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            yield b" "
            await asyncio.sleep(0.001)


@asynccontextmanager
async def stretched() -> AsyncIterator[World]:
    """Yield a small demo world in which waiting for an answer takes its time."""
    async with world() as account, Stretched(account.clock) as way:
        exchange = KrakenExchange(
            key=account.day.key.key,
            secret=account.day.key.secret,
            clock=account.clock,
            url=account.server.url,
            tier="none",
            deadlines=Deadlines(connect=1, read=1, total=0.2),
            http=way,
        )
        yield replace(account, sources=replace(account.sources, exchange=exchange))


@pytest.mark.parametrize("endpoint", [None, "Ledgers", "TradesHistory", "BalanceEx"])
async def test_a_run_against_an_exchange_whose_answers_never_come_ends_in_two_minutes(endpoint: str | None) -> None:
    async with stretched() as slow:
        # The opening is answered: what is slow from the beginning ends with the first call.
        slow.server.faults.switch_on("timeout", endpoint=endpoint, times=None, after=7 if endpoint is None else 0)
        began = slow.clock.monotonic()
        report = await slow.run()
    assert slow.clock.monotonic() - began < 125
    assert report.verdict is Verdict.INCOMPLETE
    assert any("too slowly" in gap.reason for gap in report.not_checked)


async def test_what_is_not_slow_is_read_although_something_else_is() -> None:
    async with stretched() as slow:
        slow.server.faults.switch_on("timeout", endpoint="TradesHistory", times=None)
        report = await slow.run()
    assert {gap.kind for gap in report.not_checked} - {Kind.HOLDS} == {Kind.FILLS}


def takes(kraken: Connection, seconds: float, *, comes: bool) -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        kraken.clock.advance(seconds)
        if comes:
            return ok({"ledger": {}})
        raise httpx2.ReadTimeout("nothing came")

    kraken.script.says(answer)


async def test_one_call_with_all_its_attempts_waits_a_minute_for_answers(kraken: Connection) -> None:
    takes(kraken, 30, comes=False)
    with pytest.raises(ExchangeUnavailable, match="too slowly") as told:
        await kraken.client.call(LEDGERS)
    assert len(kraken.script.requests) == 2
    assert told.value.retry_at is not None
    assert kraken.waited() < 65


async def test_an_endpoint_that_was_too_slow_is_not_asked_until_the_pause_is_over(kraken: Connection) -> None:
    takes(kraken, 30, comes=False)
    with pytest.raises(ExchangeUnavailable):
        await kraken.client.call(LEDGERS)
    kraken.script.says(ok({}))
    with pytest.raises(ExchangeUnavailable, match="too slowly"):
        await kraken.client.call(LEDGERS)
    assert len(kraken.script.requests) == 2
    await kraken.client.call(BALANCE_EX)
    kraken.clock.advance(PAUSE.total_seconds())
    kraken.script.says(ok({"ledger": {}}))
    await kraken.client.call(LEDGERS)


async def test_slow_answers_that_do_come_end_a_read_of_many_pages_too(kraken: Connection) -> None:
    takes(kraken, 20, comes=True)
    for _ in range(3):
        await kraken.client.call(LEDGERS)
    with pytest.raises(ExchangeUnavailable, match="Ledgers answers too slowly"):
        await kraken.client.call(LEDGERS)


async def test_where_every_endpoint_is_slow_the_exchange_is(kraken: Connection) -> None:
    takes(kraken, 30, comes=True)
    for endpoint in (LEDGERS, BALANCE_EX, OPEN_ORDERS):
        await kraken.client.call(endpoint)
    with pytest.raises(ExchangeUnavailable, match="Kraken answers too slowly"):
        await kraken.client.call(BALANCE_EX)


async def test_answers_in_ordinary_time_are_never_counted(kraken: Connection) -> None:
    takes(kraken, 4.9, comes=True)
    for _ in range(100):
        await kraken.client.call(LEDGERS)


async def test_a_few_slow_answers_among_many_stop_nothing(kraken: Connection) -> None:
    for _ in range(20):
        takes(kraken, 20, comes=True)
        await kraken.client.call(LEDGERS)
        takes(kraken, 0.5, comes=True)
        for _ in range(20):
            await kraken.client.call(LEDGERS)


async def test_a_body_that_drips_is_given_up_at_the_deadline(kraken: Connection) -> None:
    client = kraken.another(None, "none", total=0.02)
    script = Script().says(lambda request: httpx2.Response(200, stream=Drip()))
    kraken.script.transport.handler = script.transport.handler
    with pytest.raises(ExchangeUnavailable, match=r"no answer within 0\.02 s|broke off"):
        await client.call(BALANCE_EX)


async def test_a_time_that_is_named_again_and_again_is_not_waited_for_again_and_again(kraken: Connection) -> None:
    kraken.script.says(raw("", 429, **{"retry-after": "50"}))
    with pytest.raises(ExchangeUnavailable, match="tried 3 times") as told:
        await kraken.client.call(BALANCE_EX)
    assert kraken.waited() <= Patience().paused_in_all
    assert told.value.retry_at == kraken.clock.now() + timedelta(seconds=50)


def test_an_answer_always_has_the_ordinary_time_to_come() -> None:
    clock, slowness = SteppedClock(), Slowness(Patience())
    slowness.took("Ledgers", 59, clock.now())
    assert slowness.seconds_left("Ledgers") == Patience().slow
    assert slowness.seconds_left("BalanceEx") == 31
