"""Ids that look like Kraken's, from a seeded generator: the same seed makes the same ids.

Orders begin with O, trades with T, ledger rows with L; deposits and withdrawals carry mixed-case FT ids
(ids are case-sensitive). Nothing here is secret and nothing reads the machine's source of chance.
"""

import string
from random import Random

# Kraken's ids avoid the digits and letters that people mistake for each other: no 0, 1, 8, 9.
_LETTERS = string.ascii_uppercase + "234567"
_MIXED = string.ascii_letters + string.digits


class IdSource:
    """Makes ids of every kind from one seeded generator."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance

    def order(self) -> str:
        """Return an order id such as ``OQCLML-BW3P3-BUCMWZ``."""
        return self._grouped("O")

    def trade(self) -> str:
        """Return a trade id; a position has the id of the trade that opened it."""
        return self._grouped("T")

    def ledger(self) -> str:
        """Return the id of a ledger row."""
        return self._grouped("L")

    def funding(self) -> str:
        """Return the mixed-case refid of a deposit or withdrawal, such as ``FTM6UXZ-5jhQ…``."""
        return f"FT{self._some(_LETTERS, 5)}-{self._some(_MIXED, 20)}"

    def event(self) -> str:
        """Return the refid of anything else, such as ``A2B4HBV-L4MDIE-JU4N3N``."""
        return f"{self._some(_LETTERS, 7)}-{self._some(_LETTERS, 6)}-{self._some(_LETTERS, 6)}"

    def amend(self) -> str:
        """Return the id of an amendment of an order."""
        return f"T{self._some(_LETTERS, 5)}-{self._some(_LETTERS, 5)}-{self._some(_LETTERS, 6)}"

    def export(self) -> str:
        """Return the four-letter id of an export."""
        return self._some(_LETTERS[:26], 4)

    def token(self) -> str:
        """Return a WebSocket token."""
        return self._some(_MIXED, 43)

    def account(self) -> str:
        """Return an account id as Kraken shows it, such as ``AA17 N84G 3MBR FAQI``."""
        return "AA" + " ".join(self._some(_LETTERS, size) for size in (2, 4, 4, 4))

    def _grouped(self, first: str) -> str:
        letters = self._some(_LETTERS, 16)
        return f"{first}{letters[:5]}-{letters[5:10]}-{letters[10:]}"

    def _some(self, alphabet: str, size: int) -> str:
        return "".join(self._chance.choices(alphabet, k=size))
