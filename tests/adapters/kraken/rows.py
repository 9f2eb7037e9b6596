"""Rows as Kraken writes them, to start from in tests."""

from typing import Any

from gal_friday.adapters.kraken.names import Names
from gal_friday.adapters.kraken.parse_fills import NO_POSITION

NAMES = Names.without_network()

TRADE: dict[str, Any] = {
    "ordertxid": "OAAAAA-BBBBB-CCCCCC",
    "postxid": NO_POSITION,
    "pair": "XXBTZUSD",
    "time": "1616667796.8802",
    "type": "buy",
    "ordertype": "limit",
    "price": "30010.00000",
    "cost": "600.20000",
    "fee": "0.96032",
    "vol": "0.02000000",
    "margin": "0.00000",
    "leverage": "0",
    "misc": "",
    "maker": False,
}
LEDGER: dict[str, Any] = {
    "refid": "TAAAAA-BBBBB-CCCCCC",
    "time": "1616667796.8802451",
    "type": "trade",
    "subtype": "",
    "aclass": "currency",
    "asset": "ZUSD",
    "amount": "-600.2000",
    "fee": "0.9603",
    "balance": "9398.8397",
}
ORDER: dict[str, Any] = {
    "refid": None,
    "userref": 0,
    "status": "open",
    "opentm": "1616666559.8974",
    "starttm": 0,
    "expiretm": 0,
    "descr": {"pair": "XDGUSD", "type": "buy", "ordertype": "limit", "price": "0.05", "price2": "0"},
    "vol": "1250.00000000",
    "vol_exec": "375.00000000",
    "misc": "",
    "oflags": "fciq",
}
POSITION: dict[str, Any] = {
    "ordertxid": "OAAAAA-BBBBB-CCCCCC",
    "pair": "XXBTZUSD",
    "time": "1605280097.8294",
    "type": "sell",
    "cost": "104610.52842",
    "fee": "289.06565",
    "vol": "8.82412861",
    "vol_closed": "0.20200000",
    "margin": "20922.10568",
    "net": "+154186.9728",
}
