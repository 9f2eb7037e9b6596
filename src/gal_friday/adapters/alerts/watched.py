"""What was seen last of keys and of the journal, in SQLite or PostgreSQL. Only the newest is kept."""

from collections.abc import Mapping
from datetime import datetime

import msgspec
from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncEngine

from gal_friday.adapters.sql.alert_tables import WATCHED
from gal_friday.adapters.sql.engine import reading, writing
from gal_friday.domain.conditions import JournalSeen
from gal_friday.ports.errors import StoreFailed

_ROW = WATCHED.c
_KEY, _JOURNAL = "key", "journal"


class SqlWatched:
    """``Watched`` on a database that was brought up to date by ``upgrade``."""

    def __init__(self, engine: AsyncEngine) -> None:
        """Keep the engine, which whoever opened it disposes of."""
        self._engine = engine

    async def key_seen(self, account: str, ends: datetime | None, at: datetime) -> None:
        """Keep until when a key is valid; see ``Watched``."""
        if (await self._bodies(_KEY)).get(account) != (body := msgspec.json.encode(ends).decode()):
            await self._keep(_KEY, account, at, body)

    async def keys(self) -> Mapping[str, datetime]:
        """Return until when keys are valid; see ``Watched``."""
        read = {
            name: msgspec.json.decode(body, type=datetime | None) for name, body in (await self._bodies(_KEY)).items()
        }
        return {account: ends for account, ends in read.items() if ends is not None}

    async def journal_seen(self, seen: JournalSeen) -> None:
        """Keep what a verification saw; see ``Watched``."""
        await self._keep(_JOURNAL, "", seen.at, msgspec.json.encode(seen).decode())

    async def journal(self) -> JournalSeen | None:
        """Return what the last verification saw; see ``Watched``."""
        body = (await self._bodies(_JOURNAL)).get("")
        return None if body is None else msgspec.json.decode(body, type=JournalSeen)

    async def _bodies(self, kind: str) -> dict[str, str]:
        async with reading(self._engine, StoreFailed) as connection:
            found = await connection.execute(select(_ROW.name, _ROW.body).where(_ROW.kind == kind))
            return {row.name: row.body for row in found}

    async def _keep(self, kind: str, name: str, at: datetime, body: str) -> None:
        async with writing(self._engine, StoreFailed) as connection:
            await connection.execute(delete(WATCHED).where(_ROW.kind == kind, _ROW.name == name))
            await connection.execute(insert(WATCHED).values(kind=kind, name=name, at=at, body=body))
