"""Adjustments in SQLite or PostgreSQL, posted to the embedded books of the same database.

What is posted, the book's next version, the state of the adjustment and the facts of the journal are one transaction
(I9, I10). Only what was read back from another transaction counts as applied. Whoever lost the lease of an account
writes nothing.
"""

from collections.abc import Mapping, Sequence

from msgspec.structs import replace
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from gal_friday.adapters.book_sql import adjustment_rows, applying
from gal_friday.adapters.book_sql.application import Application, laid_out_for, read_back, seen
from gal_friday.adapters.book_sql.book import head_of
from gal_friday.adapters.book_sql.choosing import (
    unknown_adjustment,
)
from gal_friday.adapters.book_sql.keeping import KeptAdjustments, found
from gal_friday.adapters.sql.engine import reading, writing
from gal_friday.adapters.sql.tables import ADJUSTMENTS
from gal_friday.domain.adjusted import (
    PROGRAM_ITSELF,
    Kept,
    Outcome,
    Step,
    after,
)
from gal_friday.domain.adjustment import UNSETTLED, Adjustment, AdjustmentState
from gal_friday.domain.errors import NotAsPosted
from gal_friday.domain.handover import Sighting
from gal_friday.ports.errors import BookFailed, StoreFailed

_KEPT = ADJUSTMENTS.c
_ROWS_AT_ONCE = 200
_TOGETHER = 50
"""How many share a transaction: more gain nothing, and hold the book longer."""


class SqlAdjustments(KeptAdjustments):
    """An ``Adjustments`` of embedded books, on a database that was brought up to date by ``upgrade``."""

    async def apply(self, adjustment_id: str, *, token: int | None) -> Outcome:
        """Write it into the book, read it back, and return what came of it; see ``Adjustments``."""
        (outcome,) = await self.apply_all([adjustment_id], token=token)
        return outcome

    async def apply_all(self, adjustment_ids: Sequence[str], *, token: int | None) -> Sequence[Outcome]:
        """Write several of one account, in this order; see ``Adjustments``."""
        outcomes: list[Outcome] = []
        ids = list(dict.fromkeys(adjustment_ids))
        for at in range(0, len(ids), _TOGETHER):
            outcomes += await self._applied(ids[at : at + _TOGETHER], token)
        told = {one.adjustment_id: one for one in outcomes}
        return [told[name] for name in adjustment_ids]

    async def _applied(self, ids: Sequence[str], token: int | None) -> list[Outcome]:
        async with writing(self._engine, StoreFailed) as connection:
            application = Application(connection, await _account_of(connection, ids), self._clock.now())
            await application.write(ids, token)
            await self._tell(connection, application.told)
        known = application.outcomes
        read = iter(await self._confirmed([name for name in ids if name not in known]))
        return [known[name] if name in known else next(read) for name in ids]

    async def settle(
        self, account: str, *, token: int | None = None, seen: Mapping[str, Sighting] | None = None
    ) -> Sequence[Kept]:
        """Look up in the book what was intended; see ``Adjustments``."""
        settled: list[Kept] = []
        for kept in await self.unsettled(account):
            if kept.state is AdjustmentState.APPROVED:
                continue
            if await self._is_written(kept):
                await self._confirmed([kept.id])
            else:
                await self._withdrawn(kept.id)
            now = await self.adjustment(kept.id)
            assert now is not None, "an adjustment is never removed"
            settled.append(now)
        return settled

    async def reversal(self, adjustment_id: str, *, reason: str, reconciliation_id: str = "") -> Adjustment:
        """Return the adjustment that takes this one back; see ``Adjustments``."""
        async with reading(self._engine, StoreFailed) as connection:
            known, _ = found(await adjustment_rows.one_kept(connection, adjustment_id), adjustment_id)
            head = await head_of(connection, known.adjustment.account)
            about = applying.empty_reversal(
                known,
                reason=reason,
                reconciliation_id=reconciliation_id,
                version=0 if head is None else head.version,
                at=self._clock.now(),
            )
            shelf = await laid_out_for(connection, [about], int(about.book_version or 0))
            return applying.reversal_of(known, shelf, await seen(connection, [about], shelf), about)

    async def _confirmed(self, ids: Sequence[str]) -> list[Outcome]:
        """Read back what was written, in a transaction of its own, and record that it is there."""
        if not ids:
            return []
        async with writing(self._engine, StoreFailed) as connection:
            done, fresh = await read_back(connection, ids, self._clock.now())
            await self._tell(connection, fresh)
        return [one.outcome for one in done if one.outcome is not None]

    async def _is_written(self, kept: Kept) -> bool:
        async with reading(self._engine, BookFailed) as connection:
            known, version = found(await adjustment_rows.one_kept(connection, kept.id), kept.id)
            shelf = await laid_out_for(connection, [known.adjustment], version or 0, own=True)
            written = applying.written_at(kept.id, shelf)
        if written != version:
            raise NotAsPosted(f"adjustment {kept.id}: the book has it at version {written}, its record says {version}")
        return written is not None

    async def _withdrawn(self, adjustment_id: str) -> None:
        async with self._held(adjustment_id) as (connection, known, version):
            if version is None and known.state in UNSETTLED:
                by = replace(PROGRAM_ITSELF, note="looked up: it is not in the book")
                await self._step(connection, known, after(known, Step.WITHDRAW, by, self._clock.now()))


async def _account_of(connection: AsyncConnection, ids: Sequence[str]) -> str:
    query = select(_KEPT.account).where(_KEPT.adjustment_id.in_(ids)).distinct()
    accounts: Sequence[str] = (await connection.execute(query)).scalars().all()
    if not accounts:
        raise unknown_adjustment(ids[0])
    if len(accounts) > 1:
        raise StoreFailed(
            f"adjustments of {', '.join(sorted(accounts))} cannot be written together; apply each account"
        )
    return accounts[0]
