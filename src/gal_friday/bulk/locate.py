"""On which line of its file a row stands that cannot be read: looked up afterwards, in the files that have such rows.

An engine reads a file in pieces, by several hands, and counts no lines. Rows of which there are several that say the
same are told by their lines in the order of the file.
"""

import csv
import gzip
import json
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

from msgspec import Struct
from msgspec.structs import replace

from gal_friday.bulk.duck_words import LOST, DuckWords
from gal_friday.bulk.forms import UNSAID, Form, Holds
from gal_friday.bulk.layout import Layout, RecordLayout
from gal_friday.bulk.rows import Rejected, said_by, said_by_record
from gal_friday.bulk.source import CSV, FOLDERS, PARQUET, SQLITE, Source, between, is_remote, quoted_file
from gal_friday.bulk.sqlite import rows_of
from gal_friday.domain.assets import Asset
from gal_friday.domain.records import Kind
from gal_friday.domain.snapshot import Side

Cells = Mapping[str, str | None]


class Balances(Struct, frozen=True):
    """A side's table of balances."""

    source: Source
    layout: Layout
    names: Mapping[str, Asset]
    account: str
    """Whose they are, where the table names none."""

    @property
    def columns(self) -> Sequence[str]:
        """The columns that are read."""
        return tuple(self.layout.columns)

    def called(self, cells: Cells) -> Iterator[str]:
        """Yield what a row is called where it is refused: with its price, and without."""
        layout = self.layout
        asset = cells.get(layout.asset) or ""
        asset, text = self.names.get(asset, asset), cells.get(layout.quantity)
        account = self.account if layout.whose is None else cells.get(layout.whose)
        if layout.price:
            yield said_by(account, asset, text, cells.get(layout.price))
        yield said_by(account, asset, text)
        if layout.whose is None:
            yield said_by(None, asset, text)


class Records(Struct, frozen=True):
    """A side's table of one kind of record."""

    source: Source
    layout: RecordLayout
    names: Mapping[str, Asset]
    form: Form

    @property
    def columns(self) -> Sequence[str]:
        """The columns that are read, where the table has them."""
        own = [self.layout.columns.get(one, one) for one in self.form.columns]
        return own if self.layout.whose is None else [self.layout.whose, *own]

    def called(self, cells: Cells) -> Iterator[str]:
        """Yield what a row is called where it is refused."""
        whose = self.layout.whose
        account = self.layout.sole if whose is None else cells.get(whose)
        yield said_by_record(account, [self._cell(one, holds, cells) for one, holds in self.form.columns.items()])

    def _cell(self, one: str, holds: Holds, cells: Cells) -> str:
        text = cells.get(self.layout.columns.get(one, one)) or UNSAID.get(one, "")
        match holds:
            case Holds.ASSET:
                return self.names.get(text, text)
            case Holds.FLAG:
                return text.lower()
            case _:
                return text


class Locator:
    """Knows how the tables of both sides are laid out."""

    def __init__(self, tables: Mapping[tuple[Side, Kind], Balances | Records]) -> None:
        """Take those that are files."""
        self._tables = tables

    def located(self, some: Sequence[Rejected]) -> list[Rejected]:
        """Return these rows with their lines, as far as they can be told."""
        lines: dict[_Said, deque[int]] = {}
        unknown = Counter(_said(one) for one in some if one.line is None)
        for side, kind, file in {said[:3] for said in unknown}:
            wanted = Counter({said[3]: count for said, count in unknown.items() if said[:3] == (side, kind, file)})
            for content, line in _lines(self._tables.get((side, kind)), file, wanted):
                lines.setdefault((side, kind, file, content), deque()).append(line)
        return [_with_line(one, lines) for one in some]


_Said = tuple[Side, Kind, str, str]


def _said(one: Rejected) -> _Said:
    return one.side, one.kind, one.file, one.content


def _lines(table: Balances | Records | None, file: str, wanted: Counter[str]) -> Iterator[tuple[str, int]]:
    """Yield what is wanted with the lines that say it, until nothing is left."""
    if table is None or is_remote(file) or file not in table.source.files:
        return
    for line, cells in _rows(table, file):
        for content in table.called(cells):
            if wanted[content] > 0:
                wanted[content] -= 1
                yield content, line
                if not +wanted:
                    return
                break


def _with_line(one: Rejected, lines: Mapping[_Said, deque[int]]) -> Rejected:
    known = lines.get(_said(one)) if one.line is None else None
    return replace(one, line=known.popleft()) if known else one


def _rows(table: Balances | Records, file: str) -> Iterator[tuple[int, Cells]]:
    source = table.source
    if source.format == PARQUET:
        yield from _of_parquet(file, table.columns)
    elif source.format == SQLITE:
        if isinstance(table, Balances):  # records are not read from there
            yield from enumerate(rows_of(replace(source, files=(file,)), table.layout), start=1)
    elif not file.lower().endswith(".zst"):
        with _opened(file) as lines:
            yield from _of_csv(lines, between(source)) if source.format == CSV else _of_json(lines)


def _opened(file: str) -> TextIO:
    if file.lower().endswith(".gz"):
        return gzip.open(file, "rt", encoding="utf-8-sig", errors="replace", newline="")
    return Path(file).open(encoding="utf-8-sig", errors="replace", newline="")


def _of_csv(lines: Iterable[str], delimiter: str) -> Iterator[tuple[int, Cells]]:
    rows = csv.reader(lines, delimiter=delimiter)
    head: list[str] = []
    before = 0
    for cells in rows:
        line, before = before + 1, rows.line_num
        if not head:
            head = cells
        elif len(cells) == len(head):
            yield line, dict(zip(head, cells, strict=True))


def _of_json(lines: Iterable[str]) -> Iterator[tuple[int, Cells]]:
    for number, line in enumerate(lines, start=1):
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(row, dict):
            yield number, {name: _text(value) for name, value in row.items()}


def _text(value: Any) -> str | None:
    """Return a value as the engine hands it over."""
    if value is None or isinstance(value, str):
        return value
    said = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return said if type(value) in (int, bool) else f"{said}{LOST}"


def _of_parquet(file: str, columns: Sequence[str]) -> Iterator[tuple[int, Cells]]:
    import duckdb  # whoever refused a row of Parquet has it

    words = DuckWords()
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        read = f"read_parquet({quoted_file(file)}, file_row_number = true, {FOLDERS})"
        kinds = {name: str(kind) for name, kind, *_ in connection.execute(f"DESCRIBE SELECT * FROM {read}").fetchall()}
        there = [one for one in columns if one in kinds]
        chosen = ", ".join(words.instant_text(one, kinds[one]) for one in there)
        found = connection.execute(f"SELECT file_row_number, {chosen} FROM {read}")
        while rows := found.fetchmany(10_000):
            for number, *cells in rows:
                yield number + 1, dict(zip(there, cells, strict=True))
