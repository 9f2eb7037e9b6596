"""Conditions of one kind in one account become one group, with the worst few named and the others counted.

Ten thousand discrepancies of one run are one alert. The order in which conditions are found changes nothing.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from heapq import nsmallest
from typing import Any

from gal_friday.domain.alert import LINES_MAX, TEXT_MAX, AlertKind, Condition, Group, alert_id, rank, worst_of

MANY = {
    AlertKind.RUN_FAILED: "runs failed",
    AlertKind.RUN_MISSED: "runs did not happen",
    AlertKind.STALE: "accounts were not seen whole for too long",
    AlertKind.OUTAGE: "exchanges give no usable answer",
    AlertKind.DISCREPANCIES: "discrepancies are open",
    AlertKind.REVIEW_OVERDUE: "discrepancies wait for a person for too long",
    AlertKind.BREAKER_TRIPPED: "reasons stop corrections",
    AlertKind.ADJUSTMENT_UNSETTLED: "adjustments need to be looked at",
    AlertKind.KEY_EXPIRING: "keys end soon",
    AlertKind.JOURNAL_UNVERIFIED: "things are wrong with the journal",
    AlertKind.CHANNEL_FAILING: "channels do not take what they are given",
    AlertKind.EVALUATION_FAILING: "reasons keep conditions from being read",
    AlertKind.TEST: "tests",
}
"""What is said of several; their number stands before it."""


def grouped(conditions: Iterable[Condition]) -> tuple[Group, ...]:
    """Return one group for every kind in every account, by id. A condition that is found twice counts once."""
    found: dict[tuple[str, str, str], dict[str, Condition]] = {}
    for one in conditions:
        found.setdefault((one.kind, one.account, one.exchange), {})[one.subject] = one
    return tuple(sorted((_group(list(some.values())) for some in found.values()), key=lambda group: group.id))


def _group(conditions: Sequence[Condition]) -> Group:
    worst = nsmallest(LINES_MAX, conditions, key=_badness)
    first = worst[0]
    alone = len(conditions) == 1
    return Group(
        id=alert_id(first.kind, first.account, first.exchange),
        kind=first.kind,
        account=first.account,
        exchange=first.exchange,
        severity=worst_of(list(conditions)),
        title=cut(first.title if alone else f"{len(conditions)} {MANY[first.kind]}"),
        lines=tuple(map(cut, first.lines)) if alone else _told(worst, len(conditions)),
        path=first.path if alone else _shared_path(first),
        since=min(one.since for one in conditions),
        newest=max((one.since for one in conditions if one.dated), default=None),
        magnitude=sum(one.magnitude for one in conditions),
        subjects=tuple(one.subject for one in worst),
    )


def _badness(one: Condition) -> Any:
    # Without a price nobody knows what it is worth: among equals it comes first.
    worth = one.value if one.value is not None else _UNKNOWN
    return (-rank(one.severity), _Descending(worth), one.since, one.subject)


_UNKNOWN = Decimal("Infinity")


class _Descending:
    """An amount that sorts the other way round, without arithmetic."""

    __slots__ = ("amount",)

    def __init__(self, amount: Decimal) -> None:
        self.amount = amount

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Descending) and self.amount == other.amount

    def __lt__(self, other: "_Descending") -> bool:
        return self.amount > other.amount

    __hash__ = None  # type: ignore[assignment]


def _told(worst: Sequence[Condition], count: int) -> tuple[str, ...]:
    rest = count - len(worst)
    named = tuple(cut(one.title) for one in worst)
    return (*named, f"and {rest} more") if rest else named


def _shared_path(first: Condition) -> str:
    return {
        AlertKind.DISCREPANCIES: f"/discrepancies?account={first.account}",
        AlertKind.REVIEW_OVERDUE: f"/review?account={first.account}",
    }.get(first.kind, first.path)


def cut(text: str) -> str:
    """Return the text on one line, without anything that is not printable, and no longer than a line may be."""
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return line if len(line) <= TEXT_MAX else f"{line[: TEXT_MAX - 1]}…"
