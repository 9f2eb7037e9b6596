"""What an exchange tells by itself, the moment it happens: a trigger, and a source of fills to look for in the book.

A stream proves nothing. What it tells has happened; what it does not tell may have happened all the same, so it
never replaces a read of the account (``ports/exchange.py``) and no balance of it is ever compared. It keeps one
promise: for every fill that happens while somebody listens there comes a ``FillSeen`` for it, or, after it
happened, a ``Missed``. Whoever hears ``Missed`` reads the account.
"""

from collections.abc import AsyncGenerator
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from msgspec import Struct

from gal_friday.domain.assets import Asset, Instrument, Wallet
from gal_friday.domain.records import Fill


class Connected(Struct, frozen=True):
    """The exchange has begun to tell; a ``Missed`` follows, because nothing says what happened before."""

    at: datetime


class Disconnected(Struct, frozen=True):
    """It tells nothing any more. Unless *final*, the stream connects again by itself, and says so."""

    because: str
    final: bool
    """A person has to act (the key lacks a right, or is wrong): the stream has ended and is not asked again."""
    at: datetime


class FillSeen(Struct, frozen=True):
    """One execution, told once. Its fee is what was really taken, of the asset of which it was taken."""

    fill: Fill
    received_at: datetime
    replayed: bool = False
    """Told at the beginning of a connection, out of the last few fills; it may be old."""


class OrderSeen(Struct, frozen=True):
    """An order as it stands after what was just told of it. What nobody told is None."""

    order_id: str
    status: str
    """As in ``Order``; a status that nobody here knows is the exchange's own word (I15)."""
    received_at: datetime
    instrument: Instrument | None = None
    client_order_id: str | None = None
    quantity: Decimal | None = None
    filled: Decimal | None = None
    at: datetime | None = None
    """When it happened, by the exchange's clock."""


class BalanceSeen(Struct, frozen=True):
    """What one asset comes to in one wallet now: a hint that something moved, never evidence."""

    asset: Asset
    wallet: Wallet | None
    """None for a wallet that nobody here knows (I15); *raw* has the exchange's name of it."""
    total: Decimal
    received_at: datetime
    raw: tuple[str, ...] = ()
    """The exchange's own names of asset and wallet."""
    movement_id: str | None = None
    """The ledger row that changed it; None where it was told at the beginning of a connection."""
    refers_to: str | None = None
    """The event behind that row, such as a fill."""
    at: datetime | None = None


class Missed(Struct, frozen=True):
    """Something may have happened that was not told: a gap, a new connection, words that nobody understood.

    Several in a row may come as one. Read the account.
    """

    because: str
    at: datetime


StreamEvent = Connected | Disconnected | FillSeen | OrderSeen | BalanceSeen | Missed


class Stream(Protocol):
    """What one account is told, through one read-only key."""

    def events(self) -> AsyncGenerator[StreamEvent, None]:
        """Connect, and yield what is told for as long as somebody asks; connect again by itself.

        It ends after a ``Disconnected`` that is final, and never raises for what the world does: a failure is
        a ``Disconnected`` with its reason, without any secret. Ends early by cancelling whoever iterates, or by
        closing the iterator (``contextlib.aclosing``). A listener that is too slow loses events and is told so by
        ``Missed``. One iterator at a time.
        """
        ...
