"""Which engine sieves two tables, and a clear sentence where it cannot."""

import sys
from collections.abc import Sequence
from pathlib import Path

import duckdb
import pytest

from tests.cli.conftest import Run

FILES = ("ours.csv", "theirs.csv")


@pytest.mark.parametrize(
    "added, words",
    [
        (("--engine", "polars"), "--engine: 'polars' is none; there are duckdb and spark"),
        (("--master", "local"), "--master says where Spark runs; add --engine spark"),
        (("--engine", "spark"), "ours.csv is csv, and Spark is asked about Parquet; write the table as Parquet, or"),
    ],
)
def test_an_engine_is_one_that_there_is_and_reads_this(run: Run, added: Sequence[str], words: str) -> None:
    for name in FILES:
        Path(name).write_text("account,asset,quantity\na,BTC,1\n")
    outcome = run("compare", *FILES, *added)
    assert (outcome.status, outcome.out) == (2, "")
    assert words in outcome.err


def test_spark_that_is_not_installed_is_named_with_how_to_get_it(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyspark", None)
    duckdb.sql(f"COPY (SELECT 'a' AS account, 'BTC' AS asset, 1 AS quantity) TO '{tmp_path}/one.parquet'")
    outcome = run("compare", *[f"{tmp_path}/one.parquet"] * 2, "--engine", "spark")
    assert outcome.status == 2
    assert "Spark is not installed; install it: pip install 'gal-friday[spark]'" in outcome.err
