"""What recorded runs would have decided under another policy. Pure: nothing is read, kept or posted.

Each event is decided about again from the facts that its report holds. What was confirmed, proven and worth how much
stays as that run saw it: settings that change what is compared need a new run. Budgets are counted along as the
other policy would have used them, and a repair that it would have posted earlier is not asked about again.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from msgspec import Struct

from gal_friday.domain import quantity
from gal_friday.domain.decision import Choice, Decided, Used, breakers_of, decide
from gal_friday.domain.policy import Mode, Policy
from gal_friday.domain.quantity import ZERO
from gal_friday.domain.report import ReconciliationReport

_UNVERIFIED = "corrections stopped: after "

DECIDES = (
    "auto_correct_threshold",
    "auto_correct_max_value",
    "proven_max_value",
    "corrections_per_hour",
    "corrections_per_day",
    "corrected_value_per_hour",
    "corrected_value_per_day",
    "breaker_discrepancies",
    "breaker_flips",
)
"""The fields of a policy that decide about an event; the others decide what is compared, or who approves."""


class Otherwise(Struct, frozen=True, kw_only=True):
    """One event that would have been decided otherwise."""

    reconciliation_id: str
    timestamp: datetime
    account: str
    event: str
    cause: str
    adjustment_id: str | None
    value: Decimal | None
    was: Choice
    would: Choice
    was_because: tuple[str, ...]
    would_because: tuple[str, ...]


class Redecided(Struct, frozen=True, kw_only=True):
    """What recorded runs decided, and would have decided."""

    reports: int
    decisions: int
    was: dict[Choice, int]
    would: dict[Choice, int]
    changes: tuple[Otherwise, ...]


class _Posted(Struct, frozen=True):
    account: str
    at: datetime
    value: Decimal


def redecided(
    reports: Iterable[ReconciliationReport], policy: Policy, *, mode: Mode | None = None, since: datetime | None = None
) -> Redecided:
    """Return what these reports, in any order, would have decided under this policy.

    *mode* takes the place of the mode of each run. Reports before *since* count against budgets alone.
    """
    posted: list[_Posted] = []
    settled: set[str] = set()
    told, was, would, changes = 0, Counter[Choice](), Counter[Choice](), list[Otherwise]()
    for report in sorted(reports, key=lambda one: (one.timestamp, one.reconciliation_id)):
        before = [one for one in report.decisions if _id(one) not in settled]
        after = _again(report, before, policy, mode, posted)
        settled |= _settled(report, before, after, posted)
        if since is not None and report.timestamp < since:
            continue
        told += 1
        was.update(one.decision.choice for one in before)
        would.update(one.decision.choice for one in after)
        changes += _otherwise(report, before, after)
    return Redecided(reports=told, decisions=was.total(), was=dict(was), would=dict(would), changes=tuple(changes))


def _again(
    report: ReconciliationReport,
    before: Sequence[Decided],
    policy: Policy,
    mode: Mode | None,
    posted: Sequence[_Posted],
) -> tuple[Decided, ...]:
    return decide(
        [one.candidate for one in before],
        mode=mode or report.mode,
        policy=policy,
        used=_used(posted, report.account, report.timestamp),
        breakers=_breakers(report, policy),
    )


def _breakers(report: ReconciliationReport, policy: Policy) -> tuple[str, ...]:
    stopped = breakers_of(
        discrepancies=report.total_discrepancies,
        degraded=report.unseen,
        flips=max((one.candidate.flips for one in report.decisions), default=0),
        unverified=(),
        policy=policy,
    )
    # Which repairs were in doubt is a fact of that day, and stands in the reasons alone.
    reasons = (reason for one in report.decisions for reason in one.decision.reasons)
    return (*stopped, *dict.fromkeys(reason for reason in reasons if reason.startswith(_UNVERIFIED)))


def _used(posted: Sequence[_Posted], account: str, now: datetime) -> Used:
    day = [one for one in posted if one.account == account and one.at > now - timedelta(days=1)]
    hour = [one for one in day if one.at > now - timedelta(hours=1)]
    return Used(len(hour), _worth(hour), len(day), _worth(day))


def _worth(posted: Sequence[_Posted]) -> Decimal:
    return quantity.total(one.value for one in posted)


def _settled(
    report: ReconciliationReport, before: Sequence[Decided], after: Sequence[Decided], posted: list[_Posted]
) -> set[str]:
    """Count what would have been posted, and return the ids that no later run would have asked about."""
    really = {one.adjustment_id for one in report.auto_corrections}
    settled = set()
    for old, new in zip(before, after, strict=True):
        refused = old.decision.choice is Choice.CORRECT and _id(old) not in really
        if new.decision.choice is Choice.CORRECT and not refused:
            posted.append(_Posted(report.account, report.timestamp, new.candidate.value or ZERO))
            settled.add(_id(new))
    return settled


def _otherwise(
    report: ReconciliationReport, before: Collection[Decided], after: Collection[Decided]
) -> Iterator[Otherwise]:
    for old, new in zip(before, after, strict=True):
        if old.decision.choice is not new.decision.choice:
            yield Otherwise(
                reconciliation_id=report.reconciliation_id,
                timestamp=report.timestamp,
                account=report.account,
                event=new.candidate.event,
                cause=new.candidate.cause,
                adjustment_id=_id(new) or None,
                value=new.candidate.value,
                was=old.decision.choice,
                would=new.decision.choice,
                was_because=old.decision.reasons,
                would_because=new.decision.reasons,
            )


def _id(one: Decided) -> str:
    made = one.candidate.adjustment
    return made.adjustment_id if made is not None else ""
