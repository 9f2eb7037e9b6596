"""Reports, and the discrepancies that they follow, in SQLite or PostgreSQL.

The report is kept as the very text that was written, so that it is read back equal; the other columns are
taken from it, for those who look with SQL. No report is ever changed or removed.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gal_friday.adapters.sql.as_written import as_written
from gal_friday.adapters.sql.engine import reading, writing
from gal_friday.adapters.sql.journalling import Journalling
from gal_friday.adapters.sql.tables import RECONCILIATION_EVENTS
from gal_friday.adapters.store import followed_rows, pending_rows
from gal_friday.adapters.store.rules import check_same, only_match
from gal_friday.domain.finding import Key
from gal_friday.domain.followed import Change, Followed
from gal_friday.domain.following import Carried
from gal_friday.domain.records import RECORD_KINDS
from gal_friday.domain.report import ReconciliationReport
from gal_friday.domain.run_facts import facts_of_run
from gal_friday.domain.summary import summary_of
from gal_friday.ports.errors import StoreFailed
from gal_friday.ports.store import NOTHING_CARRIED, OpenCount

_EVENTS = RECONCILIATION_EVENTS.c


class SqlStore:
    """A ``Store`` on a database that was brought up to date by ``upgrade``."""

    def __init__(self, engine: AsyncEngine, journal: Journalling | None = None) -> None:
        """Keep the engine, which whoever opened it disposes of, and the journal that every run is written to."""
        self._engine, self._journal = engine, journal

    async def save_report(
        self,
        report: ReconciliationReport,
        carried: Carried = NOTHING_CARRIED,
        *,
        pending: Mapping[Key, int] | None = None,
    ) -> None:
        """Record a finished run, what became of its discrepancies, and what is pending; see ``Store``.

        Raises:
            StoreFailed: nothing was written; or a report of this id is recorded that says something else; or
                another run carried one of the discrepancies on since they were read.
        """
        row = _row(report)
        async with writing(self._engine, StoreFailed) as connection:
            if not await _known(connection, row):
                await connection.execute(insert(RECONCILIATION_EVENTS), row)
                await followed_rows.write(connection, carried, report.reconciliation_id)
                if pending is not None:
                    await pending_rows.write(connection, report.account, report.exchange, pending)
                if self._journal is not None:
                    facts = facts_of_run(report, carried, row["report"].encode())
                    await self._journal.append(connection, facts)  # last: it holds the journal until the commit

    async def report(self, reconciliation_id: str) -> ReconciliationReport | None:
        """Return the report with this id, or the only one whose id begins with it; None where there is none.

        Raises:
            StoreFailed: the database cannot be read, or several ids begin so.
        """
        if not reconciliation_id:
            return None
        async with reading(self._engine, StoreFailed) as connection:
            match = only_match(reconciliation_id, await _beginning_with(connection, reconciliation_id))
            if match is None:
                return None
            query = select(_EVENTS.report).where(_EVENTS.reconciliation_id == match)
            return _report((await connection.execute(query)).scalar_one())

    async def reports(
        self,
        *,
        since: datetime | None = None,
        account: str | None = None,
        only_discrepancies: bool = False,
        limit: int = 100,
    ) -> Sequence[ReconciliationReport]:
        """Return reports, newest first; see ``Store``.

        Raises:
            StoreFailed: the database cannot be read.
        """
        query = _newest(since, account, only_discrepancies).limit(limit)
        async with reading(self._engine, StoreFailed) as connection:
            return tuple(_report(text) for text in (await connection.execute(query)).scalars())

    async def pending_runs(self, account: str, exchange: str) -> Mapping[Key, int]:
        """Return in how many runs without a break each key was pending; see ``Store``.

        Raises:
            StoreFailed: the database cannot be read.
        """
        async with reading(self._engine, StoreFailed) as connection:
            return await pending_rows.of_account(connection, account, exchange)

    async def open_discrepancies(self, account: str) -> Sequence[Followed]:
        """Return the open ones, by id; see ``Store``.

        Raises:
            StoreFailed: the database cannot be read.
        """
        async with reading(self._engine, StoreFailed) as connection:
            found = await followed_rows.of_account(connection, account, cleared=False)
        return tuple(sorted(found, key=lambda one: one.id))

    async def resolved_by(self, reconciliation_id: str) -> Sequence[tuple[datetime, datetime]]:
        """Return for each discrepancy that a run saw to agree since when it was wrong, and when that was seen.

        Raises:
            StoreFailed: the database cannot be read.
        """
        async with reading(self._engine, StoreFailed) as connection:
            return await followed_rows.resolved_by(connection, reconciliation_id)

    async def oldest(self) -> dict[str, datetime]:
        """Return since when the oldest open discrepancy of each account that has one is wrong.

        Raises:
            StoreFailed: the database cannot be read.
        """
        async with reading(self._engine, StoreFailed) as connection:
            return await followed_rows.oldest(connection)

    async def open_counts(self) -> Sequence[OpenCount]:
        """Return how many are open, by account, type and severity; see ``Store``.

        Raises:
            StoreFailed: the database cannot be read.
        """
        async with reading(self._engine, StoreFailed) as connection:
            return await followed_rows.open_counts(connection)

    async def followed(self, ids: Iterable[str]) -> Sequence[Followed]:
        """Return those that are known, by id; see ``Store``.

        Raises:
            StoreFailed: the database cannot be read.
        """
        async with reading(self._engine, StoreFailed) as connection:
            return tuple(await followed_rows.with_ids(connection, ids))

    async def discrepancies(
        self, *, account: str | None = None, cleared: bool = False, limit: int | None = None
    ) -> Sequence[Followed]:
        """Return discrepancies, last seen first; see ``Store``.

        Raises:
            StoreFailed: the database cannot be read.
        """
        async with reading(self._engine, StoreFailed) as connection:
            return tuple(await followed_rows.of_account(connection, account, cleared=cleared, limit=limit))

    async def discrepancy(self, discrepancy_id: str, *, accounts: Collection[str] | None = None) -> Followed | None:
        """Return one discrepancy; see ``Store``.

        Raises:
            StoreFailed: the database cannot be read, or several ids begin so.
        """
        if not discrepancy_id:
            return None
        async with reading(self._engine, StoreFailed) as connection:
            matches = await followed_rows.ids_beginning_with(connection, discrepancy_id, accounts)
            match = only_match(discrepancy_id, matches, of="discrepancies")
            return None if match is None else (await followed_rows.with_ids(connection, (match,)))[0]

    async def changes(self, discrepancy_id: str) -> Sequence[Change]:
        """Return every change, oldest first; see ``Store``.

        Raises:
            StoreFailed: the database cannot be read.
        """
        async with reading(self._engine, StoreFailed) as connection:
            return tuple(await followed_rows.changes_of(connection, discrepancy_id))


def _row(report: ReconciliationReport) -> dict[str, Any]:
    return {
        "reconciliation_id": report.reconciliation_id,
        "account": report.account,
        "timestamp": report.timestamp,
        "reconciliation_type": _type(report),
        "status": report.status.value,
        "verdict": report.verdict.value,
        "discrepancies_found": report.total_discrepancies,
        "auto_corrected": len(report.auto_corrections),
        "manual_review_required": len(report.manual_review_required),
        "duration_seconds": report.duration_seconds,
        "report": report.to_json().decode(),
        "summary": summary_of(report).decode(),
    }


def _type(report: ReconciliationReport) -> str:
    """Return ``full``, or the kinds of record that the run was about."""
    # What a report lists as not checked without naming a side was no part of the run.
    left_out = {gap.kind for gap in report.not_checked if gap.side is None}
    kinds = [kind.value for kind in RECORD_KINDS if kind not in left_out]
    return "full" if len(kinds) == len(RECORD_KINDS) else ",".join(kinds)


def _report(text: str) -> ReconciliationReport:
    return as_written("a report", ReconciliationReport.from_json, text.encode())


async def _known(connection: AsyncConnection, row: dict[str, Any]) -> bool:
    query = select(_EVENTS.report).where(_EVENTS.reconciliation_id == row["reconciliation_id"])
    kept = (await connection.execute(query)).scalar_one_or_none()
    if kept is not None:
        check_same(row["reconciliation_id"], kept, row["report"])
    return kept is not None


async def _beginning_with(connection: AsyncConnection, prefix: str) -> list[str]:
    query = select(_EVENTS.reconciliation_id).where(_EVENTS.reconciliation_id.startswith(prefix, autoescape=True))
    # LIKE on SQLite does not tell capitals apart; ids do.
    return [found for found in (await connection.execute(query)).scalars() if found.startswith(prefix)]


def _newest(since: datetime | None, account: str | None, only_discrepancies: bool) -> Select[str]:
    query = select(_EVENTS.report)
    if since is not None:
        query = query.where(_EVENTS.timestamp >= since)
    if account is not None:
        query = query.where(_EVENTS.account == account)
    if only_discrepancies:
        query = query.where(_EVENTS.discrepancies_found > 0)
    return query.order_by(_EVENTS.timestamp.desc(), _EVENTS.reconciliation_id.desc())
