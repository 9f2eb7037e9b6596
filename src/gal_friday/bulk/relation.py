"""A side's table as the relation that the sieve reads; what engines say differently stands in their ``Words``."""

from collections.abc import Mapping
from typing import Protocol

from msgspec import Struct

from gal_friday.bulk.errors import UnusableTable
from gal_friday.bulk.layout import Layout
from gal_friday.bulk.source import named
from gal_friday.domain.assets import Asset, Wallet, unresolved_asset


class Words(Protocol):
    """How an engine says what not all of them say alike."""

    @property
    def places(self) -> str:
        """What tells where a row stands, as an expression."""
        ...

    @property
    def characters(self) -> str:
        """The type of text."""
        ...

    def literal(self, text: str) -> str:
        """Return this text as one in a statement."""
        ...

    def text(self, column: str, kind: str) -> str:
        """Return the column as text.

        Raises:
            UnusableTable: a column of this kind holds several values in one row.
        """
        ...

    def amount(self, column: str, kind: str) -> str:
        """Return the column in the engine's exact type, NULL where it does not fit without loss.

        Raises:
            UnusableTable: a column of this kind holds no amounts, or none that are exact.
        """
        ...

    def short(self, amount: str) -> str:
        """Return an exact amount as text: plain digits, without trailing zeros."""
        ...

    def md5(self, text: str) -> str:
        """Return the MD5 of this text in UTF-8, as digits of base 16."""
        ...

    def number(self, digits: str) -> str:
        """Return fifteen digits of base 16 as a number, of which any number can be added."""
        ...


class Relation(Struct, frozen=True):
    """A side as the sieve reads it, and how what it hands over is made text: of all rows that would take longest."""

    statement: str
    text: str
    price: str
    fits: str = "amount IS NOT NULL"
    """Whether the amount was counted with the totals."""


def relation(
    name: str, table: str, layout: Layout, kinds: Mapping[str, str], names: Mapping[str, Asset], words: Words
) -> Relation:
    """Return how *table* is read, whose columns are of these *kinds*, under canonical *names*.

    Raises:
        UnusableTable: a column is not there, or holds amounts that are not exact, or several values in one row; the
            message calls the table *name*.
    """
    if missing := [one for one in layout.columns if one not in kinds]:
        raise UnusableTable(
            f"{name} has no column {', '.join(missing)}; it has {', '.join(kinds)}: "
            "say which is which with --key, --quantity and --price, or with --columns where the two sides call them "
            "differently"
        )

    def text(column: str) -> str:
        return words.text(column, kinds[column])

    try:
        amount = words.amount(layout.quantity, kinds[layout.quantity])
        if layout.price:
            words.amount(layout.price, kinds[layout.price])
        account = f"nullif({text(layout.whose)}, '')" if layout.whose else words.literal(layout.sole)
        asset = renamed(text(layout.asset), names, words)
        spot = words.literal(Wallet.SPOT)
        wallet = f"coalesce(nullif({text(layout.wallet)}, ''), {spot})" if layout.wallet else spot
    except UnusableTable as wrong:
        raise UnusableTable(f"{name}: {wrong}") from None
    price = named(layout.price) if layout.price else "NULL"
    unknown = unresolved_asset("")
    lacks = [f"{asset} IS NULL", f"{asset} = ''", f"left({asset}, {len(unknown)}) = {words.literal(unknown)}"]
    if layout.whose:
        lacks.append(f"{account} IS NULL")
    statement = (
        f"SELECT {account} AS account, {asset} AS asset, {wallet} AS wallet, "
        f"CASE WHEN {' OR '.join(lacks)} THEN NULL ELSE {amount} END AS amount, "
        f"{named(layout.quantity)} AS raw, {price} AS raw_price, {words.places} AS place FROM {table}"
    )
    priced = words.text("raw_price", kinds[layout.price]) if layout.price else f"CAST(NULL AS {words.characters})"
    return Relation(statement, words.text("raw", kinds[layout.quantity]), priced)


def inexact(column: str, kind: str) -> UnusableTable:
    """Return the refusal of a column of floating point."""
    return UnusableTable(
        f"column {column} holds {kind}, which is not exact: digits are lost already; write it as text or DECIMAL"
    )


def no_amounts(column: str, kind: str) -> UnusableTable:
    """Return the refusal of a column of something else."""
    return UnusableTable(f"column {column} holds {kind}, and no amounts")


def several(column: str, kind: str) -> UnusableTable:
    """Return the refusal of a column that holds lists or structures where one text is needed."""
    return UnusableTable(f"column {column} holds {kind}, and not one text in each row; write it as text")


def renamed(asset: str, names: Mapping[str, Asset], words: Words) -> str:
    """Return the expression of an asset under its canonical name."""
    if not names:
        return asset
    cases = " ".join(f"WHEN {words.literal(old)} THEN {words.literal(new)}" for old, new in sorted(names.items()))
    return f"CASE {asset} {cases} ELSE {asset} END"
