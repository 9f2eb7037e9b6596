"""Is the journal what was written? Every byte of it, its heads, and the rows that it speaks of.

It reads one state of the database and changes nothing.
"""

from collections import deque
from collections.abc import AsyncIterator, Iterable, Sequence

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gal_friday.adapters.journal.inspection import Anchored, Flaw, Inspection
from gal_friday.adapters.journal.key import is_signed
from gal_friday.adapters.journal.rows import HeadRow, entry_rows, head_rows
from gal_friday.adapters.journal.ties import Ties
from gal_friday.adapters.sql.engine import reading
from gal_friday.ports.errors import StoreFailed


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
    engine: AsyncEngine, *, trusted: Iterable[str] = (), anchored: Iterable[Anchored] = (), own: str = ""
) -> Verified:
    """Return what was looked at up to the first thing that is wrong.

    *trusted* are the ids of the only keys that may have signed; none for any. *anchored* are heads that were
    kept outside. *own* is the id of this machine's key, which must be one of the journal's.

    Raises:
        StoreFailed: the database cannot be read.
    """
    ties, inspection, broken = Ties(), Inspection(is_signed), None
    try:
        inspection = Inspection(is_signed, trusted=trusted, anchored=anchored, own=own)
        async with reading(engine, StoreFailed) as connection:
            await _inspect(connection, inspection, ties)
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


async def _inspect(connection: AsyncConnection, inspection: Inspection, ties: Ties) -> None:
    heads = _Heads(head_rows(connection))
    due = await heads.next()
    async for rows in entry_rows(connection):
        for row in rows:
            ties.take(inspection.entry(row))
            if due is not None and inspection.is_due(due):
                inspection.head(due)
                due = heads.waiting.popleft() if heads.waiting else await heads.next()
    if due is not None:
        inspection.is_due(due)
    inspection.end(due)


class _Heads:
    """Heads one by one, read some at a time."""

    def __init__(self, rows: AsyncIterator[Sequence[HeadRow]]) -> None:
        self._rows = rows
        self.waiting: deque[HeadRow] = deque()

    async def next(self) -> HeadRow | None:
        """Return the next one; None after the last."""
        if not self.waiting:
            self.waiting.extend(await anext(self._rows, []))
        return self.waiting.popleft() if self.waiting else None
