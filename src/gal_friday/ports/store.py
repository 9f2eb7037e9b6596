"""Where runs, their reports and the discrepancies that they follow are kept."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from gal_friday.domain.finding import Key
from gal_friday.domain.followed import Change, Followed
from gal_friday.domain.following import Carried
from gal_friday.domain.materiality import Severity
from gal_friday.domain.report import ReconciliationReport

NOTHING_CARRIED = Carried()


class OpenCount(Struct, frozen=True):
    """How many discrepancies of one kind are open in one account."""

    account: str
    type: str
    severity: Severity
    count: int


class Store(Protocol):
    """Keeps reports and discrepancies; what is read back is equal to what was written."""

    async def save_report(
        self,
        report: ReconciliationReport,
        carried: Carried = NOTHING_CARRIED,
        *,
        pending: Mapping[Key, int] | None = None,
    ) -> None:
        """Record a finished run, what became of its discrepancies, and what is pending, in one transaction (I10).

        *pending* takes the place of what ``pending_runs`` returned for this account and exchange until now; None
        leaves it. Saving the same report again changes nothing.

        Raises:
            StoreFailed: nothing was written; the report in hand is still the whole truth of the run. Also where
                another run has carried one of the discrepancies on since they were read.
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

    async def pending_runs(self, account: str, exchange: str) -> Mapping[Key, int]:
        """Return in how many runs without a break each key was pending; keys that were not are left out."""
        ...

    async def open_discrepancies(self, account: str) -> Sequence[Followed]:
        """Return every discrepancy of the account that has not been seen to agree, by id."""
        ...

    async def open_counts(self) -> Sequence[OpenCount]:
        """Return how many discrepancies are open, by account, type and severity; cheap however many there are.

        Raises:
            StoreFailed: they cannot be read.
        """
        ...

    async def followed(self, ids: Iterable[str]) -> Sequence[Followed]:
        """Return those of these discrepancies that are known, open or cleared, by id."""
        ...

    async def discrepancies(
        self, *, account: str | None = None, cleared: bool = False, limit: int | None = None
    ) -> Sequence[Followed]:
        """Return discrepancies, last seen first: the open ones, and with *cleared* the others too."""
        ...

    async def discrepancy(self, discrepancy_id: str, *, accounts: Collection[str] | None = None) -> Followed | None:
        """Return the discrepancy with this id, or the only one whose id begins with it; None where there is none.

        Those of other *accounts* are as none: a beginning must not tell their ids.

        Raises:
            StoreFailed: several ids begin with it; the message lists them.
        """
        ...

    async def changes(self, discrepancy_id: str) -> Sequence[Change]:
        """Return every change in the life of this discrepancy, oldest first; none where it is not known."""
        ...
