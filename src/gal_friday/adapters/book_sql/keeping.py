"""Keeping adjustments in SQLite or PostgreSQL, and deciding on them: the same for every book, wherever it is kept.

Every change of state, its row and its fact in the journal are one transaction (I10). Nothing here posts.
"""

from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gal_friday.adapters.book_sql import adjustment_rows, applying
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
from gal_friday.domain.adjusted import PROGRAM_ITSELF, AdjustmentChange, By, Kept, Step, after, first, move_to, renewed
from gal_friday.domain.adjustment import UNSETTLED, Adjustment, AdjustmentState
from gal_friday.ports.clock import Clock
from gal_friday.ports.errors import StoreFailed

_KEPT = ADJUSTMENTS.c
_ROWS_AT_ONCE = 200


class KeptAdjustments:
    """What every ``Adjustments`` in a database that was brought up to date by ``upgrade`` does in the same way."""

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

    async def adjustment(self, adjustment_id: str, *, accounts: Collection[str] | None = None) -> Kept | None:
        """Return the one with this id, or the only one that begins so; see ``Adjustments``."""
        if not adjustment_id:
            return None
        async with reading(self._engine, StoreFailed) as connection:
            query = select(_KEPT.adjustment_id).where(_KEPT.adjustment_id.startswith(adjustment_id, autoescape=True))
            query = query if accounts is None else query.where(_KEPT.account.in_(accounts))
            found = [one for one in (await connection.execute(query)).scalars() if one.startswith(adjustment_id)]
            name = only_one(adjustment_id, found)
            known = None if name is None else await adjustment_rows.one_kept(connection, name)
        return None if known is None else known[0]

    async def adjustments(
        self,
        *,
        account: str | None = None,
        accounts: Collection[str] | None = None,
        states: Iterable[AdjustmentState] = (),
        since: datetime | None = None,
        trading_pair: str | None = None,
        after: tuple[datetime, str] | None = None,
        limit: int = 100,
    ) -> Sequence[Kept]:
        """Return adjustments, the newest first; see ``Adjustments``."""
        query = adjustment_rows.all_kept().order_by(_KEPT.at.desc(), _KEPT.adjustment_id.desc())
        if account is not None:
            query = query.where(_KEPT.account == account)
        if accounts is not None:
            query = query.where(_KEPT.account.in_(sorted(accounts)))
        if after is not None:
            at, name = after
            query = query.where(or_(_KEPT.at < at, and_(_KEPT.at == at, _KEPT.adjustment_id < name)))
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

    async def unsettled(self, account: str) -> Sequence[Kept]:
        """Return what a restart has to look after; see ``Adjustments``."""
        wanted = (_KEPT.account == account) & _KEPT.state.in_([state.value for state in UNSETTLED])
        query = adjustment_rows.all_kept().where(wanted).order_by(_KEPT.at, _KEPT.adjustment_id)
        async with reading(self._engine, StoreFailed) as connection:
            return await adjustment_rows.with_histories(connection, (await connection.execute(query)).all())

    @asynccontextmanager
    async def _held(self, adjustment_id: str) -> AsyncIterator[tuple[AsyncConnection, Kept, int | None]]:
        async with writing(self._engine, StoreFailed) as connection:
            held = await adjustment_rows.one_kept(connection, adjustment_id, lock=True)
            yield connection, *found(held, adjustment_id)

    async def _step(self, connection: AsyncConnection, known: Kept, kept: Kept) -> Kept:
        await adjustment_rows.write_on(connection, kept, known)
        await self._tell(connection, [kept])
        return kept

    async def _tell(self, connection: AsyncConnection, told: Sequence[Kept]) -> None:
        if self._journal is not None and told:
            await self._journal.append(connection, [applying.fact_of(one) for one in told])


def found(held: tuple[Kept, int | None] | None, adjustment_id: str) -> tuple[Kept, int | None]:
    """Return what was found, or raise StoreFailed where there is none with this id."""
    if held is None:
        raise unknown_adjustment(adjustment_id)
    return held


def _is_told(kept: Kept, known: Kept | None) -> bool:
    return known is None or len(kept.history) > len(known.history)
