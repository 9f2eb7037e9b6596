"""Where runs and their reports are kept."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from gal_friday.domain.report import ReconciliationReport


class Store(Protocol):
    """Keeps reports; a report read back is equal to the report written."""

    async def save_report(self, report: ReconciliationReport) -> None:
        """Record a finished run in one transaction. Saving the same report again changes nothing.

        Raises:
            StoreFailed: nothing was written; the report in hand is still the whole truth of the run.
        """
        ...

    async def report(self, reconciliation_id: str) -> ReconciliationReport | None:
        """Return the report with this id, or the only one whose id begins with it; None where there is none."""
        ...

    async def reports(
        self,
        *,
        since: datetime | None = None,
        account: str | None = None,
        only_discrepancies: bool = False,
        limit: int = 100,
    ) -> Sequence[ReconciliationReport]:
        """Return reports, newest first."""
        ...
