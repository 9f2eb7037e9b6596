"""Adjustments in SQLite or PostgreSQL, posted to the embedded books of the same database.

What is posted, the book's next version, the state of the adjustment and the facts of the journal are one transaction
(I9, I10). Only what was read back from another transaction counts as applied. Whoever lost the lease of an account
writes nothing.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

from msgspec.structs import replace
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gal_friday.adapters.book_sql import adjustment_rows, applying
from gal_friday.adapters.book_sql.application import Application, laid_out_for, read_back, seen
from gal_friday.adapters.book_sql.book import head_of
from gal_friday.adapters.book_sql.choosing import (
    check_content,
    check_revision,
    is_chosen,
    only_one,
    unknown_adjustment,
)
from gal_friday.adapters.sql.engine import reading, writing
from gal_friday.adapters.sql.journalling import Journalling
from gal_friday.adapters.sql.tables import ADJUSTMENTS
from gal_friday.domain.adjusted import (
    PROGRAM_ITSELF,
    AdjustmentChange,
    By,
    Kept,
    Outcome,
    Step,
    after,
    first,
    move_to,
    renewed,
)
from gal_friday.domain.adjustment import UNSETTLED, Adjustment, AdjustmentState
from gal_friday.domain.errors import NotAsPosted
from gal_friday.ports.clock import Clock
from gal_friday.ports.errors import BookFailed, StoreFailed

_KEPT = ADJUSTMENTS.c
_ROWS_AT_ONCE = 200
_TOGETHER = 50
"""How many share a transaction: more gain nothing, and hold the book longer."""


class SqlAdjustments:
    """An ``Adjustments`` on a database that was brought up to date by ``upgrade``."""

    def __init__(self, engine: AsyncEngine, *, clock: Clock, journal: Journalling | None = None) -> None:
        """Keep the engine, which whoever opened it disposes of, the clock that dates changes, and the journal."""
        self._engine, self._clock, self._journal = engine, clock, journal

    async def keep(
        self, adjustments: Iterable[Adjustment], *, state: AdjustmentState, by: By, four_eyes: bool = False
    ) -> Sequence[Kept]:
        """Keep them as proposed or approved; see ``Adjustments``.

        Raises:
            IllegalStep, SamePerson: as in ``adjusted.first``.
            StoreFailed: nothing was written.
        """
        now = self._clock.now()
        given = [first(each, state, by, now, four_eyes=four_eyes) for each in adjustments]
        wanted = {one.id: one for one in given}
        async with writing(self._engine, StoreFailed) as connection:
            known = {name: kept for name, (kept, _) in (await adjustment_rows.held_among(connection, wanted)).items()}
            done: dict[str, Kept] = {}
            for name, anew in wanted.items():
                if name in known:
                    check_content(known[name], anew)
                done[name] = renewed(known[name], anew, now) if name in known else anew
            await adjustment_rows.write_new(connection, [one for name, one in done.items() if name not in known])
            for name, before in known.items():
                if done[name] is not before:
                    await adjustment_rows.write_on(connection, done[name], before)
            await self._tell(connection, [one for one in done.values() if _is_told(one, known.get(one.id))])
        return [done[one.id] for one in given]

    async def adjustment(self, adjustment_id: str) -> Kept | None:
        """Return the one with this id, or the only one that begins so; see ``Adjustments``."""
        if not adjustment_id:
            return None
        async with reading(self._engine, StoreFailed) as connection:
            query = select(_KEPT.adjustment_id).where(_KEPT.adjustment_id.startswith(adjustment_id, autoescape=True))
            found = [one for one in (await connection.execute(query)).scalars() if one.startswith(adjustment_id)]
            name = only_one(adjustment_id, found)
            known = None if name is None else await adjustment_rows.one_kept(connection, name)
        return None if known is None else known[0]

    async def adjustments(
        self,
        *,
        account: str | None = None,
        states: Iterable[AdjustmentState] = (),
        since: datetime | None = None,
        trading_pair: str | None = None,
        limit: int = 100,
    ) -> Sequence[Kept]:
        """Return adjustments, the newest first; see ``Adjustments``."""
        query = adjustment_rows.all_kept().order_by(_KEPT.at.desc(), _KEPT.adjustment_id.desc())
        if account is not None:
            query = query.where(_KEPT.account == account)
        if some := [state.value for state in states]:
            query = query.where(_KEPT.state.in_(some))
        if since is not None:
            query = query.where(_KEPT.at >= since)
        if trading_pair is None:
            query = query.limit(limit)
        chosen: list[Kept] = []
        async with reading(self._engine, StoreFailed) as connection:
            rows = (await connection.execute(query)).partitions(_ROWS_AT_ONCE)
            for some_rows in rows:
                kept = await adjustment_rows.with_histories(connection, some_rows)
                chosen += [one for one in kept if is_chosen(one, trading_pair)]
                if len(chosen) >= limit:
                    break
        return chosen[:limit]

    async def changes(self, adjustment_id: str) -> Sequence[AdjustmentChange]:
        """Return every change, the oldest first; see ``Adjustments``."""
        async with reading(self._engine, StoreFailed) as connection:
            return await adjustment_rows.changes_of(connection, adjustment_id)

    async def move(
        self,
        adjustment_id: str,
        to_state: AdjustmentState,
        *,
        by: By,
        content: str | None = None,
        revision: int | None = None,
    ) -> Kept:
        """Take a decision, or record what was seen; see ``Adjustments``."""
        async with self._held(adjustment_id) as (connection, known, _):
            check_revision(known, revision)
            step = move_to(known, to_state)
            return await self._step(connection, known, after(known, step, by, self._clock.now(), content=content))

    async def intend(self, adjustment_id: str) -> Kept:
        """Record that it is about to be written; see ``Adjustments``."""
        async with self._held(adjustment_id) as (connection, known, _):
            if known.state is AdjustmentState.INTENDED:
                return known
            return await self._step(connection, known, after(known, Step.INTEND, PROGRAM_ITSELF, self._clock.now()))

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

    async def unsettled(self, account: str) -> Sequence[Kept]:
        """Return what a restart has to look after; see ``Adjustments``."""
        wanted = (_KEPT.account == account) & _KEPT.state.in_([state.value for state in UNSETTLED])
        query = adjustment_rows.all_kept().where(wanted).order_by(_KEPT.at, _KEPT.adjustment_id)
        async with reading(self._engine, StoreFailed) as connection:
            return await adjustment_rows.with_histories(connection, (await connection.execute(query)).all())

    async def settle(self, account: str) -> Sequence[Kept]:
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
            known, _ = _found(await adjustment_rows.one_kept(connection, adjustment_id), adjustment_id)
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
            known, version = _found(await adjustment_rows.one_kept(connection, kept.id), kept.id)
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

    @asynccontextmanager
    async def _held(self, adjustment_id: str) -> AsyncIterator[tuple[AsyncConnection, Kept, int | None]]:
        async with writing(self._engine, StoreFailed) as connection:
            found = await adjustment_rows.one_kept(connection, adjustment_id, lock=True)
            yield connection, *_found(found, adjustment_id)

    async def _step(self, connection: AsyncConnection, known: Kept, kept: Kept) -> Kept:
        await adjustment_rows.write_on(connection, kept, known)
        await self._tell(connection, [kept])
        return kept

    async def _tell(self, connection: AsyncConnection, told: Sequence[Kept]) -> None:
        if self._journal is not None and told:
            await self._journal.append(connection, [applying.fact_of(one) for one in told])


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


def _found(found: tuple[Kept, int | None] | None, adjustment_id: str) -> tuple[Kept, int | None]:
    if found is None:
        raise unknown_adjustment(adjustment_id)
    return found


def _is_told(kept: Kept, known: Kept | None) -> bool:
    return known is None or len(kept.history) > len(known.history)
