"""Is the journal what was written? Every byte of it, its heads, and the rows that it speaks of.

It reads one state of the database and changes nothing. What takes long is done beside the event loop: a service that
verifies goes on answering.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable, Sequence

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gal_friday.adapters.journal.inspection import Anchored, Flaw, Inspection
from gal_friday.adapters.journal.key import is_signed
from gal_friday.adapters.journal.rows import EntryRow, HeadRow, entry_rows, head_rows
from gal_friday.adapters.journal.ties import Ties
from gal_friday.adapters.sql.engine import reading
from gal_friday.ports.errors import StoreFailed
from gal_friday.ports.journal_reading import Progress


class Broken(Struct, frozen=True):
    """The first place at which the journal is not what was written."""

    place: str
    """An entry, a head, a report, a change, or a line of a file of heads."""
    what: str
    expected: str
    found: str


class Verified(Struct, frozen=True):
    """What was looked at, and what is wrong, if anything is."""

    journal: str
    entries: int
    heads: int
    root: str
    keys: tuple[str, ...]
    """The ids of the keys that the journal knows."""
    changes: int
    """Changes of discrepancies that were held against their facts."""
    reports: int
    """Reports that were held against their facts."""
    decisions: int
    """Steps of adjustments and of reviews that were held against their facts."""
    anchors: int
    """Heads kept outside that were met."""
    broken: Broken | None = None


async def verify(
    engine: AsyncEngine,
    *,
    trusted: Iterable[str] = (),
    anchored: Iterable[Anchored] = (),
    own: str = "",
    progress: Progress | None = None,
) -> Verified:
    """Return what was looked at up to the first thing that is wrong.

    *trusted* are the ids of the only keys that may have signed; none for any. *anchored* are heads that were
    kept outside. *own* is the id of this machine's key, which must be one of the journal's. *progress* is told how many
    entries were looked at, again and again.

    Raises:
        StoreFailed: the database cannot be read.
    """
    ties, inspection, broken = Ties(), Inspection(is_signed), None
    try:
        inspection = Inspection(is_signed, trusted=trusted, anchored=anchored, own=own)
        async with reading(engine, StoreFailed) as connection:
            await _inspect(connection, inspection, ties, progress)
            await ties.check(connection)
    except Flaw as flaw:
        broken = Broken(flaw.place, flaw.what, flaw.expected, flaw.found)
    return Verified(
        journal=inspection.journal,
        entries=inspection.tree.size,
        heads=inspection.heads,
        root=inspection.tree.root().hex(),
        keys=tuple(inspection.keys),
        changes=ties.changes,
        reports=ties.reports,
        decisions=ties.decisions.count,
        anchors=inspection.anchors,
        broken=broken,
    )


async def _inspect(connection: AsyncConnection, inspection: Inspection, ties: Ties, progress: Progress | None) -> None:
    heads = _Heads(head_rows(connection))
    async for some in entry_rows(connection):
        rows = deque(some)
        while rows:
            await heads.refill()
            await asyncio.to_thread(_take, rows, heads.waiting, inspection, ties)
        if progress is not None:
            progress(inspection.tree.size)
    await heads.refill()
    due = heads.waiting[0] if heads.waiting else None
    if due is not None:
        inspection.is_due(due)
    inspection.end(due)


def _take(rows: deque[EntryRow], heads: deque[HeadRow], inspection: Inspection, ties: Ties) -> None:
    """Inspect entries, and heads where they are due, until there are none, or the last of these heads was met."""
    may_be_due = bool(heads)
    while rows:
        ties.take(inspection.entry(rows.popleft()))
        if heads and inspection.is_due(heads[0]):
            inspection.head(heads.popleft())
        if may_be_due and not heads:
            return


class _Heads:
    """Heads, read some at a time."""

    def __init__(self, rows: AsyncIterator[Sequence[HeadRow]]) -> None:
        self._rows = rows
        self.waiting: deque[HeadRow] = deque()

    async def refill(self) -> None:
        """Have the next ones waiting where none waits any more."""
        if not self.waiting:
            self.waiting.extend(await anext(self._rows, []))
