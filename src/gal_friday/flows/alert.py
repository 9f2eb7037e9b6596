"""From what holds now to what people are told: gather conditions, group them, move alerts, write what has to be told.

Level-triggered: nothing here is told that something happened. It looks at what stands, so that whatever was missed by a
crash, or done by another process, is found at the next look. Nothing is sent here: what has to be told waits in the
outbox, written in the transaction that moves the alert (I14).
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from msgspec import Struct

from gal_friday.domain.alert import Alert, Condition, Group
from gal_friday.domain.alert_groups import grouped
from gal_friday.domain.alert_mass import MASS_IDS, Holding, massed
from gal_friday.domain.alerting import Rules, acknowledged, look, next_look
from gal_friday.domain.conditions import (
    LOOKED_AT,
    Limits,
    Waits,
    failed_run,
    failing_channels,
    journal_doubts,
    key_ending,
    missed_run,
    open_discrepancies,
    outages,
    overdue_reviews,
    stale_account,
    tripped_breakers,
    unsettled_adjustments,
)
from gal_friday.domain.errors import GalFridayError
from gal_friday.domain.facts import Actor
from gal_friday.domain.muting import Mutes, Window, explanations
from gal_friday.domain.report import ReconciliationReport
from gal_friday.domain.routing import Route, addressed
from gal_friday.domain.schedule import Planned
from gal_friday.domain.verdict import ReconciliationStatus
from gal_friday.flows.review import Desk, queue_until
from gal_friday.ports.adjustments import Adjustments
from gal_friday.ports.alerts import Alerts, Watched, Written
from gal_friday.ports.errors import StoreFailed
from gal_friday.ports.schedules import Schedules

_TRIES = 5
_ADJUSTMENTS_MAX = 1000


class UnknownAlert(GalFridayError, LookupError):
    """No alert has this id."""


class Watch(Struct, frozen=True, kw_only=True):
    """What is watched, where it is kept, and the rules by which people are told."""

    desk: Desk
    adjustments: Adjustments
    schedules: Schedules
    alerts: Alerts
    watched: Watched
    accounts: Mapping[str, str]
    """The exchange of every account."""
    routes: tuple[Route, ...]
    rules: Rules = Rules()
    limits: Limits = Limits()
    windows: tuple[Window, ...] = ()
    begun: datetime
    """Since when this program watches."""


class Looked(Struct, frozen=True):
    """What a look came to."""

    told: int
    """Notices that were written."""
    next: datetime | None
    """When time alone has something to tell next; None where only a change of what holds does."""


class OfAccount(Struct, frozen=True):
    """What is wrong with one account."""

    conditions: tuple[Condition, ...]
    next: datetime | None
    """When time alone changes it next, and it has to be read anew."""


async def account_conditions(watch: Watch, account: str, planned: Planned | None) -> OfAccount:
    """Return what is wrong with one account, as far as its runs, reviews and adjustments tell.

    Raises:
        StoreFailed: nothing could be read.
    """
    exchange, limits = watch.accounts[account], watch.limits
    last = await _last_runs(watch, account, planned)
    queue = await queue_until(watch.desk, account=account)
    waiting = [Waits(one.followed, one.overdue) for one in queue.waiting]
    kept = await watch.adjustments.adjustments(account=account, states=LOOKED_AT, limit=_ADJUSTMENTS_MAX)
    failed = _failed(account, exchange, planned, last, watch.desk.clock.now(), limits)
    holding = (
        *(() if failed is None else (failed,)),
        *open_discrepancies(waiting, limits),
        *overdue_reviews(waiting),
        *(tripped_breakers(last[0]) if last else ()),
        *unsettled_adjustments(kept),
    )
    return OfAccount(holding, queue.next)


async def common_conditions(watch: Watch, plans: Iterable[Planned]) -> tuple[Condition, ...]:
    """Return what is wrong that time alone brings about, or that concerns no single account.

    Raises:
        StoreFailed: nothing could be read.
    """
    now, limits = watch.desk.clock.now(), watch.limits
    known = [(one, watch.accounts[one.account]) for one in plans if one.account in watch.accounts]
    late = [missed_run(one, exchange, now, limits) for one, exchange in known]
    stale = [stale_account(one, exchange, now, limits) for one, exchange in known]
    keys = {name: ends for name, ends in (await watch.watched.keys()).items() if name in watch.accounts}
    ending = [key_ending(name, watch.accounts[name], ends, now, limits) for name, ends in keys.items()]
    return (
        *(one for one in (*late, *stale, *ending) if one is not None),
        *outages(known, limits),
        *journal_doubts(await watch.watched.journal(), watch.begun, now, limits),
        *failing_channels(await watch.alerts.stuck(), now, limits),
    )


async def conditions(watch: Watch) -> tuple[Condition, ...]:
    """Return everything that is wrong now.

    Raises:
        StoreFailed: nothing could be read.
    """
    plans = {one.account: one for one in await watch.schedules.all()}
    found = [*await common_conditions(watch, plans.values())]
    for account in sorted(watch.accounts):
        found += (await account_conditions(watch, account, plans.get(account))).conditions
    return tuple(found)


async def carry(watch: Watch, holding: Iterable[Condition]) -> Looked:
    """Move every alert to where what holds now leads it, and write what has to be told.

    Raises:
        StoreFailed: nothing was written; or others moved the same alerts again and again.
    """
    groups = {group.id: group for group in grouped(holding)}
    for _ in range(_TRIES):
        now = watch.desk.clock.now()
        standing = await watch.alerts.standing({*groups, *MASS_IDS.values()})
        mutes = Mutes(silences=tuple(await watch.alerts.silences(since=now)), windows=watch.windows)
        steps = _steps(watch, groups, standing, mutes, now)
        if await watch.alerts.save(steps, now):
            after = dict(standing) | {step.moved.alert.id: step.moved.alert for step in steps}
            return Looked(sum(len(step.to) for step in steps), _next(after.values(), mutes, watch.rules, now))
    raise StoreFailed("other processes move the same alerts now; nothing was written, and the next look will")


async def acknowledge(watch: Watch, alert_id: str, by: Actor) -> Alert:
    """Say that somebody has taken an alert on, found by its id or the beginning of it, and return how it stands.

    Raises:
        UnknownAlert: there is none.
        NothingToAcknowledge: it is over, was told to nobody, or somebody has it already.
        StoreFailed: nothing was written; or several ids begin so.
    """
    for _ in range(_TRIES):
        alert, now = await watch.alerts.alert(alert_id), watch.desk.clock.now()
        if alert is None:
            raise UnknownAlert(f"no alert {alert_id!r}; `gal-friday alerts list --all` lists them")
        moved = acknowledged(alert, by, now)
        assert moved.notice is not None, "that somebody took it on is told"
        written = Written(moved, addressed(moved.notice, watch.routes, alert.channels))
        if await watch.alerts.save([written], now):
            return moved.alert
    raise StoreFailed("other processes move the same alert at this moment; nothing was written, try again")


def _steps(
    watch: Watch, groups: Mapping[str, Group], standing: Mapping[str, Alert], mutes: Mutes, now: datetime
) -> Sequence[Written]:
    explaining = explanations(groups.values(), standing.values())
    holding = Holding(groups, {name: mutes.why(one, explaining, now) for name, one in groups.items()})
    holding = massed(holding, standing, alone=watch.limits.accounts_told_alone)
    steps = []
    for name in sorted(holding.groups.keys() | standing.keys()):
        known = standing.get(name)
        # What is gone for a moment is muted as it was: whoever covers it does so until it is over.
        muted = holding.muted.get(name, known.muted if known is not None else "")
        moved = look(known, holding.groups.get(name), now, watch.rules, muted=muted)
        if moved is None:
            continue
        to = () if moved.notice is None else addressed(moved.notice, watch.routes, moved.alert.channels)
        steps.append(Written(moved.heard_by(one.channel for one in to), to))
    return steps


def _next(alerts: Iterable[Alert], mutes: Mutes, rules: Rules, now: datetime) -> datetime | None:
    due = [at for one in alerts if (at := next_look(one, rules)) is not None]
    ends = mutes.next_end(now)
    return min((*due, *(() if ends is None else (ends,))), default=None)


async def _last_runs(watch: Watch, account: str, planned: Planned | None) -> Sequence[ReconciliationReport]:
    # The schedule counts failures; without one they are counted from the reports.
    limit = 1 if planned is not None else watch.limits.failures
    return await watch.desk.store.reports(account=account, limit=limit)


def _failed(
    account: str,
    exchange: str,
    planned: Planned | None,
    last: Sequence[ReconciliationReport],
    now: datetime,
    limits: Limits,
) -> Condition | None:
    run = last[0] if last and last[0].status is ReconciliationStatus.FAILED else None
    failures = planned.failures if planned is not None else _in_a_row(last)
    at = (planned.last_run if planned is not None else None) or (run.timestamp if run is not None else now)
    held = planned.held if planned is not None else None
    reasons = run.error_messages if run is not None else ()
    if not reasons and held is not None:
        reasons = (f"{held.obstacle}",)
    name = run.reconciliation_id if run is not None else ""
    return failed_run(account, exchange, failures=failures, at=at, reasons=reasons, run=name, limits=limits)


def _in_a_row(last: Sequence[ReconciliationReport]) -> int:
    for count, report in enumerate(last):
        if report.status is not ReconciliationStatus.FAILED:
            return count
    return len(last)
