"""Schedules in SQLite or PostgreSQL: one row for each account, written on by whoever has read the newest.

The row is kept as the very text that was written; the other columns are taken from it, to search by.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec.structs import replace
from sqlalchemy import Select, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gal_friday.adapters.sql.engine import reading, writing
from gal_friday.adapters.sql.journalling import Journalling
from gal_friday.adapters.sql.service_tables import SCHEDULES
from gal_friday.domain.schedule import Planned, Step
from gal_friday.ports.errors import StoreFailed

_ROW = SCHEDULES.c
_PLANNED = msgspec.json.Decoder(Planned)


class SqlSchedules:
    """``Schedules`` on a database that was brought up to date by ``upgrade``."""

    def __init__(self, engine: AsyncEngine, journal: Journalling | None = None) -> None:
        """Keep the engine, which whoever opened it disposes of, and the journal that steps are told to."""
        self._engine, self._journal = engine, journal

    async def all(self) -> Sequence[Planned]:
        """Return every account, by name; see ``Schedules``."""
        return await self._read(select(_ROW.body).order_by(_ROW.account))

    async def one(self, account: str) -> Planned | None:
        """Return where this one stands; see ``Schedules``."""
        found = await self._read(select(_ROW.body).where(_ROW.account == account))
        return found[0] if found else None

    async def due(self, now: datetime, *, limit: int) -> Sequence[Planned]:
        """Return those that are due; see ``Schedules``."""
        waiting = _ROW.begun.is_(None) & (_ROW.due <= now)
        return await self._read(select(_ROW.body).where(waiting).order_by(_ROW.due, _ROW.account).limit(limit))

    async def under_way(self) -> Sequence[Planned]:
        """Return those whose run did not end; see ``Schedules``."""
        return await self._read(select(_ROW.body).where(_ROW.begun.is_not(None)).order_by(_ROW.account))

    async def save(self, step: Step) -> Planned | None:
        """Write a step, unless somebody was faster; see ``Schedules``."""
        planned = replace(step.planned, revision=step.planned.revision + 1)
        async with writing(self._engine, StoreFailed) as connection:
            if not await _written(connection, planned, step.planned.revision):
                return None
            if self._journal is not None and step.facts:
                await self._journal.append(connection, step.facts)  # last: it holds the journal until the commit
        return planned

    async def _read(self, query: Select[str]) -> Sequence[Planned]:
        async with reading(self._engine, StoreFailed) as connection:
            return [_PLANNED.decode(body) for body in (await connection.execute(query)).scalars()]


async def _written(connection: AsyncConnection, planned: Planned, known: int) -> bool:
    row: dict[str, Any] = {
        "account": planned.account,
        "due": planned.due,
        "begun": planned.begun,
        "revision": planned.revision,
        "body": msgspec.json.encode(planned).decode(),
    }
    if known == 0:
        try:
            async with connection.begin_nested():
                await connection.execute(insert(SCHEDULES).values(row))
        except IntegrityError:
            return False  # another process has begun it in this very moment
        return True
    same = (_ROW.account == planned.account) & (_ROW.revision == known)
    return bool((await connection.execute(update(SCHEDULES).where(same).values(row))).rowcount)
