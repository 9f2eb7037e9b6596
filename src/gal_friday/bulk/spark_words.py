"""How Spark says what not all engines say alike: exact amounts, instants, and hashes of rows.

Instants are of the type without a zone, in UTC: one with a zone would become a time of this machine's zone wherever
it is read.
"""

import re
from collections.abc import Sequence

from gal_friday.bulk.relation import inexact, no_amounts, several
from gal_friday.bulk.sieve import AMOUNT, PLACES, WHOLE
from gal_friday.bulk.source import FILE, named

"""The column that says which file a row is from."""
# \z and not $, before which Java lets a line end.
_PLAIN = f"^[+-]?[0-9]{{1,{WHOLE}}}([.][0-9]{{0,{PLACES}}})?\\z"
_DECIMAL = re.compile(r"decimal\((\d+),(\d+)\)")
_FIT = {"tinyint", "smallint", "int", "bigint"}
_INEXACT = {"float", "double"}
_TIMES = {"timestamp", "timestamp_ntz", "date"}
# Of all that Spark takes for an instant, which is a year alone too, what DuckDB takes for one.
_HOUR = "[T ][0-9]{1,2}:[0-9]{1,2}(:[0-9]{1,2}([.][0-9]*)?)?(Z| UTC|[+-][0-9]{2}(:?[0-9]{2})?)?"
_INSTANT = f"^\\s*[0-9]{{4}}-[0-9]{{1,2}}-[0-9]{{1,2}}({_HOUR})?\\s*\\z"

_SHORT = "([T ][0-9]+:[0-9]+)( U|[Z+-])"
"""An hour without seconds before a zone, which Spark takes for nothing."""
_REST = "-MM-dd'T'HH:mm:ss.SSSSSS'Z'"


class SparkWords:
    """What the statements for Spark are made of."""

    places = named(FILE)
    characters = "STRING"
    exact = AMOUNT
    moment = "TIMESTAMP_NTZ"

    def literal(self, text: str) -> str:
        """Return this text as one in SQL, where a backslash takes the next letter with it."""
        return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"

    def text(self, column: str, kind: str) -> str:
        """Return the column as text."""
        if kind.startswith(("array<", "map<", "struct<")):
            raise several(column, kind)
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

    def mark(self, expressions: Sequence[str]) -> str:
        """Return what is the same of two rows where these are: two hashes of 64 bits."""
        one, other = (hash_of((*expressions[at:], *expressions[:at])) for at in (0, 1))
        return f"concat_ws(' ', {one}, {other})"

    def instant(self, column: str, kind: str) -> str:
        """Return the column as an instant, NULL where it is none; without a zone it is one of UTC."""
        if kind in _TIMES:
            return f"CAST({named(column)} AS {self.moment})"
        text = self.text(column, kind)
        whole = f"regexp_replace({text}, {self.literal(_SHORT)}, '$1:00$2')"
        read = f"CAST(TRY_CAST({whole} AS TIMESTAMP) AS {self.moment})"
        return f"CASE WHEN {text} RLIKE {self.literal(_INSTANT)} THEN {read} END"

    def instant_text(self, column: str, kind: str) -> str:
        """Return the column as text with its zone, where it has one."""
        if kind not in _TIMES:
            return self.text(column, kind)
        instant = self.instant(column, kind)
        year = f"CAST(year({instant}) AS STRING)"
        rest = f"date_format({instant}, {self.literal(_REST)})"
        # A pattern of Java has years of an era, of which one before Christ looks like one after.
        return f"CASE WHEN year({instant}) BETWEEN 0 AND 9999 THEN lpad({year}, 4, '0') ELSE {year} END || {rest}"


def hash_of(expressions: Sequence[str]) -> str:
    """Return a hash of 64 bits of these, in which what says nothing has its place too."""
    return f"xxhash64({', '.join(f'{one}, {one} IS NULL' for one in expressions)})"


def halves(number: str) -> Sequence[str]:
    """Return both halves of a number of 64 bits, which sums of 64 bits have room for."""
    return f"{number} & 4294967295", f"shiftright({number}, 32)"
