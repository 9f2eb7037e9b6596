"""ccxt, unchanged, reads the simulated Kraken over HTTP and sees what the exchange holds, to the last digit.

ccxt lives in an environment of its own, because it pins what others share. ``python3 dev.py test`` makes that
environment and names its interpreter; nothing here installs anything.
"""

import asyncio
import json
import os
import subprocess
from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from gal_friday.adapters.simulated import SimulatedKraken, scenarios
from gal_friday.adapters.simulated.account import Account
from gal_friday.adapters.simulated.exchange import Exchange
from gal_friday.adapters.simulated.records import Trade
from gal_friday.domain import quantity

pytestmark = pytest.mark.ccxt

SCRIPT = Path(__file__).parent / "ccxt_script.py"
VARIABLE = "GAL_FRIDAY_CCXT_PYTHON"
HOW_TO_GET_IT = (
    f"{VARIABLE} names no interpreter that has ccxt: run `python3 dev.py test tests/peers`, which makes one; "
    f"or make it yourself (python3 -m venv .venv-ccxt; .venv-ccxt/bin/pip install --require-hashes "
    f"-r requirements/ccxt.lock) and set {VARIABLE}=.venv-ccxt/bin/python"
)

_TICKS_PER_MILLISECOND = 10_000
_TRIGGERS = {"stop-loss": "market", "take-profit-limit": "limit"}
"""What ccxt calls an order that a price sets off: by what it becomes then."""


class Read(NamedTuple):
    """The world, and what ccxt printed of it."""

    exchange: Exchange
    account: Account
    now: float
    by_ccxt: dict[str, Any]


@pytest.fixture(scope="module")
def read() -> Read:
    """Let ccxt read a small account that has some of everything; once for all tests here."""
    interpreter = os.environ.get(VARIABLE)
    if not interpreter:
        pytest.skip(HOW_TO_GET_IT)
    world = scenarios.quiet(1)
    blind = world.exchange.issue_key("main", rights=("query-ledger",))
    task = {
        "key": world.key.key,
        "secret": world.key.secret,
        "refused": {
            "of nobody": ["c29tZWJvZHkgZWxzZQ==", world.key.secret],
            "without the right": [blind.key, blind.secret],
        },
    }

    async def printed() -> str:
        async with SimulatedKraken(world.exchange, enforce_limits=False) as server:
            return await asyncio.to_thread(output_of, interpreter, task | {"url": server.url})

    seen = json.loads(asyncio.run(printed()))
    return Read(world.exchange, world.exchange.account("main"), world.clock.now().timestamp(), seen)


def output_of(interpreter: str, task: dict[str, Any]) -> str:
    """Return what the script prints; what it has to say otherwise is for whoever reads the failure."""
    done = subprocess.run(
        [interpreter, str(SCRIPT)], input=json.dumps(task), capture_output=True, text=True, check=False, timeout=50
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def symbols(read: Read) -> dict[str, str]:
    """Return ccxt's name of each pair it knows, by Kraken's id."""
    return {market["id"]: symbol for symbol, market in read.by_ccxt["markets"].items()}


def codes(read: Read) -> dict[str, str]:
    """Return ccxt's name of each asset it knows, by Kraken's id."""
    return {currency["id"]: code for code, currency in read.by_ccxt["currencies"].items()}


def by_id(rows: Iterable[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return rows by their id, each of which must stand once."""
    listed = list(rows)
    found = {row["id"]: row for row in listed}
    assert len(found) == len(listed)
    return found


def in_milliseconds(row: dict[str, Any], ticks: int) -> bool:
    """Say whether ccxt's time is that of these ticks; it reads times through a float, and so may be one off."""
    return row["timestamp"] - ticks // _TICKS_PER_MILLISECOND in (0, 1)


def test_it_knows_every_listed_pair_and_asset_by_the_name_that_the_world_uses(read: Read) -> None:
    names = read.exchange.instruments
    # A second venue of one pair has no name in ccxt; it keeps Kraken's.
    plain = {pair.id: pair.modern for pair in names.pairs.values() if ":" not in pair.modern}
    assert len(symbols(read)) > 30
    assert {name: symbol for name, symbol in symbols(read).items() if plain.get(name) != symbol} == {
        "XBTUSD:BTNL": "XBTUSD:BTNL"
    }
    assert {asset: codes(read)[asset] for asset in ("XXBT", "XXDG", "ZUSD")} == {
        "XXBT": "BTC",
        "XXDG": "DOGE",
        "ZUSD": "USD",
    }
    digits = {asset: -Decimal(row["precision"]).adjusted() for asset, row in by_id(currencies(read)).items()}
    assert digits == {asset: names.asset(asset).decimals for asset in digits}


def currencies(read: Read) -> list[dict[str, Any]]:
    return list(read.by_ccxt["currencies"].values())


def test_it_reads_state_time_and_prices(read: Read) -> None:
    assert read.by_ccxt["status"]["status"] == "ok"
    assert read.by_ccxt["time"] == read.now * 1000
    last = {symbol: Decimal(ticker["last"]) for symbol, ticker in read.by_ccxt["tickers"].items()}
    wanted = ("BTC/USD", "ETH/USD", "XRP/USD", "DOGE/USD")
    ids = {symbol: read.by_ccxt["markets"][symbol]["id"] for symbol in wanted}
    assert last == {symbol: Decimal(scenarios.PRICES[ids[symbol]]) for symbol in wanted}


def test_it_reads_every_balance_and_hold(read: Read) -> None:
    told = read.by_ccxt["balance"]["info"]["result"]
    account = read.account
    assert {asset: (Decimal(row["balance"]), Decimal(row["hold_trade"])) for asset, row in told.items()} == {
        asset: (account.balance(asset), account.held(asset)) for asset in account.balances
    }
    total, used, free = (read.by_ccxt["balance"][part] for part in ("total", "used", "free"))
    # 1500 came in, 250 went to futures, 100 and a fee of 3 are on their way out.
    assert (total["USDT"], used["ETH"], total["BTC.F"]) == ("1147.00000000", "2.0000000000", "1.7500123000")
    known = {asset: code for asset, code in codes(read).items() if asset in account.balances}
    assert len(known) > 15
    for asset, code in known.items():
        assert Decimal(total[code]) == account.balance(asset)
        assert Decimal(used[code]) == account.held(asset)
        assert Decimal(free[code]) == account.free(asset)


def test_it_reads_positions_merged_by_pair_and_side(read: Read) -> None:
    sizes: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for position in read.account.open_positions.values():
        key = (symbols(read)[position.pair], {"buy": "long", "sell": "short"}[position.side])
        sizes[key] = quantity.add(sizes[key], position.volume)
    told = {(row["symbol"], row["side"]): Decimal(row["contracts"]) for row in read.by_ccxt["positions"]}
    assert told == sizes
    assert len(read.by_ccxt["positions"]) == 3


def test_it_reads_every_open_order(read: Read) -> None:
    told = by_id(read.by_ccxt["open_orders"])
    assert set(told) == set(read.account.open_orders)
    compare_orders(read, told)


def test_it_reads_every_closed_order(read: Read) -> None:
    told = by_id(read.by_ccxt["closed_orders"])
    assert set(told) == set(read.account.orders) - set(read.account.open_orders)
    assert {row["status"] for row in told.values()} == {"closed", "canceled"}
    compare_orders(read, told)


def compare_orders(read: Read, told: dict[str, dict[str, Any]]) -> None:
    for name, row in told.items():
        order = read.account.orders[name]
        amounts = [Decimal(row[part]) for part in ("amount", "filled", "remaining")]
        assert amounts == [order.volume, order.volume_done, quantity.subtract(order.volume, order.volume_done)]
        assert (row["side"], row["status"]) == (order.side, order.status)
        assert row["type"] == _TRIGGERS.get(order.ordertype, order.ordertype)
        assert row["symbol"] == symbols(read).get(order.pair, row["symbol"])
        assert [Decimal(row["info"]["cost"]), Decimal(row["fee"]["cost"])] == [order.cost, order.fee]
        # ccxt has no cost for an order without price and fills.
        assert row["cost"] is None or Decimal(row["cost"]) == order.cost
        assert in_milliseconds(row, order.opened)


def test_it_reads_every_fill(read: Read) -> None:
    told = by_id(read.by_ccxt["trades"])
    assert set(told) == {trade.id for trade in read.account.trades.rows}
    for trade in read.account.trades.rows:
        compare_trade(read, told[trade.id], [trade])


def test_it_reads_takers_of_one_order_merged_where_it_does_not_ask_otherwise(read: Read) -> None:
    told = by_id(read.by_ccxt["merged_trades"])
    groups = read.account.groups.rows
    assert (len(told), len(groups), len(read.account.trades.rows)) == (12, 12, 15)
    for row in told.values():
        (group,) = [group for group in groups if row["id"] in {trade.id for trade in group}]
        compare_trade(read, row, group)


def compare_trade(read: Read, row: dict[str, Any], fills: list[Trade]) -> None:
    first = fills[0]
    sums = [quantity.total(getattr(fill, part) for fill in fills) for part in ("volume", "cost", "fee")]
    assert [Decimal(row["amount"]), Decimal(row["cost"]), Decimal(row["info"]["fee"])] == sums
    assert (row["order"], row["side"]) == (first.order, first.side)
    assert row["symbol"] == symbols(read).get(first.pair, row["symbol"])
    assert row["takerOrMaker"] == ("maker" if first.maker else "taker")
    if len(fills) == 1:
        assert Decimal(row["price"]) == first.price
        assert in_milliseconds(row, first.ticks)


def test_it_reads_every_row_of_the_ledger_over_several_pages(read: Read) -> None:
    told = by_id(read.by_ccxt["ledger"])
    rows = read.account.ledger.rows
    assert len(rows) > 50
    assert set(told) == {row.id for row in rows}
    for row in rows:
        seen = told[row.id]
        assert Decimal(seen["info"]["amount"]) == row.amount
        assert Decimal(seen["amount"]) == quantity.absolute(row.amount)
        assert seen["direction"] == ("out" if row.amount < 0 else "in")
        assert (Decimal(seen["after"]), Decimal(seen["fee"]["cost"])) == (row.balance, row.fee)
        assert (seen["referenceId"], seen["info"]["type"]) == (row.refid, row.kind)
        assert seen["currency"] == codes(read).get(row.asset, seen["currency"])
        assert in_milliseconds(seen, row.ticks)


def test_it_reads_deposits_and_withdrawals_with_their_state(read: Read) -> None:
    states = {"Success": "ok", "Pending": "pending", "Failure": "failed"}
    account = read.account
    for listed, transfers in (("deposits", account.deposits), ("withdrawals", account.withdrawals)):
        told = by_id(read.by_ccxt[listed])
        wanted = {row["info"]["asset"] for row in told.values()}
        assert set(told) == {refid for refid, transfer in transfers.items() if transfer.asset in wanted}
        for refid, row in told.items():
            transfer = transfers[refid]
            assert (Decimal(row["amount"]), Decimal(row["fee"]["cost"])) == (transfer.amount, transfer.fee)
            assert row["status"] == states[transfer.status]
    assert len(read.by_ccxt["withdrawals"]) == len(account.withdrawals) == 3


def test_it_recognises_each_refusal_as_what_it_is(read: Read) -> None:
    assert read.by_ccxt["refusals"] == {"of nobody": "AuthenticationError", "without the right": "PermissionDenied"}
