"""What an engine hands over: rows that survived, rows that are none, and what it counted on the way."""

from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

from msgspec import UNSET, Struct, UnsetType

from gal_friday.domain import quantity
from gal_friday.domain.quantity import ZERO
from gal_friday.domain.records import Kind
from gal_friday.domain.snapshot import Side


class Row(NamedTuple):
    """A row of a side, of a key that survived the sieve."""

    account: str | None
    """None where the row names none; empty where the table is of one account."""
    asset: str
    wallet: str
    side: Side
    text: str | None
    """The amount as the table says it."""
    price: str | None
    place: str
    """The file that it is from, where it is from one."""
    fits: bool
    """Whether the engine could hold the amount, and has counted it."""
    times: int = 1
    """Of how many rows of this key this is one, where they are too many to be told one by one."""


class Handed(NamedTuple):
    """A row of a side, balance or record, of an account that is judged with all its rows."""

    account: str
    kind: str
    side: Side
    place: str
    """The file that it is from, where it is from one."""
    fits: bool
    """Of a balance: whether the engine could hold the amount, and has counted it."""
    cells: tuple[str | None, ...]
    """Of a balance asset, wallet, amount and price; else what the columns of its form say."""


class Rejected(Struct, frozen=True):
    """A row that says nothing that could be compared."""

    side: Side
    file: str
    line: int | None
    """Counted from 1, with the line of the head; of formats without lines the row, from 1."""
    reason: str
    content: str
    kind: Kind = Kind.BALANCES
    """What it would have been."""


def said_by(account: str | None, asset: str | None, text: str | None, price: str | None = None) -> str:
    """Return what a row that cannot be read says."""
    said = f"{account or ''}, {asset or ''}, {text or ''}"
    return said if price is None else f"{said}, {price}"


def said_by_record(account: str | None, cells: Iterable[str | None]) -> str:
    """Return what a row of records that cannot be read says."""
    return ", ".join(cell or "" for cell in (account, *cells)).rstrip(", ")


class Total(Struct):
    """So many rows of one asset, and what they sum to, exactly."""

    rows: int = 0
    amount: Decimal = ZERO
    digest: Decimal | UnsetType = UNSET
    """The sum of the numbers of these rows, a whole number; see ``bulk/digest``. Not there unless it was asked for."""

    def add(self, amount: Decimal, number: int) -> None:
        """Add a row that was counted, and that the engine could not add."""
        self.amount = quantity.add(self.amount, amount)
        if self.digest is not UNSET:
            self.digest = quantity.add(self.digest, Decimal(number))


Totals = dict[str, Total]
"""What a side holds of each asset: the proof that every row was read. Under "" stand rows that name no asset."""
