"""Answers in SQLite or PostgreSQL, so that they outlast the process that gave them.

A key is taken in a transaction of its own, before the work, and the answer kept in another one, after it: who dies in
between leaves a key without an answer, which is free again after a while.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, insert, select, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gal_friday.adapters.answers.rules import claimed
from gal_friday.adapters.sql.engine import writing
from gal_friday.adapters.sql.service_tables import GIVEN_ANSWERS
from gal_friday.ports.answers import Asked, Claimed, Free, Given, UnderWay
from gal_friday.ports.errors import StoreFailed

_ROW = GIVEN_ANSWERS.c


class SqlAnswers:
    """``Answers`` on a database that was brought up to date by ``upgrade``."""

    def __init__(self, engine: AsyncEngine) -> None:
        """Keep the engine, which whoever opened it disposes of."""
        self._engine = engine

    async def claim(self, asked: Asked, *, stale_before: datetime, forgotten_before: datetime) -> Claimed:
        """Take the key, or return what stands under it; see ``Answers``."""
        async with writing(self._engine, StoreFailed) as connection:
            query = select(GIVEN_ANSWERS).where(_is(asked)).with_for_update()
            row = (await connection.execute(query)).one_or_none()
            if row is None:
                return Free() if await _begun(connection, asked) else UnderWay()
            found: Claimed = Free()
            if row.at >= forgotten_before:
                found = claimed(asked, row.what, row.at, _answer(row), stale_before)
            if isinstance(found, Free):
                empty = {"status": None, "media_type": None, "content": None}
                again = update(GIVEN_ANSWERS).where(_is(asked)).values(what=asked.what, at=asked.at, **empty)
                await connection.execute(again)
            return found

    async def keep(self, asked: Asked, answer: Given) -> None:
        """Keep the answer; see ``Answers``."""
        async with writing(self._engine, StoreFailed) as connection:
            given = {"status": answer.status, "media_type": answer.media_type, "content": answer.content}
            await connection.execute(update(GIVEN_ANSWERS).where(_is(asked), _ROW.at == asked.at).values(**given))

    async def release(self, asked: Asked) -> None:
        """Give the key back; see ``Answers``."""
        async with writing(self._engine, StoreFailed) as connection:
            mine = (_ROW.at == asked.at) & _ROW.status.is_(None)
            await connection.execute(delete(GIVEN_ANSWERS).where(_is(asked), mine))

    async def forget(self, before: datetime) -> int:
        """Remove what is older; see ``Answers``."""
        async with writing(self._engine, StoreFailed) as connection:
            return (await connection.execute(delete(GIVEN_ANSWERS).where(_ROW.at < before))).rowcount


def _is(asked: Asked) -> ColumnElement[bool]:
    return and_(_ROW.caller == asked.caller, _ROW.key == asked.key)


async def _begun(connection: AsyncConnection, asked: Asked) -> bool:
    row = {"caller": asked.caller, "key": asked.key, "what": asked.what, "at": asked.at}
    if connection.dialect.name != "postgresql":
        await connection.execute(insert(GIVEN_ANSWERS).values(row))
        return True
    # Another process may have taken it in this very moment: there is no row yet that either could wait for.
    mine = postgresql.insert(GIVEN_ANSWERS).values(row).on_conflict_do_nothing().returning(_ROW.key)
    return (await connection.execute(mine)).one_or_none() is not None


def _answer(row: Any) -> Given | None:
    return None if row.status is None else Given(row.status, row.content, row.media_type)
