"""A side's table as the relation that the sieve reads, in DuckDB's SQL."""

import re
from collections.abc import Mapping

from gal_friday.bulk.errors import UnusableTable
from gal_friday.bulk.layout import Layout
from gal_friday.bulk.sieve import AMOUNT, PLACES, WHOLE
from gal_friday.bulk.source import Source, named, quoted
from gal_friday.domain.assets import Asset, Wallet, unresolved_asset

_DECIMAL = re.compile(r"DECIMAL\((\d+),\s*(\d+)\)")
_FIT = {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"}
_WIDE = {"HUGEINT", "UHUGEINT"}
_INEXACT = {"FLOAT", "DOUBLE", "REAL"}
_LOST = " (in JSON a number with a point has lost its digits: write it as a text)"
_PLAIN = f"[+-]?[0-9]{{1,{WHOLE}}}([.][0-9]{{0,{PLACES}}})?"


def relation(table: str, source: Source, layout: Layout, kinds: Mapping[str, str], names: Mapping[str, Asset]) -> str:
    """Return the statement that reads *table*, whose columns are of these *kinds*, under canonical *names*.

    Raises:
        UnusableTable: a column is not there, or holds amounts that are not exact.
    """
    _check(source, layout, kinds)
    account = _text(layout.account, kinds) if layout.account else "''"
    asset = _renamed(_text(layout.asset, kinds), names)
    wallet = (
        f"coalesce(nullif({_text(layout.wallet, kinds)}, ''), '{Wallet.SPOT}')" if layout.wallet else f"'{Wallet.SPOT}'"
    )
    text = _text(layout.quantity, kinds)
    price = _text(layout.price, kinds) if layout.price else "NULL"
    amount = _amount(layout.quantity, kinds)
    lacks = [f"{asset} IS NULL", f"{asset} = ''", f"starts_with({asset}, {quoted(unresolved_asset(''))})"]
    if layout.account:
        lacks += [f"{account} IS NULL", f"{account} = ''"]
    return (
        f"SELECT {account} AS account, {asset} AS asset, {wallet} AS wallet, "
        f"CASE WHEN {' OR '.join(lacks)} THEN NULL ELSE {amount} END AS amount, "
        f"{text} AS text, {price} AS price, filename FROM {table}"
    )


def _check(source: Source, layout: Layout, kinds: Mapping[str, str]) -> None:
    missing = [one for one in layout.columns if one not in kinds]
    if missing:
        there = ", ".join(one for one in kinds if one != "filename")
        raise UnusableTable(
            f"{source.name} has no column {', '.join(missing)}; it has {there}: "
            "say which is which with --key and --quantity"
        )
    for one in filter(None, (layout.quantity, layout.price)):
        if kinds[one] in _INEXACT:
            raise UnusableTable(
                f"{source.name}: column {one} holds {kinds[one]}, which is not exact: digits are lost already; "
                "write it as text or DECIMAL"
            )
        if one == layout.quantity and not (
            kinds[one] in _FIT | _WIDE | {"VARCHAR", "JSON"} or _DECIMAL.fullmatch(kinds[one])
        ):
            raise UnusableTable(f"{source.name}: column {one} holds {kinds[one]}, and no amounts")


def _text(column: str, kinds: Mapping[str, str]) -> str:
    """Return the column as text; of JSON a number with a point as what is none."""
    name = named(column)
    if kinds[column] == "JSON":
        whole = f"json_type({name}) IN ('VARCHAR', 'BIGINT', 'UBIGINT', 'HUGEINT', 'NULL')"
        return f"CASE WHEN {whole} THEN {name} ->> '$' ELSE CAST({name} AS VARCHAR) || {quoted(_LOST)} END"
    return name if kinds[column] == "VARCHAR" else f"CAST({name} AS VARCHAR)"


def _renamed(asset: str, names: Mapping[str, Asset]) -> str:
    if not names:
        return asset
    cases = " ".join(f"WHEN {quoted(old)} THEN {quoted(new)}" for old, new in sorted(names.items()))
    return f"CASE {asset} {cases} ELSE {asset} END"


def _amount(column: str, kinds: Mapping[str, str]) -> str:
    """Return the amount in the engines' exact type, NULL where it does not fit without loss."""
    kind, name = kinds[column], named(column)
    digits = _DECIMAL.fullmatch(kind)
    if kind in _FIT or (digits and int(digits[2]) <= PLACES and int(digits[1]) - int(digits[2]) <= WHOLE):
        return f"CAST({name} AS {AMOUNT})"
    if digits or kind in _WIDE:
        cast = f"TRY_CAST({name} AS {AMOUNT})"
        return f"CASE WHEN TRY_CAST({cast} AS {kind}) = {name} THEN {cast} END"
    text = _text(column, kinds)
    return f"CASE WHEN regexp_full_match({text}, {quoted(_PLAIN)}) THEN CAST({text} AS {AMOUNT}) END"
