"""What comes out, line by line, in tables of its own: what differs or cannot be judged, and rows that are none."""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, NamedTuple, TextIO

from gal_friday.bulk.errors import EngineFailed, EngineMissing, UnusableTable
from gal_friday.bulk.judge import Judged
from gal_friday.bulk.rows import Rejected
from gal_friday.bulk.source import CSV, FOLDERS, JSON_LINES, PARQUET, format_of, quoted, quoted_file
from gal_friday.domain import quantity
from gal_friday.domain.discrepancy import BalanceDiscrepancy, Discrepancy, PositionDiscrepancy, RecordDiscrepancy
from gal_friday.domain.finding import CannotTell, Key
from gal_friday.domain.materiality import Severity
from gal_friday.domain.records import Kind

COLUMNS = (
    "account",
    "key",
    "asset",
    "wallet",
    "what",
    "internal",
    "exchange",
    "difference",
    "severity",
    "value",
    "missing_on",
    "id",
    "reason",
    "record",
    "field",
    "cause",
    "explanation",
)
REJECTED = ("side", "file", "line", "reason", "content", "kind")
CANNOT_TELL = "cannot_tell"
_REPEATED = "a side lists it more than once"
Line = tuple[str | None, ...]


class Unjudged(NamedTuple):
    """A discrepancy of the day before that could not be judged now: it stays open, and as it was."""

    key: Key
    id: str
    severity: Severity
    value: Decimal | None
    reason: str


def lines_of(one: Judged, left: Iterable[Unjudged] = ()) -> Iterator[Line]:
    """Yield the lines of one account, by key, and of what is *left* from the day before; amounts are plain digits."""
    for found in one.discrepancies:
        yield _row(account=one.account, **_told(found))
    known = set()
    for was in left:
        known.add(was.key)
        weight = {"severity": str(was.severity), "value": _text(was.value)}
        yield _row(account=one.account, **_untold(was.key), **weight, id=was.id, reason=was.reason)
    for finding in one.findings:
        if isinstance(finding, CannotTell) and finding.key not in known:
            yield _row(account=one.account, **_untold(finding.key), reason=finding.reason)


def _row(**said: str | None) -> Line:
    return tuple(said.get(name) for name in COLUMNS)


def _told(found: Discrepancy) -> dict[str, str | None]:
    kind = found.key.partition(":")[0]
    told: dict[str, str | None] = {
        "key": found.key,
        "what": str(found.type),
        "difference": _text(found.difference),
        "severity": str(found.severity),
        "value": _text(found.value),
        "id": found.id,
        "cause": found.cause,
        "explanation": found.explanation,
    }
    if not isinstance(found, RecordDiscrepancy):
        told |= {"internal": _text(found.internal), "exchange": _text(found.exchange)}
    if isinstance(found, BalanceDiscrepancy):
        return told | {"asset": found.currency, "wallet": str(found.wallet), "missing_on": found.missing_on}
    if isinstance(found, PositionDiscrepancy):
        return told | {"asset": found.trading_pair, "record": found.trading_pair}
    told |= {"asset": found.about, "internal": found.internal, "exchange": found.exchange}
    if kind == Kind.BALANCES:
        return told | {"wallet": found.key.rpartition(":")[2], "reason": _REPEATED}
    return told | {"record": found.record_id, "field": found.field}


def _untold(key: Key) -> dict[str, str | None]:
    told: dict[str, str | None] = {"key": str(key), "what": CANNOT_TELL}
    return told | ({"asset": key.name, "wallet": key.part} if key.kind is Kind.BALANCES else {"record": key.name})


def _text(value: Decimal | None) -> str | None:
    return None if value is None else quantity.text(value)


def line_of(one: Rejected) -> Line:
    """Return the line of a row that cannot be read."""
    return (one.side, one.file, None if one.line is None else str(one.line), one.reason, one.content, str(one.kind))


def written(lines: Iterable[Line], columns: Sequence[str], form: str) -> str:
    """Return these lines as text of this format, as ``Lines`` has them before they are put in their place."""
    if form == JSON_LINES:
        every = (dict(zip(columns, line, strict=True)) for line in lines)
        return "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in every)
    text = StringIO(newline="")
    csv.writer(text).writerows(lines)
    return text.getvalue()


class Lines:
    """A file of lines: .csv, .jsonl or .parquet. It is there when it is whole, and not before."""

    def __init__(self, target: Path, columns: Sequence[str]) -> None:
        """Take the name of the file, and those of its columns.

        Raises:
            UnusableTable: its ending tells no format that is written.
        """
        form = format_of(target.name)
        if form not in (CSV, JSON_LINES, PARQUET) or target.name.endswith((".gz", ".zst")):
            raise UnusableTable(f"{target} is written as .csv, .jsonl or .parquet; choose one of them")
        self._target, self._columns, self.form = target, columns, form

    def __enter__(self) -> "Lines":
        """Open a file beside it, in a folder of its own: another run may write the same file."""
        if self._target.is_dir():
            raise UnusableTable(f"{self._target} is a folder; name a file in it")
        try:
            self._folder = TemporaryDirectory(prefix=f".{self._target.name}.", dir=self._target.parent)
            self._beside, self._whole = (Path(self._folder.name) / name for name in ("part", "whole"))
            self._file: TextIO = self._beside.open("w", newline="", encoding="utf-8")
        except OSError as error:
            raise UnusableTable(f"{self._target} cannot be written: {error.strerror}; name another file") from error
        if self.form != JSON_LINES:
            csv.writer(self._file).writerow(self._columns)
        return self

    def write(self, lines: Iterable[Line]) -> None:
        """Write these lines.

        Raises:
            EngineFailed: there is no room for them.
        """
        self.append(written(lines, self._columns, self.form))

    def append(self, text: str) -> None:
        """Write lines that are text already.

        Raises:
            EngineFailed: there is no room for them.
        """
        try:
            self._file.write(text)
        except OSError as failed:
            raise self._failed(failed.strerror or str(failed)) from failed

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Put the file in its place, or nothing where something was raised.

        Raises:
            EngineFailed: there is no room for it.
        """
        try:
            self._file.close()
            if kind is None:
                self._finish()
        except OSError as failed:
            if kind is None:
                raise self._failed(failed.strerror or str(failed)) from failed
        finally:
            self._folder.cleanup()

    def _failed(self, why: str) -> EngineFailed:
        return EngineFailed(f"{self._target} cannot be written: {why}; make room, or name another file")

    def _finish(self) -> None:
        if self.form != PARQUET:
            self._beside.replace(self._target)
            return
        try:
            import duckdb
        except ModuleNotFoundError as error:
            raise EngineMissing("Parquet is written by DuckDB; install it: pip install 'gal-friday[bulk]'") from error
        form = "all_varchar = true, header = true, delim = ',', quote = '\"'"
        read = f"read_csv({quoted_file(str(self._beside))}, {form}, {FOLDERS})"
        try:
            with duckdb.connect() as connection:
                connection.execute(f"COPY (SELECT * FROM {read}) TO {quoted(str(self._whole))} (FORMAT parquet)")
        except duckdb.Error as failed:
            raise self._failed(str(failed).splitlines()[0]) from failed
        self._whole.replace(self._target)


def rows_in(path: Path, columns: Sequence[str]) -> Iterator[Mapping[str, Any]]:
    """Yield the lines of a file that was written so, which must have these *columns*.

    Raises:
        UnusableTable: it cannot be read, or is no such file.
        EngineMissing: it is Parquet, and what reads that is not installed.
    """
    readers = {CSV: _csv_rows, JSON_LINES: _json_rows, PARQUET: _parquet_rows}
    read = readers.get(format_of(path.name) or "")
    if read is None:
        raise UnusableTable(f"{path}: findings are written as .csv, .jsonl or .parquet; name such a file")
    try:
        for row in read(path):
            if missing := [name for name in columns if name not in row]:
                raise UnusableTable(f"{path} is no file that --findings writes: it lacks {', '.join(missing)}")
            yield row
    except OSError as error:
        raise UnusableTable(f"{path} cannot be read: {error.strerror or error}; check path and rights") from error
    except (ValueError, csv.Error) as error:
        if isinstance(error, UnusableTable):
            raise
        raise UnusableTable(f"{path} is no file that --findings writes: {error}") from error


def _csv_rows(path: Path) -> Iterator[Mapping[str, Any]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = csv.DictReader(file, strict=True)
        if rows.fieldnames is None:
            raise ValueError("it is empty")
        for row in rows:
            if None in row or None in row.values():
                raise ValueError(f"line {rows.line_num} has not as many cells as the head")
            yield row


def _json_rows(path: Path) -> Iterator[Mapping[str, Any]]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            try:
                row = json.loads(line)
            except RecursionError:
                raise ValueError("a line of it is nested too deep") from None
            if not isinstance(row, dict):
                raise ValueError("a line of it is no object")
            yield row


def _parquet_rows(path: Path) -> Iterator[Mapping[str, Any]]:
    try:
        import duckdb
    except ModuleNotFoundError as error:
        raise EngineMissing("Parquet is read by DuckDB; install it: pip install 'gal-friday[bulk]'") from error
    with path.open("rb"), duckdb.connect() as connection:
        try:
            found = connection.execute(f"SELECT * FROM read_parquet({quoted_file(str(path))}, {FOLDERS})")
            names = [name for name, *_ in found.description or ()]
            while row := found.fetchone():
                yield dict(zip(names, row, strict=True))
        except duckdb.Error as error:
            raise ValueError(str(error).splitlines()[0]) from error
