"""Apache Spark, for what does not fit one machine: it reads Parquet, and what survives is judged where it is.

Every session is set to ANSI, where a sum or a cast that does not fit raises, and this is tried before anything is
read: without it Spark would answer with NULL. No two amounts are added, subtracted or multiplied here, which would
round; whole and fraction are summed apart, each with room for any number of rows.
"""

import pickle
import re
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack
from os import environ
from os.path import abspath
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from gal_friday.bulk.engine import SqlEngine
from gal_friday.bulk.errors import EngineFailed, EngineMissing, UnusableTable
from gal_friday.bulk.forms import FORMS
from gal_friday.bulk.java import java_home
from gal_friday.bulk.judge import Judged, Terms
from gal_friday.bulk.layout import Layout
from gal_friday.bulk.record_relation import Asked, RecordRelation, record_relation
from gal_friday.bulk.record_sieve import alone, large, name_of
from gal_friday.bulk.relation import Relation, relation
from gal_friday.bulk.rows import Rejected, Row
from gal_friday.bulk.sieve import KEY, SIDES
from gal_friday.bulk.source import FILE, PARQUET, Source, is_remote, refuse_written
from gal_friday.bulk.spark_judge import JUDGED, Survivors, Whole, file_of
from gal_friday.bulk.spark_words import SparkWords, halves, hash_of
from gal_friday.domain.assets import Asset
from gal_friday.domain.snapshot import Side

if TYPE_CHECKING:
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
    # Instants are compared, and told, as those of UTC.
    "spark.sql.session.timeZone": "UTC",
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
_MEMORY = re.compile(r"(\d+) *([KMGT])i?B?", re.IGNORECASE)
_MARK = "xxhash64(account, asset, wallet)"
# Halves, which sums of 64 bits have room for; together they tell more than a sum of whole hashes would.
_HASHES = (*halves("xxhash64(asset, wallet, amount)"), *halves("xxhash64(wallet, amount, asset)"))


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
        records: Asked[Source] | None = None,
    ) -> None:
        """Take what is to be read. *names* are the book's for assets; *exact* tells keys apart without a hash.

        Raises:
            UnusableTable: a source is of a format that is not read here.
        """
        super().__init__(layouts, names, SparkWords())
        more = () if records is None else records.tables.values()
        self._every = [*sources.values(), *(source for sides in more for source, _ in sides.values())]
        for source in self._every:
            if source.format != PARQUET:
                raise UnusableTable(
                    f"{source.name} is {source.format}, and Spark is asked about Parquet; write the table as Parquet, "
                    "or leave out --engine: DuckDB reads it"
                )
        self._sources, self._cluster, self._asked = sources, cluster, records
        # As Spark says where a row is from, and as the user does.
        self._files = {abspath(file): file for one in self._every for file in one.files}
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
        self._stamps = [source.stamp() for source in self._every]
        with ExitStack() as stack:
            self._session = self._started(stack)
            for side in SIDES:
                self._relations[side] = self._looked_at(side)
            if self._asked is not None:
                self._look_at_records(self._asked)
            self._name()
            self._kept = stack.pop_all()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        """Stop Spark where it was started here."""
        self._kept.close()

    def rejected(self, side: Side) -> Iterator[Rejected]:
        """Yield every row of a side that names no key."""
        yield from (replace(one, file=file_of(one.file, self._files)) for one in super().rejected(side))

    def held(self, keys: Collection[tuple[str, str, str]]) -> Iterator[Row]:
        """Yield the rows of these accounts, assets and wallets, in no particular order and without their prices."""
        yield from (row._replace(place=file_of(row.place, self._files)) for row in super().held(keys))

    def sieved(self, terms: Terms) -> Iterator[Judged]:
        """Yield what is found in every account with a key that did not pass, by account.

        Each account is judged by the executor that has its rows: it needs this program, as whoever asks has it.

        Raises:
            EngineFailed: a file was written to meanwhile, or a worker gave up.
        """
        try:
            told = self._told_whole(terms) if self._records else self._told_surviving(terms)
            before = None
            for row in told.orderBy("account").toLocalIterator():
                if row.account == before:
                    raise EngineFailed(
                        f"Spark has judged {before or terms.account} in two halves, so nothing that it says holds; "
                        "compare without --engine, and tell of it with the version of Spark"
                    )
                before = row.account
                yield pickle.loads(row.judged)  # noqa: S301 (written by what this process sent there)
        except self._errors as error:
            raise self._cannot(error) from error
        refuse_written(self._every, self._stamps)

    def _told_surviving(self, terms: Terms) -> "DataFrame":
        rows = self._session.sql(self._surviving()).repartition("account")
        found = rows.sortWithinPartitions(*KEY, rows["side"].desc(), rows["text"].asc_nulls_last())
        return found.mapInArrow(Survivors(terms, self._files), JUDGED)

    def _told_whole(self, terms: Terms) -> "DataFrame":
        unlike, marks = self._sieved(terms)
        self._keep("unlike", unlike)
        crowded = {
            form: mark for form, mark in marks.items() if self._keep(f"large_{form.kind}", large(form, self.most))
        }
        for form, mark in crowded.items():
            self._keep(f"alone_{form.kind}", alone(form, mark))
        rows = self._session.sql(self._handing(crowded)).repartition("account")
        return rows.sortWithinPartitions("account").mapInArrow(Whole(terms, self._files), JUDGED)

    def _keep(self, name: str, statement: str) -> bool:
        """Work out what a statement yields, once for all that ask for it under this name, and say whether it is any."""
        # A plan that begins there: one that holds the plans of all before it would take minutes to think about.
        kept = self._session.sql(statement).localCheckpoint()
        kept.createOrReplaceTempView(name)
        return not kept.isEmpty()

    def _about(self, statement: str, **more: str) -> str:
        known = ", ".join(f"{name} AS ({text})" for name, text in more.items())
        return f"WITH {known} {statement}" if known else statement

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
        source, table = self._sources[side], f"table_of_{side}"
        read, kinds = self._read(source)
        layout = self._layouts[side] = self._layouts[side].of_table(kinds)
        self._view(table, read, layout.columns)
        return relation(source.name, table, layout, kinds, self.names_of(side), SparkWords())

    def _look_at_records(self, asked: Asked[Source]) -> None:
        for name, sides in asked.tables.items():
            form, relations = FORMS[name], dict[Side, RecordRelation]()
            for side, (source, one) in sides.items():
                layout, table = one.beside(self._layouts[side]), f"table_of_{name_of(form, side)}"
                columns = (layout.columns.get(column, column) for column in form.columns)
                read, kinds = self._read(source)
                self._view(table, read, {*columns, *filter(None, (layout.whose,))})
                relations[side] = record_relation(
                    source.name, table, form, layout, kinds, self.names_of(side), SparkWords(), asked.as_of
                )
            self._records[form] = relations

    def _read(self, source: Source) -> "tuple[DataFrame, Mapping[str, str]]":
        """Return the rows of a source, and of which kind is each of its columns."""
        files = (one if is_remote(one) else f"file://{abspath(one)}" for one in source.files)
        try:
            read = self._session.read.option("mergeSchema", True).parquet(*files)
        except self._errors as error:
            raise self._cannot(error) from error
        return read, dict(read.dtypes)

    def _view(self, table: str, read: "DataFrame", columns: Collection[str]) -> None:
        """Let these columns of what was read be a *table*, with the file that each row is from."""
        from pyspark.sql.functions import col

        some = [_column(name) for name in read.columns if name in columns]
        try:
            read.select(*some, col("_metadata.file_path").alias(FILE)).createOrReplaceTempView(table)
        except self._errors as error:
            raise self._cannot(error) from error

    def _name(self) -> None:
        """Let both sides be known by their names: what a statement about them is to Spark it is told once."""
        found = {str(side): one.statement for side, one in self._relations.items()}
        for form, relations in self._records.items():
            found |= {name_of(form, side): one.statement for side, one in relations.items()}
        try:
            for name, statement in found.items():
                self._session.sql(statement).createOrReplaceTempView(name)
        except self._errors as error:
            raise self._cannot(error) from error

    def _hash(self, expressions: Sequence[str]) -> str:
        return hash_of(expressions)

    def _halves(self, number: str) -> Sequence[str]:
        return halves(number)

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


def _said(error: Exception) -> str:
    """Return the line of what Spark said that says what is wrong, without where in its code or in ours that was."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    ours = (
        [line for line in lines if not line.startswith("at ")] if "Traceback (most recent call last):" in lines else []
    )
    told = next((line for line in lines if not line.startswith("An error occurred while calling")), "")
    return (ours[-1] if ours else told.removeprefix(": ")) or type(error).__name__
