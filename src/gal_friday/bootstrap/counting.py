"""Runs that are counted: whoever carries them out, the service or a worker of a fleet, counts them in the same way."""

from datetime import datetime
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING

from gal_friday.bootstrap.clock import system_clock
from gal_friday.bootstrap.service import ReconciliationService
from gal_friday.domain.policy import Mode
from gal_friday.ports.exchange import Call
from gal_friday.service.turns import Ran

if TYPE_CHECKING:
    from gal_friday.adapters.metrics import Metrics


class Counting:
    """Runs of a service, told to the metrics of this process."""

    def __init__(self, service: ReconciliationService) -> None:
        """Count from here on, what the database takes too, where what counts is installed."""
        self._service = service
        self.metrics = metrics_of()
        self.left: dict[str, tuple[datetime, float]] = {}
        """By account, when its last call was and how many points of the key's budget were left then."""
        if self.metrics is not None:
            service.opened.timed(self.metrics.asked)

    async def run(self, account: str, mode: Mode | None = None) -> Ran:
        """Reconcile the account, and count the run, its calls and what it resolved.

        Raises:
            BadConfiguration, AccountBusy: as ``ReconciliationService.run``.
        """
        ran = await self._service.run(account, mode=mode, calls=partial(self._called, account))
        if self.metrics is None:
            return ran
        self.metrics.ran(ran.report)
        for since, cleared in await self._service.opened.store.resolved_by(ran.report.reconciliation_id):
            self.metrics.resolved(since, cleared)
        return ran

    def _called(self, account: str, call: Call) -> None:
        if call.left is not None:
            self.left[account] = (system_clock().now(), call.left)
        if self.metrics is not None:
            self.metrics.called(account, self._service.settings.accounts[account].exchange, call)


def metrics_of() -> "Metrics | None":
    """Return what counts; None where the extra that it needs is not installed."""
    try:
        from gal_friday.adapters.metrics import Metrics
    except ModuleNotFoundError:
        return None
    return Metrics(version("gal-friday"))
