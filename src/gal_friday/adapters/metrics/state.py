"""What holds when a monitor asks, as it is read from the database then: the state of things, not what happened."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from gal_friday.domain.materiality import Severity
from gal_friday.domain.schedule import Planned
from gal_friday.ports.store import OpenCount

OTHERS = "others"
"""All accounts that are not configured, as a label: of tables that were recorded there may be any number."""


class Waiting(Struct, frozen=True):
    """Discrepancies of one severity that need a person."""

    severity: str
    waiting: int
    overdue: int


class Standing(Struct, frozen=True, kw_only=True):
    """Everything that is asked for anew at every collection."""

    at: datetime
    planned: Sequence[Planned] = ()
    intervals: dict[str, float] = {}
    """Seconds between two runs of each configured account, as they are in effect."""
    open: Sequence[OpenCount] = ()
    oldest: dict[str, datetime] = {}
    """Since when the oldest open discrepancy of each account is wrong."""
    queue: Sequence[Waiting] = ()
    journal_head: datetime | None = None
    outbox: dict[str, int] = {}
    """Notices by what became of them."""
    streams: dict[str, bool] = {}
    """Whether the stream of each account that has one is connected."""

    def open_together(self) -> Sequence[OpenCount]:
        """Return what is open, accounts that are not configured together."""
        counts = Counter[tuple[str, str, Severity]]()
        for one in self.open:
            counts[self._named(one.account), one.type, one.severity] += one.count
        return [OpenCount(*of, count) for of, count in counts.items()]

    def oldest_together(self) -> dict[str, datetime]:
        """Return since when the oldest of each account is wrong, accounts that are not configured together."""
        found: dict[str, datetime] = {}
        for account, since in self.oldest.items():
            name = self._named(account)
            found[name] = min(since, found.get(name, since))
        return found

    def _named(self, account: str) -> str:
        return account if account in self.intervals else OTHERS
