"""Entries of the journal for people to look at, newest first. Looking verifies nothing."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from gal_friday.adapters.sql.engine import reading
from gal_friday.adapters.sql.tables import JOURNAL_ENTRIES
from gal_friday.domain.canonical import written_exactly
from gal_friday.domain.errors import MalformedFact
from gal_friday.domain.journal import Written, written
from gal_friday.ports.errors import StoreFailed

_ENTRIES = JOURNAL_ENTRIES.c


class Asked(Struct, frozen=True, kw_only=True):
    """Which entries; what is None does not matter."""

    account: str | None = None
    subject: str | None = None
    """The beginning of an id is enough."""
    kind: str | None = None
    since: datetime | None = None
    limit: int = 50


async def entries(engine: AsyncEngine, asked: Asked) -> Sequence[Written]:
    """Return what the newest of these entries say, newest first.

    Raises:
        StoreFailed: the database cannot be read, or holds what is no entry.
    """
    query = select(_ENTRIES.entry).order_by(_ENTRIES.seq.desc()).limit(asked.limit)
    if asked.account is not None:
        query = query.where(_ENTRIES.account == asked.account)
    if asked.subject is not None:
        query = query.where(_ENTRIES.subject.startswith(asked.subject, autoescape=True))
    if asked.kind is not None:
        query = query.where(_ENTRIES.kind == asked.kind)
    if asked.since is not None:
        query = query.where(_ENTRIES.at >= written_exactly(asked.since))
    async with reading(engine, StoreFailed) as connection:
        texts = (await connection.execute(query)).scalars().all()
    try:
        return [written(text.encode()) for text in texts]
    except MalformedFact as error:
        raise StoreFailed(f"{error}; run: gal-friday journal verify") from error
