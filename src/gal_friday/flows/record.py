"""What a run found, recorded with what became of every discrepancy: all of it, or nothing."""

from collections.abc import Awaitable, Callable, Mapping

from msgspec import Struct
from msgspec.structs import replace

from gal_friday.domain.finding import Key
from gal_friday.domain.followed import Followed
from gal_friday.domain.following import Carried, Run, carry_forward
from gal_friday.domain.policy import Policy
from gal_friday.domain.recall import told
from gal_friday.domain.report import ReconciliationReport
from gal_friday.domain.verdict import ReconciliationStatus
from gal_friday.ports.errors import StoreFailed
from gal_friday.ports.store import Store


class Known(Struct, frozen=True):
    """What is open and what is pending in the account, or why nobody could say."""

    open: tuple[Followed, ...] = ()
    pending: Mapping[Key, int] = {}
    failure: StoreFailed | None = None


async def record(
    store: Store,
    report: ReconciliationReport,
    known: Known,
    pending: Mapping[Key, int] | None,
    run: Run,
    policy: Policy,
    decided: Callable[[ReconciliationReport, Carried], Awaitable[ReconciliationReport]],
) -> ReconciliationReport:
    """Return the report as it was recorded, together with what became of every discrepancy (I10).

    *decided* is told what became of them, and returns the report with what is done about it. *pending* is as
    ``save_report`` takes it. Where nothing could be recorded the report says so, and that the run failed.
    """
    try:
        if known.failure is not None:
            # Without what is known, whatever was seen would be followed as if for the first time.
            raise known.failure
        earlier = await store.followed({one.id for one in report.discrepancies} - {one.id for one in known.open})
        followed = (*known.open, *earlier)
        carried = carry_forward(followed, report.findings, report.discrepancies, run=run, policy=policy)
        followed_up = await decided(told(report, carried), carried)
        await _saved(store, followed_up, carried, pending)
    except StoreFailed as failure:
        errors = (*report.error_messages, f"this report was not recorded: {failure}")
        return replace(report, status=ReconciliationStatus.FAILED, error_messages=errors)
    return followed_up


async def _saved(
    store: Store, report: ReconciliationReport, carried: Carried, pending: Mapping[Key, int] | None
) -> None:
    """Record the report, again where that failed: what was written although its answer was lost is met then."""
    try:
        await store.save_report(report, carried, pending=pending)
    except StoreFailed:
        await store.save_report(report, carried, pending=pending)
