"""Reading and feeding the internal side: the trading system's own book."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from gal_friday.domain.records import Fill, Movement, Order
from gal_friday.domain.snapshot import Scales, Snapshot


class Book(Protocol):
    """The internal record of one account. Reading it changes nothing."""

    async def snapshot(self, *, account: str, since: datetime, scales: Scales) -> Snapshot:
        """Return the internal side as it stands, with records from *since* on.

        *scales* tell where the exchange rounds, so that sums can say how many rounded records they hold.

        Raises:
            BookFailed: the book cannot be read; nothing is returned in part.
        """
        ...

    async def version(self, account: str) -> str | None:
        """Return the version that a snapshot taken now would state; None where only reading it all would tell.

        Raises:
            BookFailed: the book cannot be read.
        """
        ...


class Appended(Struct, frozen=True, repr_omit_defaults=True):
    """What an append did."""

    version: int
    """The book's version afterwards; unchanged where nothing was new."""
    new: int
    """How many entries were added."""
    already_known: int
    """How many were delivered before, to the letter, and were left alone."""
    gave_way: tuple[str, ...] = ()
    """The plugs that were released, in part or whole, because the record arrived that they stood for."""
    replaced: tuple[str, ...] = ()
    """The ids of records that an adjustment had booked, and whose place the trading system's own took."""


class BookWriter(Protocol):
    """The embedded book: append-only. What was written stays; an order's later state is a later entry."""

    async def append(
        self,
        *,
        account: str,
        exchange: str,
        fills: Sequence[Fill] = (),
        movements: Sequence[Movement] = (),
        orders: Sequence[Order] = (),
    ) -> Appended:
        """Add entries in one transaction. Delivering the same entries again changes nothing.

        A record that is listed twice in one call is kept twice: that is what the trading system believes,
        and finding it is our work, not hiding it. Where an adjustment booked a record before it was delivered, the
        delivered one takes its place, and plugs give way to what arrives (``domain/give_way.py``).

        Raises:
            BookFailed: nothing was written; sending the same call again is safe.
        """
        ...
