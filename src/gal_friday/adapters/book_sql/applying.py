"""What every keeper of adjustments does in the same way, in memory and in a database: facts, rows, reading back.

Nothing here reads or writes.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, assert_never

from msgspec.structs import replace

from gal_friday.adapters.book_sql.posting import Refusal, planned, post
from gal_friday.adapters.book_sql.shelf import Shelf, arrivals
from gal_friday.domain import quantity
from gal_friday.domain.adjusted import PROGRAM_ITSELF, Applied, Kept, Step, after
from gal_friday.domain.adjustment import (
    Adjustment,
    AdjustmentState,
    AdjustmentType,
    Effect,
    Plug,
    PostFill,
    PostMovement,
    PostOrder,
    TakeBack,
    TakeBackAdjustment,
    adjustment_id,
)
from gal_friday.domain.errors import IllegalStep, NotAsPosted
from gal_friday.domain.facts import Actor, Fact, FactKind
from gal_friday.domain.give_way import Moved, summed
from gal_friday.domain.quantity import ZERO

_KINDS: dict[AdjustmentState, FactKind] = {
    AdjustmentState.PROPOSED: FactKind.ADJUSTMENT_PROPOSED,
    AdjustmentState.APPROVED: FactKind.REVIEW_APPROVED,
    AdjustmentState.REJECTED: FactKind.REVIEW_REJECTED,
    AdjustmentState.EXPIRED: FactKind.ADJUSTMENT_EXPIRED,
    AdjustmentState.INTENDED: FactKind.ADJUSTMENT_INTENDED,
    AdjustmentState.APPLIED: FactKind.ADJUSTMENT_APPLIED,
    AdjustmentState.REFUSED: FactKind.ADJUSTMENT_FAILED,
    AdjustmentState.OUTCOME_UNKNOWN: FactKind.ADJUSTMENT_OUTCOME_UNKNOWN,
    AdjustmentState.VERIFIED: FactKind.ADJUSTMENT_VERIFIED,
    AdjustmentState.UNVERIFIED: FactKind.ADJUSTMENT_UNVERIFIED,
    AdjustmentState.REVERSED: FactKind.ADJUSTMENT_REVERSED,
}


_WRITTEN = (AdjustmentState.INTENDED, AdjustmentState.OUTCOME_UNKNOWN)


def fact_of(kept: Kept) -> Fact:
    """Return the fact that tells the latest change of an adjustment."""
    change, adjustment = kept.history[-1], kept.adjustment
    body: dict[str, Any] = {
        "state": change.to_state.value,
        "from": None if change.from_state is None else change.from_state.value,
        "type": adjustment.type.value,
        "content": adjustment.content,
        "reconciliation_id": adjustment.reconciliation_id,
        "note": change.note,
        "effects": [
            {"key": effect.key, "before": effect.before, "after": effect.after} for effect in adjustment.effects
        ],
    }
    kind = _KINDS[change.to_state]
    if change.from_state is None:
        kind = FactKind.ADJUSTMENT_PROPOSED
    elif change.to_state is AdjustmentState.APPROVED and change.from_state in _WRITTEN:
        kind = FactKind.ADJUSTMENT_FAILED  # looked up, and not in the book
    return Fact(
        kind=kind,
        at=change.at,
        account=adjustment.account,
        subject=adjustment.adjustment_id,
        actor=Actor(change.actor, change.how),
        body=body,
    )


def changed_amounts(adjustment: Adjustment, net: Mapping[str, Decimal], at: datetime) -> Iterator[dict[str, Any]]:
    """Yield a row of ``position_adjustments`` for each amount that was changed, with what plugs gave way."""
    for number, effect in enumerate(adjustment.effects, 1):
        yield {
            "adjustment_id": adjustment.adjustment_id,
            "number": number,
            "reconciliation_id": adjustment.reconciliation_id,
            "account": adjustment.account,
            "trading_pair": effect.key.partition(":")[2].rpartition(":")[0],
            "adjustment_type": adjustment.type.value,
            "old_value": effect.before,
            "new_value": quantity.add(effect.before, net.get(effect.key, ZERO)),
            "reason": adjustment.reason,
            "adjusted_at": at,
        }


def written_at(adjustment_id: str, shelf: Shelf) -> int | None:
    """Return the version at which the book has entries of this adjustment; None where it has none."""
    versions = {one.seq for one in shelf.entries if one.adjustment_id == adjustment_id}
    versions |= {one.seq for one in shelf.reversals if one.adjustment_id == adjustment_id}
    versions |= {one.seq for one in shelf.plugs if one.adjustment_id == adjustment_id}
    if len(versions) > 1:
        raise NotAsPosted(f"adjustment {adjustment_id} stands in the book at versions {sorted(versions)}; look at both")
    return versions.pop() if versions else None


def read_back(
    adjustment: Adjustment, shelf: Shelf, version: int, known: Mapping[str, AdjustmentState]
) -> tuple[str, ...]:
    """Check that the book holds every posting and changed by just its effects; return the plugs that gave way.

    *shelf* is laid out anew, from another transaction, and looked at as it was just before and just after.

    Raises:
        NotAsPosted: it does not; that is a mistake of this program.
    """
    after, before = shelf.as_of(version), shelf.as_of(version - 1)
    states = {**known, **dict.fromkeys(reversed_by(adjustment), AdjustmentState.APPLIED)}
    _check_postings(adjustment, after)
    plugs = [row for row in after.plugs if row.seq == version]
    events = arrivals(before.standing(), after.standing())
    found = summed(
        (*(each for event in events for each in event), *(Moved(row.key, row.amount, row.at) for row in plugs))
    )
    try:
        expected = post(adjustment, before, states).net
    except Refusal as refusal:
        raise NotAsPosted(f"adjustment {adjustment.adjustment_id} was written although: {refusal}") from refusal
    if found != expected:
        raise NotAsPosted(f"adjustment {adjustment.adjustment_id} changed the book by {found}, not by {expected}")
    return tuple(row.plug_id for row in plugs if row.what == "gave_way")


def _check_postings(adjustment: Adjustment, shelf: Shelf) -> None:
    records = [one.record for one in shelf.entries if one.adjustment_id == adjustment.adjustment_id]
    backs = sum(one.adjustment_id == adjustment.adjustment_id for one in shelf.reversals)
    plugs = [row for row in shelf.plugs if row.adjustment_id == adjustment.adjustment_id]
    taken = 0
    for posting in adjustment.postings:
        match posting:
            case PostFill(record) | PostMovement(record) | PostOrder(record):
                there = record in records
            case TakeBack(entries=entries):
                taken += entries
                there = backs >= taken
            case Plug(amount=amount):
                there = any(row.what == "posted" and row.amount == amount for row in plugs)
            case TakeBackAdjustment():
                there = bool(backs or plugs)
            case _:
                assert_never(posting)
        if not there:
            raise NotAsPosted(f"adjustment {adjustment.adjustment_id} lacks a posting in the book: {posting}")


def confirmed(known: Kept, version: int, gave_way: tuple[str, ...], at: datetime) -> Kept:
    """Return the adjustment once it was read back."""
    outcome = Applied(known.id, version, gave_way)
    return replace(after(known, Step.APPLY, PROGRAM_ITSELF, at), outcome=outcome)


def reversal_of(kept: Kept, shelf: Shelf, states: Mapping[str, AdjustmentState], about: Adjustment) -> Adjustment:
    """Return *about*, an adjustment that takes *kept* back and states no effects yet, with its effects.

    Raises:
        IllegalStep: it is not in the book, or nothing of it stands.
    """
    try:
        plan = planned(about, shelf, states)
    except Refusal as refusal:
        raise IllegalStep(f"adjustment {kept.id} cannot be taken back: {refusal}") from refusal
    amounts = {effect.key: effect.after for effect in kept.adjustment.effects}
    effects = tuple(
        Effect(key, amounts.get(key, ZERO), quantity.add(amounts.get(key, ZERO), amount))
        for key, amount in sorted(plan.gross.items())
    )
    return replace(about, effects=effects)


def empty_reversal(kept: Kept, *, reason: str, reconciliation_id: str, version: int, at: datetime) -> Adjustment:
    """Return the adjustment that takes *kept* back, without its effects."""
    it = kept.adjustment
    postings = (TakeBackAdjustment(it.adjustment_id),)
    return Adjustment(
        # Taken back, brought back and taken back again are three adjustments.
        adjustment_id=adjustment_id(it.account, it.exchange, postings, str(kept.revision)),
        account=it.account,
        exchange=it.exchange,
        type=AdjustmentType.REVERSAL,
        postings=postings,
        discrepancies=it.discrepancies,
        keys=it.keys,
        effects=(),
        record_ids=it.record_ids,
        cause=it.cause,
        reason=reason,
        value=it.value,
        reconciliation_id=reconciliation_id or it.reconciliation_id,
        book_version=str(version),
        policy_version=it.policy_version,
        at=at,
        reverses=it.adjustment_id,
    )


def reversed_by(adjustment: Adjustment) -> tuple[str, ...]:
    """Return the adjustments that this one takes back."""
    return tuple(each.adjustment_id for each in adjustment.postings if isinstance(each, TakeBackAdjustment))


def step_back(target: Kept) -> Iterator[tuple[str, Step]]:
    """Yield what becomes of others when *target* is taken back: itself, and whatever it had taken back before."""
    yield target.id, Step.REVERSE
    for other in reversed_by(target.adjustment):
        yield other, Step.REINSTATE
