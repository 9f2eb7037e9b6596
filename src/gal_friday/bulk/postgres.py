"""PostgreSQL in place: both tables stay where they are, and only what survives leaves the database.

Everything is asked in one read-only transaction, which sees one state of both tables whatever others write meanwhile.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from types import TracebackType
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

from msgspec import Struct

from gal_friday.bulk.digest import DIGITS
from gal_friday.bulk.engine import SqlEngine
from gal_friday.bulk.errors import EngineFailed, EngineMissing, UnusableTable
from gal_friday.bulk.layout import Layout
from gal_friday.bulk.relation import Relation, inexact, no_amounts, relation
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
        self, places: Mapping[Side, Place], layouts: Mapping[Side, Layout], *, names: Mapping[str, Asset]
    ) -> None:
        """Take what is to be read: tables of one database, or of one side alone."""
        super().__init__(layouts, names, _Words())
        self._places = places
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
        table = ".".join(map(named, place.table.split(".")))
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(f"SELECT * FROM {table} LIMIT 0")
                kinds = {one.name: self._kind(one.type_code) for one in cursor.description or ()}
        except self._psycopg.Error as error:
            raise UnusableTable(f"{place.name} cannot be read: {_said(error)}") from None
        return relation(place.name, table, self._layouts[side], kinds, self.names_of(side), self._words)

    def _kind(self, code: int) -> str:
        known = self._psycopg.postgres.types.get(code)
        return str(code) if known is None else str(known.name)


class _Words:
    places = "''"
    characters = "VARCHAR"
    literal = staticmethod(quoted)

    def text(self, column: str, kind: str) -> str:
        """Return the column as text."""
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


def _said(error: Exception) -> str:
    """Return the first line of what the server or its driver said, without what stands in an address."""
    return re.sub(r"\S*://\S*", "…", (str(error).strip() or type(error).__name__).splitlines()[0])
