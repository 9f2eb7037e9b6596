"""The library's way in: accounts of one configuration, opened, reconciled and closed.

async with ReconciliationService.from_config("gal-friday.toml") as service:
report = await service.run_reconciliation("main")
"""

import os
import socket
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from gal_friday.bootstrap.desk import desk_of
from gal_friday.bootstrap.recording import conditions_of, recorded_run, recorder_of
from gal_friday.bootstrap.settings import Settings, load
from gal_friday.bootstrap.wire import OpenStore, mode_of, open_store, prices_of, sources_of
from gal_friday.domain.policy import Mode
from gal_friday.domain.records import RECORD_KINDS, Kind
from gal_friday.domain.report import ReconciliationReport
from gal_friday.flows.apply import Repairing
from gal_friday.flows.lease import held
from gal_friday.flows.reconcile import reconcile
from gal_friday.ports.exchange import Progress


class ReconciliationService:
    """Reconciles the accounts of one configuration. Use it as an async context manager, or start and stop it."""

    def __init__(self, settings: Settings, *, progress: Progress | None = None) -> None:
        """Keep the settings; nothing is opened before ``start``."""
        self.settings = settings
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
        store = self.opened
        recorder = recorder_of(self.settings)
        sources = sources_of(self.settings, account, store, self._progress, recorder)
        since = sources.clock.now() - timedelta(hours=self.settings.reconciliation.lookback_hours)
        policy, prices = self.settings.reconciliation.policy(), prices_of(self.settings)
        chosen = mode or mode_of(self.settings, account)
        try:
            async with held(store.leases, sources.account, owner=owner(), clock=sources.clock) as lease:
                repairing = Repairing(
                    mode=chosen,
                    adjustments=store.adjustments if sources.book is store.book else None,
                    desk=desk_of(store),
                    token=lease.token,
                )
                if recorder is None:
                    return await reconcile(
                        sources, store.store, policy=policy, since=since, only=only, prices=prices, repairing=repairing
                    )
                begun = conditions_of(self.settings, sources, prices, repairing, since=since, only=only)
                return await recorded_run(self.settings, store, sources, recorder, begun, prices, repairing)
        finally:
            await sources.exchange.close()

    async def get_reconciliation_status(self, account: str | None = None) -> dict[str, object]:
        """Return ``last_run``, ``next_run``, ``consecutive_failures`` and ``last_report`` of an account, or of all."""
        reports = await self.opened.store.reports(account=account, limit=100)
        failures = 0
        for report in reports:
            if report.status != "failed":
                break
            failures += 1
        last = reports[0] if reports else None
        return {
            "last_run": last.timestamp if last else None,
            "next_run": None,
            "consecutive_failures": failures,
            "last_report": last,
        }


def owner() -> str:
    """Return who holds the leases of this process, in words for people."""
    return f"process {os.getpid()} on {socket.gethostname()}"
