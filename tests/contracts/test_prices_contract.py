"""What every source of prices promises, held against each: fixed prices, files, and an exchange."""

import json
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest

from gal_friday.adapters.clock import SteppedClock
from gal_friday.adapters.kraken import KrakenExchange
from gal_friday.adapters.prices import FilePrices, FixedPrices
from gal_friday.adapters.simulated import Exchange, SimulatedKraken
from gal_friday.bootstrap.files import read_bounded
from gal_friday.domain.assets import Asset
from gal_friday.flows.worth import AtExchange
from gal_friday.ports.errors import PricesFailed
from gal_friday.ports.prices import Prices

AT = "2026-03-01T12:00:00+00:00"
BTC, XRP, USD, JPY = Asset("BTC"), Asset("XRP"), Asset("USD"), Asset("JPY")
STATED = {BTC: "60000.0", XRP: "0.60000"}


def fixed(folder: Path) -> Prices:
    return FixedPrices({asset: Decimal(price) for asset, price in STATED.items()}, currency=USD)


def csv_file(folder: Path) -> Prices:
    lines = ["asset,price,currency,at", *(f"{asset},{price},USD,{AT}" for asset, price in STATED.items())]
    (folder / "prices.csv").write_text("\n".join(lines))
    return FilePrices(folder / "prices.csv", read=read_bounded)


def json_file(folder: Path) -> Prices:
    rows = [{"asset": asset, "price": price, "currency": "USD", "at": AT} for asset, price in STATED.items()]
    (folder / "prices.json").write_text(json.dumps(rows))
    return FilePrices(folder / "prices.json", read=read_bounded)


STATED_BY: dict[str, Callable[[Path], Prices]] = {"fixed": fixed, "csv": csv_file, "json": json_file}


@pytest.fixture(params=[*STATED_BY, "exchange"])
async def source(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Prices]:
    if request.param in STATED_BY:
        yield STATED_BY[request.param](tmp_path)
        return
    clock = SteppedClock(start=datetime.fromisoformat(AT))
    exchange = Exchange(clock.now, seed=1)
    exchange.open_account("main")
    exchange.set_price("XXBTZUSD", STATED[BTC])
    exchange.set_price("XXRPZUSD", STATED[XRP])
    key = exchange.issue_key("main")
    async with SimulatedKraken(exchange, enforce_limits=False) as server:
        kraken = KrakenExchange(key=key.key, secret=key.secret, clock=clock, url=server.url, tier="none")
        await kraken.open()
        yield AtExchange(kraken, clock)
        await kraken.close()


async def test_a_price_is_that_of_one_whole_unit_and_says_who_and_when(source: Prices) -> None:
    quotes = await source.quotes([XRP, BTC], currency=USD)
    assert {asset: price.amount for asset, price in quotes.prices.items()} == {
        asset: Decimal(price) for asset, price in STATED.items()
    }
    assert {price.source for price in quotes.prices.values()} == {source.name}
    instants = {price.at for price in quotes.prices.values()}
    assert instants <= {None, datetime.fromisoformat(AT)}


async def test_only_what_was_asked_for_comes_back(source: Prices) -> None:
    assert set((await source.quotes([BTC], currency=USD)).prices) == {BTC}
    assert (await source.quotes([], currency=USD)).prices == {}


async def test_an_asset_without_a_price_is_left_out(source: Prices) -> None:
    assert set((await source.quotes([BTC, Asset("NOPE"), Asset("XXBT:unresolved")], currency=USD)).prices) == {BTC}


async def test_a_currency_has_no_price_in_itself(source: Prices) -> None:
    assert (await source.quotes([USD], currency=USD)).prices == {}


async def test_a_price_in_another_currency_is_not_taken_for_one_in_this(source: Prices) -> None:
    assert (await source.quotes([BTC, XRP], currency=JPY)).prices == {}


async def test_asking_twice_says_the_same(source: Prices) -> None:
    first = await source.quotes([BTC, XRP], currency=USD)
    assert (await source.quotes([XRP, BTC], currency=USD)).prices == first.prices


@pytest.mark.parametrize("kind", STATED_BY)
async def test_what_was_written_down_is_told_in_full(kind: str, tmp_path: Path) -> None:
    assert (await STATED_BY[kind](tmp_path).quotes([BTC], currency=USD)).stated == {BTC, XRP}


@pytest.mark.parametrize("price", ["0", "-1"])
async def test_a_price_that_is_not_above_zero_fails_the_source(price: str, tmp_path: Path) -> None:
    with pytest.raises(PricesFailed, match="BTC"):
        FixedPrices({BTC: Decimal(price)}, currency=USD)
    (tmp_path / "p.csv").write_text(f"asset,price,currency,at\nBTC,{price},USD,{AT}\n")
    with pytest.raises(PricesFailed, match=r"p\.csv line 2: the price of BTC"):
        await FilePrices(tmp_path / "p.csv", read=read_bounded).quotes([BTC], currency=USD)
