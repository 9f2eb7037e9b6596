"""Prices as they are configured: in which order they are asked, and what is wrong with them before any run."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from gal_friday.bootstrap.prices import price_problems
from gal_friday.bootstrap.settings import Settings, load
from gal_friday.bootstrap.wire import prices_of
from gal_friday.domain.assets import Asset

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
HEAD = "asset,price,currency,at\n"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def written(content: str) -> None:
    Path("p.csv").write_text(content)


def configured(text: str, **environment: str) -> Settings:
    Path("gal-friday.toml").write_text(text)
    return load(environment={f"GAL_FRIDAY_{name}": value for name, value in environment.items()})


async def test_fixed_prices_are_asked_before_the_file_and_both_know_the_aliases() -> None:
    written(HEAD + "XBT,2,EUR,2026-01-31T12:00:00Z\n")
    settings = configured(
        '[reconciliation]\nreporting_currency = "EUR"\n[prices]\nfile = "p.csv"\nfixed = { XBT = "1" }\n'
        '[aliases.assets]\nXBT = "BTC"\n'
    )
    found = [await source.quotes([Asset("BTC")], currency=Asset("EUR")) for source in prices_of(settings)]
    assert [source.name for source in prices_of(settings)] == ["configuration", "p.csv"]
    assert [quotes.prices[Asset("BTC")].amount for quotes in found] == [Decimal(1), Decimal(2)]


def test_without_a_setting_only_the_exchange_is_asked() -> None:
    assert prices_of(configured("")) == ()


def test_a_fixed_price_can_be_set_by_a_variable() -> None:
    assert configured("", PRICES__FIXED__BTC="60000").prices.fixed == {"BTC": Decimal(60000)}


@pytest.mark.parametrize(
    "content, problems",
    [
        (HEAD + "BTC,1,USD,2026-01-31T12:01:00Z\n", []),
        (
            HEAD + "BTC,1,USD,2026-01-31T12:01:01Z\n",
            ["[prices] file: p.csv line 2: BTC = 1 USD is of 2026-01-31T12:01:01+00:00, which has not come yet"],
        ),
        (HEAD + "BTC,NaN,USD,2026-01-31T12:00:00Z\n", ["[prices] file: p.csv line 2: the price of BTC: "]),
        (
            None,
            ["[prices] file: p.csv cannot be read: No such file or directory; write it, or take prices.file out of"],
        ),
    ],
)
def test_a_file_that_a_run_would_not_use_is_told_beforehand(content: str | None, problems: list[str]) -> None:
    if content is not None:
        written(content)
    told = list(price_problems(configured('[prices]\nfile = "p.csv"'), now=NOW))
    assert len(told) == len(problems)
    assert all(said.startswith(problem) for said, problem in zip(told, problems, strict=True))


def test_a_file_whose_name_is_no_path_is_told() -> None:
    (told,) = price_problems(configured('[prices]\nfile = "~nobody-of-this-name/p.csv"'), now=NOW)
    assert "prices.file: '~nobody-of-this-name/p.csv'" in told
