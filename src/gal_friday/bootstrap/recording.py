"""Runs that are recorded, and reports that are worked out again, put together from the open database and the settings.

A replay needs neither keys nor network: its exchange answers from the recording, and nothing else is asked.
"""

import asyncio
import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from importlib.metadata import PackageNotFoundError, version

from gal_friday.adapters.clock import PlayedClock, RecordingClock, SystemClock
from gal_friday.adapters.kraken import NO_KEY, NO_SECRET, KrakenExchange, Player, Recorder
from gal_friday.bootstrap.settings import Settings
from gal_friday.bootstrap.wire import OpenStore, account_of, open_store
from gal_friday.domain.records import Kind
from gal_friday.domain.report import ReconciliationReport
from gal_friday.domain.verdict import ReconciliationStatus
from gal_friday.flows.apply import Repairing
from gal_friday.flows.fetch import Sources
from gal_friday.flows.replay import Found, ReplayTold, keep, recorded, replay, told
from gal_friday.flows.taped_repairs import repairs_of
from gal_friday.ports.clock import Clock
from gal_friday.ports.errors import StoreFailed
from gal_friday.ports.exchange import Exchange
from gal_friday.ports.prices import Prices
from gal_friday.ports.recordings import Conditions, Playing, Tape

_LOG = logging.getLogger("gal_friday.recordings")


def recorder_of(settings: Settings) -> Recorder | None:
    """Return what takes down the next run; None where nothing is kept."""
    if not settings.recordings.keep_days:
        return None
    tape = Tape()
    return Recorder(tape, RecordingClock(SystemClock(), tape))


def conditions_of(
    settings: Settings,
    sources: Sources,
    prices: Sequence[Prices],
    repairing: Repairing,
    *,
    since: datetime,
    only: Sequence[Kind],
) -> Conditions:
    """Return what a run is begun with."""
    return Conditions(
        program=_program(),
        account=sources.account,
        exchange=sources.exchange.name,
        since=since,
        only=tuple(only),
        policy=settings.reconciliation.policy(),
        aliases=sources.aliases,
        allow_trading_key=account_of(settings, sources.account)[1].allow_trading_key,
        prices=tuple(each.name for each in prices),
        repairs=repairs_of(repairing),
    )


async def recorded_run(
    settings: Settings,
    opened: OpenStore,
    sources: Sources,
    recorder: Recorder,
    begun: Conditions,
    prices: Sequence[Prices],
    repairing: Repairing,
) -> ReconciliationReport:
    """Reconcile, keep what the run was told, and remove what is older than the settings keep.

    A recording that cannot be kept costs nobody the report: it is told, and the report stands.
    """
    report = await recorded(
        sources,
        opened.store,
        recorder.tape,
        recorder.clock,
        begun,
        prices,
        stays=sources.book is opened.book,
        repairing=repairing,
    )
    try:
        if await _is_recorded(opened, report):
            await keep(opened.recordings, report, recorder.tape, begun)
        before = sources.clock.now() - timedelta(days=settings.recordings.keep_days)
        if removed := await opened.recordings.forget(before):
            _LOG.info("%d recordings older than keep_days = %d removed", removed, settings.recordings.keep_days)
    except StoreFailed as failure:
        _LOG.warning("the recording of report %s was not kept: %s", report.reconciliation_id, failure)
    return report


async def replayed(settings: Settings, opened: OpenStore, prefix: str) -> Found | None:
    """Work the report out again whose id begins so; None where there is none.

    Raises:
        StoreFailed: the database cannot be read, or several ids begin so.
    """
    report = await opened.store.report(prefix)
    if report is None:
        return None
    name, recordings = report.reconciliation_id, opened.recordings
    kept, packed, stored = await recordings.about(name), await recordings.content(name), await recordings.written(name)
    if packed is None or stored is None:
        limit = SystemClock().now() - timedelta(days=settings.recordings.keep_days)
        in_time = kept is not None and kept.at < limit
        return Found(reconciliation_id=name, program=_program(), kept=kept, removed_in_time=in_time)
    result = await replay(packed, stored, reopened=_reopened, past=opened.book)
    return Found(reconciliation_id=name, program=_program(), kept=kept, replayed=result)


async def replay_told(settings: Settings, prefix: str) -> ReplayTold | None:
    """Open the database, work the report out again whose id begins so, and tell; None where there is none.

    Raises:
        StoreFailed: the database cannot be read, or several ids begin so.
    """
    opened = await open_store(settings)
    try:
        found = await replayed(settings, opened, prefix)
    finally:
        await opened.close()
    return None if found is None else told(found, settings.recordings.keep_days)


async def replay_apart(settings: Settings, prefix: str) -> ReplayTold | None:
    """Do the same in a thread of its own, with a database of its own: nobody else waits for it.

    Raises:
        StoreFailed: as ``replay_told``.
    """
    return await asyncio.to_thread(asyncio.run, replay_told(settings, prefix))


async def _is_recorded(opened: OpenStore, report: ReconciliationReport) -> bool:
    """Say whether there is a report to keep a recording of: one that failed may not have been written."""
    if report.status is not ReconciliationStatus.FAILED:
        return True
    return await opened.store.report(report.reconciliation_id) is not None


def _reopened(playing: Playing) -> tuple[Exchange, Clock]:
    clock = PlayedClock(playing)
    exchange = KrakenExchange(
        key=NO_KEY,
        secret=NO_SECRET,
        clock=clock,
        tier="none",
        allow_trading_key=playing.conditions.allow_trading_key,
        recorder=Player(playing, clock),
    )
    return exchange, clock


def _program() -> str:
    try:
        return version("gal-friday")
    except PackageNotFoundError:
        return "unknown"
