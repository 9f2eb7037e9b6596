"""A place of its own for every page, and a simulated exchange that takes Kraken's place behind its address."""

import asyncio
import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from gal_friday.adapters.clock import SystemClock
from gal_friday.adapters.simulated import Exchange, SimulatedKraken
from gal_friday.adapters.simulated.keys import ApiKey
from gal_friday.domain import quantity
from gal_friday.domain.snapshot_json import FORMAT

HOMES = ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME")


class Kraken(NamedTuple):
    """The exchange behind the pages: one account that traded a little today."""

    exchange: Exchange
    key: ApiKey
    server: SimulatedKraken


def _traded() -> tuple[Exchange, ApiKey]:
    # Long enough ago that nothing is on its way any more.
    exchange = Exchange(lambda: SystemClock().now() - timedelta(hours=1), seed=1)
    exchange.open_account("main")
    for pair, price in (("XXBTZUSD", "60000"), ("XXRPZUSD", "0.6")):
        exchange.set_price(pair, price)
    exchange.deposit("main", "ZUSD", "10000")
    exchange.place_order("main", "XXBTZUSD", "buy", "market", "0.1")
    exchange.place_order("main", "XXRPZUSD", "buy", "market", "500")
    exchange.now = SystemClock().now
    return exchange, exchange.issue_key("main", tier="pro")


@pytest.fixture(scope="session")
def kraken() -> Iterator[Kraken]:
    """Run the exchange in a thread of its own, on loopback."""
    exchange, key = _traded()
    started, stop = threading.Event(), asyncio.Event()
    running: list[SimulatedKraken] = []
    loop = asyncio.new_event_loop()

    async def serving() -> None:
        async with SimulatedKraken(exchange, enforce_limits=False) as server:
            running.append(server)
            started.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serving(),))
    thread.start()
    assert started.wait(30)
    yield Kraken(exchange, key, running[0])
    loop.call_soon_threadsafe(stop.set)
    thread.join(30)
    loop.close()


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in an empty folder, with nothing of whoever runs the tests in reach."""
    for name in ("GAL_FRIDAY_CONFIG", "FORCE_COLOR", "COLUMNS", "CREDENTIALS_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)
    for name in HOMES:
        monkeypatch.setenv(name, str(tmp_path / "home"))
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    return here


@pytest.fixture
def with_kraken(place: Path, kraken: Kraken, monkeypatch: pytest.MonkeyPatch) -> Kraken:
    """Let the account ``main`` of any configuration lead to the simulated exchange, with its key in the environment."""
    kraken.server.faults.switch_off()
    kraken.server.faults.fired.clear()
    monkeypatch.setenv("KRAKEN_API_KEY", kraken.key.key)
    monkeypatch.setenv("KRAKEN_API_SECRET", kraken.key.secret)
    monkeypatch.setenv("GAL_FRIDAY_ACCOUNTS__MAIN__URL", kraken.server.url)
    monkeypatch.setenv("GAL_FRIDAY_ACCOUNTS__MAIN__TIER", "none")
    (place / "ledgers.csv").write_text(kraken.exchange.ledgers_csv("main"))
    (place / "trades.csv").write_text(kraken.exchange.trades_csv("main"))
    (place / "bot.json").write_text(json.dumps(_told_by_the_bot(kraken.exchange)))
    return kraken


def _told_by_the_bot(exchange: Exchange) -> dict[str, Any]:
    """Return a snapshot of balances alone, as a small bot writes it; they are right."""
    names, account = exchange.instruments, exchange.account("main")
    return {
        "format": FORMAT,
        "side": "internal",
        "account": "main",
        "exchange": "kraken",
        "as_of": SystemClock().now().isoformat(),
        "coverage": {"balances": "total"},
        "balances": [
            {"asset": names.asset(name).modern, "total": quantity.text(account.balance(name))}
            for name in account.balances
        ],
    }
