"""PostgreSQL in place: both tables stay where they are, and only what survives leaves the database.

Everything is asked in one read-only transaction, which sees one state of both tables whatever others write meanwhile.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

from msgspec import Struct

from gal_friday.bulk.digest import DIGITS
from gal_friday.bulk.engine import SqlEngine
from gal_friday.bulk.errors import EngineFailed, EngineMissing, UnusableTable
from gal_friday.bulk.forms import FORMS
from gal_friday.bulk.layout import Layout
from gal_friday.bulk.record_relation import Asked, record_relation
from gal_friday.bulk.relation import Relation, inexact, no_amounts, relation, several
from gal_friday.bulk.source import named, quoted
from gal_friday.domain.assets import Asset
from gal_friday.domain.quantity import FRACTION_DIGITS_MAX, WHOLE_DIGITS_MAX
from gal_friday.domain.snapshot import Side

_SCHEMES = ("postgresql://", "postgres://")
_AT_ONCE = 10_000
_CONNECT_SECONDS = 10
_INEXACT = {"float4", "float8", "money"}
_WHOLE = {"int2", "int4", "int8"}
_TEXT = {"text", "varchar", "bpchar", "name"}
# All that is an amount here, so that NaN and infinity are none. Others survive the sieve, and are judged by their text.
_PLAIN = f"^[+-]?[0-9]{{1,{WHOLE_DIGITS_MAX}}}([.][0-9]{{0,{FRACTION_DIGITS_MAX}}})?$"
_DAY = "((0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])|(0[13-9]|1[0-2])-(29|30)|(0[13578]|1[02])-31)"
_HOUR = "([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]+)?"
_ZONED = "(Z|z|[+-][0-9]{2}(:?[0-9]{2})?)$"
# A leap day is left to the comparison, as is all else that this does not take for an instant.
_INSTANT = f"^[0-9]{{4}}-{_DAY}[T ]{_HOUR}(Z|z|[+-][0-9]{{2}}(:?[0-9]{{2}})?)?$"


class Place(Struct, frozen=True):
    """A table in a database."""

    database: str
    """The address without the table. It may hold a password: it is shown nowhere."""
    table: str

    @property
    def name(self) -> str:
        """Return what may be shown."""
        at = urlsplit(self.database)
        return f"{self.table} at {at.hostname or 'the local server'}{at.path}"


def is_database(name: str) -> bool:
    """Say whether this names a table of a PostgreSQL database."""
    return name.startswith(_SCHEMES)


def place_of(name: str) -> Place:
    """Return the table that ``postgresql://user@host/database#schema.table`` names.

    Raises:
        UnusableTable: it names no table.
    """
    parts = urlsplit(name)
    if not parts.fragment:
        raise UnusableTable("a database's address names no table; write postgresql://user@host/database#schema.table")
    return Place(urlunsplit(parts._replace(fragment="")), unquote(parts.fragment))


class Postgres(SqlEngine):
    """An engine; used as a context, at whose end its connection is closed."""

    name = "postgresql"
    binary = ' COLLATE "C"'

    def __init__(
        self,
        places: Mapping[Side, Place],
        layouts: Mapping[Side, Layout],
        *,
        names: Mapping[str, Asset],
        records: Asked[Place] | None = None,
    ) -> None:
        """Take what is to be read: tables of one database, records too, or of one side alone."""
        super().__init__(layouts, names, _Words())
        self._places, self._asked = places, records
        self._database = next(iter(places.values())).database
        self._where = " and ".join(dict.fromkeys(one.name for one in places.values()))

    def __enter__(self) -> "Postgres":
        """Connect, and look at both tables.

        Raises:
            EngineMissing: its driver is not installed.
            UnusableTable: the database cannot be reached, or a table is not there or not laid out like that.
        """
        try:
            import psycopg  # an extra
        except ModuleNotFoundError as error:
            raise EngineMissing(
                "tables of PostgreSQL need its driver; install it: pip install 'gal-friday[bulk]'"
            ) from error
        self._psycopg = psycopg
        with ExitStack() as stack:
            self._connection = stack.enter_context(self._connected())
            for side in self._places:
                self._relations[side] = self._looked_at(side)
            if self._asked is not None:
                self._look_at_records(self._asked)
            self._kept = stack.pop_all()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        """Close the connection; nothing was written."""
        self._kept.close()

    def asked(self, statement: str) -> Iterator[tuple[Any, ...]]:
        """Yield the rows that answer a statement, a few thousand at a time.

        Raises:
            UnusableTable: what stands there cannot be read, as text of no known encoding.
            EngineFailed: the database says no, or is gone.
        """
        try:
            with self._connection.cursor(name="asked") as cursor:
                cursor.itersize = _AT_ONCE
                cursor.execute(statement)
                yield from cursor
        except self._psycopg.DataError as error:
            raise UnusableTable(f"{self._where} cannot be read: {_said(error)}; see to it, and compare again") from None
        except self._psycopg.Error as error:
            raise EngineFailed(
                f"the database of {self._where} does not answer: {_said(error)}; see to it, and compare again"
            ) from None

    def _connected(self) -> Any:
        try:
            connection = self._psycopg.connect(
                self._database,
                connect_timeout=_CONNECT_SECONDS,
                application_name="gal-friday",
                client_encoding="UTF8",
            )
        except self._psycopg.Error as error:
            # None of the cause: it may quote the address.
            raise EngineFailed(f"the database of {self._where} cannot be reached: {_said(error)}") from None
        connection.isolation_level = self._psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        return connection

    def _looked_at(self, side: Side) -> Relation:
        place = self._places[side]
        kinds = self._kinds(place)
        layout = self._layouts[side] = self._layouts[side].of_table(kinds)
        return relation(place.name, _table(place), layout, kinds, self.names_of(side), self._words)

    def _look_at_records(self, asked: Asked[Place]) -> None:
        for name, sides in asked.tables.items():
            form = FORMS[name]
            self._records[form] = {
                side: record_relation(
                    place.name, _table(place), form, layout.beside(self._layouts[side]), self._kinds(place),
                    self.names_of(side), _Words(), asked.as_of,
                )
                for side, (place, layout) in sides.items()
            }  # fmt: skip

    def _kinds(self, place: Place) -> Mapping[str, str]:
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(f"SELECT * FROM {_table(place)} LIMIT 0")
                return {one.name: self._kind(one.type_code) for one in cursor.description or ()}
        except self._psycopg.Error as error:
            raise UnusableTable(f"{place.name} cannot be read: {_said(error)}") from None

    def _kind(self, code: int) -> str:
        known = self._psycopg.postgres.types.get(code)
        return str(code) if known is None else str(known.name)


def _table(place: Place) -> str:
    return ".".join(map(named, place.table.split(".")))


class _Words:
    places = "''"
    characters = "VARCHAR"
    exact = "NUMERIC"
    moment = "TIMESTAMP"
    literal = staticmethod(quoted)

    def text(self, column: str, kind: str) -> str:
        """Return the column as text."""
        if kind.startswith("_"):
            raise several(column, f"{kind[1:]}[]")
        return named(column) if kind in ("text", "varchar") else f"CAST({named(column)} AS VARCHAR)"

    def amount(self, column: str, kind: str) -> str:
        """Return the amount, which this engine holds however wide it is; NULL where it is none."""
        if kind in _INEXACT:
            raise inexact(column, kind)
        if kind in _WHOLE:
            return f"CAST({named(column)} AS NUMERIC)"
        if kind != "numeric" and kind not in _TEXT:
            raise no_amounts(column, kind)
        text = self.text(column, kind)
        return f"CASE WHEN {text} ~ {quoted(_PLAIN)} THEN CAST({named(column)} AS NUMERIC) END"

    def short(self, amount: str) -> str:
        """Return an exact amount as text: plain digits, without trailing zeros."""
        return f"CAST(trim_scale({amount}) AS VARCHAR)"

    def md5(self, text: str) -> str:
        """Return the MD5 of this text, whatever the encoding of the database."""
        return f"md5(convert_to({text}, 'UTF8'))"

    def number(self, digits: str) -> str:
        """Return digits of base 16 as a number."""
        return f"CAST(CAST('x' || {digits} AS BIT({4 * DIGITS})) AS BIGINT)"

    def mark(self, expressions: Sequence[str]) -> str:
        """Return what is the same of two rows where these are, and are written alike."""
        return f"md5(CAST(ROW({', '.join(expressions)}) AS TEXT))"

    def instant(self, column: str, kind: str) -> str:
        """Return the column as an instant, NULL where it is none; without a zone it is one of UTC."""
        name = named(column)
        if kind in ("timestamp", "date"):
            return f"CAST({name} AS TIMESTAMP)"
        if kind == "timestamptz":
            return f"({name} AT TIME ZONE 'UTC')"
        text = self.text(column, kind)
        zoned = f"CASE WHEN {text} ~ {quoted(_ZONED)} THEN {text} ELSE {text} || 'Z' END"
        return f"CASE WHEN {text} ~ {quoted(_INSTANT)} THEN CAST({zoned} AS TIMESTAMPTZ) AT TIME ZONE 'UTC' END"

    def instant_text(self, column: str, kind: str) -> str:
        """Return the column as text with its zone, where it has one."""
        if kind in ("timestamp", "date", "timestamptz"):
            return f'to_char({self.instant(column, kind)}, \'YYYY-MM-DD"T"HH24:MI:SS.US"Z"\')'
        return self.text(column, kind)


def _said(error: Exception) -> str:
    """Return the first line of what the server or its driver said, without what stands in an address."""
    return re.sub(r"\S*://\S*", "…", (str(error).strip() or type(error).__name__).splitlines()[0])
