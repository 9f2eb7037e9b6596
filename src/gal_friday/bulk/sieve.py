"""The one question, in SQL that every engine understands.

A key passes where each side has one row of it and both hold the same amount: two rows in all, one of them the
exchange's, and the smallest amount is the largest. There is no sum and no difference, hence nothing that an engine
could round or let overflow. Every other key survives: what is missing, repeated, unlike, or cannot be told there.

What an engine reads of a side is a relation with one row for each of its rows:

    account, asset, wallet   text, canonical names
    amount                   DECIMAL(38, 18); NULL where it does not fit, is none, or is of an unknown name
    text                     the amount as the table says it
    price                    as the table says it, or NULL
"""

from gal_friday.domain.snapshot import Side

WHOLE, PLACES = 20, 18
"""Digits that the engines' exact type holds before and after the point. Amounts with more of them survive the sieve."""
AMOUNT = f"DECIMAL({WHOLE + PLACES}, {PLACES})"
KEY = ("account", "asset", "wallet")
SIDES: tuple[Side, Side] = ("internal", "exchange")


def question(ours: str, theirs: str, *, by: str = ", ".join(KEY), named: str = ", ".join(KEY)) -> str:
    """Return the statement that yields what survives of two relations, told apart by *by*, which is called *named*.

    *by* is the key itself, or a hash of it. Under a hash two different keys that fall on the same one survive together;
    they would only pass where each side alone has one of them, and both hold the same.
    """
    one = f"SELECT {by}, amount, 0 AS side FROM {ours}"
    other = f"SELECT {by}, amount, 1 AS side FROM {theirs}"
    passes = "COUNT(*) = 2 AND COUNT(amount) = 2 AND SUM(side) = 1 AND MIN(amount) = MAX(amount)"
    return f"SELECT {named} FROM ({one} UNION ALL {other}) AS both_sides GROUP BY {named} HAVING NOT ({passes})"
