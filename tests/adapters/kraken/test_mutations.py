"""Whatever an answer holds, it is read or refused by name: no other error, and nothing misread."""

import copy
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gal_friday.adapters.kraken.key import key_info
from gal_friday.adapters.kraken.listing import assets_listed, pairs_listed
from gal_friday.adapters.kraken.parse_fills import Quotes, fill
from gal_friday.adapters.kraken.parse_holdings import balances, positions
from gal_friday.adapters.kraken.parse_movements import MovementReader
from gal_friday.adapters.kraken.parse_orders import order
from gal_friday.ports.errors import ExchangeFailed, ExchangeMalformed
from tests.adapters.kraken.rows import LEDGER, NAMES, ORDER, POSITION, TRADE

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(["NaN", "1e400", "-1", "0.5"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)

PARSERS: dict[str, tuple[dict[str, Any], Any]] = {
    "balance": ({"balance": "1", "hold_trade": "0"}, lambda row: balances({"XXBT": row}, NAMES)),
    "position": (POSITION, lambda row: positions({"T1": row}, NAMES)),
    "order": (ORDER, lambda row: order(row, "O1", NAMES, "OpenOrders")),
    "fill": (TRADE, lambda row: fill(row, "T1", Quotes(NAMES), "TradesHistory")),
    "movement": (LEDGER, lambda row: MovementReader(NAMES, "Ledgers").read(row, "L1")),
    "asset": ({"altname": "XBT", "decimals": 10}, lambda row: assets_listed({"XXBT": row})),
    "pair": (
        {"altname": "XBTUSD", "base": "XXBT", "quote": "ZUSD", "wsname": "XBT/USD", "cost_decimals": 5},
        lambda row: pairs_listed({"XXBTZUSD": row}),
    ),
    "key": (
        {
            "api_key": "k",
            "permissions": ["query-funds"],
            "valid_until": "0",
            "query_from": "0",
            "ip_allowlist": [],
        },
        lambda row: key_info(row, "k"),
    ),
}


@pytest.mark.parametrize("name", sorted(PARSERS))
@given(data=st.data())
def test_a_mutated_row_is_read_or_refused_and_nothing_else(name: str, data: st.DataObject) -> None:
    good, parse = PARSERS[name]
    row = copy.deepcopy(good)
    for field in data.draw(st.lists(st.sampled_from(sorted(row)), max_size=3)):
        if data.draw(st.booleans()):
            row.pop(field, None)
        else:
            row[field] = data.draw(JSON)
    with suppress(ExchangeFailed):
        parse(row)


@pytest.mark.parametrize("parse", [balances, positions])
@given(result=JSON)
def test_a_result_of_any_shape_is_read_or_refused(parse: Any, result: Any) -> None:
    with suppress(ExchangeMalformed):
        parse(result, NAMES)
