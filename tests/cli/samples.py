"""Snapshots and reports that the tests of the command line share. Hand-written; no real account."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from gal_friday.domain.assets import Asset
from gal_friday.domain.report import ReconciliationReport, compare
from gal_friday.domain.snapshot_json import read_snapshot

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
TOTAL = dict.fromkeys(("balances", "positions", "orders", "fills", "movements"), "total")
FILL = "TZX2WP-XSEOP-FP7WYR"
ORDER = "OQCLML-BW3P3-BUCMWZ"

Raw = dict[str, Any]


def side(name: str, **changes: Any) -> Raw:
    """Return a snapshot of that side as the JSON object of its file; everything covered, little in it."""
    return {
        "format": "gal-friday/snapshot/1",
        "side": name,
        "account": "main",
        "exchange": "kraken",
        "as_of": "2026-01-31T12:00:00Z",
        "coverage": TOTAL,
        "balances": [{"asset": "BTC", "total": "1.50000000"}],
        "positions": [],
        "orders": [],
        "fills": [],
        "movements": [],
    } | changes


def missed_fill() -> tuple[Raw, Raw]:
    """Return two sides that one fill sets apart: 40 XRP bought for 24.46 USD that the book never heard of."""
    book = [("BTC", "1.50000000"), ("XRP", "100"), ("USD", "10000.00"), ("EUR", "5")]
    real = [("BTC", "1.25000000"), ("XRP", "140"), ("USD", "9975.54"), ("DOT", "3.123456789")]
    order = {"order_id": ORDER, "instrument": "XRP/USD", "side": "buy", "quantity": "100", "price": "0.61"}
    fill = {"fill_id": FILL, "order_id": ORDER, "instrument": "XRP/USD", "side": "buy", "quantity": "40"}
    fill |= {"price": "0.61", "fee": "0.06", "fee_asset": "USD", "at": "2026-01-31T11:58:00Z"}
    leg = {"refers_to": FILL, "kind": "trade", "at": "2026-01-31T11:58:00Z"}
    return (
        side(
            "internal",
            balances=[{"asset": asset, "total": total} for asset, total in book],
            orders=[order | {"filled": "0", "status": "open"}],
        ),
        side(
            "exchange",
            balances=[{"asset": asset, "total": total} for asset, total in real],
            orders=[order | {"filled": "40", "status": "open"}],
            fills=[fill],
            movements=[
                leg | {"movement_id": "L1", "asset": "XRP", "amount": "40"},
                leg | {"movement_id": "L2", "asset": "USD", "amount": "-24.40", "fee": "0.06"},
            ],
        ),
    )


def report(internal: Raw, exchange: Raw, **prices: str) -> ReconciliationReport:
    """Return the report of comparing these two, with these prices."""
    return compare(
        read_snapshot(json.dumps(internal).encode(), source="internal"),
        read_snapshot(json.dumps(exchange).encode(), source="exchange"),
        prices={Asset(asset): Decimal(price) for asset, price in prices.items()},
    )


def written(folder: Path, name: str, snapshot: Raw) -> str:
    """Write the snapshot to a file of this name and return its path."""
    path = folder / name
    path.write_text(json.dumps(snapshot), encoding="utf-8")
    return str(path)


def both_written(folder: Path, internal: Raw, exchange: Raw) -> tuple[str, str]:
    """Write both sides and return their paths."""
    return written(folder, "internal.json", internal), written(folder, "exchange.json", exchange)
