"""Tables as Parquet, made from lines."""

from collections.abc import Sequence
from pathlib import Path

import duckdb

from gal_friday.bulk.source import quoted
from tests.bulk.worlds import Line, written


def parquet(path: Path, lines: Sequence[Line], kind: str = "VARCHAR") -> str:
    """Write these lines, their amounts as this type of DuckDB, and return the name of the file."""
    text = path.with_suffix(".csv")
    written(text, lines)
    kinds = f"{{'account': 'VARCHAR', 'asset': 'VARCHAR', 'wallet': 'VARCHAR', 'quantity': '{kind}'}}"
    read = f"read_csv({quoted(str(text))}, columns = {kinds}, header = true, delim = ',', quote = '\"', nullstr = '∅')"
    duckdb.sql(f"COPY (SELECT * FROM {read}) TO {quoted(str(path))} (FORMAT parquet)")
    return str(path)
