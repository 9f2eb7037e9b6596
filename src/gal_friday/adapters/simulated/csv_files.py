"""Exports as files: ledgers.csv and trades.csv with the columns and the habits of Kraken's own.

Times are UTC without a zone and have four decimals, so they do not equal the times of the JSON answers:
rows are joined by txid. With ``modern`` names pairs have a slash and new names, and ``margin`` rows are
called ``margin trade``. Source: Kraken support, "How to interpret Ledger history fields".
"""

import csv
import io
from collections.abc import Iterable

from gal_friday.adapters.simulated.account import Account
from gal_friday.adapters.simulated.clock import TICKS_PER_SECOND, instant_of
from gal_friday.adapters.simulated.instruments import Asset
from gal_friday.adapters.simulated.records import LedgerRow, Trade
from gal_friday.adapters.simulated.world import World
from gal_friday.domain import quantity

LEDGER_COLUMNS = (
    "txid", "refid", "time", "type", "subtype", "aclass", "subclass", "asset", "wallet", "amount",
    "fee", "balance",
)  # fmt: skip
TRADE_COLUMNS = (
    "txid", "ordertxid", "pair", "aclass", "subclass", "time", "type", "ordertype", "price", "cost",
    "fee", "vol",
    "margin", "misc", "ledgers", "posttxid", "posstatuscode",
)  # fmt: skip
WALLETS = {
    ".F": "earn / flexible", ".M": "earn / liquid", ".B": "earn / bonded", ".S": "earn / bonded",
    ".P": "earn / locked", ".HOLD": "spot / hold",
}  # fmt: skip
FOREVER = 1 << 62


class CsvFiles(World):
    """Renders exports."""

    def ledgers_csv(self, account: str, *, after: int = -1, until: int = FOREVER, modern: bool = False) -> str:
        """Return the ledger of an account as ledgers.csv, oldest row first; the window is in ticks."""
        history = self.account(account).ledger
        low, high = history.window(after, until)
        return _csv(LEDGER_COLUMNS, (self._ledger_line(row, modern=modern) for row in history.rows[low:high]))

    def trades_csv(self, account: str, *, after: int = -1, until: int = FOREVER, modern: bool = False) -> str:
        """Return the fills of an account as trades.csv, oldest first."""
        owner = self.account(account)
        low, high = owner.trades.window(after, until)
        return _csv(
            TRADE_COLUMNS,
            (self._trade_line(owner, row, modern=modern) for row in owner.trades.rows[low:high]),
        )

    def _ledger_line(self, row: LedgerRow, *, modern: bool) -> tuple[str, ...]:
        asset = self.instruments.assets[row.asset]
        kind = "margin trade" if modern and row.kind == "margin" else row.kind
        return (
            row.id, row.refid, _time(row.ticks), kind, row.subtype, row.aclass, _subclass(asset),
            asset.modern if modern else asset.id, _wallet(asset), quantity.text(row.amount),
            quantity.text(row.fee), quantity.text(row.balance),
        )  # fmt: skip

    def _trade_line(self, owner: Account, trade: Trade, *, modern: bool) -> tuple[str, ...]:
        pair = self.instruments.pair(trade.pair)
        base = self.instruments.assets[pair.base]
        position = owner.positions.get(trade.id)
        status = "" if position is None else "o" if position.is_open else "c"
        return (
            trade.id, trade.order, pair.modern if modern else pair.id, base.aclass, _subclass(base),
            _time(trade.ticks), trade.side, trade.ordertype, quantity.text(trade.price),
            quantity.text(trade.cost), quantity.text(trade.fee), quantity.text(trade.volume),
            quantity.text(trade.margin), trade.misc, ",".join(trade.ledgers),
            trade.position if trade.closes else "", status,
        )  # fmt: skip


def _csv(columns: tuple[str, ...], lines: Iterable[tuple[str, ...]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(lines)
    return text.getvalue()


def _time(ticks: int) -> str:
    return f"{instant_of(ticks):%Y-%m-%d %H:%M:%S}.{ticks % TICKS_PER_SECOND // 1000:04d}"


def _subclass(asset: Asset) -> str:
    if asset.aclass != "currency":
        return "equity"
    return "fiat" if asset.decimals <= 4 and asset.id != "KFEE" else "crypto"


def _wallet(asset: Asset) -> str:
    for suffix, wallet in WALLETS.items():
        if asset.plain and asset.id.endswith(suffix):
            return wallet
    return "spot / main"
