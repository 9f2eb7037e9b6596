"""Handing adjustments over in a table that the trading system reads. docs/handing-over.md has its definition.

One row is one adjustment: its key is the primary key, so that it cannot arrive twice. The trading system fills in the
answer, in the transaction in which it posts. A row that was refused is laid out again under the same key; one that was
never answered can be closed, and then it is not to be posted any more. Nothing here writes to any other table.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, Column, MetaData, Table, Text, bindparam, func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gal_friday.adapters.sql.engine import reading, writing
from gal_friday.adapters.sql.failures import shown
from gal_friday.domain.handover import (
    Absent,
    Answer,
    Closed,
    Handover,
    NoAnswer,
    Took,
    TurnedDown,
    Waits,
    clean,
)
from gal_friday.ports.clock import Clock
from gal_friday.ports.errors import BookFailed

COLUMNS = ("adjustment_id", "account", "token", "content", "body", "outcome", "version", "reason")
_CLOSED = "closed"
_LOOKS_EVERY = 0.25


class TableReceiver:
    """A ``Receiver`` in a table of SQLite or PostgreSQL."""

    def __init__(self, engine: AsyncEngine, table: str, *, clock: Clock, wait_seconds: float = 10.0) -> None:
        """Keep the engine, which whoever opened it disposes of, and for how long an answer is waited for."""
        schema, _, name = table.rpartition(".")
        columns = (Column(each, BigInteger if each == "token" else Text) for each in COLUMNS)
        self._table = Table(name, MetaData(), *columns, schema=schema or None)
        self._engine, self._clock, self._wait = engine, clock, wait_seconds
        self._name = table

    @property
    def place(self) -> str:
        """Return the table and the database, without secrets."""
        return f"table {self._name} in {shown(self._engine.url)}"

    async def send(self, handover: Handover) -> Answer:
        """Lay it out, and wait a while for the answer; see ``Receiver``."""
        try:
            if refusal := await self._laid_out(handover):
                return refusal
        except BookFailed as failure:
            return NoAnswer(str(failure))
        until = self._clock.monotonic() + self._wait
        answer = await self.ask(handover)
        while isinstance(answer, Waits) and self._clock.monotonic() < until:
            await self._clock.sleep(_LOOKS_EVERY)
            answer = await self.ask(handover)
        return answer

    async def ask(self, handover: Handover) -> Answer:
        """Read the answer; see ``Receiver``. What is not there is kept out by a closed row, with the newer token."""
        try:
            async with reading(self._engine, BookFailed) as connection:
                row = await self._row(connection, handover.adjustment_id)
            if row is None and handover.token is not None:
                async with writing(self._engine, BookFailed) as connection:
                    await connection.execute(insert(self._table), {**_fresh(handover), "outcome": _CLOSED})
            return _answer(row)
        except BookFailed as failure:
            return NoAnswer(str(failure))

    async def close(self, handover: Handover) -> Answer:
        """Close the row where nobody has answered it; see ``Receiver``."""
        rows = self._table
        open_row = (rows.c.adjustment_id == handover.adjustment_id) & rows.c.outcome.is_(None)
        try:
            async with writing(self._engine, BookFailed) as connection:
                done = await connection.execute(update(rows).where(open_row).values(outcome=_CLOSED))
                if done.rowcount == 1:
                    return Closed()
                return _answer(await self._row(connection, handover.adjustment_id))
        except BookFailed as failure:
            return NoAnswer(str(failure))

    async def check(self) -> str:
        """Look at the table's columns and at the right to add rows; see ``Receiver``."""
        async with writing(self._engine, BookFailed) as connection:  # on SQLite this takes the lock that writing needs
            await connection.execute(select(self._table).limit(0))
            if self._engine.dialect.name == "postgresql":
                await self._check_rights(connection)
        return f"{self.place} can be read and written"

    async def _check_rights(self, connection: AsyncConnection) -> None:
        wanted = ("SELECT", "INSERT", "UPDATE")
        asked = ", ".join(f"has_table_privilege(:name, '{each}')" for each in wanted)
        row = (await connection.execute(text(f"SELECT {asked}"), {"name": self._name})).one()
        lacking = [each for each, held in zip(wanted, row, strict=True) if not held]
        if lacking:
            raise BookFailed(f"{self.place}: this user lacks the right to {', '.join(lacking)}; grant it")

    async def _laid_out(self, handover: Handover) -> Answer | None:
        """Add the row, or lay out again what was refused; return what stands against it."""
        rows = self._table
        fresh = _fresh(handover)
        async with writing(self._engine, BookFailed) as connection:
            if handover.token is not None and await self._newest_token(connection, handover.account) > handover.token:
                return TurnedDown("a newer owner of the account has handed over since")
            row = await self._row(connection, handover.adjustment_id, lock=True)
            if row is None:
                await connection.execute(insert(rows), fresh)
            elif row["content"] != handover.content:
                return TurnedDown("it has this key with other content")
            else:
                again = (rows.c.adjustment_id == bindparam("known")) & rows.c.outcome.in_(("refused", _CLOSED))
                anew = {**fresh, "outcome": None, "version": None, "reason": None}
                del anew["adjustment_id"]
                await connection.execute(update(rows).where(again).values(anew), {"known": handover.adjustment_id})
        return None

    async def _newest_token(self, connection: AsyncConnection, account: str) -> int:
        query = select(func.max(self._table.c.token)).where(self._table.c.account == account)
        return (await connection.execute(query)).scalar_one_or_none() or 0

    async def _row(self, connection: AsyncConnection, name: str, *, lock: bool = False) -> dict[str, Any] | None:
        query = select(self._table).where(self._table.c.adjustment_id == name)
        rows: Sequence[Any] = (await connection.execute(query.with_for_update() if lock else query)).mappings().all()
        return dict(rows[0]) if rows else None


def _fresh(handover: Handover) -> dict[str, Any]:
    return {
        "adjustment_id": handover.adjustment_id,
        "account": handover.account,
        "token": handover.token,
        "content": handover.content,
        "body": handover.body.decode(),
    }


def _answer(row: dict[str, Any] | None) -> Answer:
    if row is None:
        return Absent()
    reason = clean(row["reason"] or "")
    match row["outcome"]:
        case None | "":
            return Waits("the row is laid out, and nobody has answered it yet")
        case "applied":
            return Took(None if row["version"] is None else clean(str(row["version"])))
        case "refused":
            return TurnedDown(reason or "the book refused it and gave no reason")
        case "closed":
            return Absent()  # by us: it is not to be posted
        case _:
            return NoAnswer("its row has an outcome that nobody knows")  # I15: it stays unknown
