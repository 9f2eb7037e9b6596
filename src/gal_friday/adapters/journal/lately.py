"""What was added to the journal since it was looked at last: cheap enough to be looked at every hour.

The head that was seen then must still be there, with the same root; from its frontier on every entry, every head and
every signature is inspected as a whole verification does. It does not read again what stood there before: who can
write the database could change that and this would not see it. ``verify`` does.
"""

from collections.abc import Sequence
from datetime import datetime

from msgspec.structs import replace
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gal_friday.adapters.journal.inspection import Flaw, Inspection
from gal_friday.adapters.journal.key import is_signed
from gal_friday.adapters.journal.rows import HeadRow, entry_rows, head_rows
from gal_friday.adapters.sql.engine import reading
from gal_friday.adapters.sql.tables import JOURNAL_ENTRIES
from gal_friday.domain.conditions import JournalSeen
from gal_friday.domain.facts import FactKind
from gal_friday.domain.journal import written
from gal_friday.domain.seal import HASH_BYTES, Tree
from gal_friday.ports.errors import StoreFailed

_ENTRIES = JOURNAL_ENTRIES.c


async def verify_lately(engine: AsyncEngine, last: JournalSeen | None, at: datetime, *, own: str = "") -> JournalSeen:
    """Return what a look at everything since *last* saw; at everything there is where it is None.

    Raises:
        StoreFailed: the database cannot be read.
    """
    known = last if last is not None and last.head and not last.broken else None
    inspection = Inspection(is_signed, own=own)
    try:
        async with reading(engine, StoreFailed) as connection:
            await _inspect(connection, inspection, known)
    except Flaw as flaw:
        seen = known or JournalSeen(at=at)
        broken = f"{flaw.place}: {flaw.what}"
        return replace(seen, at=at, broken=broken)
    tree = inspection.tree
    return JournalSeen(
        at=at, journal=inspection.journal, head=inspection.heads, entries=tree.size, root=tree.root().hex()
    )


async def _inspect(connection: AsyncConnection, inspection: Inspection, known: JournalSeen | None) -> None:
    if known is not None:
        await _resume(connection, inspection, known)
    heads = [row async for rows in head_rows(connection, after=inspection.heads) for row in rows]
    due = iter(heads)
    head = next(due, None)
    async for rows in entry_rows(connection, after=inspection.tree.size):
        for row in rows:
            inspection.entry(row)
            if head is not None and inspection.is_due(head):
                inspection.head(head)
                head = next(due, None)
    if head is not None:
        inspection.is_due(head)
    inspection.end(head)


async def _resume(connection: AsyncConnection, inspection: Inspection, known: JournalSeen) -> None:
    """Stand where the last look ended."""
    place = f"head {known.head}"
    found: Sequence[HeadRow] = await anext(head_rows(connection, after=known.head - 1), [])
    if not found or found[0].number != known.head:
        raise Flaw(place, "the newest head that was seen is gone: the journal was cut", known.root, "nothing")
    head: HeadRow = found[0]
    if (head.size, head.root.decode(errors="replace")) != (known.entries, known.root):
        raise Flaw(place, "the head is not the one that was seen", known.root, head.root)
    try:
        frontier = bytes.fromhex(head.frontier.decode())
        peaks = [frontier[at : at + HASH_BYTES] for at in range(0, len(frontier), HASH_BYTES)]
        tree = Tree(head.size, peaks)
    except ValueError as error:
        raise Flaw(place, "the frontier is none", "", head.frontier) from error
    if tree.root().hex() != known.root:
        raise Flaw(place, "the frontier is not that of the head", known.root, tree.root().hex())
    added = select(_ENTRIES.entry).where(_ENTRIES.kind == FactKind.JOURNAL_KEY_ADDED.value, _ENTRIES.seq <= head.size)
    keys = [written(entry.encode()) for entry in (await connection.execute(added)).scalars()]
    inspection.resume(
        tree,
        journal=known.journal,
        heads=known.head,
        keys={one.subject: bytes.fromhex(str(one.body.get("public_key"))) for one in keys},
    )
