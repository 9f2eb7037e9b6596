"""Tables as Parquet, made from lines."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb

from gal_friday.bulk.forms import FORMS, Holds
from gal_friday.bulk.sieve import SIDES
from gal_friday.bulk.source import named, quoted
from tests.bulk.record_worlds import RecordWorld, files_of
from tests.bulk.worlds import Line, written


def parquet(path: Path, lines: Sequence[Line], kind: str = "VARCHAR") -> str:
    """Write these lines, their amounts as this type of DuckDB, and return the name of the file."""
    text = path.with_suffix(".csv")
    written(text, lines)
    kinds = f"{{'account': 'VARCHAR', 'asset': 'VARCHAR', 'wallet': 'VARCHAR', 'quantity': '{kind}'}}"
    read = f"read_csv({quoted(str(text))}, columns = {kinds}, header = true, delim = ',', quote = '\"', nullstr = '∅')"
    duckdb.sql(f"COPY (SELECT * FROM {read}) TO {quoted(str(path))} (FORMAT parquet)")
    return str(path)


def records(world: RecordWorld, folder: Path, kinds: Mapping[Holds, str]) -> None:
    """Write balances and records as Parquet, cells of these *kinds* as these types of DuckDB and all others as text."""
    files_of(world, folder)
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'Asia/Tokyo'")
        for side in SIDES:
            _as_parquet(connection, folder / f"{side}.csv", {"quantity": kinds.get(Holds.AMOUNT, "VARCHAR")})
            for name, form in FORMS.items():
                typed = {one: kinds[holds] for one, holds in form.columns.items() if holds in kinds}
                _as_parquet(connection, folder / f"{name}_{side}.csv", typed)


def _as_parquet(connection: duckdb.DuckDBPyConnection, path: Path, typed: Mapping[str, str]) -> None:
    cast = ", ".join(f"CAST({named(one)} AS {kind}) AS {named(one)}" for one, kind in typed.items())
    read = f"read_csv({quoted(str(path))}, all_varchar = true, header = true)"
    rows = f"SELECT * {f'REPLACE ({cast})' if cast else ''} FROM {read}"
    connection.execute(f"COPY ({rows}) TO {quoted(str(path.with_suffix('.parquet')))} (FORMAT parquet)")
