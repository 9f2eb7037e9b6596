"""The export files: their columns, their times, their names."""

import csv
import io
import zipfile
from typing import Any

from gal_friday.adapters.simulated import Scenario
from tests.adapters.simulated.client import Client


def read(text: str) -> list[dict[str, Any]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_every_ledger_row_is_in_the_file_with_its_digits(quiet: Scenario) -> None:
    lines = read(quiet.exchange.ledgers_csv("main"))
    rows = quiet.exchange.account("main").ledger.rows
    assert [line["txid"] for line in lines] == [row.id for row in rows]
    assert [(line["amount"], line["balance"]) for line in lines] == [
        (format(row.amount, "f"), format(row.balance, "f")) for row in rows
    ]


def test_times_have_four_decimals_and_no_zone(quiet: Scenario) -> None:
    line, row = read(quiet.exchange.ledgers_csv("main"))[0], quiet.exchange.account("main").ledger.rows[0]
    assert line["time"].startswith("2026-03-01 11:59:59.") or line["time"].startswith("2026-03-01 12:00:00.")
    assert line["time"].rpartition(".")[2] == f"{row.ticks % 10**7:07d}"[:4]


def test_positions_are_marked_open_or_closed(quiet: Scenario) -> None:
    quiet.exchange.liquidate("main", "XRPUSD")
    lines = {line["txid"]: line for line in read(quiet.exchange.trades_csv("main"))}
    for position in quiet.exchange.account("main").positions.values():
        assert lines[position.id]["posstatuscode"] == ("o" if position.is_open else "c")
        assert all(lines[each]["posttxid"] == position.id for each in position.closing_trades)


def test_wallets_are_named(quiet: Scenario) -> None:
    wallets = {line["asset"]: line["wallet"] for line in read(quiet.exchange.ledgers_csv("main"))}
    assert (wallets["XXBT"], wallets["XBT.F"], wallets["ETH.B"], wallets["DOT28.S"], wallets["EUR.HOLD"]) == (
        "spot / main", "earn / flexible", "earn / bonded", "earn / bonded", "spot / hold",
    )  # fmt: skip


def test_modern_files_use_slashes_and_new_names(quiet: Scenario) -> None:
    pairs = {line["pair"] for line in read(quiet.exchange.trades_csv("main", modern=True))}
    assert {"BTC/USD", "DOGE/USD"} <= pairs
    kinds = {line["type"] for line in read(quiet.exchange.ledgers_csv("main", modern=True))}
    assert "margin trade" in kinds
    assert "margin" not in kinds


async def test_an_export_over_http_is_cut_to_the_asked_window(client: Client, quiet: Scenario) -> None:
    rows = quiet.exchange.account("main").ledger.rows
    start = rows[20].ticks // 10**7
    made = await client.read("AddExport", report="ledgers", description="d", starttm=start)
    packed = (await client.raw("RetrieveExport", id=made["id"])).content
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        lines = read(archive.read("ledgers.csv").decode())
    assert [line["txid"] for line in lines] == [row.id for row in rows if row.ticks >= start * 10**7]


async def test_a_failed_retrieval_is_json_with_http_200(client: Client) -> None:
    answer = await client.raw("RetrieveExport", id="NONE")
    assert (answer.status_code, answer.json()) == (200, {"error": ["EExport:Unknown report"]})


async def test_a_tsv_has_tabs(client: Client) -> None:
    made = await client.read("AddExport", report="trades", description="d", format="TSV")
    packed = (await client.raw("RetrieveExport", id=made["id"])).content
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert archive.read("trades.tsv").startswith(b'"txid"\t"ordertxid"\t"pair"')
