"""DuckDB on one machine: reads files, out of core where they do not fit."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from glob import has_magic
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType, TracebackType
from typing import TYPE_CHECKING, Any, Self

import msgspec
from msgspec import Struct

from gal_friday.bulk.duck_words import DuckWords
from gal_friday.bulk.engine import SqlEngine
from gal_friday.bulk.errors import EngineFailed, EngineMissing, UnusableTable
from gal_friday.bulk.forms import FORMS, Holds
from gal_friday.bulk.judge import Terms
from gal_friday.bulk.layout import Layout
from gal_friday.bulk.mixed import kinds_in_files, refuse_lossy
from gal_friday.bulk.record_relation import Asked, RecordRelation, record_relation
from gal_friday.bulk.relation import Relation, relation
from gal_friday.bulk.rows import Handed, Rejected, Row, Totals
from gal_friday.bulk.sieve import Slot
from gal_friday.bulk.source import (
    CSV,
    FILE,
    JSON_LINES,
    PARQUET,
    SQLITE,
    Source,
    named,
    names_in_json,
    quoted,
    reader,
    refuse_written,
)
from gal_friday.bulk.sqlite import columns_of, names_in, rows_of
from gal_friday.domain.assets import Asset
from gal_friday.domain.records import Kind
from gal_friday.domain.snapshot import Side

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_AT_ONCE = 10_000
_PART = 20_000_000
"""Rows of a side whose keys are held in memory at once."""
_SEGMENT = 25
"""Rows of a side that pass together: with fewer, to tell takes longer; with more, more of them are looked at."""
_BITS = 2**31
"""So many bits may tell which keys segments have."""
_SUMS = "CAST(sum(CAST(trunc(amount) AS DECIMAL(38, 0))) AS VARCHAR), CAST(sum(amount - trunc(amount)) AS VARCHAR)"


class TooWide(UnusableTable):
    """A sum has more digits than the exact type."""


class Limits(Struct, frozen=True, kw_only=True):
    """What DuckDB may take."""

    memory: str | None = None
    """As DuckDB writes it: 4GB. It takes up to half as much more at its peak."""
    spill: Path | None = None
    """Where it puts what does not fit; a folder of its own beside other temporary files without it."""
    threads: int | None = None


class Duck(SqlEngine):
    """An engine; used as a context, at whose end everything it kept is gone."""

    name = "duckdb"
    sum = "CAST(sum(amount) AS VARCHAR)"

    def __init__(
        self,
        sources: Mapping[Side, Source],
        layouts: Mapping[Side, Layout],
        *,
        names: Mapping[str, Asset],
        exact: bool,
        limits: Limits,
        records: Asked[Source] | None = None,
    ) -> None:
        """Take what is to be read. *names* are the book's for assets; *exact* tells keys apart without a hash."""
        super().__init__(layouts, names, DuckWords())
        self._sources, self._limits, self._asked = sources, limits, records
        self._accounts: int | None = None
        more = () if records is None else records.tables.values()
        self._every = [*sources.values(), *(source for sides in more for source, _ in sides.values())]
        # One wallet for all rows tells none apart, and costs as much as another column.
        self._name = "asset, wallet" if any(one.wallet for one in layouts.values()) else "asset"
        if not exact:
            self.mark = f"hash(account, {self._name})"
            self.hashes = f"hash({self._name}, amount)", f"hash(amount, {self._name})"

    def __enter__(self) -> Self:
        """Open the engine, and look at both tables.

        Raises:
            EngineMissing: DuckDB is not installed.
            UnusableTable: a table cannot be read, or is not laid out like that.
        """
        self._duckdb = imported()
        self._stamps = [source.stamp() for source in self._every]
        with ExitStack() as stack:
            try:
                folder = stack.enter_context(TemporaryDirectory(prefix="gal-friday-", dir=self._limits.spill))
            except OSError as error:
                raise UnusableTable(
                    f"{self._limits.spill} cannot be written to: {error.strerror}; see --spill"
                ) from error
            self._connection = stack.enter_context(self._opened(folder))
            for side in self._layouts:
                self._relations[side] = self._looked_at(side)
            if self._asked is not None:
                self._look_at_records(self._asked)
            self._kept = stack.pop_all()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        """Close the engine and remove what it spilled."""
        self._kept.close()

    def totals(self, side: Side, *, digests: bool = False) -> Totals:
        """Return how many rows a side has of each asset, and the exact sum of those that the engine can hold."""
        try:
            return super().totals(side, digests=digests)
        except TooWide:
            # Whole and fraction apart, which takes longer: both have room for the sum of any number of rows.
            self.sum = _SUMS
            return super().totals(side, digests=digests)

    def rejected(self, side: Side) -> Iterator[Rejected]:
        """Yield every row of a side that names no key, after the lines that are no rows."""
        nameless = list(super().rejected(side))  # every file has been read now, and so the lines are found
        if any(source.format == CSV for _, source in self._of(side)):
            yield from self._torn(side)
        yield from nameless

    def survivors(self) -> Iterator[Row]:
        """Yield the rows of every key that did not pass, by key, the book's first.

        Raises:
            UnusableTable: a file was written to meanwhile.
        """
        yield from super().survivors()
        self.unchanged()

    def accounts(self) -> int:
        """Return how many accounts there are, on either side."""
        if self._accounts is None:
            self._accounts = super().accounts()
        return self._accounts

    def handed(self, terms: Terms) -> Iterator[Handed]:
        """Yield all rows of every account in which anything did not pass or is watched, by account.

        Raises:
            EngineFailed: a file was written to meanwhile.
        """
        self._divide()
        yield from super().handed(terms)
        self.unchanged()

    def unchanged(self) -> None:
        """Raise unless every file is still what it was.

        Raises:
            EngineFailed: somebody wrote to one meanwhile.
        """
        refuse_written(self._every, self._stamps)

    def asked(self, statement: str) -> Iterator[tuple[Any, ...]]:
        """Yield the rows that answer a statement.

        Raises:
            UnusableTable: a table cannot be read, is written to meanwhile, or memory does not suffice.
        """
        try:
            found = self._connection.execute(statement)
            while rows := found.fetchmany(_AT_ONCE):
                yield from rows
        except self._duckdb.OutOfMemoryException as error:
            raise EngineFailed(
                f"there is not enough memory or room to spill: {_first_line(error)}; see --memory and --spill"
            ) from error
        except self._duckdb.OutOfRangeException as error:
            raise TooWide(f"DuckDB cannot read this: {_first_line(error)}") from error
        except self._duckdb.Error as error:
            self.unchanged()  # what is half written reads as if it were no table
            raise UnusableTable(f"DuckDB cannot read this: {_first_line(error)}") from error

    def _surviving(self) -> str:
        """Return the statement that yields the rows of every key that did not pass.

        Which keys those are is worked out before, of many rows part by part: memory holds the keys of one part, and
        finds them no slower than all at once.
        """
        rows = max(self._sizes.values(), default=0)
        self._divide()
        if self.hashes:
            self._make("CREATE OR REPLACE TEMP TABLE suspects AS", self._suspects())
            if self.slot:
                ((suspects,),) = self.asked("SELECT count(*) FROM suspects")
                rows = suspects * _SEGMENT
        parts = 1 + rows // _PART
        for at in range(parts):
            into = "INSERT INTO survivors" if at else "CREATE OR REPLACE TEMP TABLE survivors AS"
            self._make(into, self._survivors(f"hash(account, asset) % {parts} = {at}" if parts > 1 else "TRUE"))
        return self._about(self._found())

    def _divide(self) -> None:
        """Divide accounts with many rows into segments, and number the names that the keys of a side are made of."""
        if not self.hashes:
            return
        accounts, rows = max(1, self.accounts()), max(self._sizes.values(), default=0)
        shares = max(1, rows // (accounts * _SEGMENT))
        self.segment = f"hash(account, hash({self._name}) % {shares})" if shares > 1 else "account"
        ((assets, wallets),) = self._told("SELECT count(DISTINCT asset), count(DISTINCT wallet) FROM internal")
        if not 0 < assets * wallets * accounts * shares <= _BITS:
            return
        for column in ("asset", "wallet"):
            every = self._about(f"SELECT DISTINCT {column} FROM internal WHERE {column} IS NOT NULL")
            for statement in (f"DROP TYPE IF EXISTS {column}s", f"CREATE TYPE {column}s AS ENUM ({every})"):
                self._done(statement)
        asset, wallet = (f"CAST(enum_code(CAST({column} AS {column}s)) AS BIGINT)" for column in ("asset", "wallet"))
        number = f"{asset} * {wallets} + {wallet}" if wallets > 1 else asset
        self.slot = Slot(number, f"bit_count(bitstring_agg(slot, 0, {assets * wallets}))")

    def _make(self, what: str, statement: str) -> None:
        self._done(f"{what} {self._about(statement)}")

    def _done(self, statement: str) -> None:
        for _ in self.asked(statement):
            pass

    def _opened(self, folder: str) -> "DuckDBPyConnection":
        # Its own order is not kept, which would take memory: what comes out is put in order at the end.
        chosen: dict[str, Any] = {"preserve_insertion_order": False, "temp_directory": folder}
        if self._limits.memory is not None:
            chosen["memory_limit"] = self._limits.memory
        if self._limits.threads is not None:
            chosen["threads"] = self._limits.threads
        try:
            connection: DuckDBPyConnection = self._duckdb.connect(config=chosen)
            # What an instant as text is without a zone; with one it is what it says, and DuckDB's own type loses that.
            connection.execute("SET TimeZone = 'UTC'")
        except self._duckdb.Error as error:
            raise UnusableTable(f"DuckDB does not begin with these limits: {_first_line(error)}") from error
        return connection

    def _looked_at(self, side: Side) -> Relation:
        source = self._sources[side]
        layout = self._layouts[side] = self._layouts[side].of_table(self._names_in(source))
        if source.format == SQLITE:
            table = f"table_of_{side}"
            texts = dict.fromkeys(columns_of(source, layout), "VARCHAR")
            found = relation(source.name, table, layout, texts, self.names_of(side), self._words)
            self._take(table, dict.fromkeys((FILE, *layout.columns), "VARCHAR"), rows_of(source, layout))
            return found
        table = reader(source, layout.columns)
        kinds = self._kinds(source, table, [one for one in (layout.quantity, layout.price) if one])
        return relation(source.name, table, layout, kinds, self.names_of(side), self._words)

    def _names_in(self, source: Source) -> Iterator[str]:
        """Yield what columns are called, when that is asked for: of JSON it takes to read all of it."""
        if source.format == SQLITE:
            yield from names_in(source)
        elif source.format == JSON_LINES:
            yield from (name for (name,) in self.asked(names_in_json(source)))
        else:
            yield from self._kinds(source, reader(source, ()), ())

    def _look_at_records(self, asked: Asked[Source]) -> None:
        for name, sides in asked.tables.items():
            form, relations = FORMS[name], dict[Side, RecordRelation]()
            for side, (source, layout) in sides.items():
                layout = layout.beside(self._layouts[side])
                columns = [layout.columns.get(one, one) for one in form.columns]
                table = reader(source, [*columns, *filter(None, (layout.whose,))])
                amounts = [layout.columns.get(one, one) for one, holds in form.columns.items() if holds is Holds.AMOUNT]
                kinds = self._kinds(source, table, amounts)
                relations[side] = record_relation(
                    source.name, table, form, layout, kinds, self.names_of(side), DuckWords(), asked.as_of
                )
            self._records[form] = relations

    def _kinds(self, source: Source, table: str, amounts: Collection[str]) -> Mapping[str, str]:
        described = self.asked(f"DESCRIBE SELECT * EXCLUDE ({named(FILE)}) FROM {table}")
        kinds = {name: kind for name, kind, *_ in described}
        if source.format == PARQUET and amounts and (len(source.files) > 1 or any(map(has_magic, source.files))):
            refuse_lossy(source, self.asked(kinds_in_files(source, amounts)), kinds)
        return kinds

    def _of(self, side: Side) -> Sequence[tuple[Kind, Source]]:
        """Return all files of a side, and what they hold."""
        more = {} if self._asked is None else self._asked.tables
        records = ((FORMS[name].kind, sides[side][0]) for name, sides in more.items())
        return [(Kind.BALANCES, self._sources[side]), *records]

    def _take(self, table: str, kinds: Mapping[str, str], rows: Iterable[Mapping[str, Any]]) -> None:
        """Make a table of these rows, which have these columns."""
        with TemporaryDirectory(prefix="gal-friday-", dir=self._limits.spill) as folder:
            file = Path(folder) / "rows.jsonl"
            with file.open("wb") as written:
                written.writelines(msgspec.json.encode(row) + b"\n" for row in rows)
            columns = ", ".join(f"{quoted(name)}: {quoted(kind)}" for name, kind in kinds.items())
            read = f"read_json({quoted(str(file))}, format = 'newline_delimited', columns = {{{columns}}})"
            self._done(f"CREATE TABLE {table} AS SELECT * FROM {read}")

    def _torn(self, side: Side) -> Iterator[Rejected]:
        """Yield lines of CSV that are no rows of its table."""
        query = (
            "SELECT file_path, line, min(error_message), min(csv_line) FROM reject_errors "
            "JOIN reject_scans USING (scan_id, file_id) GROUP BY ALL ORDER BY ALL"
        )
        for file, line, reason, content in self.asked(query):
            for kind, source in self._of(side):
                if file in source.files:
                    yield Rejected(side, file, line, reason, content or "", kind)


def imported() -> ModuleType:
    """Return DuckDB.

    Raises:
        EngineMissing: it is not installed.
    """
    try:
        import duckdb  # an extra: whoever compares accounts one by one need not have it
    except ModuleNotFoundError as error:
        raise EngineMissing("tables are compared by DuckDB; install it: pip install 'gal-friday[bulk]'") from error
    return duckdb


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]
