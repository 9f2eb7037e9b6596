"""How DuckDB says what not all engines say alike."""

import re
from collections.abc import Sequence

from gal_friday.bulk.mixed import INEXACT
from gal_friday.bulk.relation import inexact, no_amounts, several
from gal_friday.bulk.sieve import AMOUNT, PLACES, WHOLE
from gal_friday.bulk.source import FILE, named, quoted

LOST = " (in JSON a number with a point has lost its digits: write it as a text)"
_EMPTY = '"NULL"'
"""The type of a column that has no value in any row."""
_DECIMAL = re.compile(r"DECIMAL\((\d+),\s*(\d+)\)")
_FIT = {_EMPTY, "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"}
_ZONED = "TIMESTAMP WITH TIME ZONE"
_WIDE = {"HUGEINT", "UHUGEINT"}
_PLAIN = f"[+-]?[0-9]{{1,{WHOLE}}}([.][0-9]{{0,{PLACES}}})?"


class DuckWords:
    """Words; see `relation`."""

    places = named(FILE)
    characters = "VARCHAR"
    exact = AMOUNT
    moment = "TIMESTAMP"
    literal = staticmethod(quoted)

    def text(self, column: str, kind: str) -> str:
        """Return the column as text; of JSON a number with a point as what is none."""
        name = named(column)
        if kind == "JSON":
            whole = f"json_type({name}) IN ('VARCHAR', 'BOOLEAN', 'BIGINT', 'UBIGINT', 'HUGEINT', 'NULL')"
            return f"CASE WHEN {whole} THEN {name} ->> '$' ELSE CAST({name} AS VARCHAR) || {quoted(LOST)} END"
        if kind.endswith("]") or kind.startswith(("STRUCT(", "MAP(", "UNION(")):
            raise several(column, kind)
        return name if kind == "VARCHAR" else f"CAST({name} AS VARCHAR)"

    def amount(self, column: str, kind: str) -> str:
        """Return the amount in the exact type, NULL where it does not fit without loss."""
        digits, name = _DECIMAL.fullmatch(kind), named(column)
        if kind in INEXACT:
            raise inexact(column, kind)
        if kind in _FIT or (digits and int(digits[2]) <= PLACES and int(digits[1]) - int(digits[2]) <= WHOLE):
            return f"CAST({name} AS {AMOUNT})"
        if digits or kind in _WIDE:
            cast = f"TRY_CAST({name} AS {AMOUNT})"
            return f"CASE WHEN TRY_CAST({cast} AS {kind}) = {name} THEN {cast} END"
        if kind not in ("VARCHAR", "JSON"):
            raise no_amounts(column, kind)
        text = self.text(column, kind)
        return f"CASE WHEN regexp_full_match({text}, {quoted(_PLAIN)}) THEN CAST({text} AS {AMOUNT}) END"

    def short(self, amount: str) -> str:
        """Return an exact amount as text: plain digits, without trailing zeros."""
        return f"rtrim(rtrim(CAST({amount} AS VARCHAR), '0'), '.')"

    def md5(self, text: str) -> str:
        """Return the MD5 of this text."""
        return f"md5({text})"

    def number(self, digits: str) -> str:
        """Return digits of base 16 as a number."""
        return f"CAST('0x' || {digits} AS BIGINT)"

    def mark(self, expressions: Sequence[str]) -> str:
        """Return what is the same of two rows where these are: a hash of 128 bits."""
        one, other = (f"hash({', '.join((*expressions[at:], *expressions[:at]))})" for at in (0, 1))
        return f"CAST({one} AS UHUGEINT) * 18446744073709551616 + {other}"

    def instant(self, column: str, kind: str) -> str:
        """Return the column as an instant, NULL where it is none; without a zone it is one of UTC."""
        if kind.startswith(("TIMESTAMP", "DATE")) and kind != _ZONED:
            return f"CAST({named(column)} AS TIMESTAMP)"
        zoned = named(column) if kind == _ZONED else f"TRY_CAST({self.text(column, kind)} AS {_ZONED})"
        return f"make_timestamp(epoch_us({zoned}))"

    def instant_text(self, column: str, kind: str) -> str:
        """Return the column as text with its zone, where it has one."""
        if kind.startswith(("TIMESTAMP", "DATE")):
            return f"strftime({self.instant(column, kind)}, '%Y-%m-%dT%H:%M:%S.%fZ')"
        return self.text(column, kind)
