"""What one side holds at one instant, and how much of the truth that is.

A snapshot never stands alone: with every kind of record goes its *coverage*, which alone decides
whether absence may be read as zero (I5), and for every gap a reason that a person can act on.
"""

from datetime import datetime
from enum import StrEnum
from typing import Literal

from msgspec import Struct

from gal_friday.domain.assets import Asset, Instrument
from gal_friday.domain.records import RECORD_KINDS, Balance, Extra, Fill, Kind, Movement, Order, Position, Record

Side = Literal["internal", "exchange"]


class Coverage(StrEnum):
    """How much of one kind of record a snapshot holds."""

    __hash__ = str.__hash__

    TOTAL = "total"
    """Everything there is, from the snapshot's ``since`` on: what is absent is zero or does not exist."""
    PARTIAL = "partial"
    """Some of it: what is present is true, what is absent is unknown."""
    NONE = "none"
    """Not read, or not readable: absence says nothing."""


class Coverages(Struct, frozen=True, kw_only=True):
    """The coverage of each kind of record. A kind that nobody spoke of is not covered."""

    balances: Coverage = Coverage.NONE
    positions: Coverage = Coverage.NONE
    orders: Coverage = Coverage.NONE
    fills: Coverage = Coverage.NONE
    movements: Coverage = Coverage.NONE

    def of(self, kind: Kind) -> Coverage:
        """Return the coverage of this kind; holds are covered as the balances that they are part of."""
        if kind in RECORD_KINDS:
            covered: Coverage = getattr(self, kind)
            return covered
        return self.balances if kind == Kind.HOLDS else Coverage.NONE


class Since(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """From which instant on a kind of record was read; None means from its beginning."""

    orders: datetime | None = None
    fills: datetime | None = None
    movements: datetime | None = None

    def of(self, kind: Kind) -> datetime | None:
        """Return the first instant of this kind's window; balances and positions have none."""
        match kind:
            case Kind.ORDERS:
                return self.orders
            case Kind.FILLS:
                return self.fills
            case Kind.MOVEMENTS:
                return self.movements
            case _:
                return None


class NotChecked(Struct, frozen=True, omit_defaults=True):
    """Something that could not be checked, why, and what to do about it."""

    kind: Kind
    reason: str
    side: Side | None = None
    """Whose records were missing; None where it was both, or neither."""


class Evidence(Struct, frozen=True, omit_defaults=True):
    """What one read rested on: how many answers, and the digest of their bytes."""

    source: str
    """The endpoint, file or table that was read."""
    digest: str
    """SHA-256 over the raw answers, each preceded by its length, in the order they were received."""
    pages: int = 1
    rows: int = 0
    side: Side | None = None
    """Whose records these are; told in a report, where the evidence of both sides stands together."""


class Scales(Struct, frozen=True):
    """How the exchange reckons, so that a book can reckon alike.

    It rounds after so many digits of an amount and of a cost, and tolerances follow from that.
    """

    assets: dict[Asset, int] = {}
    costs: dict[Instrument, int] = {}
    oldest_first: bool = False
    """Whether what reduces a position closes its oldest opening; otherwise it keeps the average cost."""


class Snapshot(Struct, frozen=True, kw_only=True):
    """What one side holds of one account at one instant."""

    side: Side
    account: str
    exchange: str
    as_of: datetime
    """The instant at which the reading began: nothing later than this can be judged by it."""
    coverage: Coverages
    since: Since = Since()
    balances: tuple[Balance, ...] = ()
    positions: tuple[Position, ...] = ()
    orders: tuple[Order, ...] = ()
    fills: tuple[Fill, ...] = ()
    movements: tuple[Movement, ...] = ()
    scales: Scales = Scales()
    version: str | None = None
    """The book's version, or the id of the exchange's newest ledger row."""
    not_checked: tuple[NotChecked, ...] = ()
    notes: tuple[str, ...] = ()
    """Things seen while reading that change no finding: warnings of the exchange, rows listed twice."""
    evidence: tuple[Evidence, ...] = ()
    extra: Extra | None = None

    def rows(self, kind: Kind) -> tuple[Record, ...]:
        """Return the records of this kind; none for the kinds that are no records."""
        if kind in RECORD_KINDS:
            rows: tuple[Record, ...] = getattr(self, kind)
            return rows
        return ()
