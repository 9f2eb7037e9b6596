"""Does a report show what went wrong in the demo's book, why, and nothing else?

*What* is held against the list by type, record and exact amount; *why* by cause, by the event that it names and
by the digits that stay unexplained. Nothing here knows how a report comes about.
"""

from collections import Counter
from collections.abc import Iterable
from decimal import Decimal

from gal_friday.bootstrap.demo_book import Accident, Expected
from gal_friday.domain import quantity
from gal_friday.domain.decision import Choice
from gal_friday.domain.discrepancy import BalanceDiscrepancy, Discrepancy, PositionDiscrepancy, RecordDiscrepancy
from gal_friday.domain.report import ReconciliationReport


def missing_and_unexpected(report: ReconciliationReport, accidents: Iterable[Accident]) -> tuple[list[str], list[str]]:
    """Return what the report should show and does not, and what it shows and should not; both empty at best."""
    planted = (_what(one) for accident in accidents for one in accident.seen)
    return _unlike(planted, (_what(_shown(one)) for one in report.discrepancies))


def wrongly_explained(report: ReconciliationReport, accidents: Iterable[Accident]) -> list[str]:
    """Return every cause and every unexplained amount that the report should name and does not, or should not."""
    planted = tuple(accidents)
    seen = (one for accident in planted for one in accident.seen)
    should = [*map(_left, seen), *(f"{one.cause} {one.event}" for one in planted if one.cause)]
    does = [_left(_shown(one)) for one in report.discrepancies]
    missing, unexpected = _unlike(should, (*does, *(f"{root.cause} {root.event}" for root in report.root_causes)))
    return [*missing, *unexpected]


def not_repaired(before: ReconciliationReport, after: ReconciliationReport) -> list[str]:
    """Return what a run after the repairs should not show: something that was repaired, or one more repair."""
    repaired = {
        one
        for decided in before.decisions
        if decided.decision.choice is Choice.CORRECT
        for one in decided.candidate.discrepancies
    }
    again = sorted(one.key for one in after.discrepancies if one.id in repaired)
    lines = [f"repaired, and yet it differs: {key}" for key in again]
    lines += [f"repaired once more: {one.adjustment_id}" for one in after.auto_corrections]
    return lines if before.auto_corrections else ["nothing was repaired", *lines]


def _unlike(expected: Iterable[str], found: Iterable[str]) -> tuple[list[str], list[str]]:
    should, does = Counter(expected), Counter(found)
    return (
        [f"not found: {what}" for what in (should - does).elements()],
        [f"not expected: {what}" for what in (does - should).elements()],
    )


def _shown(one: Discrepancy) -> Expected:
    match one:
        case BalanceDiscrepancy():
            return Expected(one.type, f"{one.currency}:{one.wallet}", one.difference, _unexplained(one))
        case PositionDiscrepancy():
            return Expected(one.type, one.trading_pair, one.difference, _unexplained(one))
        case RecordDiscrepancy():
            return Expected(one.type, one.record_id, one.difference)


def _unexplained(one: BalanceDiscrepancy | PositionDiscrepancy) -> Decimal:
    return one.difference if one.bridge is None else one.bridge.residual


def _what(one: Expected) -> str:
    return f"{one.type} of {one.name}, {'no amount' if one.difference is None else quantity.short(one.difference)}"


def _left(one: Expected) -> str:
    return f"{_what(one)}, of which {quantity.short(one.residual)} unexplained"
