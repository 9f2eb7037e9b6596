"""What a run says about repairs that were made before it: verified, in doubt, or not wanted any more.

A repair is verified by what is *seen*: both sides agree on every key that it was made for (I7). As long as a
difference is still seen after it, nothing more is corrected in the account.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import assert_never

from msgspec import Struct

from gal_friday.domain import quantity
from gal_friday.domain.adjusted import Kept
from gal_friday.domain.adjustment import (
    Adjustment,
    AdjustmentState,
    AdjustmentType,
    Effect,
    PostFill,
    PostMovement,
    PostOrder,
    TakeBack,
)
from gal_friday.domain.cause import Cause
from gal_friday.domain.discrepancy import Discrepancy, RecordDiscrepancy
from gal_friday.domain.finding import Agrees, CannotTell, Differs, ExchangeOnly, Finding, InternalOnly, Pending
from gal_friday.domain.handover import Sighting
from gal_friday.domain.policy import Policy
from gal_friday.domain.records import Kind
from gal_friday.domain.report import ReconciliationReport


class Moved(Struct, frozen=True):
    """An adjustment that goes to another state because of what a run saw."""

    kept: Kept
    to_state: AdjustmentState
    note: str


def observed(
    kept: Iterable[Kept],
    findings: Mapping[str, Finding],
    discrepancies: Mapping[str, Collection[str]],
    opened: Collection[str],
    *,
    read_at: datetime,
    blind: Collection[str] = (),
) -> tuple[Moved, ...]:
    """Return what becomes of applied adjustments after a run that began to read both sides at *read_at*.

    *findings* are those of the run by the text of their key, *discrepancies* the ids that it saw, each with the
    records that explain the whole of it, if any do: what only other records stand behind is no failure of a repair.
    *opened* are the discrepancies that are open after the run, also where it could not judge them. *blind* are
    amounts that differ while the records behind them were not all seen: any of those may be why, and no record that
    was booked is in doubt. A plug is, which rests on no record.
    """
    every = (_observed(one, findings, discrepancies, opened, read_at, blind) for one in kept)
    return tuple(moved for moved in every if moved is not None)


def _observed(
    one: Kept,
    findings: Mapping[str, Finding],
    discrepancies: Mapping[str, Collection[str]],
    opened: Collection[str],
    read_at: datetime,
    blind: Collection[str],
) -> Moved | None:
    posted = _posted_at(one)
    # What takes another one back brings its difference back: that is no failure of it.
    if posted is None or posted >= read_at or one.adjustment.type is AdjustmentType.REVERSAL:
        return None
    still = sorted(set(one.adjustment.discrepancies) & discrepancies.keys())
    untold = () if one.adjustment.is_plug else blind
    doubted = [name for name in still if name not in untold and not _is_of_others(discrepancies[name], one)]
    if doubted and one.state is AdjustmentState.APPLIED:
        return Moved(one, AdjustmentState.UNVERIFIED, f"still seen: {', '.join(doubted)}")
    if not still and _is_seen_to_agree(one.adjustment, findings, opened):
        return Moved(one, AdjustmentState.VERIFIED, "both sides were seen to agree")
    return None


def _is_seen_to_agree(made: Adjustment, findings: Mapping[str, Finding], opened: Collection[str]) -> bool:
    """Say whether every key of it agrees; one that no run looks at any more was seen to, where nothing is open."""
    seen = [findings[key] for key in made.keys if key in findings]
    if not all(isinstance(finding, Agrees) for finding in seen):
        return False
    left = bool(made.discrepancies) and not set(made.discrepancies) & set(opened)
    return len(seen) == len(made.keys) or (bool(seen) and left)


def _is_of_others(records: Collection[str], one: Kept) -> bool:
    return bool(records) and _records_of(one.adjustment).isdisjoint(records)


def _records_of(made: Adjustment) -> set[str | None]:
    names: set[str | None] = set(made.record_ids)
    for posting in made.postings:
        match posting:
            case PostFill(record):
                names.add(record.fill_id)
            case PostMovement(row):
                names |= {row.movement_id, row.refers_to}
            case TakeBack(record_id=name):
                names.add(name)
            case PostOrder(order):
                names.add(order.name)
            case _:
                continue
    return names


def _posted_at(one: Kept) -> datetime | None:
    posted = [change.at for change in one.history if change.to_state is AdjustmentState.APPLIED]
    return posted[-1] if posted else None


_SETTLED_AFTER = timedelta(minutes=2)
"""What was handed over may still be on its way for so long: what is seen before says nothing of it."""


def sighting(one: Kept, findings: Mapping[str, Finding], seen: Collection[str], *, read_at: datetime) -> Sighting:
    """Return what a run that began to read at *read_at* saw of an adjustment that may be in the book, or not.

    *seen* are the discrepancies that it saw. Only a reading that began well after the latest try says anything.
    """
    made = one.adjustment
    if read_at - one.history[-1].at <= _SETTLED_AFTER or not made.keys:
        return Sighting.UNCLEAR
    found = {key: findings.get(key) for key in made.keys}
    agrees = all(isinstance(finding, Agrees) for finding in found.values()) and not set(made.discrepancies) & set(seen)
    if made.type is AdjustmentType.REVERSAL:
        # The difference comes back once it is posted: as long as both sides agree, nothing came of it.
        return Sighting.UNCHANGED if agrees else Sighting.UNCLEAR
    if agrees:
        return Sighting.AGREES
    records = {key: finding for key, finding in found.items() if not key.startswith(_AMOUNTS)}
    if records:
        # Balances hold the effects of others as well; whether a record is there is told by the record.
        whole = all(isinstance(finding, _UNLIKE) for finding in records.values())
    else:
        whole = bool(made.effects) and all(_is_whole(effect, findings.get(effect.key)) for effect in made.effects)
    return Sighting.UNCHANGED if whole else Sighting.UNCLEAR


_AMOUNTS = ("balances:", "positions:", "holds:")
_UNLIKE = (Differs, ExchangeOnly, InternalOnly)


def _is_whole(effect: Effect, finding: Finding | None) -> bool:
    """Say whether the difference of this amount is just what the effect would have taken away."""
    match finding:
        case Differs(mismatches=mismatches):
            return any(getattr(each, "difference", None) == effect.change for each in mismatches)
        case ExchangeOnly(amount=amount):
            return amount == effect.change
        case InternalOnly(amount=amount):
            return quantity.negate(amount) == effect.change
        case Agrees() | Pending() | CannotTell() | None:
            return False
        case _:
            assert_never(finding)


def needless(
    proposed: Iterable[Kept],
    opened: Collection[str],
    computed: Mapping[str, Collection[str]],
    *,
    policy: Policy,
    now: datetime,
) -> Iterator[Moved]:
    """Yield the proposals that nobody has to decide about any more.

    *opened* are the discrepancies that are open after the run, *computed* the discrepancies of each adjustment that
    it computed. Several events may be behind one discrepancy: what was computed again is not replaced by the others.
    """
    for one in proposed:
        made = one.adjustment
        others = [name for name, about in computed.items() if not set(about).isdisjoint(made.discrepancies)]
        if made.type is AdjustmentType.REVERSAL:
            continue
        if not set(made.discrepancies) & set(opened):
            yield Moved(one, AdjustmentState.EXPIRED, "both sides agree without it")
        elif others and one.id not in computed:
            yield Moved(one, AdjustmentState.EXPIRED, f"{', '.join(sorted(others))} took its place")
        elif now - _since(one) > timedelta(hours=policy.proposals_expire_hours):
            yield Moved(one, AdjustmentState.EXPIRED, f"nobody decided in {policy.proposals_expire_hours} hours")


def _since(one: Kept) -> datetime:
    """Return when it was proposed: a run that computes it again gives nobody more time."""
    return max(change.at for change in one.history if change.to_state is AdjustmentState.PROPOSED)


def unseen_behind(report: ReconciliationReport) -> Collection[str]:
    """Return the amounts that differ, where the records that may be why were not all seen."""
    unseen = any(gap.side is not None and gap.kind in (Kind.FILLS, Kind.MOVEMENTS) for gap in report.not_checked)
    return {one.id for one in report.discrepancies if unseen and not isinstance(one, RecordDiscrepancy)}


def explained_by(report: ReconciliationReport) -> Mapping[str, Collection[str]]:
    """Return the records and events that explain each discrepancy, by its id; none where anything is left over."""
    of_orders = _events_of_orders(report)
    return {one.id: of_orders.get(one.key) or _explaining(one) for one in report.discrepancies}


def _events_of_orders(report: ReconciliationReport) -> Mapping[str, Collection[str]]:
    """Return the fill that each order differs by now, with its records: it may have been another one before."""
    return {
        key: (root.event, *root.record_ids)
        for root in report.root_causes
        for key in root.symptoms
        if key.startswith((f"{Kind.ORDERS}:", f"{Kind.SOURCES}:order:")) and root.cause != Cause.UNEXPLAINED
    }


def _explaining(one: Discrepancy) -> Collection[str]:
    """Return the records and events that explain an amount that differs; none where anything is left over."""
    if isinstance(one, RecordDiscrepancy) or one.bridge is None or one.bridge.residual:
        return ()
    if not (one.bridge.proven or one.bridge.by_records):
        return ()
    return [name for item in one.bridge.items for name in (item.event, *item.record_ids) if name]
