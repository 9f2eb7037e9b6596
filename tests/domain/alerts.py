"""Conditions and looks as tests of alerts write them."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from gal_friday.domain.alert import Alert, AlertKind, Condition, Group, Notice
from gal_friday.domain.alert_groups import grouped
from gal_friday.domain.alerting import Moved, Rules, look
from gal_friday.domain.materiality import Severity

T0 = datetime(2026, 1, 31, 12, tzinfo=UTC)
RULES = Rules()


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def condition(
    subject: str = "dis_1",
    *,
    kind: AlertKind = AlertKind.DISCREPANCIES,
    account: str = "main",
    severity: Severity = Severity.CRITICAL,
    since: float = 0,
    value: str | None = "10",
    magnitude: int = 1,
    dated: bool = True,
    exchange: str = "kraken",
) -> Condition:
    return Condition(
        kind=kind,
        account=account,
        exchange=exchange,
        subject=subject,
        severity=severity,
        title=f"{subject} is off",
        lines=("because",),
        path=f"/discrepancies/{subject}",
        since=at(since),
        dated=dated,
        magnitude=magnitude,
        value=None if value is None else Decimal(value),
    )


def group(*conditions: Condition) -> Group | None:
    groups = grouped(conditions)
    assert len(groups) < 2
    return groups[0] if groups else None


class Life:
    """One alert that is looked at again and again."""

    def __init__(self, rules: Rules = RULES) -> None:
        self.rules = rules
        self.alert: Alert | None = None
        self.notices: list[Notice] = []
        self.moves: list[Moved] = []

    def look(self, seconds: float, *conditions: Condition, muted: str = "") -> list[str]:
        """Look once, and return what is told now."""
        moved = look(self.alert, group(*conditions), at(seconds), self.rules, muted=muted)
        if moved is None:
            return []
        self.alert = moved.alert
        self.moves.append(moved)
        if moved.notice is None:
            return []
        self.notices.append(moved.notice)
        return [moved.notice.what.value]
