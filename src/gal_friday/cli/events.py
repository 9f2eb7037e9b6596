"""Discrepancies grouped by what happened, so that one missed fill reads as one thing and not as five.

A fill and the movements that refer to it share an id and belong together, and so does whatever is wrong with
one order. A balance or a position joins them
where its difference is, to the last digit, what they add up to. That is arithmetic, not a guess; whatever does
not add up exactly stands for itself.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import assert_never

from msgspec import Struct

from gal_friday.domain import quantity
from gal_friday.domain.discrepancy import (
    BalanceDiscrepancy,
    Discrepancy,
    PositionDiscrepancy,
    RecordDiscrepancy,
)
from gal_friday.domain.materiality import Severity
from gal_friday.domain.report import ReconciliationReport

_WEIGHT = {severity: weight for weight, severity in enumerate(Severity)}


Total = BalanceDiscrepancy | PositionDiscrepancy


class Event(Struct, frozen=True):
    """One thing that happened: the discrepancy that says it, and those that follow from it."""

    head: Discrepancy
    followers: tuple[Discrepancy, ...] = ()
    note: str = ""
    """What the head adds up to, where several events make it up."""

    @property
    def members(self) -> tuple[Discrepancy, ...]:
        """Head and followers."""
        return (self.head, *self.followers)


def events_of(report: ReconciliationReport) -> list[Event]:
    """Return every discrepancy of the report exactly once, the most severe event first, then by value."""
    records = _by_event(report)
    followers: dict[str, list[Discrepancy]] = {}
    alone: list[Event] = []
    totals: list[Total] = [*report.position_discrepancies, *report.balance_discrepancies]
    for total in totals:
        parts = _parts_of(total, report)
        names = sorted({part.record_id for part in parts})
        if len(names) == 1:
            followers.setdefault(names[0], []).append(total)
        else:
            alone.append(Event(total, (), _adds_up(parts, names)))
    events = [Event(group[0], (*group[1:], *followers.get(name, ()))) for name, group in records.items()]
    return sorted([*events, *alone], key=_rank)


def _by_event(report: ReconciliationReport) -> dict[str, list[RecordDiscrepancy]]:
    """Return the records under the event that they share: the fill, the transfer, the order."""
    groups: dict[str, list[RecordDiscrepancy]] = {}
    for one in (*report.fill_discrepancies, *report.movement_discrepancies):
        groups.setdefault(one.record_id, []).append(one)
    for one in report.order_discrepancies:
        groups.setdefault(f"order:{one.record_id}", []).append(one)
    for one in report.source_discrepancies:
        # A source that contradicts itself about an order is named order:ID.
        groups.setdefault(one.record_id if one.key.startswith("sources:") else one.key, []).append(one)
    return groups


def _parts_of(total: Total, report: ReconciliationReport) -> Sequence[RecordDiscrepancy]:
    """Return the records that make up this difference to the last digit; none where they do not."""
    match total:
        case BalanceDiscrepancy():
            found = [one for one in report.movement_discrepancies if _moves(one, total)]
        case PositionDiscrepancy():
            found = [one for one in report.fill_discrepancies if one.about == total.trading_pair]
        case _:
            assert_never(total)
    differences = [one.difference for one in found if one.difference is not None]
    return found if differences and _sum(differences) == total.difference else ()


def _moves(one: RecordDiscrepancy, balance: BalanceDiscrepancy) -> bool:
    """Say whether this movement is one of that balance; a row under its own id does not name its wallet."""
    if one.about != balance.currency or not balance.key.startswith("balances:"):
        return False
    part = one.key.removeprefix(f"movements:{one.record_id}").lstrip(":")
    return not part or part == f"{balance.currency}:{balance.wallet}"


def _sum(differences: Iterable[Decimal]) -> Decimal:
    return quantity.total(differences)


def _adds_up(parts: Sequence[RecordDiscrepancy], names: Sequence[str]) -> str:
    return f"exactly what the {len(parts)} records of {len(names)} events add up to" if parts else ""


def _rank(event: Event) -> tuple[int, Decimal, str]:
    worst = max(_WEIGHT[one.severity] for one in event.members)
    values = [one.value for one in event.members if one.value is not None]
    return -worst, quantity.negate(max(values, default=quantity.ZERO)), event.head.key
