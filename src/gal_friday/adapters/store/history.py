"""What is recorded, counted by days, from SQLite or PostgreSQL: one indexed query each, and no report is read."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, case, cast, func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from gal_friday.adapters.sql.engine import reading
from gal_friday.adapters.sql.tables import (
    DISCREPANCIES,
    DISCREPANCY_CHANGES,
    POSITION_ADJUSTMENTS,
    RECONCILIATION_EVENTS,
)
from gal_friday.domain.materiality import Severity
from gal_friday.ports.errors import StoreFailed
from gal_friday.ports.history import Aged, Runs, Turnover
from gal_friday.ports.pages import Accounts

_EVENTS, _CHANGED, _POSTED, _KNOWN = (
    RECONCILIATION_EVENTS.c,
    DISCREPANCY_CHANGES.c,
    POSITION_ADJUSTMENTS.c,
    DISCREPANCIES.c,
)


class SqlHistory:
    """``History`` on a database that was brought up to date by ``upgrade``."""

    def __init__(self, engine: AsyncEngine) -> None:
        """Keep the engine, which whoever opened it disposes of."""
        self._engine = engine

    async def runs(self, accounts: Accounts, since: datetime) -> Sequence[Runs]:
        """Return how runs ended; see ``History``."""
        day, kind = self._day(_EVENTS.timestamp), _EVENTS.reconciliation_type
        ended = select(_EVENTS.account, day, _EVENTS.status, _EVENTS.verdict, kind)
        rows = await self._counted(_of(accounts, _EVENTS.account, ended).where(_EVENTS.timestamp >= since))
        return [
            Runs(account, date.fromisoformat(when), status, verdict, kind == "full", count)
            for account, when, status, verdict, kind, count in rows
        ]

    async def turnover(self, accounts: Accounts, since: datetime) -> Sequence[Turnover]:
        """Return what became of discrepancies, and what was corrected; see ``History``."""
        changed = _of(accounts, _CHANGED.account, select(self._day(_CHANGED.at), _CHANGED.what))
        written = _of(accounts, _POSTED.account, select(self._day(_POSTED.adjusted_at), _POSTED.adjustment_id))
        amounts = written.where(_POSTED.adjusted_at >= since).distinct().subquery()
        changes = await self._counted(changed.where(_CHANGED.at >= since))
        posted = await self._counted(select(amounts.c.day))
        told = [*changes, *((day, "corrected", count) for day, count in posted)]
        return [Turnover(date.fromisoformat(day), what, count) for day, what, count in told]

    async def aged(self, accounts: Accounts, limits: Sequence[datetime]) -> Sequence[Aged]:
        """Return how many are open by severity and age; see ``History``."""
        age = case(*((_KNOWN.since > limit, number) for number, limit in enumerate(limits)), else_=len(limits))
        known = _of(accounts, _KNOWN.account, select(_KNOWN.severity, age.label("age")))
        rows = await self._counted(known.where(_KNOWN.state != "cleared"))
        return [Aged(Severity(severity), number, count) for severity, number, count in rows]

    async def _counted(self, query: Select[Any]) -> Sequence[Any]:
        """Return the rows of a query, each once, and how often it came."""
        rows = query.subquery()
        async with reading(self._engine, StoreFailed) as connection:
            return (await connection.execute(select(*rows.c, func.count()).group_by(*rows.c))).all()

    def _day(self, at: ColumnElement[datetime]) -> ColumnElement[Any]:
        """Return the day of an instant as text, in UTC; SQLite has instants as text that begins with it."""
        if self._engine.dialect.name == "postgresql":
            return func.to_char(func.timezone("UTC", at), "YYYY-MM-DD").label("day")
        return func.substr(cast(at, Text), 1, 10).label("day")


def _of(accounts: Accounts, column: ColumnElement[str], query: Select[Any]) -> Select[Any]:
    return query if accounts is None else query.where(column.in_(sorted(accounts)))
