"""The two snapshots under comparison, and what absence means between them.

This is the only place that turns "one side has it, the other does not" into a finding: absence is read
as zero only where the other side's coverage is total (I5).
"""

from datetime import datetime
from decimal import Decimal
from typing import NamedTuple, assert_never

from msgspec import Struct

from gal_friday.domain import quantity
from gal_friday.domain.assets import Asset
from gal_friday.domain.cut import Motion
from gal_friday.domain.finding import (
    Agrees,
    AmountMismatch,
    CannotTell,
    Differs,
    DiscrepancyType,
    ExchangeOnly,
    Finding,
    Inconsistent,
    InternalOnly,
    Key,
    Pending,
    Stake,
)
from gal_friday.domain.materiality import rounding_tolerance
from gal_friday.domain.policy import Policy
from gal_friday.domain.quantity import ZERO
from gal_friday.domain.records import Kind
from gal_friday.domain.snapshot import Coverage, Scales, Side, Snapshot


class View(Struct, frozen=True):
    """What every comparison looks at."""

    internal: Snapshot
    exchange: Snapshot
    policy: Policy
    motion: Motion

    @property
    def scales(self) -> Scales:
        """Where the exchange rounds."""
        return self.exchange.scales

    def snapshot(self, side: Side) -> Snapshot:
        """Return the snapshot of that side."""
        return self.internal if side == "internal" else self.exchange

    def start(self, kind: Kind) -> datetime | None:
        """Return the later of the two window starts: what lies before it is in nobody's scope."""
        starts = [start for side in (self.internal, self.exchange) if (start := side.since.of(kind)) is not None]
        return max(starts, default=None)

    def tolerance(self, asset: Asset, rounded_records: int) -> Decimal:
        """Return how much two amounts of this asset may differ and still agree; inclusive."""
        floor = self.policy.tolerance_of(asset)
        return max(floor, rounding_tolerance(self.scales.assets.get(asset), rounded_records))


class Lone(NamedTuple):
    """A record that only one side has, as far as it is needed to say so."""

    key: Key
    type: DiscrepancyType
    amount: Decimal
    about: str = ""
    stake: Stake | None = None
    at: datetime | None = None
    """When it happened, where it is a record with a time."""


def only_internal(view: View, lone: Lone, *, doubt: str = "") -> Finding:
    """Return what it means that only the book has this. *doubt* says why absence may not be read as zero."""
    held_back = _held_back(view.exchange, "exchange", lone, doubt)
    return held_back or InternalOnly(lone.key, lone.type, lone.amount, lone.about, lone.stake, lone.at)


def only_exchange(view: View, lone: Lone, *, doubt: str = "") -> Finding:
    """Return what it means that only the exchange has this. *doubt* says why absence may not be read as zero."""
    held_back = _held_back(view.internal, "internal", lone, doubt)
    return held_back or ExchangeOnly(lone.key, lone.type, lone.amount, lone.about, lone.stake, lone.at)


def also_repeated(finding: Finding, repeat: Inconsistent | None) -> Finding:
    """Return the finding with the fact added that a side lists the record more than once."""
    match finding:
        case _ if repeat is None:
            return finding
        case Agrees(key):
            return Differs(key, (repeat,), repeat.about)
        case Differs(key, mismatches, about):
            return Differs(key, (*mismatches, repeat), about)
        case InternalOnly(key, kind, amount, about, stake):
            lack = AmountMismatch(kind, "quantity", amount, ZERO, quantity.negate(amount), stake)
            return Differs(key, (lack, repeat), about)
        case ExchangeOnly(key, kind, amount, about, stake):
            return Differs(key, (AmountMismatch(kind, "quantity", ZERO, amount, amount, stake), repeat), about)
        case Pending() | CannotTell():
            return finding
        case _:
            assert_never(finding)


def _held_back(other: Snapshot, side: Side, lone: Lone, doubt: str) -> Finding | None:
    """Return why the other side's silence proves nothing here, or None where it does."""
    if lone.at is not None and lone.at > other.as_of:
        return Pending(lone.key, f"newer than the reading of the {side} side, which began {instant(other.as_of)}")
    if other.coverage.of(lone.key.kind) is not Coverage.TOTAL:
        return CannotTell(lone.key, why_not_covered(other, lone.key.kind), side)
    return CannotTell(lone.key, doubt, side) if doubt else None


def why_not_covered(snapshot: Snapshot, kind: Kind) -> str:
    """Return why this kind of record was not read in full, in the words of whoever read it."""
    reasons = [gap.reason for gap in snapshot.not_checked if gap.kind is kind]
    if reasons:
        return reasons[0]
    covered = "only in part" if snapshot.coverage.of(kind) is Coverage.PARTIAL else "not at all"
    return f"the {snapshot.side} snapshot covers {kind} {covered}"


def before(at: datetime | None, start: datetime | None) -> bool:
    """Say whether a record lies before the window and is nobody's business here."""
    return start is not None and at is not None and at < start


def instant(at: datetime) -> str:
    """Return an instant as people read it."""
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"
