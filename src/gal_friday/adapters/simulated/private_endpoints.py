"""Which private endpoints there are, which right each asks for, and what a call of it costs.

Reading only: everything that would place an order or move money is known by name and refused. Rights as
``GetApiKeyInfo`` spells them; costs from the Kraken REST documentation, Rate Limits.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from gal_friday.adapters.simulated import account_endpoints as account
from gal_friday.adapters.simulated import exports, history_endpoints
from gal_friday.adapters.simulated.request import Request

Handler = Callable[[Request], Any]

FUNDS, LEDGER, EXPORT = ("query-funds",), ("query-ledger",), ("export-data",)
OPEN_TRADES, CLOSED_TRADES = ("query-open-trades",), ("query-closed-trades",)


class PrivateEndpoint(msgspec.Struct, frozen=True):
    """One endpoint; any one of its rights will do, and no rights means any key will."""

    answer: Handler
    rights: tuple[str, ...] = ()
    cost: int = 1


PRIVATE: dict[str, PrivateEndpoint] = {
    "GetApiKeyInfo": PrivateEndpoint(account.get_api_key_info),
    "Balance": PrivateEndpoint(account.balance, FUNDS),
    "BalanceEx": PrivateEndpoint(account.balance_ex, FUNDS),
    "TradeBalance": PrivateEndpoint(account.trade_balance, OPEN_TRADES),
    "OpenPositions": PrivateEndpoint(account.open_positions, OPEN_TRADES),
    "OpenOrders": PrivateEndpoint(account.open_orders, OPEN_TRADES),
    "DepositStatus": PrivateEndpoint(account.deposit_status, FUNDS),
    "WithdrawStatus": PrivateEndpoint(account.withdraw_status, FUNDS),
    "GetWebSocketsToken": PrivateEndpoint(account.get_websockets_token, ("create-ws-token",)),
    "ClosedOrders": PrivateEndpoint(history_endpoints.closed_orders, CLOSED_TRADES),
    "QueryOrders": PrivateEndpoint(history_endpoints.query_orders, CLOSED_TRADES + OPEN_TRADES),
    "OrderAmends": PrivateEndpoint(history_endpoints.order_amends, CLOSED_TRADES + OPEN_TRADES),
    "TradesHistory": PrivateEndpoint(history_endpoints.trades_history, CLOSED_TRADES, 2),
    "QueryTrades": PrivateEndpoint(history_endpoints.query_trades, CLOSED_TRADES),
    "Ledgers": PrivateEndpoint(history_endpoints.ledgers, LEDGER, 2),
    # Kraken's own command line tool charges two for it; a simulator should not be the milder one.
    "QueryLedgers": PrivateEndpoint(history_endpoints.query_ledgers, LEDGER, 2),
    "AddExport": PrivateEndpoint(exports.add_export, EXPORT),
    "ExportStatus": PrivateEndpoint(exports.export_status, EXPORT),
    "RetrieveExport": PrivateEndpoint(exports.retrieve_export, EXPORT),
    "RemoveExport": PrivateEndpoint(exports.remove_export, EXPORT),
}

# Known and refused, whatever the key: nothing that talks to this server has any business writing.
WRITING = frozenset(
    {
        "AddOrder", "AddOrderBatch", "AmendOrder", "EditOrder", "CancelOrder",
        "CancelAll", "CancelOrderBatch",
        "CancelAllOrdersAfter", "Withdraw", "WithdrawCancel", "WalletTransfer", "AccountTransfer",
        "CreateSubaccount",
    }
)  # fmt: skip
