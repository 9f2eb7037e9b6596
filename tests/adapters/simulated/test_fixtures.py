"""Real answers of Kraken parse into the rows the simulator writes, and no field is unknown to it.

The answers are not part of the project: GAL_FRIDAY_KRAKEN_FIXTURES names the folder that holds them. A
field of theirs that we do not write must be on the list of fields we know and leave out, with a reason.
"""

import json
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gal_friday.adapters.simulated import stream_wire, wire

VARIABLE = "GAL_FRIDAY_KRAKEN_FIXTURES"

# Fields that real answers carry and ours do not: old ones that are gone, or other products' ones.
LEFT_OUT: dict[str, set[str]] = {
    "AssetPairs": {"margin_level"},
    "DepositStatus": {"originators", "key", "network"},
    "WithdrawStatus": {"key", "network"},
    "Assets": {"margin_rate"},
    "OpenOrders": {"contingent", "sender_sub_id", "ratecount"},
}


def fixtures(endpoint: str) -> list[Path]:
    folder = os.environ.get(VARIABLE)
    if not folder or not Path(folder).is_dir():
        pytest.skip(f"{VARIABLE} names no folder of Kraken answers (it is {folder!r})")
    return sorted(path for path in Path(folder).glob(f"*/{endpoint}__*.json"))


def result_of(path: Path) -> Any:
    answer = json.loads(path.read_text(), parse_float=str)
    return answer.get("result", answer) if isinstance(answer, dict) else answer


def rows_of(endpoint: str, result: Any) -> list[dict[str, Any]]:
    inner = {"OpenOrders": "open", "ClosedOrders": "closed", "TradesHistory": "trades", "Ledgers": "ledger"}
    if isinstance(result, dict) and inner.get(endpoint) in result:
        result = result[inner[endpoint]]
    if endpoint in ("TradeBalance", "GetApiKeyInfo") or (isinstance(result, dict) and "refid" in result):
        return [result]
    rows = list(result.values()) if isinstance(result, dict) else list(result)
    return [row for row in rows if isinstance(row, dict)]


def fields(model: type[msgspec.Struct]) -> set[str]:
    return {field.encode_name for field in msgspec.structs.fields(model)}


MODELS: list[tuple[str, type[msgspec.Struct]]] = [
    ("OpenOrders", wire.WireOrder), ("ClosedOrders", wire.WireOrder), ("QueryOrders", wire.WireOrder),
    ("TradesHistory", wire.WireTrade), ("QueryTrades", wire.WireTrade), ("Ledgers", wire.WireLedger),
    ("QueryLedgers", wire.WireLedger), ("BalanceEx", wire.WireBalance), ("Assets", wire.WireAsset),
    ("AssetPairs", wire.WirePair), ("Ticker", wire.WireTicker), ("TradeBalance", wire.WireTradeBalance),
    ("GetApiKeyInfo", wire.WireKeyInfo), ("ExportStatus", wire.WireExport),
    ("DepositStatus", wire.WireFunding), ("WithdrawStatus", wire.WireFunding),
]  # fmt: skip


@pytest.mark.parametrize("endpoint, model", MODELS)
def test_every_field_of_a_real_answer_is_one_of_ours(endpoint: str, model: type[msgspec.Struct]) -> None:
    known = fields(model) | LEFT_OUT.get(endpoint, set())
    found = fixtures(endpoint)
    assert found, f"no answers of {endpoint} in the folder"
    for path in found:
        for row in rows_of(endpoint, result_of(path)):
            assert set(row) - known == set(), path.name


@pytest.mark.parametrize("endpoint, model", MODELS)
def test_every_field_of_ours_is_in_some_real_answer_or_documented(endpoint: str, model: type[msgspec.Struct]) -> None:
    documented = {
        "AssetPairs": {"execution_venue"},
        "Assets": {"status", "collateral_value"},
        "ClosedOrders": {"cl_ord_id", "time_in_force", "trigger", "margin"},
        "OpenOrders": {"closetm", "reason", "margin", "trigger", "trades"},
        "QueryOrders": {"cl_ord_id", "time_in_force", "margin"},
        "QueryTrades": {"aclass", "tradeordertype", "leverage", "trade_id", "maker", "ledgers"},
        "QueryLedgers": set(),
        "ExportStatus": {"delete"},
        "DepositStatus": {"status-prop"},
        "WithdrawStatus": {"status-prop"},
    }
    # Only on opening fills of positions that were closed, which no stored answer shows.
    closing = {"posstatus", "cprice", "ccost", "cfee", "cvol", "cmargin", "net", "trades"}
    seen = {name for path in fixtures(endpoint) for row in rows_of(endpoint, result_of(path)) for name in row}
    excused = documented.get(endpoint, set()) | (closing if model is wire.WireTrade else set())
    assert fields(model) - excused - seen == set()


def test_positions_have_the_fields_of_real_ones_in_both_shapes() -> None:
    for path in fixtures("OpenPositions"):
        result = result_of(path)
        model = wire.WireMarketPosition if isinstance(result, list) else wire.WirePosition
        for row in rows_of("OpenPositions", result):
            assert set(row) - fields(model) == set(), path.name


@pytest.mark.parametrize("endpoint", ["OpenOrders", "ClosedOrders", "QueryOrders"])
def test_the_description_of_an_order_has_the_fields_of_a_real_one(endpoint: str) -> None:
    for path in fixtures(endpoint):
        for row in rows_of(endpoint, result_of(path)):
            assert set(row["descr"]) - fields(wire.WireDescription) == set(), path.name


def test_the_pairs_of_the_table_are_the_pairs_of_kraken() -> None:
    """Base, quote, names and digits of every pair of ours that the full list has."""
    from gal_friday.adapters.simulated.instrument_table import PAIRS

    full = [path for path in fixtures("AssetPairs") if "full" in path.name]
    real = result_of(full[0])
    for pair in PAIRS:
        if pair.id in real and pair.listed:
            row = real[pair.id]
            assert (pair.altname, pair.base, pair.quote, pair.wsname) == (
                row["altname"], row["base"], row["quote"], row["wsname"],
            )  # fmt: skip
            assert (pair.pair_decimals, pair.lot_decimals, pair.cost_decimals, pair.ordermin) == (
                row["pair_decimals"], row["lot_decimals"], row["cost_decimals"], row["ordermin"],
            ), pair.id  # fmt: skip


STREAMED: list[tuple[str, str, type[msgspec.Struct]]] = [
    ("executions", "update", stream_wire.WireExecution),
    ("balances", "snapshot", stream_wire.WireHolding),
    ("balances", "update", stream_wire.WireEntry),
]


@pytest.mark.parametrize("channel, kind, model", STREAMED)
def test_every_field_of_a_real_frame_is_one_of_ours(channel: str, kind: str, model: type[msgspec.Struct]) -> None:
    found = [(path, frame) for path in fixtures(f"ws-v2-{channel}") for frame in result_of(path)]
    frames = [(path, frame) for path, frame in found if frame.get("type") == kind]
    assert frames
    for path, frame in frames:
        assert set(frame) - fields(stream_wire.WireFrame) == set(), path.name
        for row in frame["data"]:
            assert set(row) - fields(model) == set(), path.name


def test_every_field_of_a_real_acknowledgement_is_one_of_ours() -> None:
    for path in (*fixtures("ws-v2-executions"), *fixtures("ws-v2-balances")):
        for frame in result_of(path):
            if frame.get("success") is not None:
                assert set(frame) - fields(stream_wire.WireReply) == set(), path.name
