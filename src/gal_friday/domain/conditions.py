"""What is wrong now, worked out from what is known: runs, discrepancies, reviews, adjustments, keys, the journal.

Each function takes values and returns conditions; none loads, remembers or sends anything. Titles are for people who
are woken: what, where, how much. Amounts are those of the report, and no text holds a secret.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from msgspec import Struct

from gal_friday.domain import quantity
from gal_friday.domain.adjusted import Kept
from gal_friday.domain.adjustment import AdjustmentState
from gal_friday.domain.alert import AlertKind, Condition, rank
from gal_friday.domain.discrepancy import BalanceDiscrepancy, Discrepancy, PositionDiscrepancy
from gal_friday.domain.followed import Followed
from gal_friday.domain.instants import instant
from gal_friday.domain.materiality import Severity
from gal_friday.domain.report import ReconciliationReport
from gal_friday.domain.schedule import Obstacle, Planned

STOPPED = "corrections stopped: "
"""How a decision begins that a breaker is the reason of."""
LOOKED_AT = (AdjustmentState.OUTCOME_UNKNOWN, AdjustmentState.UNVERIFIED)
"""States of an adjustment that a person has to look at."""
_PASSING = frozenset({Obstacle.OUTAGE, Obstacle.MAINTENANCE})
_REASONS_MAX = 3


class Limits(Struct, frozen=True, kw_only=True):
    """From when on something is told."""

    severity: Severity = Severity.CRITICAL
    """Open discrepancies from this severity on."""
    failures: int = 3
    """So many failed runs one after the other are critical."""
    late_after: timedelta = timedelta(minutes=5)
    """A run that is so late was missed."""
    stale_after: timedelta = timedelta(hours=6)
    """An account that was not seen whole for so long."""
    key_ends_within: timedelta = timedelta(days=14)
    journal_unverified_after: timedelta = timedelta(hours=48)
    channel_failing_after: timedelta = timedelta(minutes=2)
    accounts_of_an_outage: int = 2
    """So many accounts of one exchange without an answer are one outage."""
    accounts_told_alone: int = 5
    """Where more accounts than this have the same, one alert is about all of them."""
    currency: str = "USD"
    """In which values are stated."""


class Waits(Struct, frozen=True):
    """A discrepancy that needs a person, and by how much they are late."""

    followed: Followed
    overdue: timedelta | None = None


class JournalSeen(Struct, frozen=True, kw_only=True):
    """What the last verification of the journal saw."""

    at: datetime
    broken: str = ""
    """The first place that is not what was written; empty where everything is."""
    journal: str = ""
    head: int = 0
    """The number of the newest head that was seen."""
    entries: int = 0
    """Over how many entries it stands."""
    root: str = ""


class Stuck(Struct, frozen=True, kw_only=True):
    """What a channel has not taken."""

    channel: str
    waiting: int
    since: datetime
    attempts: int
    reason: str


def failed_run(
    account: str, exchange: str, *, failures: int, at: datetime, reasons: Sequence[str], run: str, limits: Limits
) -> Condition | None:
    """Return that the last run failed; None where it did not."""
    if not failures:
        return None
    grave = failures >= limits.failures
    title = f"{failures} runs failed one after the other" if failures > 1 else "the last run failed"
    return Condition(
        kind=AlertKind.RUN_FAILED,
        account=account,
        exchange=exchange,
        subject=account,
        severity=Severity.CRITICAL if grave else Severity.HIGH,
        title=title,
        lines=(*reasons[:_REASONS_MAX], "nothing was compared: what differs now is not known"),
        path=f"/reports/{run}" if run else f"/accounts/{account}",
        since=at,
        dated=False,
        magnitude=failures,
    )


def open_discrepancies(waiting: Iterable[Waits], limits: Limits) -> Iterator[Condition]:
    """Yield every open discrepancy that is grave enough and needs a person."""
    least = rank(limits.severity)
    for one in waiting:
        followed = one.followed
        if rank(followed.severity) >= least:
            yield Condition(
                kind=AlertKind.DISCREPANCIES,
                account=followed.account,
                exchange=followed.exchange,
                subject=followed.id,
                severity=followed.severity,
                title=_said(followed.latest, limits.currency),
                lines=_why(followed),
                path=f"/discrepancies/{followed.id}",
                since=followed.opened_at,
                value=followed.latest.value,
            )


def overdue_reviews(waiting: Iterable[Waits]) -> Iterator[Condition]:
    """Yield every discrepancy at which nobody looked in time."""
    for one in waiting:
        if one.overdue is not None:
            followed = one.followed
            # Discrepancies of critical severity are told as such; that nobody looks is one step less.
            grave = followed.severity in (Severity.CRITICAL, Severity.HIGH)
            yield Condition(
                kind=AlertKind.REVIEW_OVERDUE,
                account=followed.account,
                exchange=followed.exchange,
                subject=followed.id,
                severity=Severity.HIGH if grave else Severity.MEDIUM,
                title=f"nobody has looked at {_subject(followed.latest)} in time",
                lines=(f"{followed.severity}, overdue by {_span(one.overdue)}",),
                path=f"/discrepancies/{followed.id}",
                since=followed.opened_at,
                value=followed.latest.value,
            )


def missed_run(planned: Planned, exchange: str, now: datetime, limits: Limits) -> Condition | None:
    """Return that a run was due and did not happen; None where none was, or runs are paused.

    It holds for a while after it was noticed, also where the account was run at once then: else nobody would hear of
    what was missed while the service itself stood still.
    """
    due = _missed(planned, now, limits)
    if planned.is_paused or due is None:
        return None
    held = planned.held
    why = f"{held.obstacle}: nothing is tried before {instant(held.until)}" if held is not None else "nobody ran it"
    return Condition(
        kind=AlertKind.RUN_MISSED,
        account=planned.account,
        exchange=exchange,
        subject=planned.account,
        severity=Severity.HIGH,
        title="a run was due and did not happen",
        lines=(f"due at {instant(due)}", why),
        path=f"/accounts/{planned.account}",
        since=due,
        dated=False,
    )


def _missed(planned: Planned, now: datetime, limits: Limits) -> datetime | None:
    """Return when the run was due that did not happen in time."""
    if planned.begun is None and now - planned.due > limits.late_after:
        return planned.due
    noticed = planned.missed_at
    return planned.missed if noticed is not None and now - noticed <= limits.late_after else None


def stale_account(planned: Planned, exchange: str, now: datetime, limits: Limits) -> Condition | None:
    """Return that the account was not seen whole for too long; None where it was, or never was yet."""
    seen = planned.last_complete
    if planned.is_paused or seen is None or now - seen <= limits.stale_after:
        return None
    return Condition(
        kind=AlertKind.STALE,
        account=planned.account,
        exchange=exchange,
        subject=planned.account,
        severity=Severity.HIGH,
        title="the account was not seen whole for too long",
        lines=(f"the last run that saw everything was at {instant(seen)}",),
        path=f"/accounts/{planned.account}",
        since=seen + limits.stale_after,
        dated=False,
    )


def outages(plans: Iterable[tuple[Planned, str]], limits: Limits) -> Iterator[Condition]:
    """Yield one condition for every exchange that gives several accounts no usable answer."""
    down: dict[str, list[Planned]] = {}
    for planned, exchange in plans:
        if planned.failures and planned.held is not None and planned.held.obstacle in _PASSING:
            down.setdefault(exchange, []).append(planned)
    for exchange, some in down.items():
        if len(some) >= limits.accounts_of_an_outage:
            first = min(some, key=lambda one: (one.last_run or one.due, one.account))
            yield Condition(
                kind=AlertKind.OUTAGE,
                exchange=exchange,
                subject=exchange,
                severity=Severity.CRITICAL,
                title=f"{exchange} gives {len(some)} accounts no usable answer",
                lines=("their failed runs are not told one by one",),
                path="/accounts",
                since=first.last_run or first.due,
                dated=False,
                magnitude=len(some),
            )


def tripped_breakers(report: ReconciliationReport) -> Iterator[Condition]:
    """Yield why corrections of the account are stopped, as the decisions of its last run say."""
    reasons = {reason for one in report.decisions for reason in one.decision.reasons if reason.startswith(STOPPED)}
    for reason in sorted(reasons):
        yield Condition(
            kind=AlertKind.BREAKER_TRIPPED,
            account=report.account,
            exchange=report.exchange,
            # The reason counts things, and is the same one when there are more of them.
            subject="".join(char for char in reason if not char.isdigit()),
            severity=Severity.HIGH,
            title=reason,
            lines=("nothing is posted without a person until this is over",),
            path=f"/reports/{report.reconciliation_id}",
            since=report.timestamp,
            dated=False,
        )


def unsettled_adjustments(kept: Iterable[Kept]) -> Iterator[Condition]:
    """Yield every adjustment of which nobody knows what came, or after which a difference was still seen."""
    for one in kept:
        if one.state in LOOKED_AT:
            unknown = one.state is AdjustmentState.OUTCOME_UNKNOWN
            yield Condition(
                kind=AlertKind.ADJUSTMENT_UNSETTLED,
                account=one.adjustment.account,
                exchange=one.adjustment.exchange,
                subject=one.id,
                severity=Severity.CRITICAL if unknown else Severity.HIGH,
                title=f"nobody knows whether the book holds {one.id}"
                if unknown
                else f"after {one.id} a difference was still seen",
                lines=(one.adjustment.reason,),
                path=f"/adjustments/{one.id}",
                since=one.history[-1].at if one.history else one.adjustment.at,
            )


def key_ending(account: str, exchange: str, ends: datetime, now: datetime, limits: Limits) -> Condition | None:
    """Return that the key of the account ends soon, or has ended; None where there is time."""
    left = ends - now
    if left > limits.key_ends_within:
        return None
    gone = ends <= now
    return Condition(
        kind=AlertKind.KEY_EXPIRING,
        account=account,
        exchange=exchange,
        subject=account,
        severity=Severity.CRITICAL if gone else Severity.HIGH if left <= timedelta(days=3) else Severity.MEDIUM,
        title="the key has ended" if gone else f"the key ends in {_span(left)}",
        lines=(f"valid until {instant(ends)}", "make a new one with query rights only, and put it in its place"),
        path=f"/accounts/{account}",
        since=ends - limits.key_ends_within,
    )


def journal_doubts(seen: JournalSeen | None, begun: datetime, now: datetime, limits: Limits) -> Iterator[Condition]:
    """Yield that the journal is not what was written, or that nobody has looked for too long.

    *begun* is since when somebody could have looked.
    """
    last = seen.at if seen is not None else begun
    if seen is not None and seen.broken:
        title = f"the journal is not what was written: {seen.broken}"
        yield _of_journal("broken", Severity.CRITICAL, title, (_VERIFY,), seen.at)
    elif now - last > limits.journal_unverified_after:
        title = "nobody has verified the journal for too long"
        lines = (f"last at {instant(last)}" if seen is not None else "never yet", _VERIFY)
        yield _of_journal("age", Severity.MEDIUM, title, lines, last + limits.journal_unverified_after)


_VERIFY = "run: gal-friday journal verify"


def _of_journal(subject: str, severity: Severity, title: str, lines: tuple[str, ...], since: datetime) -> Condition:
    kind = AlertKind.JOURNAL_UNVERIFIED
    return Condition(
        kind=kind, subject=subject, severity=severity, title=title, lines=lines, path="/journal", since=since
    )


def failing_channels(stuck: Iterable[Stuck], now: datetime, limits: Limits) -> Iterator[Condition]:
    """Yield every channel that has not taken something for too long."""
    for one in stuck:
        if now - one.since > limits.channel_failing_after:
            waits = f"{one.waiting} notices wait" if one.waiting > 1 else "1 notice waits"
            yield Condition(
                kind=AlertKind.CHANNEL_FAILING,
                subject=one.channel,
                severity=Severity.HIGH,
                title=f"the channel {one.channel} takes nothing since {instant(one.since)}",
                lines=(f"{waits}, after {one.attempts} attempts: {one.reason}",),
                path="/alerts",
                since=one.since,
            )


def unreadable(reason: str, at: datetime) -> Condition:
    """Return that nobody can tell what holds."""
    return Condition(
        kind=AlertKind.EVALUATION_FAILING,
        subject="evaluation",
        severity=Severity.CRITICAL,
        title="what holds cannot be read: nobody would be told of anything else",
        lines=(reason,),
        path="/alerts",
        since=at,
        dated=False,
    )


def _said(one: Discrepancy, currency: str) -> str:
    book, there = _amount(one.internal), _amount(one.exchange)
    worth = f", worth {quantity.rounded(one.value, 2):f} {currency}" if one.value is not None else ""
    return f"{_subject(one)}: book {book}, exchange {there}{worth} ({one.severity})"


def _subject(one: Discrepancy) -> str:
    match one:
        case BalanceDiscrepancy():
            return f"{one.currency} in {one.wallet}"
        case PositionDiscrepancy():
            return f"position {one.trading_pair}"
        case _:
            return f"{one.record_id} {one.field}"


def _amount(told: Decimal | str | None) -> str:
    if told is None:
        return "nothing"
    return quantity.short(told) if isinstance(told, Decimal) else told


def _why(followed: Followed) -> tuple[str, ...]:
    latest = followed.latest
    since = f"since {instant(followed.since)}, seen in {followed.occurrences} runs"
    return (since, latest.explanation) if latest.explanation else (since,)


def _span(span: timedelta) -> str:
    hours = int(span.total_seconds()) // 3600
    if hours >= 48:
        return f"{hours // 24} days"
    return f"{hours} hours" if hours > 1 else f"{max(int(span.total_seconds()) // 60, 1)} minutes"
