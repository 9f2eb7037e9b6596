"""Columns whose types or names are not what one expects are read as what they say, or refused with the way out."""

from pathlib import Path

import duckdb
import pytest

from tests.cli.conftest import Run
from tests.cli.two_tables import table

THEIRS = ("account,asset,quantity", "a,BTC,1")


@pytest.mark.parametrize("asset", ["['BTC']", "{'name': 'BTC'}", "MAP {'name': 'BTC'}"])
def test_a_column_of_lists_or_structures_is_no_name(run: Run, tmp_path: Path, asset: str) -> None:
    ours = tmp_path / "ours.parquet"
    duckdb.execute(f"COPY (SELECT 'a' AS account, {asset} AS asset, '1' AS quantity) TO '{ours}'")
    outcome = run("compare", str(ours), table(tmp_path / "theirs.csv", THEIRS))
    assert (outcome.status, f"{ours}: column asset holds " in outcome.err) == (2, True), outcome.err
    assert "and not one text in each row; write it as text" in outcome.err


def test_nor_is_one_of_records(run: Run, tmp_path: Path) -> None:
    moved = tmp_path / "moved.parquet"
    row = "'a' AS account, ['L1'] AS movement_id, 'reward' AS kind, 'BTC' AS asset, '1' AS amount, '2026-01-01' AS at"
    duckdb.execute(f"COPY (SELECT {row}) TO '{moved}'")
    balances = table(tmp_path / "theirs.csv", THEIRS)
    outcome = run("compare", balances, balances, "--movements", str(moved), str(moved))
    assert (outcome.status, f"{moved}: column movement_id holds VARCHAR[]" in outcome.err) == (2, True), outcome.err


def test_a_column_may_be_called_filename(run: Run, tmp_path: Path) -> None:
    lines = ("account,filename,quantity", "a,BTC,1", "a,ETH,x")
    ours, theirs = (table(tmp_path / f"{side}.csv", lines) for side in ("ours", "theirs"))
    outcome = run("compare", ours, theirs, "--key", "account,asset=filename", "--json")
    first = outcome.json()["first_rejected"][0]
    assert (outcome.status, first["file"], first["line"]) == (3, ours, 3)


def test_a_column_without_any_value_holds_amounts_that_cannot_be_read(run: Run, tmp_path: Path) -> None:
    ours = tmp_path / "ours.parquet"
    duckdb.execute(f"COPY (SELECT 'a' AS account, 'BTC' AS asset, NULL AS quantity) TO '{ours}'")
    outcome = run("compare", str(ours), table(tmp_path / "theirs.csv", THEIRS))
    assert outcome.status == 3, (outcome.out, outcome.err)


def test_json_may_say_true_as_such(run: Run, tmp_path: Path) -> None:
    fill = (
        '{"account":"a","fill_id":"f1","order_id":"o1","instrument":"BTC/USD","side":"buy","quantity":"1","price":"2",'
        '"fee":"0","fee_asset":"USD","at":"2026-01-01T00:00:00Z","margin":true}'
    )
    ours, theirs = (table(tmp_path / f"{side}-fills.jsonl", (fill,)) for side in ("ours", "theirs"))
    balances = table(tmp_path / "balances.csv", THEIRS)
    outcome = run("compare", balances, balances, "--fills", ours, theirs)
    assert outcome.status == 0, (outcome.out, outcome.err)
