"""Reports in memory, gone with the process. They are kept as the bytes that a database would keep."""

from collections.abc import Sequence
from datetime import datetime

from gal_friday.adapters.store.rules import check_same, only_match
from gal_friday.domain.report import ReconciliationReport


class MemoryStore:
    """A ``Store`` that forgets."""

    def __init__(self) -> None:
        """Begin empty."""
        self._reports: dict[str, ReconciliationReport] = {}

    async def save_report(self, report: ReconciliationReport) -> None:
        """Keep a report; see ``Store``."""
        known = self._reports.setdefault(report.reconciliation_id, report)
        if known is not report:
            check_same(report.reconciliation_id, known.to_json().decode(), report.to_json().decode())

    async def report(self, reconciliation_id: str) -> ReconciliationReport | None:
        """Return one report; see ``Store``."""
        matches = [
            known for known in self._reports if reconciliation_id and known.startswith(reconciliation_id)
        ]
        match = only_match(reconciliation_id, matches)
        return None if match is None else self._reports[match]

    async def reports(
        self,
        *,
        since: datetime | None = None,
        account: str | None = None,
        only_discrepancies: bool = False,
        limit: int = 100,
    ) -> Sequence[ReconciliationReport]:
        """Return reports, newest first; see ``Store``."""
        wanted = (
            report
            for report in self._reports.values()
            if (since is None or report.timestamp >= since)
            and (account is None or report.account == account)
            and (report.total_discrepancies or not only_discrepancies)
        )
        newest = sorted(wanted, key=lambda report: (report.timestamp, report.reconciliation_id), reverse=True)
        return tuple(newest[:limit])
