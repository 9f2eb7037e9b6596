"""A number that says which rows a side has, whatever their order: every engine gives the same for the same rows.

The number of a row is the first 60 bits of the MD5 of its text, in UTF-8: account, asset, wallet and amount, with the
character 31 between them. An amount is plain digits there, without trailing zeros. The numbers of rows are added up, so
that a row that is lost, repeated or other changes the sum, but for one chance in 2^60. Against somebody who forges rows
to hit a sum it proves nothing. ``docs/tables.md`` says how to ask for it elsewhere.
"""

from decimal import Decimal
from hashlib import md5

from gal_friday.bulk.relation import Words
from gal_friday.domain import quantity

DIGITS = 15
"""Of the MD5, in base 16."""
_BETWEEN = 31


def number_of(account: str, asset: str, wallet: str, amount: Decimal) -> int:
    """Return the number of a row; *account* is empty where the table names none."""
    text = chr(_BETWEEN).join((account, asset, wallet, quantity.short(amount)))
    return int(md5(text.encode(), usedforsecurity=False).hexdigest()[:DIGITS], 16)


def summed(words: Words) -> str:
    """Return what an engine adds up of a relation; rows whose amount it cannot hold are left out."""
    between = f" || chr({_BETWEEN}) || "
    text = between.join(("account", "asset", "wallet", words.short("amount")))
    return f"sum({words.number(f'left({words.md5(text)}, {DIGITS})')})"
