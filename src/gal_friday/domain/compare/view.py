"""The two snapshots under comparison, and what absence means between them.

This is the only place that turns "one side has it, the other does not" into a finding: absence is read
as zero only where the other side's coverage is total (I5).
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple, assert_never

from msgspec import Struct
from msgspec.structs import replace

from gal_friday.domain.assets import Asset, Instrument, Wallet, base_and_quote
from gal_friday.domain.cut import Motion
from gal_friday.domain.finding import (
    Agrees,
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
from gal_friday.domain.instants import instant
from gal_friday.domain.materiality import rounding_tolerance
from gal_friday.domain.policy import Policy
from gal_friday.domain.records import Kind
from gal_friday.domain.snapshot import Coverage, Scales, Side, Snapshot


class View(Struct, frozen=True):
    """What every comparison looks at."""

    internal: Snapshot
    exchange: Snapshot
    policy: Policy
    motion: Motion
    unproven: Mapping[tuple[Asset, Wallet], str] = {}
    """Balances that the exchange's own ledger contradicts, and what the two say."""
    watched: Collection[Key] = ()
    """Keys of open discrepancies: they agree only where everything was seen that may be what differs."""

    @property
    def scales(self) -> Scales:
        """Where the exchange rounds."""
        return self.exchange.scales

    def snapshot(self, side: Side) -> Snapshot:
        """Return the snapshot of that side."""
        return self.internal if side == "internal" else self.exchange

    def start(self, kind: Kind) -> datetime | None:
        """Return the later of the two window starts: what lies before it is in nobody's scope."""
        starts = (self.internal.since.of(kind), self.exchange.since.of(kind))
        return max((start for start in starts if start is not None), default=None)

    @property
    def cutoff(self) -> datetime:
        """The instant after which a record may not have reached the other side's reading.

        It is one for both sides: amounts are those of one instant, and what is judged has to be in them.
        """
        return min(self.internal.as_of, self.exchange.as_of) - self.motion.grace

    def until(self, at: datetime) -> datetime | None:
        """Return when a record of this instant must have reached the other side; None where nobody says."""
        return at + self.motion.grace if self.motion.grace else None

    def tolerance(self, asset: Asset, rounded_records: int) -> Decimal:
        """Return how much two amounts of this asset may differ and still agree; inclusive."""
        floor = self.policy.tolerance_of(asset)
        return max(floor, rounding_tolerance(self.scales.assets.get(asset), rounded_records))

    def quantity_tolerance(self, instrument: Instrument) -> Decimal:
        """Return how much two quantities of this instrument may differ and still agree; inclusive."""
        assets = base_and_quote(instrument)
        return self.policy.tolerance_of(assets[0]) if assets else self.policy.tolerance


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
    """Return what it means that only the book has this. *doubt*: why absence may not be read as zero."""
    held_back = _held_back(view, "exchange", lone, doubt)
    return held_back or InternalOnly(lone.key, lone.type, lone.amount, lone.about, lone.stake, lone.at)


def only_exchange(view: View, lone: Lone, *, doubt: str = "") -> Finding:
    """Return what it means that only the exchange has this. *doubt*: why absence may not be read as zero."""
    held_back = _held_back(view, "internal", lone, doubt)
    return held_back or ExchangeOnly(lone.key, lone.type, lone.amount, lone.about, lone.stake, lone.at)


def also_repeated(finding: Finding, repeats: tuple[Inconsistent, ...], at: datetime | None = None) -> Finding:
    """Return the finding with the fact added that a side lists the record, which is of this instant, more than once."""
    if not repeats:
        return finding
    match finding:
        case Agrees(key):
            return Differs(key, repeats, repeats[0].about, at)
        case Differs(key, mismatches, about, since):
            return Differs(key, (*mismatches, *repeats), about, since)
        case InternalOnly() | ExchangeOnly():
            return replace(finding, repeats=repeats)
        case Pending() | CannotTell():
            return finding
        case _:
            assert_never(finding)


def _held_back(view: View, side: Side, lone: Lone, doubt: str) -> Finding | None:
    """Return why the other side's silence proves nothing here, or None where it does."""
    other = view.snapshot(side)
    if lone.at is not None and lone.at > view.cutoff:
        return Pending(lone.key, _too_young(other, lone.at), view.until(lone.at))
    if other.coverage.of(lone.key.kind) != Coverage.TOTAL:
        return CannotTell(lone.key, why_not_covered(other, lone.key.kind), side)
    return CannotTell(lone.key, doubt, side) if doubt else None


def _too_young(other: Snapshot, at: datetime) -> str:
    if at > other.as_of:
        return f"newer than the reading of the {other.side} side, which began {instant(other.as_of)}"
    return f"so young that it may not have reached the {other.side} side, read {instant(other.as_of)}"


def incomplete_sum(view: View, key: Key) -> CannotTell | None:
    """Return why rows that were added up prove nothing: some may be missing on a side. None where none can."""
    for snapshot in (view.internal, view.exchange):
        if snapshot.coverage.of(key.kind) != Coverage.TOTAL:
            return CannotTell(key, why_not_covered(snapshot, key.kind), snapshot.side)
    return None


def why_not_covered(snapshot: Snapshot, kind: Kind) -> str:
    """Return why this kind of record was not read in full, in the words of whoever read it."""
    reasons = [gap.reason for gap in snapshot.not_checked if gap.kind == kind]
    if reasons:
        return reasons[0]
    if snapshot.coverage.of(kind) == Coverage.NONE and snapshot.rows(kind):
        says = f"the {snapshot.side} snapshot lists {kind}, but its coverage of them is none"
        return f"{says}: they prove nothing; state coverage total or partial"
    covered = "only in part" if snapshot.coverage.of(kind) == Coverage.PARTIAL else "not at all"
    return f"the {snapshot.side} snapshot covers {kind} {covered}"


def before(at: datetime | None, start: datetime | None) -> bool:
    """Say whether a record lies before the window and is nobody's business here."""
    return start is not None and at is not None and at < start
