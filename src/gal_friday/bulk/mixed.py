"""Files of one table that keep amounts in different types: what DuckDB makes of them together may have lost digits.

Of DECIMAL(38, 0) in one file and DECIMAL(38, 36) in the other it makes DECIMAL(38, 0), and of floating point beside
text it makes text.
"""

import re
from collections.abc import Collection, Iterable, Mapping

from gal_friday.bulk.errors import UnusableTable
from gal_friday.bulk.source import Source, quoted, quoted_file

INEXACT = {"FLOAT", "DOUBLE", "REAL"}
"""Types of DuckDB in which digits are lost already."""
_PLACES = re.compile(r"DECIMAL\(\d+,\s*(\d+)\)")


def kinds_in_files(source: Source, columns: Collection[str]) -> str:
    """Return the statement that yields of Parquet these columns, each kind that they have, and a file of that kind."""
    files = ", ".join(map(quoted_file, source.files))
    some = ", ".join(quoted(one.lower()) for one in columns)
    return (
        f"SELECT name, duckdb_type, min(file_name) FROM parquet_schema([{files}]) "
        f"WHERE lower(name) IN ({some}) AND duckdb_type IS NOT NULL GROUP BY ALL ORDER BY ALL"
    )


def refuse_lossy(source: Source, found: Iterable[tuple[str, str, str]], together: Mapping[str, str]) -> None:
    """Raise where a file says more of an amount than all of them *together* keep.

    Raises:
        UnusableTable: digits would be lost.
    """
    for name, kind, file in found:
        whole = {column.lower(): one for column, one in together.items()}.get(name.lower(), kind)
        if (kind in INEXACT and whole not in INEXACT) or (whole != "VARCHAR" and _places(kind) > _places(whole)):
            raise UnusableTable(
                f"{source.name}: column {name} is {kind} in {file}, and not in every file: read together they are "
                f"{whole}, and digits are lost; write all files with the same type, text or DECIMAL"
            )


def _places(kind: str) -> int:
    digits = _PLACES.fullmatch(kind)
    return int(digits[1]) if digits else 0
