"""The library's way in: accounts of one configuration, opened, reconciled and closed.

async with ReconciliationService.from_config("gal-friday.toml") as service:
report = await service.run_reconciliation("main")
"""

import math
import os
import socket
from collections.abc import Sequence
from datetime import timedelta
from itertools import takewhile
from pathlib import Path
from types import TracebackType
from typing import Self

from msgspec.structs import replace

from gal_friday.adapters.kraken import Recorder
from gal_friday.bootstrap.desk import desk_of
from gal_friday.bootstrap.elsewhere import adjustments_of
from gal_friday.bootstrap.keys import note_key
from gal_friday.bootstrap.recording import conditions_of, recorded_run, recorder_of
from gal_friday.bootstrap.settings import Settings, load
from gal_friday.bootstrap.wire import OpenStore, mode_of, open_store, prices_of, sources_of
from gal_friday.domain.policy import Mode
from gal_friday.domain.records import RECORD_KINDS, Kind
from gal_friday.domain.report import ReconciliationReport
from gal_friday.domain.verdict import ReconciliationStatus
from gal_friday.flows.apply import Repairing
from gal_friday.flows.fetch import Sources
from gal_friday.flows.lease import held
from gal_friday.flows.obstacles import Heeded
from gal_friday.flows.reconcile import reconcile
from gal_friday.ports.exchange import Call, Calls, Progress
from gal_friday.ports.steps import Steps, unwatched
from gal_friday.service.turns import Ran


class ReconciliationService:
    """Reconciles the accounts of one configuration. Use it as an async context manager, or start and stop it."""

    def __init__(self, settings: Settings, *, progress: Progress | None = None, steps: Steps = unwatched) -> None:
        """Keep the settings; nothing is opened before ``start``."""
        self.settings, self.steps = settings, steps
        self._progress = progress
        self._store: OpenStore | None = None

    @classmethod
    def from_config(cls, path: str | Path | None = None, *, progress: Progress | None = None) -> Self:
        """Return a service for this configuration file, or for the one found in the usual places.

        Raises:
            BadConfiguration: the file cannot be used; the message names the place and the way out.
        """
        return cls(load(Path(path) if path is not None else None), progress=progress)

    async def __aenter__(self) -> Self:
        """Start."""
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop, whatever happened."""
        await self.stop()

    async def start(self) -> None:
        """Open the database and bring its tables up to date.

        Raises:
            StoreFailed: it cannot be opened; the message names the file and what to do.
        """
        if self._store is None:
            self._store = await open_store(self.settings)

    async def stop(self) -> None:
        """Close the database. Safe to call twice."""
        if self._store is not None:
            await self._store.close()
            self._store = None

    @property
    def opened(self) -> OpenStore:
        """The open database: reports and embedded books."""
        if self._store is None:
            raise RuntimeError("the service is not started: use it in `async with`, or call start() first")
        return self._store

    async def run_reconciliation(
        self, account: str | None = None, *, only: Sequence[Kind] = RECORD_KINDS, mode: Mode | None = None
    ) -> ReconciliationReport:
        """Reconcile one account now and return the recorded report.

        *account* may be left out where the configuration has exactly one; *mode* takes the place of the configured
        one. A failure of the exchange, the book or the database is told in the report and does not raise.

        Raises:
            BadConfiguration: no such account, or its secrets cannot be resolved.
            AccountBusy: another process reconciles this account now (I13).
        """
        return (await self.run(account, only=only, mode=mode)).report

    async def run(
        self,
        account: str | None = None,
        *,
        only: Sequence[Kind] = RECORD_KINDS,
        mode: Mode | None = None,
        calls: Calls | None = None,
    ) -> Ran:
        """Reconcile one account now; return the report, what stood in the way, and what it cost.

        *calls* is told of every call to the exchange.

        Raises:
            BadConfiguration, AccountBusy: as ``run_reconciliation``.
        """
        store, spent = self.opened, _Spent(calls)
        recorder = recorder_of(self.settings)
        sources = sources_of(self.settings, account, store, self._progress, recorder, spent)
        exchange = sources.exchange
        sources = replace(sources, exchange=(heeded := Heeded(exchange)), steps=self.steps)
        try:
            with self.steps("run", account=sources.account, exchange=exchange.name) as step:
                report = await self._reconciled(store, sources, recorder, only, mode or mode_of(self.settings, account))
                step.note(reconciliation_id=report.reconciliation_id, verdict=report.verdict.value)
        finally:
            await note_key(store.watched, sources.account, exchange, sources.clock.now())
            await sources.exchange.close()
        return Ran(report=report, obstacle=heeded.obstacle, until=heeded.until, spent=math.ceil(spent.points))

    async def _reconciled(
        self, store: OpenStore, sources: Sources, recorder: Recorder | None, only: Sequence[Kind], mode: Mode
    ) -> ReconciliationReport:
        since = sources.clock.now() - timedelta(hours=self.settings.reconciliation.lookback_hours)
        policy, prices = self.settings.reconciliation.policy(), prices_of(self.settings)
        lasts = self.settings.service.lease_seconds
        async with (
            held(store.leases, sources.account, owner=owner(), clock=sources.clock, lasts=lasts) as lease,
            adjustments_of(self.settings, sources.account, store) as adjustments,
        ):
            repairing = Repairing(
                mode=mode, adjustments=adjustments, desk=desk_of(store), token=lease.token, steps=self.steps
            )
            if recorder is None:
                return await reconcile(
                    sources, store.store, policy=policy, since=since, only=only, prices=prices, repairing=repairing
                )
            begun = conditions_of(self.settings, sources, prices, repairing, since=since, only=only)
            return await recorded_run(self.settings, store, sources, recorder, begun, prices, repairing)

    async def get_reconciliation_status(self, account: str | None = None) -> dict[str, object]:
        """Return ``last_run``, ``next_run``, ``consecutive_failures`` and ``last_report`` of an account, or of all.

        ``next_run`` is None where no service looks after the account; of several accounts it is the next one, and the
        failures are those of the account that fails the longest.
        """
        reports = await self.opened.store.reports(account=account, limit=100)
        failed = takewhile(lambda report: report.status is ReconciliationStatus.FAILED, reports)
        planned = [one for one in await self.opened.schedules.all() if account in (None, one.account)]
        last = reports[0] if reports else None
        return {
            "last_run": last.timestamp if last else None,
            "next_run": min((one.due for one in planned if not one.is_paused), default=None),
            "consecutive_failures": max((one.failures for one in planned), default=len(tuple(failed))),
            "last_report": last,
        }


class _Spent:
    """Adds up what a run costs of the key's call budget, and passes every call on."""

    def __init__(self, calls: Calls | None) -> None:
        self._calls = calls
        self.points = 0.0

    def __call__(self, call: Call) -> None:
        self.points += call.cost
        if self._calls is not None:
            self._calls(call)


def owner() -> str:
    """Return who holds the leases of this process, in words for people."""
    return f"process {os.getpid()} on {socket.gethostname()}"
