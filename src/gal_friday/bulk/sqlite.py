"""Tables of SQLite, read row by row: it has no exact type, and says of each value alone what it is.

Amounts are exact as texts and as whole numbers. A column of REAL, DECIMAL or NUMERIC is refused: whatever is written to
it passes through floating point, and may come out as a whole number that looks exact.
"""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from gal_friday.bulk.errors import EngineFailed, UnusableTable
from gal_friday.bulk.layout import Layout
from gal_friday.bulk.source import FILE, Source, named

# The world's doing, and not the table's. Codes of SQLite have what exactly it was above these bits.
_FAILED = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL, sqlite3.SQLITE_NOMEM}
_CODE = 0xFF


def columns_of(source: Source, layout: Layout) -> Sequence[str]:
    """Return the columns that the table has in every file.

    Raises:
        UnusableTable: a file is no database of SQLite or has no such table, or amounts are not exact there.
    """
    found: list[str] = []
    for at, file in enumerate(source.files):
        kinds = dict(_rows(source, file, "SELECT name, type FROM pragma_table_xinfo(?)", source.table))
        if not kinds:
            raise UnusableTable(f"{file} has no table {source.table}; name one that it has behind the #")
        for column in filter(None, (layout.quantity, layout.price)):
            if not _is_exact(kinds.get(column, "")):
                raise UnusableTable(
                    f"{source.table} in {file}: column {column} is one of {kinds[column]}, which SQLite keeps as "
                    "floating point, so that digits are lost already; write amounts to a column of TEXT"
                )
        found = [name for name in found if name in kinds] if at else list(kinds)
    return found


def names_in(source: Source) -> Iterator[str]:
    """Yield what columns of the table are called, in any file."""
    for file in source.files:
        for name, _ in _rows(source, file, "SELECT name, type FROM pragma_table_xinfo(?)", source.table):
            yield name


def _is_exact(declared: str) -> bool:
    """Say whether a column declared so keeps texts or whole numbers as they are: SQLite looks for these words."""
    return not declared or any(word in declared.upper() for word in ("INT", "CHAR", "CLOB", "TEXT", "BLOB"))


def rows_of(source: Source, layout: Layout) -> Iterator[Mapping[str, str | None]]:
    """Yield the rows, in each file those of one moment, as texts by column, with their ``FILE``.

    Raises:
        UnusableTable: an amount is a number of floating point.
        EngineFailed: a database is locked, or cannot be read to its end.
    """
    amounts = (layout.quantity, layout.price)
    chosen = ", ".join(map(named, layout.columns))
    for file in source.files:
        rows = _rows(source, file, f"SELECT {chosen} FROM {named(source.table)}")
        for number, row in enumerate(rows, start=1):
            told: dict[str, str | None] = {FILE: file}
            for column, value in zip(layout.columns, row, strict=True):
                if type(value) is float and column in amounts:
                    raise UnusableTable(
                        f"{source.table} in {file}: column {column} holds {value!r} in row {number}, a number of "
                        "floating point, whose digits are lost already; write amounts as texts"
                    )
                told[column] = _text(value)
            yield told


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return f"x'{value.hex()}'" if isinstance(value, bytes) else str(value)


def _rows(source: Source, file: str, statement: str, *given: str) -> Iterator[tuple[Any, ...]]:
    try:
        with closing(sqlite3.connect(f"{Path(file).absolute().as_uri()}?mode=ro", uri=True)) as connection:
            yield from connection.execute(statement, given)
    except sqlite3.Error as error:
        failed = getattr(error, "sqlite_errorcode", 0) & _CODE in _FAILED
        kind = EngineFailed if failed else UnusableTable
        raise kind(f"{source.table} in {file} cannot be read: {error}; see to the file, and compare again") from error
