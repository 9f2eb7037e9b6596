"""Tables that are large enough for Spark to change its mind about how it joins them, as it does in no small ones."""

import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from gal_friday.bulk.sieve import SIDES

ROWS = 2_000_000


@pytest.mark.timeout(900)
@pytest.mark.usefixtures("installed")
def test_no_account_falls_apart_on_its_way(tmp_path: Path) -> None:
    for number, side in enumerate(SIDES):
        amount = f"CAST(hash(i) % 1000000000000 + CASE WHEN i % 400 = 0 THEN {number} ELSE 0 END AS DECIMAL(38, 18))"
        rows = f"SELECT 'acct-' || (i // 100) AS account, 'A' || (i % 100) AS asset, {amount} AS quantity"
        duckdb.sql(f"COPY ({rows} FROM range({ROWS}) t(i)) TO '{tmp_path}/{side}.parquet'")
    both = [f"{tmp_path}/{side}.parquet" for side in SIDES]
    for engine, more in (("duckdb", ()), ("spark", ("--master", "local[2]", "--memory", "2GB"))):
        given = ("--engine", engine, "--findings", f"{tmp_path}/{engine}.csv", *more)
        done = subprocess.run([sys.executable, "-m", "gal_friday", "compare", *both, *given], check=False)
        assert done.returncode == 1
    assert (tmp_path / "spark.csv").read_bytes() == (tmp_path / "duckdb.csv").read_bytes()
