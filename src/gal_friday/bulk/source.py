"""Files that a side's table consists of, and how DuckDB reads them: as text wherever the format has no exact type."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from glob import escape, glob, has_magic
from pathlib import Path

from msgspec import Struct

from gal_friday.bulk.errors import EngineFailed, UnusableTable

PARQUET, CSV, JSON_LINES, SQLITE, ARROW = "parquet", "csv", "json lines", "sqlite", "arrow"
_FORMATS = {
    ".parquet": PARQUET,
    ".pq": PARQUET,
    ".csv": CSV,
    ".tsv": CSV,
    ".csv.gz": CSV,
    ".csv.zst": CSV,
    ".jsonl": JSON_LINES,
    ".ndjson": JSON_LINES,
    ".jsonl.gz": JSON_LINES,
    ".db": SQLITE,
    ".sqlite": SQLITE,
    ".sqlite3": SQLITE,
    ".arrow": ARROW,
    ".feather": ARROW,
}
_ADDRESS = "sqlite:///"
# Lines that are no rows of the table are put aside, each with its number and what is wrong with it.
_TORN = "strict_mode = true, store_rejects = true"
# A folder that is called account=alpha says nothing: what a file itself says of its rows counts.
FOLDERS = "hive_partitioning = false"
FILE = "the file"
"""The column beside those of a table that says in which of its files a row stands; no table has one of that name."""
_REMOTE = ("s3://", "s3a://", "gs://", "az://", "abfss://", "hdfs://", "http://", "https://")


Stamp = tuple[tuple[int, int], ...]


class Source(Struct, frozen=True):
    """The files of one side, all of one format."""

    name: str
    """As the user wrote it."""
    format: str
    files: tuple[str, ...]
    table: str = ""
    """Of SQLite: which table of these files."""

    def stamp(self) -> Stamp:
        """Return size and time of every local file: another stamp later means that somebody wrote meanwhile."""
        files = [Path(one) for one in self.files if not is_remote(one)]
        if self.format == SQLITE:
            # What was written last may stand beside the file, and go into it much later.
            files += [log for one in files if (log := one.with_name(f"{one.name}-wal")).is_file()]
        found = [one.stat() for one in files]
        return tuple((one.st_size, one.st_mtime_ns) for one in found)


def written_at(source: Source) -> datetime | None:
    """Return when the youngest file of a source was written; None where that cannot be told from here."""
    if any(map(is_remote, source.files)):
        return None
    newest = max(when for _, when in source.stamp())
    return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=newest // 1_000)


def refuse_written(sources: Iterable[Source], stamps: Iterable[Stamp]) -> None:
    """Raise unless these sources still have these stamps.

    Raises:
        UnusableTable: somebody wrote to one of them meanwhile.
    """
    for source, stamp in zip(sources, stamps, strict=True):
        # A database is read in one transaction, whatever is written to it meanwhile.
        if source.format != SQLITE and source.stamp() != stamp:
            raise EngineFailed(f"{source.name} was written to while it was read; compare again when it is whole")


def format_of(name: str) -> str | None:
    """Return the format that a name's ending tells, before the table in a file, or None where it is no table."""
    file = name.lower()
    if file.startswith(_ADDRESS) or file.rpartition("#")[0].endswith((".db", ".sqlite", ".sqlite3")):
        return SQLITE
    return next((kind for ending, kind in _FORMATS.items() if file.endswith(ending)), None)


def is_remote(name: str) -> bool:
    """Say whether the engine fetches this from elsewhere."""
    return name.startswith(_REMOTE)


def source_of(name: str) -> Source:
    """Return the files that this name means: a file, or several by * and ?.

    Raises:
        UnusableTable: there is none, or it is of no format that is read.
    """
    kind = format_of(name)
    if kind is None:
        raise UnusableTable(f"{name} is no table; a table's name ends in one of {', '.join(_FORMATS)}")
    if kind == ARROW:
        raise UnusableTable(
            f"{name} is of Arrow, which is not read here; write it as Parquet, with pyarrow for example: "
            "pyarrow.parquet.write_table(pyarrow.feather.read_table('x.feather'), 'x.parquet')"
        )
    if kind == SQLITE:
        return _in_sqlite(name)
    return Source(name, kind, (name,) if is_remote(name) else _files(name))


def _in_sqlite(name: str) -> Source:
    file, _, table = name.removeprefix(_ADDRESS).rpartition("#")
    if not file or not table:
        raise UnusableTable(f"{name} names no table; write it behind a #, as in file.db#balances")
    return Source(name, SQLITE, _files(file), table)


def _files(name: str) -> tuple[str, ...]:
    many = has_magic(name) and not Path(name).is_file()
    files = tuple(sorted(glob(name, recursive=True))) if many else (name,)
    if not files or not all(Path(one).is_file() for one in files):
        raise UnusableTable(f"there is no file {name}; look at the name, and at the folder in which this runs")
    return files


def reader(source: Source, columns: Sequence[str]) -> str:
    """Return the table expression by which DuckDB reads these columns, and ``FILE`` beside them.

    Of JSON a column comes as the piece of JSON that it is: a number with a point has lost its digits there already.
    """
    files = "[" + ", ".join(map(quoted_file, source.files)) + "]"
    if source.format == PARQUET:
        return f"read_parquet({files}, filename = {quoted(FILE)}, union_by_name = true, {FOLDERS})"
    if source.format == CSV:
        form = f"all_varchar = true, header = true, delim = {quoted(between(source))}, quote = '\"', escape = '\"'"
        return f"read_csv({files}, {form}, {_TORN}, {FOLDERS}, filename = {quoted(FILE)})"
    kinds = ", ".join(f"{quoted(one)}: 'JSON'" for one in columns)
    return (
        f"read_json({files}, format = 'newline_delimited', columns = {{{kinds}}}, {FOLDERS}, filename = {quoted(FILE)})"
    )


def names_in_json(source: Source) -> str:
    """Return the statement that yields the names in all rows of JSON: not every row has every one."""
    files = ", ".join(map(quoted_file, source.files))
    return f"SELECT DISTINCT unnest(json_keys(json)) FROM read_ndjson_objects([{files}], {FOLDERS})"


def between(source: Source) -> str:
    """Return what stands between the columns: of the usual three the one that the head has most often."""
    if is_remote(source.files[0]) or not source.files[0].lower().endswith((".csv", ".tsv")):
        return ","
    with Path(source.files[0]).open("rb") as file:
        head = file.readline(65_536)
    return max((",", ";", "\t"), key=lambda one: head.count(one.encode()))


def quoted(text: str) -> str:
    """Return this text as one in SQL."""
    return "'" + text.replace("'", "''") + "'"


def quoted_file(file: str) -> str:
    """Return the name of a file as text in SQL that means no other file: DuckDB takes every name for a pattern."""
    return quoted(file if is_remote(file) else escape(file))


def named(column: str) -> str:
    """Return this name as that of a column in SQL."""
    return '"' + column.replace('"', '""') + '"'
