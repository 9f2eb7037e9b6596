"""One program each, by its name: the bare scan, and what others would write to find the keys that differ.

    python benchmarks/bulk/programs.py NAME FOLDER

It reads internal.parquet and exchange.parquet, and writes the keys that it finds to NAME.parquet. Tolerance is 10^-8,
inclusive, and what is absent counts as zero. A script that imports nothing of this project: it runs in the environment
of requirements/peers.lock, and only what it needs there is loaded.
"""

import csv
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

SIDES = ("internal", "exchange")
KEY = ["account", "asset"]
TOLERANCE = "0.00000001"


def scan(folder: str) -> None:
    """Read every value of every column, and do no more: without the hashes DuckDB would not look at all of them."""
    import duckdb

    read = "bit_xor(hash(account)), bit_xor(hash(asset)), bit_xor(hash(quantity))"
    for side in SIDES:
        duckdb.execute(f"SELECT {read} FROM '{folder}/{side}.parquet'").fetchall()


def scan_moved(folder: str) -> None:
    """Read every value of the movements of both sides, and do no more."""
    import duckdb

    names = ("account", "movement_id", "kind", "asset", "amount", '"at"')
    read = ", ".join(f"bit_xor(hash({name}))" for name in names)
    for side in SIDES:
        duckdb.execute(f"SELECT {read} FROM '{folder}/moved_{side}.parquet'").fetchall()


def duckdb_union(folder: str) -> None:
    """Both sides one below the other, summed by key."""
    ours, theirs = (f"FROM '{folder}/{side}.parquet'" for side in SIDES)
    _by_duckdb(
        folder,
        "duckdb_union",
        f"SELECT account, asset FROM (SELECT account, asset, quantity {ours} UNION ALL "
        f"SELECT account, asset, -quantity {theirs}) GROUP BY ALL HAVING abs(sum(quantity)) > {TOLERANCE}",
    )


def duckdb_join(folder: str) -> None:
    """Both sides side by side."""
    ours, theirs = (f"'{folder}/{side}.parquet'" for side in SIDES)
    _by_duckdb(
        folder,
        "duckdb_join",
        f"SELECT account, asset FROM {ours} AS ours FULL JOIN {theirs} AS theirs USING (account, asset) "
        f"WHERE abs(coalesce(ours.quantity, 0) - coalesce(theirs.quantity, 0)) > {TOLERANCE}",
    )


def _by_duckdb(folder: str, name: str, statement: str) -> None:
    import duckdb

    with duckdb.connect(config={"preserve_insertion_order": False}) as connection:
        connection.execute(f"COPY ({statement}) TO '{folder}/{name}.parquet' (FORMAT parquet)")


def polars_streaming(folder: str) -> None:
    """Both sides one below the other, summed by key, piece by piece."""
    import polars as pl  # type: ignore[import-not-found]

    ours, theirs = (pl.scan_parquet(f"{folder}/{side}.parquet") for side in SIDES)
    rows = pl.concat([ours, theirs.with_columns(-pl.col("quantity"))])
    summed = rows.group_by(KEY).agg(pl.col("quantity").sum())
    found = summed.filter(pl.col("quantity").abs() > pl.lit(Decimal(TOLERANCE))).select(KEY)
    found.collect(engine="streaming").write_parquet(f"{folder}/polars_streaming.parquet")


def polars_join(folder: str) -> None:
    """Both sides side by side, in memory."""
    import polars as pl

    ours, theirs = (pl.scan_parquet(f"{folder}/{side}.parquet") for side in SIDES)
    zero = pl.lit(Decimal(0), dtype=pl.Decimal(38, 18))
    difference = pl.col("quantity").fill_null(zero) - pl.col("quantity_right").fill_null(zero)
    both = ours.join(theirs, on=KEY, how="full", coalesce=True)
    found = both.filter(difference.abs() > pl.lit(Decimal(TOLERANCE))).select(KEY)
    found.collect().write_parquet(f"{folder}/polars_join.parquet")


def pandas_decimal(folder: str) -> None:
    """Both sides side by side, amounts as Python's Decimal."""
    import pandas as pd  # type: ignore[import-untyped]

    ours, theirs = (pd.read_parquet(f"{folder}/{side}.parquet") for side in SIDES)
    both = ours.merge(theirs, on=KEY, how="outer")
    one, other = (both[name].where(both[name].notna(), Decimal(0)) for name in ("quantity_x", "quantity_y"))
    both[(one - other).abs() > Decimal(TOLERANCE)][KEY].to_parquet(f"{folder}/pandas_decimal.parquet")


def datacompy_polars(folder: str) -> None:
    """DataComPy on Polars."""
    import datacompy  # type: ignore[import-not-found]
    import polars as pl

    ours, theirs = (pl.read_parquet(f"{folder}/{side}.parquet") for side in SIDES)
    told = datacompy.PolarsCompare(ours, theirs, join_columns=KEY, abs_tol=float(TOLERANCE))
    unlike = told.intersect_rows.filter(~pl.col("quantity_match"))
    found = [each.select(KEY) for each in (told.df1_unq_rows, told.df2_unq_rows, unlike)]
    pl.concat(found).write_parquet(f"{folder}/datacompy_polars.parquet")


def datacompy_pandas(folder: str) -> None:
    """DataComPy on pandas."""
    import datacompy
    import pandas as pd

    ours, theirs = (pd.read_parquet(f"{folder}/{side}.parquet") for side in SIDES)
    told = datacompy.PandasCompare(ours, theirs, join_columns=KEY, abs_tol=float(TOLERANCE))
    unlike = told.intersect_rows[~told.intersect_rows["quantity_match"]]
    found = [each[KEY] for each in (told.df1_unq_rows, told.df2_unq_rows, unlike)]
    pd.concat(found).to_parquet(f"{folder}/datacompy_pandas.parquet")


def plain_dict(folder: str) -> None:
    """Python alone: two dicts of Decimal."""
    import duckdb

    held: list[dict[tuple[str, str], Decimal]] = [{}, {}]
    for side, amounts in zip(SIDES, held, strict=True):
        rows = duckdb.execute(f"SELECT account, asset, quantity FROM '{folder}/{side}.parquet'")
        while some := rows.fetchmany(10_000):
            for account, asset, amount in some:
                key = (account, asset)
                # A sum with zero would be one of Python's 28 digits.
                amounts[key] = amounts[key] + amount if key in amounts else amount
    ours, theirs = held
    found = [
        key
        for key in ours.keys() | theirs.keys()
        if abs(ours.get(key, Decimal(0)) - theirs.get(key, Decimal(0))) > Decimal(TOLERANCE)
    ]
    written = Path(folder) / "plain_dict.csv"
    with written.open("w", newline="") as file:
        csv.writer(file).writerows([KEY, *found])
    duckdb.execute(f"COPY (FROM '{written}') TO '{written.with_suffix('.parquet')}' (FORMAT parquet)")


ALL: dict[str, Callable[[str], None]] = {
    one.__name__: one
    for one in (
        scan,
        scan_moved,
        duckdb_union,
        duckdb_join,
        polars_streaming,
        polars_join,
        pandas_decimal,
        datacompy_polars,
        datacompy_pandas,
        plain_dict,
    )
}

if __name__ == "__main__":
    ALL[sys.argv[1]](sys.argv[2])
