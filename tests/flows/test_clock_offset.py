"""A machine's clock that is wrong: what is pending, and what is not, is judged by the exchange's time."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from gal_friday.domain.finding import Agrees, ExchangeOnly, Key, Pending
from gal_friday.domain.records import Kind
from tests.flows.test_cut import GRACE, USD, Quiet, book, deposit, look, trade

OFFSETS = [-300, -45, 0, 45, 300]
"""Seconds by which the exchange is ahead; from a minute on the run says that the clock is wrong."""

pytestmark = pytest.mark.parametrize("ahead", OFFSETS)


@asynccontextmanager
async def apart(ahead: int) -> AsyncIterator[Quiet]:
    """Yield a market whose clock and that of this machine differ by so much."""
    market = Quiet(1, faults=0)
    market.exchange.now = lambda: market.time + timedelta(seconds=ahead)
    await market.open(seconds=600)
    yield market
    await market.sources.exchange.close()


async def test_what_has_just_happened_is_pending(ahead: int) -> None:
    async with apart(ahead) as market:
        row = deposit(market)
        fill = Key(Kind.FILLS, trade(market).fill_id)
        _, found = await look(market)
    assert [type(found[key]) for key in (row, fill, USD)] == [Pending, Pending, Pending]


async def test_what_is_older_than_the_grace_is_missing(ahead: int) -> None:
    async with apart(ahead) as market:
        row = deposit(market)
        await market.pass_time(GRACE + 5)
        _, found = await look(market)
    assert isinstance(found[row], ExchangeOnly)


async def test_what_both_sides_have_agrees(ahead: int) -> None:
    async with apart(ahead) as market:
        fill = trade(market)
        await book(market, fill)
        _, found = await look(market)
    assert isinstance(found[Key(Kind.FILLS, fill.fill_id)], Agrees)


async def test_the_readings_are_dated_by_the_exchange(ahead: int) -> None:
    async with apart(ahead) as market:
        fetched, _ = await look(market)
        now = market.exchange.now()
    for at in (fetched.internal.as_of, fetched.exchange.as_of):
        assert abs(now - at) < timedelta(seconds=3)


async def test_a_clock_that_is_far_off_is_told(ahead: int) -> None:
    async with apart(ahead) as market:
        fetched, _ = await look(market)
    told = [gap.kind for gap in fetched.exchange.not_checked if "this clock is" in gap.reason]
    assert bool(told) is (abs(ahead) >= 60)
