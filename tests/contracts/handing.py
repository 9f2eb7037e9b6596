"""Adjustments of a book that is kept elsewhere, behind each kind of receiver, and what tests say about them."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from msgspec import Struct
from sqlalchemy import insert, select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from gal_friday.adapters.book_http import Deadlines, HttpReceiver, MemoryReceiver
from gal_friday.adapters.book_sql import HandoverAdjustments
from gal_friday.adapters.book_table import TableReceiver
from gal_friday.adapters.journal import SqlJournal
from gal_friday.adapters.sql import open_engine, upgrade
from gal_friday.adapters.sql.tables import HANDOVERS, JOURNAL_ENTRIES, LEASES
from gal_friday.domain.adjusted import Kept, Outcome
from gal_friday.domain.adjustment import Adjustment, AdjustmentState
from gal_friday.ports.receiver import Receiver
from tests.contracts.adjusting import FILL_EFFECTS, POLICY, T0, WHOLE_FILL, adjustment
from tests.contracts.receiving import TOKEN, ReadingSystem, ReceivingServer, WorkingClock, reading_table, receiving
from tests.postgres.databases import Databases

MADE = adjustment(*WHOLE_FILL, effects=FILL_EFFECTS, version="v1")
PATIENT, SHORT = Deadlines(total=20.0), Deadlines(total=2.0, connect=2.0)
"""For tests of what is answered, and of what is not."""


class Elsewhere(Struct):
    """One account whose book is kept elsewhere."""

    receiver: Receiver
    book: MemoryReceiver
    """What the other side really posted."""
    adjustments: HandoverAdjustments
    clock: WorkingClock
    engine: AsyncEngine
    server: ReceivingServer | None = None
    system: ReadingSystem | None = None

    async def approved(self, made: Adjustment = MADE) -> Kept:
        (kept,) = await self.adjustments.keep([made], state=AdjustmentState.APPROVED, by=POLICY)
        return kept

    async def apply(self, made: Adjustment = MADE, *, token: int | None = None) -> Outcome:
        await self.approved(made)
        return await self.adjustments.apply(made.adjustment_id, token=token)

    async def kept(self, made: Adjustment = MADE) -> Kept:
        found = await self.adjustments.adjustment(made.adjustment_id)
        assert found is not None
        return found

    async def state(self, made: Adjustment = MADE) -> str:
        return (await self.kept(made)).state.value

    async def states(self, made: Adjustment = MADE) -> list[str]:
        return [one.to_state.value for one in await self.adjustments.changes(made.adjustment_id)]

    async def rows(self, query: Any) -> list[Any]:
        async with self.engine.connect() as connection:
            return list((await connection.execute(query)).all())

    async def handovers(self) -> list[Any]:
        return await self.rows(select(HANDOVERS).order_by(HANDOVERS.c.adjustment_id, HANDOVERS.c.number))

    async def facts(self) -> list[str]:
        return [row.kind for row in await self.rows(select(JOURNAL_ENTRIES).order_by(JOURNAL_ENTRIES.c.seq))]

    async def lease(self, token: int) -> None:
        async with self.engine.begin() as connection:
            row = {"account": "main", "token": token, "owner": "a test", "until": T0 + timedelta(days=9)}
            await connection.execute(text("UPDATE leases SET token = :token"), {"token": token})
            if (await connection.execute(select(LEASES))).first() is None:
                await connection.execute(insert(LEASES).values(row))

    def another(self) -> HandoverAdjustments:
        """Return what another process would have."""
        return HandoverAdjustments(self.engine, self.receiver, clock=self.clock)


@asynccontextmanager
async def elsewhere(
    kind: str, folder: Path, databases: Databases | None, *, store: str = "sqlite", deadlines: Deadlines = PATIENT
) -> AsyncIterator[Elsewhere]:
    """Give one, its receiver in memory, behind HTTP, or in a table of SQLite or PostgreSQL."""
    clock = WorkingClock(T0 + timedelta(hours=1))
    async with AsyncExitStack() as stack:
        server, system = None, None
        if kind == "memory":
            book = MemoryReceiver()
            receiver: Receiver = book
        elif kind == "http":
            server = await stack.enter_async_context(receiving())
            http = HttpReceiver(server.url, token=TOKEN, deadlines=deadlines)
            stack.push_async_callback(http.aclose)
            receiver, book = http, server.book
        else:
            address = f"sqlite+aiosqlite:///{folder / 'theirs.db'}"
            if kind == "postgresql":
                assert databases is not None
                address = await stack.enter_async_context(databases.fresh())
            system = await stack.enter_async_context(reading_table(address, clock))
            receiver, book = TableReceiver(system.engine, "gal_friday_handovers", clock=clock), system.book
        ours = f"sqlite+aiosqlite:///{folder / 'ours.db'}"
        if store == "postgresql":
            assert databases is not None
            ours = await stack.enter_async_context(databases.fresh(tables=True))
        engine = open_engine(ours)
        stack.push_async_callback(engine.dispose)
        await upgrade(engine)
        journal = SqlJournal(folder / "keys", clock)
        adjustments = HandoverAdjustments(engine, receiver, clock=clock, journal=journal)
        yield Elsewhere(receiver, book, adjustments, clock, engine, server, system)
