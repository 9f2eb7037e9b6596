"""Real answers of Kraken, where they have been collected: every one is read, every amount keeps its digits.

The folder is named by GAL_FRIDAY_KRAKEN_FIXTURES; without it these tests are skipped.
"""

import json
import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from gal_friday.adapters.kraken import Names, wire
from gal_friday.adapters.kraken.errors import ErrorClass, classify
from gal_friday.adapters.kraken.key import key_info
from gal_friday.adapters.kraken.listing import assets_listed, pairs_listed
from gal_friday.adapters.kraken.parse_fills import Quotes, fill
from gal_friday.adapters.kraken.parse_holdings import balances, positions
from gal_friday.adapters.kraken.parse_movements import MovementReader
from gal_friday.adapters.kraken.parse_orders import order
from gal_friday.domain.quantity import text

FOLDER = os.environ.get("GAL_FRIDAY_KRAKEN_FIXTURES", "")
NAMES = Names.without_network()
ENDPOINTS = (
    "Assets",
    "AssetPairs",
    "BalanceEx",
    "ClosedOrders",
    "GetApiKeyInfo",
    "Ledgers",
    "OpenOrders",
    "OpenPositions",
    "QueryLedgers",
    "QueryOrders",
    "QueryTrades",
    "TradesHistory",
)


def answers(endpoint: str) -> list[Path]:
    found = sorted(Path(FOLDER).glob(f"*/{endpoint}__*.json")) if FOLDER else []
    if not found:
        pytest.skip(f"collected answers are not there: GAL_FRIDAY_KRAKEN_FIXTURES is {FOLDER!r}")
    return found


def result_of(path: Path) -> Any:
    body = path.read_bytes()
    try:
        return wire.envelope(body).result
    except wire.Unreadable:
        # Some were kept without the outer object.
        return wire.envelope(b'{"error":[],"result":' + body + b"}").result


def rows_of(result: Any, inside: str) -> dict[str, Any]:
    return dict(result.get(inside, result))


def read(endpoint: str, result: Any) -> list[Any]:  # noqa: PLR0911  (one line per endpoint)
    match endpoint:
        case "Assets":
            return list(assets_listed(result).values())
        case "AssetPairs":
            return list(pairs_listed(result).values())
        case "BalanceEx":
            return list(balances(result, NAMES))
        case "OpenPositions":
            return list(positions(result, NAMES))
        case "GetApiKeyInfo":
            return [key_info(result, result["api_key"])]
        case "Ledgers" | "QueryLedgers":
            reader = MovementReader(NAMES, endpoint)
            return [reader.read(row, name) for name, row in rows_of(result, "ledger").items()]
        case "TradesHistory" | "QueryTrades":
            quotes = Quotes(NAMES)
            return [fill(row, name, quotes, endpoint) for name, row in rows_of(result, "trades").items()]
        case _:
            inside = {"OpenOrders": "open", "ClosedOrders": "closed"}.get(endpoint, "")
            return [order(row, name, NAMES, endpoint) for name, row in rows_of(result, inside).items()]


# No answers of this form: consolidated positions are a list and refused as such, others are bare rows or made up.
OTHER_SHAPES = ("consolidated_short", "fetch_positions_19", "fetch_ledger_3", "parse_order_9", "invalid_pair_mock")


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_every_collected_answer_is_read(endpoint: str) -> None:
    for path in answers(endpoint):
        if not any(shape in path.name for shape in OTHER_SHAPES):
            assert read(endpoint, result_of(path)), path.name


def test_every_amount_of_a_collected_ledger_keeps_its_digits() -> None:
    for path in answers("Ledgers"):
        if any(shape in path.name for shape in OTHER_SHAPES):
            continue
        reader = MovementReader(NAMES, "Ledgers")
        for name, row in rows_of(result_of(path), "ledger").items():
            movement = reader.read(row, name)
            given = [Decimal(str(row[field])) for field in ("amount", "fee", "balance")]
            assert movement.balance_after is not None
            assert [text(movement.amount), text(movement.fee), text(movement.balance_after)] == [
                text(value) for value in given
            ]


def test_every_collected_error_text_has_the_class_it_was_given() -> None:
    path = Path(FOLDER) / "errors" / "error_strings.json"
    if not FOLDER or not path.is_file():
        pytest.skip(f"collected answers are not there: GAL_FRIDAY_KRAKEN_FIXTURES is {FOLDER!r}")
    same = {"rate_trading": "trading_limit"}
    for rule in json.loads(path.read_bytes())["rules"]:
        meaning = ErrorClass[same.get(rule["class"], rule["class"]).upper()]
        if rule["text"] not in ("E", "W"):
            assert classify(rule["text"]) is meaning, rule["text"]
