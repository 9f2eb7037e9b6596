"""Price files as people and programs write them: what is read, and what refuses the whole file by name."""

import os
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from gal_friday.adapters.prices import FilePrices
from gal_friday.bootstrap.files import read_bounded
from gal_friday.domain.assets import Asset
from gal_friday.ports.errors import PricesFailed

HEAD = "asset,price,currency,at\n"
NOON = "2026-01-31T12:00:00Z"
BTC, USD, EUR = Asset("BTC"), Asset("USD"), Asset("EUR")


def file(folder: Path, text: str, name: str = "prices.csv") -> FilePrices:
    (folder / name).write_bytes(text.encode())
    return FilePrices(folder / name, read=read_bounded, aliases={"XBT": BTC})


def refused(folder: Path, text: str, name: str = "prices.csv") -> str:
    with pytest.raises(PricesFailed) as wrong:
        file(folder, text, name).rows()
    return str(wrong.value).removeprefix(f"{folder}/")


def test_every_digit_and_every_zone_is_kept(tmp_path: Path) -> None:
    (row,) = file(tmp_path, HEAD + "BTC,60000.123456789012345678,USD,2026-01-31T13:00:00+01:00\n").rows()
    assert row[:4] == (BTC, Decimal("60000.123456789012345678"), USD, datetime(2026, 1, 31, 12, tzinfo=UTC))


def test_columns_may_stand_in_any_order_with_others_between_and_a_mark_before(tmp_path: Path) -> None:
    text = f"\ufeffat,note,currency,price,asset\r\n{NOON},mine,USD, 60000 , BTC\r\n"
    (row,) = file(tmp_path, text).rows()
    assert (row.asset, row.amount) == (BTC, Decimal(60000))


def test_a_name_of_the_trading_system_stands_for_the_canonical_one(tmp_path: Path) -> None:
    assert [row.asset for row in file(tmp_path, HEAD + f"XBT,60000,USD,{NOON}\n").rows()] == [BTC]


def test_bare_numbers_of_json_keep_their_digits(tmp_path: Path) -> None:
    text = f'[{{"asset": "BTC", "price": 60000.123456789012345678, "currency": "USD", "at": "{NOON}"}}]'
    (row,) = file(tmp_path, text, "prices.json").rows()
    assert row.amount == Decimal("60000.123456789012345678")


def test_a_currency_that_is_worth_one_of_itself_says_nothing(tmp_path: Path) -> None:
    assert file(tmp_path, HEAD + f"USD,1,USD,{NOON}\n").rows() == ()


async def test_a_price_in_another_currency_is_said_and_not_converted(tmp_path: Path) -> None:
    source = file(tmp_path, HEAD + f"BTC,55000,EUR,{NOON}\nXRP,0.6,USD,{NOON}\n")
    quotes = await source.quotes([BTC], currency=USD)
    assert quotes.prices == {}
    assert quotes.notes == (f"{tmp_path}/prices.csv has no price in USD of BTC, only in others",)


@pytest.mark.parametrize(
    "line, said",
    [
        (f"BTC,NaN,USD,{NOON}", "prices.csv line 2: the price of BTC: "),
        (f"BTC,Infinity,USD,{NOON}", "prices.csv line 2: the price of BTC: "),
        (f'BTC,"60,000",USD,{NOON}', "prices.csv line 2: the price of BTC: "),
        (f"BTC,,USD,{NOON}", "prices.csv line 2: the price of BTC: "),
        (f"BTC,0,USD,{NOON}", "prices.csv line 2: the price of BTC is 0; a price is above zero"),
        (f"BTC,-1,USD,{NOON}", "prices.csv line 2: the price of BTC is -1; a price is above zero"),
        (f"USD,2,USD,{NOON}", "prices.csv line 2: the price of USD is 2; one unit of a currency is worth one of"),
        (f",1,USD,{NOON}", "prices.csv line 2: asset is '', which is no name"),
        (f"B\x1bTC,1,USD,{NOON}", "prices.csv line 2: asset is 'B\\x1bTC', which is no name"),
        (f"BTC,1,,{NOON}", "prices.csv line 2: currency is '', which is no name"),
        ("BTC,1,USD,2026-01-31T12:00:00", "prices.csv line 2: at is '2026-01-31T12:00:00'; write an instant with its"),
        ("BTC,1,USD,yesterday", "prices.csv line 2: at is 'yesterday'; write an instant with its zone"),
        ("BTC,1,USD,0001-01-01T00:00:00+14:00", "prices.csv line 2: at is '0001-01-01T00:00:00+14:00', which is outs"),
        ("BTC,1", "prices.csv line 2: currency is None, which is no name"),
        (f"BTC,1,USD,{NOON}\nBTC,2,USD,{NOON}", "prices.csv line 3: BTC in USD has a price already; leave one of the"),
        (f"BTC,1,USD,{NOON}\nXBT,1,USD,{NOON}", "prices.csv line 3: BTC in USD has a price already; leave one of the"),
        (f'BTC,"1,USD,{NOON}', "prices.csv is not valid CSV"),
    ],
)
def test_one_line_that_is_no_price_refuses_the_file_by_its_line(tmp_path: Path, line: str, said: str) -> None:
    assert refused(tmp_path, HEAD + line + "\n").startswith(said)


@pytest.mark.parametrize(
    "text, said",
    [
        ("", "prices.csv has no column asset, price, currency, at; its first line must name"),
        ("asset,prize,currency,at\n", "prices.csv has no column price; its first line must name asset, price, cu"),
    ],
)
def test_a_file_without_its_columns_says_which(tmp_path: Path, text: str, said: str) -> None:
    assert refused(tmp_path, text).startswith(said)


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "[1]",
        '[{"asset": "BTC"}]',
        "[" * 3000,
        "\x00",
        f'[{{"asset": "BTC", "price": true, "currency": "USD", "at": "{NOON}"}}]',
        f'[{{"asset": "BTC", "price": "1e9999", "currency": "USD", "at": "{NOON}"}}]',
        f'[{{"asset": "BTC", "price": "NaN", "currency": "USD", "at": "{NOON}"}}]',
    ],
)
def test_json_that_is_no_list_of_prices_is_refused(tmp_path: Path, text: str) -> None:
    assert refused(tmp_path, text, "prices.json").startswith("prices.json")


def test_a_file_that_is_not_utf_8_says_so(tmp_path: Path) -> None:
    (tmp_path / "prices.csv").write_bytes((HEAD + f"BTC,1,USD,{NOON}").encode("utf-16"))
    with pytest.raises(PricesFailed, match="save it as UTF-8"):
        FilePrices(tmp_path / "prices.csv", read=read_bounded).rows()


@pytest.mark.parametrize("name", ["gone.csv", ".", "pipe.csv"])
def test_a_file_that_is_not_there_is_refused_at_once(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(PricesFailed, match="cannot be read: "):
        FilePrices(tmp_path / name, read=read_bounded).rows()
