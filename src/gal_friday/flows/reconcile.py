"""One reconciliation of one account: recall, fetch, compare, value, carry forward, repair, record.

This is the line that everything else hangs on. It decides nothing itself: what differs is decided in
``domain/compare``, how bad it is in ``domain/materiality``, what the run found in ``domain/verdict``, what becomes
of a discrepancy in ``domain/following``, what is done about it in ``domain/decision``.
"""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime

from msgspec.structs import replace

from gal_friday.domain.compare import compare_snapshots
from gal_friday.domain.errors import IllegalStep, Overtaken
from gal_friday.domain.finding import Finding
from gal_friday.domain.following import Carried
from gal_friday.domain.policy import Policy
from gal_friday.domain.recall import held_back, pending_after, reach_back, run_of, watched_keys
from gal_friday.domain.records import RECORD_KINDS, Kind
from gal_friday.domain.report import ReconciliationReport, report_of
from gal_friday.domain.snapshot import Snapshot
from gal_friday.flows.apply import Repairing, repaired
from gal_friday.flows.fetch import Fetched, Sources, fetch
from gal_friday.flows.noting import complete
from gal_friday.flows.record import Known, record
from gal_friday.flows.review import follow_up
from gal_friday.flows.worth import AtExchange, Worth, worth
from gal_friday.ports.clock import Clock
from gal_friday.ports.errors import BookFailed, StoreFailed
from gal_friday.ports.prices import Prices
from gal_friday.ports.store import Store

_EXPLAINS = {Kind.BALANCES, Kind.FILLS, Kind.MOVEMENTS}


async def reconcile(
    sources: Sources,
    store: Store,
    *,
    policy: Policy,
    since: datetime,
    only: Sequence[Kind] = RECORD_KINDS,
    prices: Sequence[Prices] = (),
    repairing: Repairing | None = None,
) -> ReconciliationReport:
    """Reconcile the account once, from *since* on, and return the recorded report.

    *prices* are asked in their order for what differences are worth; the exchange is asked last. *repairing* tells
    what may be done about what differs; without it nothing is decided.

    A failure of the world never raises: the report then says what was not checked and why. A report that
    could not be recorded comes back as failed, with everything that was found.
    """
    watch = _Watch(sources.clock)
    known = await _known(sources, store)
    reach = reach_back(known.open, since=since, now=sources.clock.now(), policy=policy)
    fetched = await fetch(sources, since=reach.since, only=only, policy=policy, pending=known.pending)
    watch.ended("fetch")
    with sources.steps("compare"):
        findings = _compared(fetched, known, policy, only)
    watch.ended("compare")
    sides, clock = (fetched.internal, fetched.exchange), sources.clock
    asked = (*prices, AtExchange(sources.exchange, clock))
    valued = await worth(asked, findings, sides, policy=policy, clock=clock)
    watch.ended("gather")
    with sources.steps("explain"):
        report = report_of(*sides, findings, policy=policy, prices=valued.prices, only=only)
    watch.ended("explain")
    report = _with_how(report, fetched, valued, reach.notes, watch)
    pending = pending_after(known.pending, report.findings, *sides)
    run = run_of(report, since=reach.since)

    # What was left out may be what explains the rest: a run that looks at a part decides nothing.
    whole = set(only) >= _EXPLAINS

    async def decided(seen: ReconciliationReport, carried: Carried) -> ReconciliationReport:
        watch.ended("carry forward")
        done = await _repaired(repairing if whole else None, seen, sides, carried, policy, clock)
        watch.ended("decide")
        return replace(done, step_seconds=watch.seconds)

    with sources.steps("record"):
        recorded = await record(store, report, known, pending, run, policy, decided)
    return await _followed_up(repairing, recorded)


class _Watch:
    """How long each step takes, by the run's own clock: a replay is told the same readings."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.began = self.at = clock.monotonic()
        self.seconds: dict[str, float] = {}

    def ended(self, step: str) -> None:
        """Note that this step has ended, and that the next one begins."""
        before, self.at = self.at, self._clock.monotonic()
        self.seconds[step] = round(self.at - before, 3)


def _with_how(
    report: ReconciliationReport, fetched: Fetched, valued: Worth, notes: Sequence[str], watch: _Watch
) -> ReconciliationReport:
    """Return the report with how it came about."""
    return replace(
        report,
        cut=fetched.cut,
        error_messages=fetched.errors,
        price_sources=valued.sources,
        notes=(*report.notes, *notes, *valued.notes),
        duration_seconds=round(watch.at - watch.began, 3),
    )


def _compared(fetched: Fetched, known: Known, policy: Policy, only: Sequence[Kind]) -> tuple[Finding, ...]:
    watched, findings = watched_keys(known.open), fetched.findings
    if findings is None or watched:
        findings = compare_snapshots(
            fetched.internal, fetched.exchange, policy=policy, watched=watched, only=only, motion=fetched.motion
        )
    return held_back(findings, fetched.exchange, watched.keys() | known.pending.keys())


async def _known(sources: Sources, store: Store) -> Known:
    try:
        known = await store.open_discrepancies(sources.account)
        pending = await store.pending_runs(sources.account, sources.exchange.name)
    except StoreFailed as failure:
        return Known(failure=failure)
    # An account that was moved to another exchange left its discrepancies at the old one.
    return Known(tuple(one for one in known if one.exchange == sources.exchange.name), pending)


async def _repaired(
    repairing: Repairing | None,
    report: ReconciliationReport,
    sides: tuple[Snapshot, Snapshot],
    carried: Carried,
    policy: Policy,
    clock: Clock,
) -> ReconciliationReport:
    """Return the report with what was decided and posted. What stops halfway is told; the next run looks it up."""
    if repairing is None:
        return report
    try:
        return await repaired(repairing, report, sides, carried, policy=policy, clock=clock)
    except (StoreFailed, BookFailed, Overtaken, IllegalStep) as failure:
        return replace(report, error_messages=(*report.error_messages, f"repairs were stopped: {failure}"))


async def _followed_up(repairing: Repairing | None, report: ReconciliationReport) -> ReconciliationReport:
    """See to the reviews of what became of discrepancies: what this misses the next run does."""
    if repairing is not None and repairing.desk is not None:
        with suppress(StoreFailed, BookFailed):
            if repairing.adjustments is not None:
                # First: a review that closes takes no proposal any more.
                await complete(repairing.desk, repairing.adjustments, report.account)
            await follow_up(repairing.desk, report.account)
    return report
