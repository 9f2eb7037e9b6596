"""One reconciliation of one account: fetch, compare, value, record.

This is the line that everything else hangs on. It decides nothing itself: what differs is decided in
``domain/compare``, how bad it is in ``domain/materiality``, what the run found in ``domain/verdict``.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from msgspec.structs import replace

from gal_friday.domain.assets import Asset
from gal_friday.domain.compare import compare_snapshots
from gal_friday.domain.discrepancy import stake_assets
from gal_friday.domain.finding import Finding
from gal_friday.domain.policy import Policy
from gal_friday.domain.records import RECORD_KINDS, Kind
from gal_friday.domain.report import ReconciliationReport, report_of
from gal_friday.domain.verdict import ReconciliationStatus
from gal_friday.flows.fetch import Sources, fetch
from gal_friday.ports.errors import ExchangeFailed, StoreFailed
from gal_friday.ports.prices import Prices
from gal_friday.ports.store import Store


async def reconcile(
    sources: Sources,
    store: Store,
    *,
    policy: Policy,
    since: datetime,
    only: Sequence[Kind] = RECORD_KINDS,
) -> ReconciliationReport:
    """Reconcile the account once, from *since* on, and return the recorded report.

    A failure of the world never raises: the report then says what was not checked and why. A report that
    could not be recorded comes back as failed, with everything that was found.
    """
    started = sources.clock.monotonic()
    fetched = await fetch(sources, since=since, only=only)
    findings = compare_snapshots(fetched.internal, fetched.exchange, policy=policy, only=only)
    prices, unpriced = await _worth(sources.exchange, findings, policy)
    report = report_of(fetched.internal, fetched.exchange, findings, policy=policy, prices=prices, only=only)
    report = replace(
        report,
        error_messages=fetched.errors,
        notes=(*report.notes, *unpriced),
        duration_seconds=round(sources.clock.monotonic() - started, 3),
    )
    return await _record(store, report)


async def _worth(
    source: Prices, findings: Sequence[Finding], policy: Policy
) -> tuple[dict[Asset, Decimal], tuple[str, ...]]:
    """Return prices for what is at stake; without them the report stands, graded by share alone."""
    assets = {stake.asset for finding in findings for stake in stake_assets(finding)}
    wanted = sorted(assets - {policy.reporting_currency})
    if not wanted:
        return {}, ()
    try:
        return await source.prices(wanted, currency=policy.reporting_currency), ()
    except ExchangeFailed as failure:
        return {}, (f"differences could not be valued: {failure}",)


async def _record(store: Store, report: ReconciliationReport) -> ReconciliationReport:
    try:
        await store.save_report(report)
    except StoreFailed as failure:
        errors = (*report.error_messages, f"this report was not recorded: {failure}")
        return replace(report, status=ReconciliationStatus.FAILED, error_messages=errors)
    return report
