"""What explains a difference: reconciling items, and the residual that no item explains.

    internal + items + residual = exchange, to the last digit (I3)

An explanation that does not add up cannot be built. Every item names the records it rests on, so that
anybody can check it again without believing it.
"""

from datetime import datetime
from decimal import Decimal
from typing import Literal

from msgspec import Struct

from gal_friday.domain import quantity
from gal_friday.domain.cause import Cause
from gal_friday.domain.quantity import ZERO
from gal_friday.domain.snapshot import Side

Rests = Literal["records", "pattern", "search"]
"""How an item was found: by the ids of records, by a known pattern of error, by searching which rows add up."""


class Item(Struct, frozen=True, gc=False):
    """A cause with its arithmetic effect on one amount."""

    cause: Cause
    effect: Decimal
    """What it adds to the internal amount."""
    record_ids: tuple[str, ...] = ()
    event: str = ""
    """What the records belong to: a fill, a position, a transfer."""
    rests_on: Rests = "records"
    note: str = ""


class Alternative(Struct, frozen=True, gc=False):
    """Another way to explain the same amount, kept because nothing decides between them."""

    items: tuple[Item, ...]
    residual: Decimal
    expected_accidents: str | None = None
    """How many such explanations chance alone would give, as a plain number; None where ids decide."""


class Waypoint(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What both sides held after one row."""

    at: datetime
    record_id: str
    """The exchange's, where both booked it."""
    kind: str
    side: Side | None = None
    """The side that booked it; None where both did, alike; the time is the exchange's then."""
    amount: Decimal
    """By how much it changed the balance of whoever booked it."""
    internal: Decimal
    exchange: Decimal
    diverges: bool = False
    """Whether it belongs to the first event after which the sides differ."""


class Divergence(Struct, frozen=True, gc=False):
    """Since when the running balances of the two sides differ."""

    last_good: str | None
    """Instant and row up to which both agree; None where they differ from the start."""
    first_bad: str | None
    """The first event after which they do not agree any more."""
    difference: Decimal = ZERO
    since: datetime | None = None
    """When that event was; None where they differ from the start."""
    course: tuple[Waypoint, ...] = ()
    """Both running balances around it, oldest first; empty where a side contradicts itself."""


class Explanation(Struct, frozen=True, gc=False):
    """Why one amount differs."""

    internal: Decimal
    exchange: Decimal
    items: tuple[Item, ...]
    residual: Decimal
    """What no item explains. It stays visible with its full amount."""
    residual_cause: Cause
    """Unexplained, unless it is dust, or records are known to be missing."""
    proven: bool
    """The residual is zero, no other explanation is as good, and chance alone is all but excluded."""
    expected_accidents: str | None = None
    alternatives: tuple[Alternative, ...] = ()
    at_fault: Side | None = None
    """The side whose records are wrong, where the proofs decide it."""
    divergence: Divergence | None = None

    def __post_init__(self) -> None:
        """Refuse to exist unless it adds up (I3)."""
        effects = quantity.total(item.effect for item in self.items)
        reached = quantity.add(quantity.add(self.internal, effects), self.residual)
        assert reached == self.exchange, "internal + items + residual must be the exchange's amount"

    @property
    def by_records(self) -> bool:
        """Whether records alone, each by its id, add up to the whole of it, whatever caused them."""
        return bool(self.items) and not self.residual and all(item.rests_on == "records" for item in self.items)

    @property
    def cause(self) -> Cause:
        """The cause with the largest effect; that of the residual where it is larger than any."""
        if not self.items:
            return self.residual_cause
        largest = max(self.items, key=lambda item: quantity.absolute(item.effect))
        outweighed = quantity.absolute(self.residual) > quantity.absolute(largest.effect)
        return self.residual_cause if outweighed else largest.cause
