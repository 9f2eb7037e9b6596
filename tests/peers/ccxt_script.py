"""What a program written on ccxt sees: run in an environment of its own, it reads an account and prints it as JSON.

It is a program by itself and knows nothing of this project. ccxt is as its authors published it; only the
address is another, and numbers stay text (``number = str``), so that no digit passes through a float.

On stdin it takes one JSON object: ``url``, ``key``, ``secret``, and ``refused``: pairs of key and secret that the
exchange will not serve, by name. It places no order and moves nothing.
"""

import json
import sys
from collections.abc import Callable
from typing import Any

import ccxt

_PAGE = 50  # Kraken REST documentation, Get Ledgers Info


def client(url: str, key: str, secret: str) -> Any:
    """Return ccxt's Kraken, talking to this address."""
    exchange = ccxt.kraken({"apiKey": key, "secret": secret, "enableRateLimit": False})
    exchange.urls["api"]["public"] = exchange.urls["api"]["private"] = url
    exchange.number = str
    return exchange


def every(fetch: Callable[..., Any], **params: Any) -> list[Any]:
    """Return the rows of all pages, each once, asked for with Kraken's own offset: ccxt leaves that to its users."""
    rows: dict[str, Any] = {}
    offset = 0
    while page := fetch(params={**params, "ofs": offset}):
        rows.update((row["id"], row) for row in page)
        offset += _PAGE
    return list(rows.values())


def seen(exchange: Any) -> dict[str, Any]:
    """Return everything that ccxt can read of the account and of the market."""
    return {
        "markets": exchange.load_markets(),
        "currencies": exchange.currencies,
        "status": exchange.fetch_status(),
        "time": exchange.fetch_time(),
        "tickers": exchange.fetch_tickers(["ETH/USD", "XRP/USD", "DOGE/USD"])
        | {"BTC/USD": exchange.fetch_ticker("BTC/USD")},
        "balance": exchange.fetch_balance(),
        "positions": exchange.fetch_positions(),
        "open_orders": exchange.fetch_open_orders(),
        "closed_orders": every(exchange.fetch_closed_orders),
        "merged_trades": every(exchange.fetch_my_trades),
        "trades": every(exchange.fetch_my_trades, consolidate_taker="false"),
        "ledger": every(exchange.fetch_ledger),
        "deposits": [row for code in ("USD", "EUR", "BTC", "XRP") for row in exchange.fetch_deposits(code)],
        "withdrawals": [row for code in ("USD", "ETH", "USDT") for row in exchange.fetch_withdrawals(code)],
    }


def refusal(exchange: Any) -> str | None:
    """Return the name of the error by which ccxt tells its users that it was refused."""
    try:
        exchange.fetch_balance()
    except ccxt.BaseError as error:
        return type(error).__name__
    return None


def main() -> None:
    """Read the account, try the keys that must be refused, and print what was seen."""
    told = json.load(sys.stdin)
    result = seen(client(told["url"], told["key"], told["secret"]))
    result["refusals"] = {name: refusal(client(told["url"], *pair)) for name, pair in told["refused"].items()}
    json.dump(result, sys.stdout)


if __name__ == "__main__":
    main()
