"""What a run decided and did, as it stands in its report.

A correction is listed amount by amount, as trading systems that read reports expect it; one without an amount (an
order that is closed) once. Nothing here decides.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import assert_never

from msgspec.structs import replace

from gal_friday.domain.adjusted import Applied, Outcome, Refused, Unsettled
from gal_friday.domain.adjustment import Adjustment, Effect, PostOrder
from gal_friday.domain.decision import Choice, Decided
from gal_friday.domain.records import Kind
from gal_friday.domain.report import ReconciliationReport, Repaired, ReviewItem


def with_decisions(
    report: ReconciliationReport,
    decided: Sequence[Decided],
    outcomes: Mapping[str, Outcome],
    *,
    excused: Collection[str] = (),
) -> ReconciliationReport:
    """Return the report with what was decided, what was posted, and what a person still has to look at.

    *outcomes* are what applying came to, by adjustment; *excused* the discrepancies that a person has accepted or
    put aside for now.
    """
    applied = [one for one in decided if isinstance(outcomes.get(_id(one)), Applied)]
    proposed = [one for one in decided if one.decision.choice is Choice.PROPOSE and _id(one) not in outcomes]
    settled = {name for one in applied for name in one.candidate.discrepancies} | set(excused)
    about = {name: one for one in decided for name in one.candidate.discrepancies}
    return replace(
        report,
        auto_corrections=tuple(each for one in applied for each in _repaired(one)),
        proposals=tuple(each for one in proposed for each in _repaired(one)),
        decisions=tuple(decided),
        manual_review_required=tuple(
            _told(item, about.get(item.discrepancy_id), proposed)
            for item in report.manual_review_required
            if item.discrepancy_id not in settled
        ),
        notes=(*report.notes, *_not_posted(outcomes.values())),
    )


def turned_down(report: ReconciliationReport) -> int:
    """Return how many repairs were decided to be posted without a person, and were not."""
    posted = {one.adjustment_id for one in report.auto_corrections}
    return sum(one.decision.choice is Choice.CORRECT and _id(one) not in posted for one in report.decisions)


def _not_posted(outcomes: Iterable[Outcome]) -> Iterator[str]:
    for one in outcomes:
        match one:
            case Refused(name, reason):
                yield f"{name} was not posted: {reason}"
            case Unsettled(name, reason):
                yield f"nobody knows whether {name} was posted: {reason}; gal-friday adjustments {name}"
            case Applied():
                continue
            case _:
                assert_never(one)


def _id(decided: Decided) -> str:
    made = decided.candidate.adjustment
    return made.adjustment_id if made is not None else ""


def _told(item: ReviewItem, decided: Decided | None, proposed: Sequence[Decided]) -> ReviewItem:
    if decided is None:
        return item
    waiting = _id(decided) if decided in proposed else None
    because = "; ".join(decided.decision.reasons)
    return replace(item, decision=decided.decision.choice.value, because=because, adjustment_id=waiting)


def _repaired(decided: Decided) -> Iterator[Repaired]:
    made = decided.candidate.adjustment
    assert made is not None, "only an adjustment is proposed or applied"
    if made.effects:
        yield from (_moved(made, effect) for effect in made.effects)
    else:
        yield from _ended(made, (each.order.name for each in made.postings if isinstance(each, PostOrder)))


def _moved(made: Adjustment, effect: Effect) -> Repaired:
    kind, _, rest = effect.key.partition(":")
    name = rest.rpartition(":")[0]
    told = Repaired(type=made.type, adjustment_id=made.adjustment_id, reason=made.reason, difference=effect.change)
    if kind == Kind.BALANCES:
        return replace(told, currency=name, old_balance=effect.before, new_balance=effect.after)
    return replace(told, pair=name, old_quantity=effect.before, new_quantity=effect.after)


def _ended(made: Adjustment, orders: Iterable[str]) -> Iterator[Repaired]:
    for name in orders:
        yield Repaired(type=made.type, adjustment_id=made.adjustment_id, reason=made.reason, order_id=name)
