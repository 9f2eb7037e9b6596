"""Reports and discrepancies in memory, gone with the process."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime

from gal_friday.adapters.store.rules import check_first, check_same, only_match
from gal_friday.domain.facts import Fact
from gal_friday.domain.finding import Key
from gal_friday.domain.followed import Change, Followed
from gal_friday.domain.following import Carried
from gal_friday.domain.report import ReconciliationReport
from gal_friday.domain.run_facts import facts_of_run
from gal_friday.ports.store import NOTHING_CARRIED, OpenCount


class MemoryStore:
    """A ``Store`` that forgets."""

    def __init__(self, journal: Callable[[Sequence[Fact]], object] | None = None) -> None:
        """Begin empty. *journal* takes the facts of every run."""
        self._journal = journal
        self._reports: dict[str, ReconciliationReport] = {}
        self._followed: dict[str, Followed] = {}
        self._changes: dict[str, list[Change]] = {}
        self._pending: dict[tuple[str, str], dict[Key, int]] = {}

    async def save_report(
        self,
        report: ReconciliationReport,
        carried: Carried = NOTHING_CARRIED,
        *,
        pending: Mapping[Key, int] | None = None,
    ) -> None:
        """Keep a report, what became of its discrepancies, and what is pending; see ``Store``."""
        known = self._reports.get(report.reconciliation_id)
        if known is not None:
            check_same(report.reconciliation_id, known.to_json().decode(), report.to_json().decode())
            return
        check_first(carried, {name: one.revision for name, one in self._followed.items()})
        self._reports[report.reconciliation_id] = report
        for one in carried.written:
            self._followed[one.id] = one
            self._changes.setdefault(one.id, []).extend(carried.changes_of(one))
        if pending is not None:
            self._pending[report.account, report.exchange] = dict(pending)
        if self._journal is not None:
            self._journal(facts_of_run(report, carried, report.to_json()))

    async def report(self, reconciliation_id: str) -> ReconciliationReport | None:
        """Return one report; see ``Store``."""
        match = only_match(reconciliation_id, _beginning_with(self._reports, reconciliation_id))
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

    async def pending_runs(self, account: str, exchange: str) -> Mapping[Key, int]:
        """Return the counts of runs; see ``Store``."""
        return dict(self._pending.get((account, exchange), {}))

    async def open_discrepancies(self, account: str) -> Sequence[Followed]:
        """Return the open ones, by id; see ``Store``."""
        return tuple(sorted(await self.discrepancies(account=account), key=lambda one: one.id))

    async def open_counts(self) -> Sequence[OpenCount]:
        """Return how many are open, by account, type and severity; see ``Store``."""
        open_ones = await self.discrepancies()
        counted = Counter((one.account, one.type.value, one.severity) for one in open_ones)
        return [OpenCount(*group, number) for group, number in sorted(counted.items())]

    async def followed(self, ids: Iterable[str]) -> Sequence[Followed]:
        """Return those that are known, by id; see ``Store``."""
        return tuple(self._followed[name] for name in sorted(set(ids)) if name in self._followed)

    async def discrepancies(
        self, *, account: str | None = None, cleared: bool = False, limit: int | None = None
    ) -> Sequence[Followed]:
        """Return discrepancies, last seen first; see ``Store``."""
        wanted = (
            one
            for one in self._followed.values()
            if (one.is_open or cleared) and (account is None or one.account == account)
        )
        newest = sorted(sorted(wanted, key=lambda one: one.id), key=lambda one: one.last_seen, reverse=True)
        return tuple(newest[:limit])

    async def discrepancy(self, discrepancy_id: str, *, accounts: Collection[str] | None = None) -> Followed | None:
        """Return one discrepancy; see ``Store``."""
        theirs = [name for name, one in self._followed.items() if accounts is None or one.account in accounts]
        match = only_match(discrepancy_id, _beginning_with(theirs, discrepancy_id), of="discrepancies")
        return None if match is None else self._followed[match]

    async def changes(self, discrepancy_id: str) -> Sequence[Change]:
        """Return every change, oldest first; see ``Store``."""
        return tuple(self._changes.get(discrepancy_id, ()))


def _beginning_with(known: Iterable[str], prefix: str) -> list[str]:
    return [name for name in known if prefix and name.startswith(prefix)]
