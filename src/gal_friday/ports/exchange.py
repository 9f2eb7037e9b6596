"""Reading from an exchange. There is no port for writing to one, and there will be none (I8)."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Generic, Protocol, TypeVar

from msgspec import Struct

from gal_friday.domain.assets import Asset
from gal_friday.domain.records import Balance, Fill, Kind, Movement, Order, Position
from gal_friday.domain.snapshot import Coverage, Evidence, Scales

Row = TypeVar("Row")

Progress = Callable[[str, int, int | None], None]
"""Called while pages load: what is being read, rows so far, rows expected (None while unknown).

And before a wait: what is waited for, in seconds, and how many there were so far with this one.
"""


class Call(Struct, frozen=True, kw_only=True):
    """One call to an exchange, as those want to know it who watch it from outside."""

    endpoint: str
    outcome: str
    """``ok``, ``refused``, or ``no_answer``."""
    seconds: float
    cost: float
    """Points of the key's call budget; 0 for a public call."""
    left: float | None = None
    """Points that are left of the budget after it; None where there is no limit."""


Calls = Callable[[Call], None]
"""Told of every call, whatever came of it."""


class Reading(Struct, Generic[Row], frozen=True, kw_only=True):
    """The rows of one read, and the proof of how complete they are."""

    rows: tuple[Row, ...]
    coverage: Coverage
    """TOTAL only where completeness is proven; an endpoint that may not be read gives an error instead."""
    reasons: tuple[str, ...] = ()
    """Why coverage is not total: one sentence each, ending with what to do."""
    notes: tuple[str, ...] = ()
    """Things worth knowing that change no row: warnings of the exchange, rows that came twice."""
    evidence: tuple[Evidence, ...] = ()
    head: str | None = None
    """Id of the newest ledger row, where the read shows one."""


class Capabilities(Struct, frozen=True, kw_only=True):
    """What this exchange can tell at all. What it cannot tell is never read as absence."""

    balances: bool = True
    positions: bool = True
    orders: bool = True
    fills: bool = True
    movements: bool = True
    running_balance: bool = False
    """Movements carry the balance after them, so that a missing row is provable."""
    clock_offset: timedelta = timedelta(0)
    """By how much its clock is ahead of this machine's, as measured by ``open``: its records bear its own time."""


class Check(Struct, frozen=True):
    """One line of a preflight: what was looked at, what was found, what to do."""

    name: str
    outcome: str
    """``ok``, ``warning`` or ``failed``."""
    detail: str


class Exchange(Protocol):
    """One account at one exchange, through one read-only key.

    Every method either returns a reading or raises an ``ExchangeFailed``; an empty reading means that the
    exchange holds nothing, never that it could not be read (N1).
    """

    @property
    def name(self) -> str:
        """The exchange's short name: ``kraken``."""
        ...

    @property
    def capabilities(self) -> Capabilities:
        """What this exchange can tell."""
        ...

    async def open(self) -> None:
        """Make ready: learn names, check that the exchange is up and that the key can only read.

        Raises:
            ExchangeRefused: the key may trade or withdraw, or is wrong.
            ExchangeUnavailable: the exchange is down, in maintenance, or has locked the key for a while.
        """
        ...

    async def close(self) -> None:
        """Release connections. Safe to call twice."""
        ...

    async def scales(self) -> Scales:
        """Return how many digits the exchange keeps, by asset and by instrument."""
        ...

    async def balances(self) -> Reading[Balance]:
        """Return every balance, one row per asset and wallet, ordered by both."""
        ...

    async def positions(self) -> Reading[Position]:
        """Return the open margin positions, one lot per opening, ordered by instrument and id."""
        ...

    async def orders(self, *, since: datetime, known: Sequence[str] = ()) -> Reading[Order]:
        """Return all open orders, all orders closed after *since*, and every one of *known* that exists.

        *known* are ids that the book believes in: an order is missing only if asking for its id says so.
        """
        ...

    async def fills(self, *, since: datetime, until: datetime) -> Reading[Fill]:
        """Return every fill after *since* up to *until*, oldest first, adjacent fills not merged."""
        ...

    async def movements(self, *, since: datetime, until: datetime) -> Reading[Movement]:
        """Return every ledger row after *since* up to *until*, oldest first, with its running balance."""
        ...

    async def head(self) -> str | None:
        """Return the id of the newest ledger row; None where there is no row, or no ledger.

        Two equal answers say that nothing was booked in between.
        """
        ...

    async def confirm(self, kind: Kind, ids: Sequence[str]) -> Reading[Any]:
        """Return those orders, fills or movements of *ids* that exist, each asked for by its id.

        With total coverage an id without a row is one that the exchange denies. What does not look like an id
        of this exchange is denied without asking. Fees of fills may be unknown.
        """
        ...

    async def prices(self, assets: Sequence[Asset], *, currency: Asset) -> dict[Asset, Decimal]:
        """Return the last price in *currency* of those assets that have one; the others are left out."""
        ...

    async def preflight(self) -> tuple[Check, ...]:
        """Look at key, rights, clock and state of the exchange, and say what was found. Never raises for a finding."""
        ...
