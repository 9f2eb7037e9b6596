"""Rows and frames of a stream, as a test writes them down."""

from datetime import UTC, datetime, timedelta
from typing import Any

from gal_friday.adapters.kraken.listing import KnownAsset, KnownNames, KnownPair
from gal_friday.adapters.kraken.names import Names
from gal_friday.adapters.kraken.stream_balances import Balances
from gal_friday.adapters.kraken.stream_executions import Executions
from gal_friday.adapters.kraken.stream_memory import Seen
from gal_friday.ports.stream import FillSeen, StreamEvent

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
NAMES = Names(
    KnownNames(
        {"XXBT": KnownAsset("XBT"), "ZUSD": KnownAsset("USD"), "XXRP": KnownAsset("XRP")},
        {"XXBTZUSD": KnownPair("XBTUSD", "XXBT", "ZUSD", "XBT/USD")},
    )
)
TOKEN = "a-token-that-must-not-be-seen"


def executions() -> Executions:
    return Executions(NAMES, Seen())


def balances() -> Balances:
    return Balances(NAMES, Seen())


def second(number: int) -> str:
    return (AT + timedelta(seconds=number)).isoformat()


def placed(**fields: Any) -> dict[str, Any]:
    row = {
        "order_id": "O1", "exec_type": "pending_new", "order_status": "pending_new", "timestamp": second(0),
        "symbol": "BTC/USD", "side": "buy", "order_qty": "2", "cum_qty": 0,
    }  # fmt: skip
    return {**row, **fields}


def filled(fill_id: str, done: str, **fields: Any) -> dict[str, Any]:
    row = {
        "order_id": "O1", "exec_type": "trade", "order_status": "partially_filled", "timestamp": second(1),
        "exec_id": fill_id, "last_qty": "0.5", "last_price": "60000.1", "cum_qty": done,
        "fees": [{"asset": "USD", "qty": "1.2"}],
    }  # fmt: skip
    return {**row, **fields}


def entry(ledger_id: str, balance: str, **fields: Any) -> dict[str, Any]:
    row = {
        "ledger_id": ledger_id, "ref_id": "T1", "timestamp": second(1), "asset": "BTC", "wallet_type": "spot",
        "wallet_id": "main", "amount": "1", "fee": 0, "balance": balance,
    }  # fmt: skip
    return {**row, **fields}


def kinds(events: list[StreamEvent]) -> list[type]:
    return [type(event) for event in events]


def fills(events: list[StreamEvent]) -> list[FillSeen]:
    return [event for event in events if isinstance(event, FillSeen)]
