"""The journal for programs that look: entries by their places, the newest head, a proof of inclusion."""

import asyncio
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, Select, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gal_friday.adapters.journal.proving import flaw_of
from gal_friday.adapters.journal.rows import in_parts
from gal_friday.adapters.journal.verify import verify
from gal_friday.adapters.sql.engine import reading
from gal_friday.adapters.sql.tables import JOURNAL_ENTRIES, JOURNAL_HEADS
from gal_friday.domain.canonical import written_exactly
from gal_friday.domain.facts import FactKind
from gal_friday.domain.journal import Head, SignedHead, written
from gal_friday.domain.seal import inclusion_proof
from gal_friday.ports.errors import StoreFailed
from gal_friday.ports.journal_reading import Checked, Progress, Proof, StoredEntry, Wanted

_ENTRIES, _HEADS = JOURNAL_ENTRIES.c, JOURNAL_HEADS.c
_STORED = (_ENTRIES.seq, _ENTRIES.kind, _ENTRIES.account, _ENTRIES.entry)


class SqlJournalReading:
    """``JournalReading`` on a database that was brought up to date by ``upgrade``."""

    def __init__(self, engine: AsyncEngine, *, own: str = "") -> None:
        """Keep the engine, which whoever opened it disposes of; *own* is the id of this machine's key."""
        self._engine, self._own = engine, own

    async def before(self, wanted: Wanted, *, seq: int | None = None, limit: int) -> Sequence[StoredEntry]:
        """Return entries, the newest first; see ``JournalReading``."""
        query = _chosen(wanted).order_by(_ENTRIES.seq.desc()).limit(limit)
        return await self._entries(query if seq is None else query.where(_ENTRIES.seq < seq))

    async def after(self, wanted: Wanted, *, seq: int, limit: int) -> Sequence[StoredEntry]:
        """Return entries that follow *seq*, the oldest first; see ``JournalReading``."""
        return await self._entries(_chosen(wanted).where(_ENTRIES.seq > seq).order_by(_ENTRIES.seq).limit(limit))

    async def one(self, seq: int) -> StoredEntry | None:
        """Return the entry at this place; see ``JournalReading``."""
        found = await self._entries(select(*_STORED).where(_ENTRIES.seq == seq))
        return found[0] if found else None

    async def newest(self) -> int:
        """Return the place of the newest entry; see ``JournalReading``."""
        async with reading(self._engine, StoreFailed) as connection:
            query = select(_ENTRIES.seq).order_by(_ENTRIES.seq.desc()).limit(1)
            return (await connection.execute(query)).scalar_one_or_none() or 0

    async def head(self) -> SignedHead | None:
        """Return the newest head; see ``JournalReading``."""
        async with reading(self._engine, StoreFailed) as connection:
            return await _head(connection)

    async def heads(self, *, number: int | None = None, limit: int) -> Sequence[SignedHead]:
        """Return heads, the newest first; see ``JournalReading``."""
        query = select(JOURNAL_HEADS).order_by(_HEADS.number.desc()).limit(limit)
        async with reading(self._engine, StoreFailed) as connection:
            rows = await connection.execute(query if number is None else query.where(_HEADS.number < number))
            return [_signed(row) for row in rows]

    async def proof(self, seq: int) -> Proof | None:
        """Return what shows that this entry is under the newest head; see ``JournalReading``."""
        async with reading(self._engine, StoreFailed) as connection:
            signed = await _head(connection)
            if signed is None or not 1 <= seq <= signed.head.size:
                return None
            leaves = await _leaves(connection, signed.head.size)
            entry = (await connection.execute(select(_ENTRIES.entry).where(_ENTRIES.seq == seq))).scalar_one()
            public_key = await _public_key(connection, signed.head.key)
        # A hash for every entry: long enough to keep others waiting.
        path = await asyncio.to_thread(_path, leaves, seq - 1)
        return Proof(
            seq=seq,
            entry=entry,
            leaf=leaves[seq - 1].hex(),
            index=seq - 1,
            size=signed.head.size,
            path=path,
            signed=signed,
            public_key=public_key,
        )

    def flaw(self, proof: Proof) -> str:
        """Return what is wrong with a proof; see ``JournalReading``."""
        return flaw_of(proof)

    async def verify(self, progress: Progress | None = None) -> Checked:
        """Look at every byte; see ``JournalReading``."""
        seen = await verify(self._engine, own=self._own, progress=progress)
        broken = "" if seen.broken is None else f"{seen.broken.place}: {seen.broken.what}"
        return Checked(
            sound=seen.broken is None,
            entries=seen.entries,
            heads=seen.heads,
            root=seen.root,
            reports=seen.reports,
            changes=seen.changes,
            broken=broken,
        )

    async def _entries(self, query: Select[Any]) -> list[StoredEntry]:
        async with reading(self._engine, StoreFailed) as connection:
            rows = (await connection.execute(query)).all()
        return [StoredEntry(seq, kind, account, text.encode()) for seq, kind, account, text in rows]


def _chosen(wanted: Wanted) -> Select[Any]:
    query = select(*_STORED)
    if wanted.accounts is not None:
        query = query.where(_ENTRIES.account.in_(sorted(wanted.accounts)))
    if wanted.kind is not None:
        query = query.where(_ENTRIES.kind == wanted.kind)
    if wanted.subject is not None:
        query = query.where(_ENTRIES.subject.startswith(wanted.subject, autoescape=True))
    if wanted.since is not None:
        query = query.where(_ENTRIES.at >= written_exactly(wanted.since))
    if wanted.until is not None:
        query = query.where(_ENTRIES.at < written_exactly(wanted.until))
    if wanted.actor is not None:
        query = query.where(_ENTRIES.actor == wanted.actor)
    return query


async def _head(connection: AsyncConnection) -> SignedHead | None:
    row = (await connection.execute(select(JOURNAL_HEADS).order_by(_HEADS.number.desc()).limit(1))).one_or_none()
    return None if row is None else _signed(row)


def _signed(row: Row[Any]) -> SignedHead:
    head = Head(journal=row.journal, number=row.number, size=row.size, root=row.root, at=row.at, key=row.key_id)
    return SignedHead(head=head, signature=row.signature)


async def _public_key(connection: AsyncConnection, key: str) -> str:
    added = (_ENTRIES.subject == key, _ENTRIES.kind == FactKind.JOURNAL_KEY_ADDED.value)
    entry = (await connection.execute(select(_ENTRIES.entry).where(*added).limit(1))).scalar_one_or_none()
    if entry is None:
        raise StoreFailed(f"no entry adds the key {key} of the newest head; run: gal-friday journal verify")
    return str(written(entry.encode()).body.get("public_key"))


async def _leaves(connection: AsyncConnection, size: int) -> list[bytes]:
    """Return the hashes of the first *size* entries, read in parts so that others are answered meanwhile."""
    leaves: list[bytes] = []
    async for rows in in_parts(connection, JOURNAL_ENTRIES, ("seq", "leaf")):
        try:
            leaves.extend(bytes.fromhex(leaf.decode()) for _, leaf in rows[: size - len(leaves)])
        except ValueError as error:
            raise StoreFailed("the journal is damaged; run: gal-friday journal verify") from error
        if len(leaves) == size:
            break
    return leaves


def _path(leaves: Sequence[bytes], index: int) -> tuple[str, ...]:
    return tuple(step.hex() for step in inclusion_proof(leaves, index))
