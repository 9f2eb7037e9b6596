"""Two tables of millions of balances: the sieve and the judge, beside the bare scan and what others would write.

Half a percent of the keys are planted: missing on either side, off by little, by much, by exactly the tolerance, by one
unit more, with the other sign, in two rows that sum up, as a zero that the other side lacks. Each program runs in a
process of its own, so that its memory is its own. How many rows a side: ROWS=1000000 python3 dev.py bench tables
"""

import os
import resource
import subprocess
import sys
from collections.abc import Generator, Iterator
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import duckdb

from benchmarks.measured import Measured

ROWS = int(os.environ.get("ROWS", "10000000"))
EVERY = 2000
"""Of so many keys each kind of difference has one."""
_KEY = "'acct-' || (i // 100) AS account, 'A' || (i % 100) AS asset"
_AMOUNT = (
    "(CAST(1 + hash(i) % 1000000000000 AS DECIMAL(38, 18)) "
    "+ CAST(CAST(hash(i + 1) % 100000000 AS DECIMAL(18, 0)) * 0.00000001::DECIMAL(10, 8) AS DECIMAL(38, 18)))"
)
_KIND = f"i % {EVERY}"
_OTHER = f"""CASE {_KIND}
    WHEN 2 THEN {_AMOUNT} + 0.000000020000000000::DECIMAL(38, 18)
    WHEN 3 THEN {_AMOUNT} + 1
    WHEN 4 THEN {_AMOUNT} + 0.000000010000000000::DECIMAL(38, 18)
    WHEN 5 THEN {_AMOUNT} + 0.000000010000000001::DECIMAL(38, 18)
    WHEN 6 THEN -{_AMOUNT}
    WHEN 7 THEN {_AMOUNT} - 1
    ELSE {_AMOUNT} END"""
_DIFFER = "(0, 1, 2, 3, 5, 6, 7)"
"""Kinds that are discrepancies: exactly the tolerance agrees, and so does a zero that the other side lacks."""


def run() -> Iterator[Measured]:
    """Measure a scan, both sieves, and every peer that is installed."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        _planted(folder)
        scan, _ = yield from _ran("the scan of the same columns", [sys.executable, "-c", _SCAN, name])
        for sieve in ("hash", "exact"):
            command = [sys.executable, "-m", "gal_friday", *_compare(folder), "--sieve", sieve]
            seconds, _ = yield from _ran(f"compared, sieve by {sieve}", command, "1600" if sieve == "hash" else "")
            yield Measured(f"  of it, the scan fits so often (sieve by {sieve})", seconds / scan, "×", "8")
            wrong, missed = _held(folder)
            yield Measured("  false / missed keys", wrong + missed, "", "0")
        for peer, code in (("polars", _POLARS), ("datacompy", _DATACOMPY)):
            if find_spec(peer) is not None:
                yield from _ran(peer, [sys.executable, "-c", code, name])


def _planted(folder: Path) -> None:
    zero = f"CASE WHEN {_KIND} = 8 THEN CAST(0 AS DECIMAL(38, 18)) ELSE {_AMOUNT} END"
    with duckdb.connect() as connection:
        for side, amount, lacks in (("internal", zero, "1"), ("exchange", _OTHER, "0, 8")):
            rows = f"SELECT {_KEY}, {amount} AS quantity FROM range({ROWS}) t(i) WHERE {_KIND} NOT IN ({lacks})"
            if side == "exchange":
                again = f"SELECT {_KEY}, CAST(1 AS DECIMAL(38, 18)) FROM range({ROWS}) t(i) WHERE {_KIND} = 7"
                rows = f"{rows} UNION ALL {again}"
            connection.execute(f"COPY ({rows}) TO '{folder}/{side}.parquet' (FORMAT parquet)")


def _compare(folder: Path) -> list[str]:
    files = [str(folder / f"{side}.parquet") for side in ("internal", "exchange")]
    return ["compare", *files, "--findings", str(folder / "found.parquet"), "--exit-zero"]


def _held(folder: Path) -> tuple[int, int]:
    """Return how many keys were found and not planted, and planted and not found."""
    found = f"SELECT DISTINCT account, asset FROM '{folder}/found.parquet'"
    planted = f"SELECT {_KEY} FROM range({ROWS}) t(i) WHERE {_KIND} IN {_DIFFER}"
    with duckdb.connect() as connection:
        (wrong,), (missed,) = (
            connection.execute(f"SELECT count(*) FROM (({one}) EXCEPT ({other}))").fetchall()[0]
            for one, other in ((found, planted), (planted, found))
        )
    return int(wrong), int(missed)


def _ran(what: str, command: list[str], bar: str = "") -> Generator[Measured, None, tuple[float, float]]:
    """Run a program; yield its seconds and its memory, and return both."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    began = perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    seconds = perf_counter() - began
    # The largest of all that ran so far: each program here takes more than the one before, or its number is a bound.
    megabytes = max(before, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) / 1024
    yield Measured(f"{ROWS} rows a side: {what}", seconds, "s")
    yield Measured("  memory, at the most", megabytes, "MB", bar)
    return seconds, megabytes


_SCAN = """
import duckdb, sys
for side in ("internal", "exchange"):
    columns = "count(account), count(asset), sum(hash(quantity))"
    duckdb.execute(f"SELECT {columns} FROM '{sys.argv[1]}/{side}.parquet'").fetchall()
"""
_POLARS = """
import polars as pl, sys
ours, theirs = (pl.scan_parquet(f"{sys.argv[1]}/{side}.parquet") for side in ("internal", "exchange"))
rows = pl.concat([ours, theirs.with_columns(-pl.col("quantity"))])
found = rows.group_by("account", "asset").agg(pl.col("quantity").sum()).filter(pl.col("quantity").abs() > 0)
print(found.collect(engine="streaming").height)
"""
_DATACOMPY = """
import datacompy, polars as pl, sys
ours, theirs = (pl.read_parquet(f"{sys.argv[1]}/{side}.parquet") for side in ("internal", "exchange"))
print(datacompy.PolarsCompare(ours, theirs, join_columns=["account", "asset"], abs_tol=1e-8).matches())
"""
