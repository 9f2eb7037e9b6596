"""Recordings in SQLite or PostgreSQL: what is known of each stays, its content goes when its time is over.

Written after the report in a transaction of its own: a run whose recording cannot be kept is as good as any other.
"""

from datetime import datetime

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncEngine

from gal_friday.adapters.sql.engine import reading, writing
from gal_friday.adapters.sql.tables import RECONCILIATION_EVENTS, RECORDING_CONTENTS, RECORDINGS
from gal_friday.ports.errors import StoreFailed
from gal_friday.ports.recordings import Conditions, Kept, Packed, kept_of

_KNOWN, _CONTENTS = RECORDINGS.c, RECORDING_CONTENTS.c


class SqlRecordings:
    """``Recordings`` on a database that was brought up to date by ``upgrade``."""

    def __init__(self, engine: AsyncEngine) -> None:
        """Keep the engine, which whoever opened it disposes of."""
        self._engine = engine

    async def keep(self, reconciliation_id: str, packed: Packed, conditions: Conditions, *, at: datetime) -> None:
        """Keep a recording; see ``Recordings``.

        Raises:
            StoreFailed: nothing was written; also where no such report is recorded.
        """
        known = kept_of(reconciliation_id, packed, conditions, at)
        row = {name: getattr(known, name) for name in Kept.__struct_fields__}
        content = {"reconciliation_id": reconciliation_id, "story": packed.story, "answers": packed.answers}
        async with writing(self._engine, StoreFailed) as connection:
            query = select(_KNOWN.digest).where(_KNOWN.reconciliation_id == reconciliation_id)
            if (await connection.execute(query)).first() is None:
                await connection.execute(insert(RECORDINGS), row)
                await connection.execute(insert(RECORDING_CONTENTS), content)

    async def about(self, reconciliation_id: str) -> Kept | None:
        """Return what is known of it; see ``Recordings``.

        Raises:
            StoreFailed: the database cannot be read.
        """
        query = select(RECORDINGS).where(_KNOWN.reconciliation_id == reconciliation_id)
        async with reading(self._engine, StoreFailed) as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
        return None if row is None else Kept(**dict(row))

    async def content(self, reconciliation_id: str) -> Packed | None:
        """Return it; see ``Recordings``.

        Raises:
            StoreFailed: the database cannot be read.
        """
        columns = (_CONTENTS.story, _CONTENTS.answers, _KNOWN.digest, _KNOWN.size)
        query = select(*columns).join_from(RECORDINGS, RECORDING_CONTENTS)
        query = query.where(_KNOWN.reconciliation_id == reconciliation_id)
        async with reading(self._engine, StoreFailed) as connection:
            row = (await connection.execute(query)).one_or_none()
        return None if row is None else Packed(story=row.story, answers=row.answers, digest=row.digest, size=row.size)

    async def forget(self, before: datetime) -> int:
        """Remove old contents; see ``Recordings``.

        Raises:
            StoreFailed: nothing was removed.
        """
        old = select(_KNOWN.reconciliation_id).where(_KNOWN.at < before)
        async with writing(self._engine, StoreFailed) as connection:
            done = await connection.execute(
                delete(RECORDING_CONTENTS)
                .where(_CONTENTS.reconciliation_id.in_(old))
                .returning(_CONTENTS.reconciliation_id)
            )
            return len(done.all())

    async def written(self, reconciliation_id: str) -> bytes | None:
        """Return a recorded report as the very bytes that were written; None where there is none.

        Raises:
            StoreFailed: the database cannot be read.
        """
        events = RECONCILIATION_EVENTS.c
        query = select(events.report).where(events.reconciliation_id == reconciliation_id)
        async with reading(self._engine, StoreFailed) as connection:
            text: str | None = (await connection.execute(query)).scalar_one_or_none()
        return None if text is None else text.encode()
