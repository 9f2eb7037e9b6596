"""How it went day by day, counted where it is recorded. Days are those of UTC."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Protocol

from msgspec import Struct

from gal_friday.domain.materiality import Severity
from gal_friday.ports.pages import Accounts


class Runs(Struct, frozen=True):
    """The runs of one account on one day that ended alike."""

    account: str
    day: date
    status: str
    verdict: str
    full: bool
    """Whether they were about every kind of record."""
    count: int


class Turnover(Struct, frozen=True):
    """How often one thing happened on one day: a change of a discrepancy, or ``corrected``."""

    day: date
    what: str
    count: int


class Aged(Struct, frozen=True):
    """How many open discrepancies of one severity have one age."""

    severity: Severity
    age: int
    """The number of limits that it is past: 0 is younger than all of them."""
    count: int


class History(Protocol):
    """Counts what is recorded, by days."""

    async def runs(self, accounts: Accounts, since: datetime) -> Sequence[Runs]:
        """Return how runs ended since then, in no order.

        Raises:
            StoreFailed: it cannot be read.
        """
        ...

    async def turnover(self, accounts: Accounts, since: datetime) -> Sequence[Turnover]:
        """Return what became of discrepancies since then, and how many adjustments were written to a book.

        Raises:
            StoreFailed: it cannot be read.
        """
        ...

    async def aged(self, accounts: Accounts, limits: Sequence[datetime]) -> Sequence[Aged]:
        """Return how many discrepancies are open by severity and age; *limits* are instants, the newest first.

        Raises:
            StoreFailed: it cannot be read.
        """
        ...
