"""Apache Spark, for what does not fit one machine: it reads Parquet, and what survives is judged where it is.

Every session is set to ANSI, where a sum or a cast that does not fit raises, and this is tried before anything is
read: without it Spark would answer with NULL. No two amounts are added, subtracted or multiplied here, which would
round; whole and fraction are summed apart, each with room for any number of rows.
"""

import pickle
import re
import sys
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack
from itertools import groupby
from os import environ
from os.path import abspath
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from msgspec import Struct
from msgspec.structs import replace

from gal_friday.bulk.engine import SqlEngine
from gal_friday.bulk.errors import EngineFailed, EngineMissing, UnusableTable
from gal_friday.bulk.java import java_home
from gal_friday.bulk.judge import Judged, Terms, judged
from gal_friday.bulk.layout import Layout
from gal_friday.bulk.relation import Relation, inexact, no_amounts, relation
from gal_friday.bulk.rows import Rejected, Row
from gal_friday.bulk.sieve import AMOUNT, KEY, PLACES, SIDES, WHOLE
from gal_friday.bulk.source import PARQUET, Source, is_remote, named, refuse_written
from gal_friday.domain.assets import Asset
from gal_friday.domain.snapshot import Side

if TYPE_CHECKING:
    import pyarrow
    from pyspark.sql import Column, DataFrame, SparkSession

_EXACT = {
    "spark.sql.ansi.enabled": "true",
    "spark.sql.ansi.doubleQuotedIdentifiers": "true",
    "spark.sql.caseSensitive": "true",
    "spark.sql.variable.substitute": "false",
    "spark.sql.decimalOperations.allowPrecisionLoss": "false",
    "spark.sql.parser.escapedStringLiterals": "false",
    # Spark 4.3 says of a union that its rows are where those of its parts were before it moved these elsewhere: what
    # is then grouped falls apart, and keys that both sides have are missing on either.
    "spark.sql.unionOutputPartitioning": "false",
}
_QUIET = {"spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false"}
# Errors come back to whoever asked. That a cluster has no room is a warning, without which it seems to stand still.
_LOGS = """rootLogger.level = warn
rootLogger.appenderRef.nothing.ref = nothing
appender.nothing.type = Null
appender.nothing.name = nothing
appender.stderr.type = Console
appender.stderr.name = stderr
appender.stderr.target = SYSTEM_ERR
appender.stderr.layout.type = PatternLayout
appender.stderr.layout.pattern = Spark: %m%n
logger.tasks.name = org.apache.spark.scheduler.TaskSchedulerImpl
logger.tasks.level = warn
logger.tasks.appenderRef.stderr.ref = stderr
"""
# \z and not $, before which Java lets a line end.
_PLAIN = f"^[+-]?[0-9]{{1,{WHOLE}}}([.][0-9]{{0,{PLACES}}})?\\z"
_FILE = "the file"
_DECIMAL = re.compile(r"decimal\((\d+),(\d+)\)")
_FIT = {"tinyint", "smallint", "int", "bigint"}
_INEXACT = {"float", "double"}
_MEMORY = re.compile(r"(\d+) *([KMGT])i?B?", re.IGNORECASE)
_MARK = "xxhash64(account, asset, wallet)"
# Halves, which sums of 64 bits have room for; together they tell more than a sum of whole hashes would.
_HASHES = tuple(
    half
    for one in ("xxhash64(asset, wallet, amount)", "xxhash64(wallet, amount, asset)")
    for half in (f"{one} & 4294967295", f"shiftright({one}, 32)")
)


HERE = "local[*]"
"""This machine alone, and all of its processors."""


class Cluster(Struct, frozen=True, kw_only=True):
    """Where Spark runs, and what it may take."""

    master: str
    """As Spark writes it: spark://host:7077, yarn, k8s://…"""
    memory: str | None = None
    """Of each process that does the work: 4GB. Spark's own configuration says it without."""
    spill: Path | None = None
    """Where this machine puts what does not fit."""

    def options(self) -> dict[str, str]:
        """Return what Spark is told.

        Raises:
            UnusableTable: so much memory is no amount of it.
        """
        found: dict[str, str] = {}
        if self.memory is not None:
            size = _MEMORY.fullmatch(self.memory)
            if size is None:
                raise UnusableTable(f"{self.memory!r} is no amount of memory; write --memory 4GB")
            process = "driver" if self.master.startswith("local") else "executor"
            found[f"spark.{process}.memory"] = f"{size[1]}{size[2].lower()}"
        if self.spill is not None:
            found["spark.local.dir"] = str(self.spill)
        return found


class Spark(SqlEngine):
    """An engine; used as a context, at whose end what it started is stopped. A session that runs already is taken."""

    name = "spark"
    sum = "sum(floor(amount)), sum(pmod(amount, 1))"
    whole = "BIGINT"
    once = anew = ""

    def __init__(
        self,
        sources: Mapping[Side, Source],
        layouts: Mapping[Side, Layout],
        *,
        names: Mapping[str, Asset],
        exact: bool,
        cluster: Cluster,
    ) -> None:
        """Take what is to be read. *names* are the book's for assets; *exact* tells keys apart without a hash.

        Raises:
            UnusableTable: a source is of a format that is not read here.
        """
        super().__init__(layouts, names, _Words())
        for source in sources.values():
            if source.format != PARQUET:
                raise UnusableTable(
                    f"{source.name} is {source.format}, and Spark is asked about Parquet; write the table as Parquet, "
                    "or leave out --engine: DuckDB reads it"
                )
        self._sources, self._cluster = sources, cluster
        # As Spark says where a row is from, and as the user does.
        self._files = {abspath(file): file for one in sources.values() for file in one.files}
        if not exact:
            self.mark, self.hashes = _MARK, _HASHES

    def __enter__(self) -> "Spark":
        """Start Spark, or find it, and look at both tables.

        Raises:
            EngineMissing: it is not installed.
            EngineFailed: it does not start.
            UnusableTable: a table cannot be read, or is not laid out like that.
        """
        try:
            import pyspark.errors  # an extra, and a large one
            from py4j.protocol import Py4JError
        except ModuleNotFoundError as error:
            raise EngineMissing("Spark is not installed; install it: pip install 'gal-friday[spark]'") from error
        self._errors = (pyspark.errors.PySparkException, Py4JError)
        self._stamps = [source.stamp() for source in self._sources.values()]
        with ExitStack() as stack:
            self._session = self._started(stack)
            for side in SIDES:
                self._relations[side] = self._looked_at(side)
            self._kept = stack.pop_all()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        """Stop Spark where it was started here."""
        self._kept.close()

    def rejected(self, side: Side) -> Iterator[Rejected]:
        """Yield every row of a side that names no key."""
        yield from (replace(one, file=_file(one.file, self._files)) for one in super().rejected(side))

    def held(self, keys: Collection[tuple[str, str, str]]) -> Iterator[Row]:
        """Yield the rows of these accounts, assets and wallets, in no particular order and without their prices."""
        yield from (row._replace(place=_file(row.place, self._files)) for row in super().held(keys))

    def judged(self, terms: Terms) -> Iterator[Judged]:
        """Yield what is found in every account with a key that did not pass, by account.

        Each account is judged by the executor that has its rows: it needs this program, as whoever asks has it.

        Raises:
            EngineFailed: a file was written to meanwhile, or a worker gave up.
        """
        try:
            rows = self._session.sql(self._surviving()).repartition("account")
            found = rows.sortWithinPartitions(*KEY, rows["side"].desc(), rows["text"].asc_nulls_last())
            told = found.mapInArrow(_Judge(terms, self._files), "account STRING, judged BINARY").orderBy("account")
            before = None
            for row in told.toLocalIterator():
                if row.account == before:
                    raise EngineFailed(
                        f"Spark has judged {before or terms.account} in two halves, so nothing that it says holds; "
                        "compare without --engine, and tell of it with the version of Spark"
                    )
                before = row.account
                yield pickle.loads(row.judged)  # noqa: S301 (written by _Judge, which this process sent there)
        except self._errors as error:
            raise self._cannot(error) from error
        refuse_written(self._sources.values(), self._stamps)

    def asked(self, statement: str) -> Iterator[tuple[Any, ...]]:
        """Yield the rows that answer a statement.

        Raises:
            UnusableTable: a table cannot be read.
            EngineFailed: a worker gave up.
        """
        try:
            yield from map(tuple, self._session.sql(statement).toLocalIterator())
        except self._errors as error:
            raise self._cannot(error) from error

    def _started(self, stack: ExitStack) -> "SparkSession":
        from pyspark.sql import SparkSession

        running = SparkSession.getActiveSession()
        try:
            if running is None:
                folder = Path(stack.enter_context(TemporaryDirectory(prefix="gal-friday-", dir=self._cluster.spill)))
                running = start(self._cluster, folder)
                stack.callback(running.stop)
            # Of its own: what is set here changes nothing in a session that somebody else uses.
            session = running.newSession()
            for option, value in _EXACT.items():
                session.conf.set(option, value)
        except OSError as error:
            raise UnusableTable(f"{self._cluster.spill} cannot be written to: {error.strerror}; see --spill") from error
        except self._errors as error:
            raise EngineFailed(
                f"Spark does not start at {self._cluster.master}: {_said(error)}; see whether a master "
                "answers there, and the Java that JAVA_HOME names"
            ) from error
        self._raises(session)
        return session

    def _raises(self, session: "SparkSession") -> None:
        """Try whether what does not fit raises."""
        try:
            (row,) = session.sql("SELECT CAST(id + 99999999999999999999 AS DECIMAL(20, 0)) FROM range(1, 2)").collect()
        except self._errors as error:
            if "NUMERIC_VALUE_OUT_OF_RANGE" in str(error):
                return
            raise self._cannot(error) from error
        raise EngineMissing(
            f"this Spark answers {row[0]} where a number does not fit, and raises nothing: amounts are not safe with "
            "it; let spark.sql.ansi.enabled be true"
        )

    def _looked_at(self, side: Side) -> Relation:
        from pyspark.sql.functions import col

        source = self._sources[side]
        try:
            table = self._read(source)
            kinds = dict(table.dtypes)
            layout = self._layouts[side] = self._layouts[side].of_table(kinds)
            read = [_column(name) for name in kinds if name in layout.columns]
            table.select(*read, col("_metadata.file_path").alias(_FILE)).createOrReplaceTempView(f"table_of_{side}")
        except self._errors as error:
            raise self._cannot(error) from error
        return relation(source.name, f"table_of_{side}", layout, kinds, self.names_of(side), self._words)

    def _read(self, source: Source) -> "DataFrame":
        files = (one if is_remote(one) else f"file://{abspath(one)}" for one in source.files)
        return self._session.read.option("mergeSchema", True).parquet(*files)

    def _cannot(self, error: Exception) -> UnusableTable:
        """Return what a statement came to that Spark did not understand, or could not carry out."""
        from pyspark.errors import AnalysisException

        if "No module named 'gal_friday'" in str(error):
            return EngineFailed(
                "the Python of Spark's workers has no gal_friday, which judges there: install it, and name that Python "
                "in PYSPARK_PYTHON"
            )
        kind = UnusableTable if isinstance(error, AnalysisException) else EngineFailed
        return kind(f"Spark cannot read this: {_said(error)}")


class _Judge:
    """What runs on an executor: it takes whole accounts, sorted, and gives back each as it was judged."""

    def __init__(self, terms: Terms, files: Mapping[str, str]) -> None:
        self._terms, self._files = terms, files

    def __call__(self, batches: Iterator["pyarrow.RecordBatch"]) -> Iterator["pyarrow.RecordBatch"]:
        import pyarrow

        for account, rows in groupby(self._rows(batches), key=lambda row: row.account):
            for one in judged(rows, self._terms):
                yield pyarrow.RecordBatch.from_pydict({"account": [account], "judged": [pickle.dumps(one)]})

    def _rows(self, batches: Iterator["pyarrow.RecordBatch"]) -> Iterator[Row]:
        for batch in batches:
            for found in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                row = Row(*found)
                yield row._replace(place=_file(row.place, self._files))


class _Words:
    places = named(_FILE)
    characters = "STRING"

    def literal(self, text: str) -> str:
        """Return this text as one in SQL, where a backslash takes the next letter with it."""
        return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"

    def text(self, column: str, kind: str) -> str:
        """Return the column as text."""
        return named(column) if kind == "string" else f"CAST({named(column)} AS STRING)"

    def amount(self, column: str, kind: str) -> str:
        """Return the amount in the exact type, NULL where it does not fit without loss."""
        digits, name = _DECIMAL.fullmatch(kind), named(column)
        if kind in _INEXACT:
            raise inexact(column, kind)
        if kind in _FIT or (digits and int(digits[2]) <= PLACES and int(digits[1]) - int(digits[2]) <= WHOLE):
            return f"CAST({name} AS {AMOUNT})"
        if digits:
            cast = f"TRY_CAST({name} AS {AMOUNT})"
            return f"CASE WHEN TRY_CAST({cast} AS {kind}) = {name} THEN {cast} END"
        if kind != "string":
            raise no_amounts(column, kind)
        return f"CASE WHEN {name} RLIKE {self.literal(_PLAIN)} THEN TRY_CAST({name} AS {AMOUNT}) END"

    def short(self, amount: str) -> str:
        """Return an exact amount as text: plain digits, without trailing zeros."""
        return f"trim(TRAILING '.' FROM trim(TRAILING '0' FROM CAST({amount} AS STRING)))"

    def md5(self, text: str) -> str:
        """Return the MD5 of this text."""
        return f"md5(CAST({text} AS BINARY))"

    def number(self, digits: str) -> str:
        """Return digits of base 16 as a number, in a type that has room for the sum."""
        return f"CAST(conv({digits}, 16, 10) AS DECIMAL(38, 0))"


def start(cluster: Cluster, folder: Path) -> "SparkSession":
    """Start Spark and return its session; *folder* is empty, and there as long as that runs."""
    from pyspark.logger import PySparkLogger
    from pyspark.sql import SparkSession

    # It writes errors to stderr as well, which come back to whoever asked.
    PySparkLogger.getLogger("SQLQueryContextLogger").disabled = True
    logs = folder / "logs.properties"
    logs.write_text(_LOGS)
    known = {"SPARK_SUBMIT_OPTS": f"-Dlog4j2.configurationFile={logs}", "PYSPARK_PYTHON": sys.executable}
    builder = SparkSession.builder.master(cluster.master).appName("gal-friday")
    for option, value in (_QUIET | cluster.options()).items():
        builder = builder.config(option, value)
    added = {name: value for name, value in (known | java_home(folder)).items() if name not in environ}
    environ.update(added)
    try:
        return builder.getOrCreate()
    finally:
        for name in added:
            del environ[name]


def _column(name: str) -> "Column":
    from pyspark.sql.functions import col

    quoted = name.replace("`", "``")
    return col(f"`{quoted}`")


def _file(place: str, files: Mapping[str, str]) -> str:
    """Return how the user calls the file that Spark calls so."""
    return files.get(unquote(urlsplit(place).path), unquote(place))


def _said(error: Exception) -> str:
    """Return the line of what Spark said that says what is wrong, without where in its code or in ours that was."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    ours = (
        [line for line in lines if not line.startswith("at ")] if "Traceback (most recent call last):" in lines else []
    )
    told = next((line for line in lines if not line.startswith("An error occurred while calling")), "")
    return (ours[-1] if ours else told.removeprefix(": ")) or type(error).__name__
