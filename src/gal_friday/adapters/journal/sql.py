"""Writing to the journal in SQLite or PostgreSQL, inside a transaction that somebody else has begun.

One writer at a time: on SQLite the transaction holds the database from its first statement, on PostgreSQL a
lock of the journal's own is held until the transaction ends, so that the sequence has no gap and no fork. It is
no lock of a row, because that would ask for the right to change what nobody may change.
"""

from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from gal_friday.adapters.journal.key import SigningKey, signing_key
from gal_friday.adapters.journal.sealing import Last, Sealed, sealed
from gal_friday.adapters.sql.tables import JOURNAL_ENTRIES, JOURNAL_HEADS
from gal_friday.domain.canonical import written_exactly
from gal_friday.domain.facts import Fact, FactKind
from gal_friday.domain.journal import Entry, SignedHead
from gal_friday.ports.clock import Clock

_ENTRIES, _HEADS = JOURNAL_ENTRIES.c, JOURNAL_HEADS.c
_LOCK = 7_331_942_208  # Any number, the same in every process; the one before it is held by who migrates.


class SqlJournal:
    """Adds facts to the journal of a database."""

    def __init__(self, key_folder: Path, clock: Clock) -> None:
        """Keep the folder of the key, which is made with the first fact, and the clock that dates heads."""
        self._folder, self._clock = key_folder, clock

    @cached_property
    def _key(self) -> SigningKey:
        return signing_key(self._folder)

    async def append(self, connection: AsyncConnection, facts: Iterable[Fact]) -> SignedHead | None:
        """Write these facts in this order, under one new head; None where there are none. See ``Journalling``.

        Raises:
            StoreFailed: no key, or a head that cannot be gone on from; the transaction must not be committed.
            MalformedFact: a fact holds what cannot be written exactly.
        """
        given = tuple(facts)
        if not given:
            return None
        key = self._key
        if connection.dialect.name == "postgresql":
            await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        last, known_key = await _last(connection, key.id)
        done = sealed(last, given, key, self._clock.now(), known_key=known_key)
        await connection.execute(insert(JOURNAL_ENTRIES), [_entry_row(entry) for entry in done.entries])
        await connection.execute(insert(JOURNAL_HEADS), _head_row(done))
        return done.signed


async def _last(connection: AsyncConnection, key: str) -> tuple[Last | None, bool]:
    """Return the newest head, and whether the journal knows this key."""
    columns = (_HEADS.journal, _HEADS.number, _HEADS.size, _HEADS.frontier, _HEADS.key_id)
    query = select(*columns).order_by(_HEADS.number.desc()).limit(1)
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        return None, False
    return Last(*row[:4]), row.key_id == key or await _is_known(connection, key)


async def _is_known(connection: AsyncConnection, key: str) -> bool:
    added = select(_ENTRIES.seq).where(_ENTRIES.subject == key, _ENTRIES.kind == FactKind.JOURNAL_KEY_ADDED.value)
    return (await connection.execute(added.limit(1))).first() is not None


def _entry_row(entry: Entry) -> dict[str, Any]:
    fact = entry.fact
    return {
        "seq": entry.seq,
        "kind": str(fact.kind),
        "at": written_exactly(fact.at),
        "account": fact.account,
        "subject": fact.subject,
        "actor": fact.actor.name,
        "entry": entry.text.decode(),
        "leaf": entry.leaf.hex(),
    }


def _head_row(done: Sealed) -> dict[str, Any]:
    head = done.signed.head
    return {
        "number": head.number,
        "journal": head.journal,
        "size": head.size,
        "root": head.root,
        "frontier": done.frontier,
        "at": head.at,
        "key_id": head.key,
        "signature": done.signed.signature,
    }
