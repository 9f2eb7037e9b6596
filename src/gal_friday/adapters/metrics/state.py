"""What holds when a monitor asks, as it is read from the database then: the state of things, not what happened."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from gal_friday.domain.schedule import Planned
from gal_friday.ports.store import OpenCount


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
