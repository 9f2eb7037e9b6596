"""The one question, in SQL that every engine understands.

A key passes where each side has one row of it and both hold the same amount: two rows in all, one of them the
exchange's, and the smallest amount is the largest. There is no sum and no difference, hence nothing that an engine
could round or let overflow. Every other key survives: what is missing, repeated, unlike, or cannot be told there.

What an engine reads of a side is a relation with one row for each of its rows:

    account, asset, wallet   text, canonical names
    amount                   DECIMAL(38, 18); NULL where it does not fit, is none, or is of an unknown name
    raw, raw_price           the amount and the price as the table holds them
    place                    the file that the row is from
"""

from collections.abc import Sequence
from typing import NamedTuple

from gal_friday.domain.snapshot import Side

WHOLE, PLACES = 20, 18
"""Digits that the engines' exact type holds before and after the point. Amounts with more of them survive the sieve."""
AMOUNT = f"DECIMAL({WHOLE + PLACES}, {PLACES})"
KEY = ("account", "asset", "wallet")
SIDES: tuple[Side, Side] = ("internal", "exchange")
CROWD = 1_000
"""Of a key with more rows than that, on both sides together, it is told how many they are, and no more."""


def question(ours: str, theirs: str, *, by: str = ", ".join(KEY), named: str = ", ".join(KEY)) -> str:
    """Return the statement that yields what survives of two relations, and in ``lines`` how many rows of it there are.

    *by* tells keys apart, under the name *named*: the key itself, or a hash of it. Under a hash two different keys that
    fall on the same one survive together; they would only pass where each side alone has one of them, and both hold the
    same.
    """
    one = f"SELECT {by}, amount, 0 AS side FROM {ours}"
    other = f"SELECT {by}, amount, 1 AS side FROM {theirs}"
    passes = "COUNT(*) = 2 AND COUNT(amount) = 2 AND SUM(side) = 1 AND MIN(amount) = MAX(amount)"
    keys = f"SELECT {named}, COUNT(*) AS lines FROM ({one} UNION ALL {other}) AS both_sides GROUP BY {named}"
    return f"{keys} HAVING NOT ({passes})"


class Slot(NamedTuple):
    """Numbers for the keys of a segment, by which a key that repeats is seen without a look at each of them."""

    number: str
    """An expression: of two keys of a segment never the same."""
    different: str
    """An expression over many of them, called ``slot``: how many different ones there are."""


def suspects(ours: str, theirs: str, *, hashes: Sequence[str], mark: str, whole: str, slot: Slot | None) -> str:
    """Return the statement that yields the accounts in which anything may differ, and maybe a few more.

    What is *unlike* says nothing of rows that both sides repeat: those are looked for on one side, by *slot*, or
    without one by *mark*, a hash of the key.
    """
    found = f"SELECT segment AS account FROM ({unlike(ours, theirs, hashes=hashes, whole=whole, slot=slot)}) AS found"
    return found if slot else f"{found} UNION {repeated(ours, mark=mark)}"


def unlike(
    ours: str, theirs: str, *, hashes: Sequence[str], whole: str, amount: str = "amount",
    by: str = "account", slot: Slot | None = None,
) -> str:  # fmt: skip
    """Return the statement that yields the accounts, or what else is told *by*, of which the sides differ in any row.

    The rows of a side are added up as numbers that are hashes of them, in whatever order they come; *whole* is the type
    of the sums. Where both sides add up to the same by every hash, they hold the same rows, but for one chance in 2^64
    for each account and hash. A row without an *amount* is unlike any other, and with a *slot* a key in two rows is.
    """
    plus = ", ".join(f"CAST({one} AS {whole}) AS sum_{at}" for at, one in enumerate(hashes))
    minus = ", ".join(f"-CAST({one} AS {whole})" for one in hashes)
    number, none = (f", {slot.number} AS slot", ", NULL") if slot else ("", "")
    mine, other = f"{by} AS segment, {amount} AS amount, 1 AS one, {plus}", f"{by}, {amount}, -1, {minus}"
    rows = f"SELECT {mine}{number} FROM {ours} UNION ALL SELECT {other}{none} FROM {theirs}"
    sums = " OR ".join(f"SUM({name}) <> 0" for name in ("one", *(f"sum_{at}" for at in range(len(hashes)))))
    twice = f" OR {slot.different} <> COUNT(slot)" if slot else ""
    return f"SELECT segment FROM ({rows}) GROUP BY segment HAVING {sums} OR COUNT(amount) <> COUNT(*){twice}"


def repeated(rows: str, *, mark: str) -> str:
    """Return the statement that yields the accounts that have more than one row of a *mark*."""
    return f"SELECT ANY_VALUE(account) FROM {rows} GROUP BY {mark} HAVING COUNT(*) > 1"


def crowds(rows: str, *, mark: str) -> str:
    """Return the statement that yields the marks that have more than one row, and how many.

    No sum of an account tells of what both sides repeat. To tell the mark, and no account, costs half as much.
    """
    return f"SELECT {mark} AS mark, COUNT(*) AS lines FROM {rows} GROUP BY {mark} HAVING COUNT(*) > 1"
