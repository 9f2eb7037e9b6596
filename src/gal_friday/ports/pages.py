"""What is recorded, in narrow rows and by pages, for programs and people who look.

Everything here only reads. Lists come in pages that are found by the place of their last entry, never by counting, so
that a page costs the same wherever it lies and no entry is told twice because others came meanwhile. *accounts* are
those that whoever asks may see; None is all of them.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from gal_friday.domain.finding import DiscrepancyType
from gal_friday.domain.followed import Followed
from gal_friday.domain.gate import Standing
from gal_friday.domain.materiality import Severity
from gal_friday.domain.report import ReconciliationReport

Accounts = Collection[str] | None


class Place(Struct, frozen=True):
    """Where a page ends: the next one begins behind it."""

    at: datetime
    id: str


class Listed(Struct, frozen=True):
    """A report without its findings."""

    reconciliation_id: str
    account: str
    at: datetime
    summary: bytes
    """As JSON: see ``report.summary_of``."""


class Latest(Struct, frozen=True):
    """How the last runs went."""

    report: Listed | None = None
    failures: int = 0
    """How many runs failed one after the other, up to now."""


class StoredReport(Struct, frozen=True):
    """A report as it was written, to the byte."""

    reconciliation_id: str
    account: str
    content: bytes


class Chosen(Struct, frozen=True, kw_only=True):
    """Which discrepancies are wanted; an empty choice is all."""

    cleared: bool = False
    """Those that were seen to agree as well."""
    types: frozenset[DiscrepancyType] = frozenset()
    severities: frozenset[Severity] = frozenset()
    states: frozenset[str] = frozenset()


class Pages(Protocol):
    """Gives what is recorded, by pages."""

    async def latest(self, accounts: Accounts) -> Latest:
        """Return the newest report, and how many failed up to it.

        Raises:
            StoreFailed: it cannot be read.
        """
        ...

    async def reports(
        self,
        accounts: Accounts,
        *,
        since: datetime | None = None,
        only_discrepancies: bool = False,
        after: Place | None = None,
        limit: int,
    ) -> Sequence[Listed]:
        """Return reports, the newest first.

        Raises:
            StoreFailed: they cannot be read.
        """
        ...

    async def decided(self, accounts: Accounts, *, since: datetime, limit: int) -> Sequence[ReconciliationReport]:
        """Return what runs decided, the newest first: their reports without what grows with the account.

        Raises:
            StoreFailed: they cannot be read.
        """
        ...

    async def report(self, reconciliation_id: str, accounts: Accounts = None) -> StoredReport | None:
        """Return the report with this id, or the only one whose id begins with it; None where there is none.

        Those of other *accounts* are as none: a beginning must not tell their ids.

        Raises:
            SeveralMatch: several ids begin with it.
            StoreFailed: it cannot be read.
        """
        ...

    async def discrepancies(
        self, accounts: Accounts, chosen: Chosen, *, after: Place | None = None, limit: int
    ) -> Sequence[Followed]:
        """Return discrepancies, the last seen first.

        Raises:
            StoreFailed: they cannot be read.
        """
        ...

    async def standing(self, account: str) -> Standing:
        """Return what the gate has to know of an account, from one state of the database.

        Raises:
            StoreFailed: it cannot be read.
        """
        ...

    async def check_ready(self) -> str:
        """Return the revision of the database.

        Raises:
            StoreFailed: it cannot be reached, or is not at the revision of this program.
        """
        ...
