"""The complete list of what may be asked of Kraken. A name that is not here cannot be called (I8).

Every entry reads. None of Kraken's calls that place, change or cancel orders or move money is listed, and
the client refuses any endpoint that is not an entry of this table.

Source: Kraken REST documentation; costs from Kraken support, "What are the API rate limits?".
"""

from msgspec import Struct

from gal_friday.domain.errors import GalFridayError


class NotARead(GalFridayError, ValueError):
    """Somebody tried to call an endpoint that is not on the list of reads."""


class Endpoint(Struct, frozen=True):
    """One read: where it is, what it costs, what its silence means."""

    name: str
    private: bool = True
    cost: float = 1.0
    right: str = ""
    """The permission that the key needs, as Kraken spells it."""
    silence_is_empty: bool = False
    """A missing result means an empty account. Never so for history that is read in pages (N1)."""

    @property
    def path(self) -> str:
        """The path on Kraken's host."""
        return f"/0/{'private' if self.private else 'public'}/{self.name}"


SYSTEM_STATUS = Endpoint("SystemStatus", private=False)
TIME = Endpoint("Time", private=False)
ASSETS = Endpoint("Assets", private=False)
ASSET_PAIRS = Endpoint("AssetPairs", private=False)
TICKER = Endpoint("Ticker", private=False)

GET_API_KEY_INFO = Endpoint("GetApiKeyInfo")
BALANCE_EX = Endpoint("BalanceEx", right="query-funds", silence_is_empty=True)
TRADE_BALANCE = Endpoint("TradeBalance", right="query-open-trades")
OPEN_POSITIONS = Endpoint("OpenPositions", right="query-open-trades", silence_is_empty=True)
# Kraken's documents say 1, Kraken's own client charges 2: the careful number is planned.
OPEN_ORDERS = Endpoint("OpenOrders", cost=2.0, right="query-open-trades")
CLOSED_ORDERS = Endpoint("ClosedOrders", cost=2.0, right="query-closed-trades")
QUERY_ORDERS = Endpoint("QueryOrders", right="query-closed-trades")
TRADES_HISTORY = Endpoint("TradesHistory", cost=2.0, right="query-closed-trades")
QUERY_TRADES = Endpoint("QueryTrades", right="query-closed-trades")
LEDGERS = Endpoint("Ledgers", cost=2.0, right="query-ledger")
QUERY_LEDGERS = Endpoint("QueryLedgers", cost=2.0, right="query-ledger")
# A token lets a stream be listened to; it can do no more than its key can.
GET_WEBSOCKETS_TOKEN = Endpoint("GetWebSocketsToken", right="create-ws-token")

READS: frozenset[Endpoint] = frozenset(
    {
        SYSTEM_STATUS,
        TIME,
        ASSETS,
        ASSET_PAIRS,
        TICKER,
        GET_API_KEY_INFO,
        BALANCE_EX,
        TRADE_BALANCE,
        OPEN_POSITIONS,
        OPEN_ORDERS,
        CLOSED_ORDERS,
        QUERY_ORDERS,
        TRADES_HISTORY,
        QUERY_TRADES,
        LEDGERS,
        QUERY_LEDGERS,
        GET_WEBSOCKETS_TOKEN,
    }
)

STREAM_RIGHT = GET_WEBSOCKETS_TOKEN.right
"""Needed only where the account's stream is listened to."""

NEEDED_RIGHTS: tuple[str, ...] = tuple(sorted({read.right for read in READS if read.right} - {STREAM_RIGHT}))

# Rights that a key for reading must not have.
FORBIDDEN_RIGHTS: tuple[str, ...] = ("modify-trades", "close-trades", "add-funds", "withdraw-funds")

# Rights that a read-only key may have beside those that are needed.
HARMLESS_RIGHTS: tuple[str, ...] = ("export-data", STREAM_RIGHT)


def must_be_a_read(endpoint: Endpoint) -> None:
    """Let pass only what is on the list.

    Raises:
        NotARead: anything else.
    """
    if endpoint not in READS:
        raise NotARead(f"{endpoint.name} is not on the list of reads; this connector calls nothing else")
