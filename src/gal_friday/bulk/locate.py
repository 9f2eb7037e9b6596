"""On which line of its file a row stands that cannot be read: looked up afterwards, in the files that have such rows.

An engine reads a file in pieces, by several hands, and counts no lines. Rows of which there are several that say the
same are told by their lines in the order of the file.
"""

import csv
import gzip
import json
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

from msgspec.structs import replace

from gal_friday.bulk.duck_words import LOST
from gal_friday.bulk.layout import Layout
from gal_friday.bulk.rows import Rejected, said_by
from gal_friday.bulk.source import CSV, FOLDERS, PARQUET, SQLITE, Source, between, is_remote, named, quoted_file
from gal_friday.bulk.sqlite import rows_of
from gal_friday.domain.assets import Asset
from gal_friday.domain.snapshot import Side

Cells = Mapping[str, str | None]


class Locator:
    """Knows how both sides are laid out."""

    def __init__(
        self,
        sources: Mapping[Side, Source],
        layouts: Mapping[Side, Layout],
        names: Callable[[Side], Mapping[str, Asset]],
        account: str,
    ) -> None:
        """Take what is read; *account* is that of tables that name none."""
        self._sources, self._layouts, self._names, self._account = sources, layouts, names, account

    def located(self, some: Sequence[Rejected]) -> list[Rejected]:
        """Return these rows with their lines, as far as they can be told."""
        lines: dict[tuple[Side, str, str], deque[int]] = {}
        for side, file in {(one.side, one.file) for one in some if one.line is None}:
            wanted = Counter(one.content for one in some if one.line is None and (one.side, one.file) == (side, file))
            for content, line in self._lines(side, file, wanted):
                lines.setdefault((side, file, content), deque()).append(line)
        return [_with_line(one, lines) for one in some]

    def _lines(self, side: Side, file: str, wanted: Counter[str]) -> Iterator[tuple[str, int]]:
        """Yield what is wanted with the lines that say it, until nothing is left."""
        source = self._sources.get(side)
        if source is None or is_remote(file) or file not in source.files:
            return
        for line, cells in _rows(source, file, self._layouts[side]):
            for content in self._contents(side, cells):
                if wanted[content] > 0:
                    wanted[content] -= 1
                    yield content, line
                    if not +wanted:
                        return
                    break

    def _contents(self, side: Side, cells: Cells) -> Iterator[str]:
        """Yield what the row is called where it is refused: with its price, and without."""
        layout, names = self._layouts[side], self._names(side)
        asset = cells.get(layout.asset) or ""
        asset, text = names.get(asset, asset), cells.get(layout.quantity)
        account = self._account if layout.whose is None else cells.get(layout.whose)
        if layout.price:
            yield said_by(account, asset, text, cells.get(layout.price))
        yield said_by(account, asset, text)
        if layout.whose is None:
            yield said_by(None, asset, text)


def _with_line(one: Rejected, lines: Mapping[tuple[Side, str, str], deque[int]]) -> Rejected:
    known = lines.get((one.side, one.file, one.content)) if one.line is None else None
    return replace(one, line=known.popleft()) if known else one


def _rows(source: Source, file: str, layout: Layout) -> Iterator[tuple[int, Cells]]:
    if source.format == PARQUET:
        yield from _of_parquet(file, layout.columns)
    elif source.format == SQLITE:
        yield from enumerate(rows_of(replace(source, files=(file,)), layout), start=1)
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

    chosen = ", ".join(f"CAST({named(one)} AS VARCHAR)" for one in columns)
    with duckdb.connect() as connection:
        read = f"read_parquet({quoted_file(file)}, file_row_number = true, {FOLDERS})"
        found = connection.execute(f"SELECT file_row_number, {chosen} FROM {read}")
        while rows := found.fetchmany(10_000):
            for number, *cells in rows:
                yield number + 1, dict(zip(columns, cells, strict=True))
