"""DuckDB on one machine: reads both sides, asks the one question, and hands over what survives."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from gal_friday.bulk.errors import EngineMissing, UnusableTable
from gal_friday.bulk.layout import Layout
from gal_friday.bulk.relation import relation
from gal_friday.bulk.rows import Rejected, Row, Total, Totals
from gal_friday.bulk.sieve import KEY, SIDES, question
from gal_friday.bulk.source import CSV, Source, quoted, reader
from gal_friday.domain import quantity
from gal_friday.domain.assets import Asset
from gal_friday.domain.snapshot import Side

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_AT_ONCE = 10_000
_SHOWN = 1_000
"""Rejected rows that are kept with their content; all of them are counted."""
_HASHED = "hash(account, asset, wallet)"


class Limits(Struct, frozen=True, kw_only=True):
    """What DuckDB may take."""

    memory: str | None = None
    """As DuckDB writes it: 4GB. It takes up to half as much more at its peak."""
    spill: Path | None = None
    """Where it puts what does not fit; a folder of its own beside other temporary files without it."""
    threads: int | None = None


class Duck:
    """An engine; used as a context, at whose end everything it kept is gone."""

    name = "duckdb"

    def __init__(
        self,
        sources: Mapping[Side, Source],
        layouts: Mapping[Side, Layout],
        *,
        names: Mapping[str, Asset],
        exact: bool,
        limits: Limits,
    ) -> None:
        """Take what is to be read. *names* are the book's for assets; *exact* tells keys apart without a hash."""
        self._sources, self._layouts, self._names = sources, layouts, names
        self._exact, self._limits = exact, limits

    def __enter__(self) -> "Duck":
        """Open the engine, and look at both tables.

        Raises:
            EngineMissing: DuckDB is not installed.
            UnusableTable: a table cannot be read, or is not laid out like that.
        """
        try:
            import duckdb  # an extra: whoever compares accounts one by one need not have it
        except ModuleNotFoundError as error:
            raise EngineMissing("tables are compared by DuckDB; install it: pip install 'gal-friday[bulk]'") from error
        self._duckdb = duckdb
        self._stamps = {side: source.stamp() for side, source in self._sources.items()}
        with ExitStack() as stack:
            try:
                folder = stack.enter_context(TemporaryDirectory(prefix="gal-friday-", dir=self._limits.spill))
            except OSError as error:
                raise UnusableTable(
                    f"{self._limits.spill} cannot be written to: {error.strerror}; see --spill"
                ) from error
            self._connection = stack.enter_context(self._opened(folder))
            for side in SIDES:
                self._look_at(side)
            self._kept = stack.pop_all()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        """Close the engine and remove what it spilled."""
        self._kept.close()

    def totals(self, side: Side) -> Totals:
        """Return how many rows a side has of each asset, and the exact sum of those that the engine can hold."""
        whole = "trunc(amount)"
        rows = self._asked(
            f"SELECT asset, count(*), CAST(sum(CAST({whole} AS DECIMAL(38, 0))) AS VARCHAR), "
            f"CAST(sum(amount - {whole}) AS VARCHAR) FROM {side} GROUP BY asset ORDER BY asset"
        ).fetchall()
        return {
            asset or "": Total(count, quantity.add(quantity.reread(above or "0"), quantity.reread(below or "0")))
            for asset, count, above, below in rows
        }

    def accounts(self) -> int:
        """Return how many accounts there are, on either side."""
        one, other = (f"SELECT account FROM {side}" for side in SIDES)
        return int(self._asked(f"SELECT count(DISTINCT account) FROM ({one} UNION ALL {other})").fetchall()[0][0])

    def rejected(self, side: Side) -> tuple[int, Sequence[Rejected]]:
        """Return how many rows of a side name no key, and the first of them."""
        found = list(self._torn.get(side, ()))
        nameless = "account IS NULL OR asset IS NULL OR asset = ''" + (
            " OR account = ''" if self._layouts[side].account else ""
        )
        count = int(self._asked(f"SELECT count(*) FROM {side} WHERE {nameless}").fetchall()[0][0])
        rows = self._asked(f"SELECT * FROM {side} WHERE {nameless} LIMIT {_SHOWN}").fetchall() if count else []
        for account, asset, _, _, text, _, file in rows:
            reason = "it names no account" if not account and asset else "it names no asset"
            found.append(Rejected(side, file, None, reason, f"{account or ''}, {asset or ''}, {text or ''}"))
        return count + len(self._torn.get(side, ())), found[:_SHOWN]

    def survivors(self) -> Iterator[Row]:
        """Yield the rows of every key that did not pass, by key, the book's first.

        Raises:
            UnusableTable: a file was written to meanwhile.
        """
        by, named = (", ".join(KEY), ", ".join(KEY)) if self._exact else (f"{_HASHED} AS mark", "mark")
        ours, theirs = SIDES
        self._asked(f"CREATE TEMP TABLE survivors AS {question(ours, theirs, by=by, named=named)}")
        own = f"({named})" if self._exact else _HASHED
        chosen = " UNION ALL ".join(
            f"SELECT account, asset, wallet, '{side}' AS side, text, price, amount IS NOT NULL AS fits FROM {side} "
            f"WHERE {own} IN (SELECT {f'({named})' if self._exact else named} FROM survivors)"
            for side in SIDES
        )
        found = self._asked(f"SELECT * FROM ({chosen}) ORDER BY account, asset, wallet, side DESC, text")
        while rows := found.fetchmany(_AT_ONCE):
            yield from (Row(*row) for row in rows)
        for side, source in self._sources.items():
            if source.stamp() != self._stamps[side]:
                raise UnusableTable(f"{source.name} was written to while it was read; compare again when it is whole")

    def _opened(self, folder: str) -> "DuckDBPyConnection":
        # Its own order is not kept, which would take memory: what comes out is put in order at the end.
        chosen: dict[str, Any] = {"preserve_insertion_order": False, "temp_directory": folder}
        if self._limits.memory is not None:
            chosen["memory_limit"] = self._limits.memory
        if self._limits.threads is not None:
            chosen["threads"] = self._limits.threads
        try:
            return self._duckdb.connect(config=chosen)
        except self._duckdb.Error as error:
            raise UnusableTable(f"DuckDB does not begin with these limits: {_first_line(error)}") from error

    def _look_at(self, side: Side) -> None:
        source, layout = self._sources[side], self._layouts[side]
        table = reader(source, layout.columns)
        kinds = {name: kind for name, kind, *_ in self._asked(f"DESCRIBE SELECT * FROM {table}").fetchall()}
        self._asked(f"CREATE TEMP VIEW {side} AS {relation(table, source, layout, kinds, self._names_of(side))}")

    def _names_of(self, side: Side) -> Mapping[str, Asset]:
        return self._names if side == "internal" else {}

    @property
    def _torn(self) -> Mapping[Side, Sequence[Rejected]]:
        """Lines of CSV that are no rows of its table."""
        if not any(source.format == CSV for source in self._sources.values()):
            return {}
        sides = {file: side for side, source in self._sources.items() for file in source.files}
        query = (
            "SELECT DISTINCT file_path, line, error_message, csv_line FROM reject_errors "
            f"JOIN reject_scans USING (scan_id, file_id) ORDER BY ALL LIMIT {_SHOWN}"
        )
        found: dict[Side, list[Rejected]] = {}
        for file, line, reason, content in self._asked(query).fetchall():
            found.setdefault(sides[file], []).append(Rejected(sides[file], file, line, reason, content or ""))
        return found

    def _asked(self, statement: str) -> "DuckDBPyConnection":
        try:
            return self._connection.execute(statement)
        except self._duckdb.OutOfMemoryException as error:
            raise UnusableTable(
                f"there is not enough memory or room to spill: {_first_line(error)}; see --memory and --spill"
            ) from error
        except self._duckdb.Error as error:
            raise UnusableTable(f"DuckDB cannot read this: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    return quoted(str(error).strip().splitlines()[0])[1:-1]
