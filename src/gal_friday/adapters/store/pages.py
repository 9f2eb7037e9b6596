"""What is recorded, by pages, from SQLite or PostgreSQL. Nothing here writes.

No list reads whole reports: the summary stands in a column of its own, and is worked out only for rows that are older
than that column.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Select, String, and_, bindparam, case, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gal_friday.adapters.sql.engine import reading
from gal_friday.adapters.sql.migration import current_revision, newest_revision
from gal_friday.adapters.sql.tables import ADJUSTMENTS, DISCREPANCIES, RECONCILIATION_EVENTS
from gal_friday.adapters.store.rules import only_match
from gal_friday.domain.adjustment import AdjustmentState
from gal_friday.domain.followed import Followed
from gal_friday.domain.gate import SEVERE, Check, Standing
from gal_friday.domain.report import ReconciliationReport
from gal_friday.domain.summary import assets_in, summary_of
from gal_friday.domain.verdict import ReconciliationStatus, Verdict
from gal_friday.ports.errors import StoreFailed
from gal_friday.ports.pages import Accounts, Chosen, Latest, Listed, Place, StoredReport

_EVENTS, _KNOWN, _KEPT = RECONCILIATION_EVENTS.c, DISCREPANCIES.c, ADJUSTMENTS.c
_FAILED = ReconciliationStatus.FAILED.value
_LISTED = (_EVENTS.reconciliation_id, _EVENTS.account, _EVENTS.timestamp, _EVENTS.summary)
_NEWEST = (_EVENTS.timestamp.desc(), _EVENTS.reconciliation_id.desc())
_SEVERE_MAX = 500
"""Severe discrepancies that the gate looks at one by one."""


_DECIDED_AT_ONCE = 20
"""Reports in memory at one time: each may be of several megabytes."""
_HEAVY = ("findings", "evidence")


class SqlPages:
    """``Pages`` on a database that was brought up to date by ``upgrade``."""

    def __init__(self, engine: AsyncEngine) -> None:
        """Keep the engine, which whoever opened it disposes of."""
        self._engine = engine

    async def latest(self, accounts: Accounts) -> Latest:
        """Return the newest report, and how many failed up to it; see ``Pages``."""
        async with reading(self._engine, StoreFailed) as connection:
            newest = await _listed(connection, _of(accounts, select(*_LISTED)).order_by(*_NEWEST).limit(1))
            return Latest(newest[0], await _failures(connection, accounts)) if newest else Latest()

    async def reports(
        self,
        accounts: Accounts,
        *,
        since: datetime | None = None,
        only_discrepancies: bool = False,
        after: Place | None = None,
        limit: int,
    ) -> Sequence[Listed]:
        """Return reports, the newest first; see ``Pages``."""
        query = _of(accounts, select(*_LISTED))
        if since is not None:
            query = query.where(_EVENTS.timestamp >= since)
        if only_discrepancies:
            query = query.where(_EVENTS.discrepancies_found > 0)
        if after is not None:
            query = query.where(_EVENTS.timestamp <= after.at).where(
                or_(_EVENTS.timestamp < after.at, _EVENTS.reconciliation_id < after.id)
            )
        async with reading(self._engine, StoreFailed) as connection:
            return await _listed(connection, query.order_by(*_NEWEST).limit(limit))

    async def decided(self, accounts: Accounts, *, since: datetime, limit: int) -> Sequence[ReconciliationReport]:
        """Return what runs decided, the newest first; see ``Pages``."""
        found: list[ReconciliationReport] = []
        query = _of(accounts, select(_EVENTS.reconciliation_id)).where(_EVENTS.timestamp >= since)
        async with reading(self._engine, StoreFailed) as connection:
            names = (await connection.execute(query.order_by(*_NEWEST).limit(limit))).scalars().all()
            for at in range(0, len(names), _DECIDED_AT_ONCE):
                some = _EVENTS.reconciliation_id.in_(names[at : at + _DECIDED_AT_ONCE])
                texts = (
                    (await connection.execute(select(_EVENTS.report).where(some).order_by(*_NEWEST))).scalars().all()
                )
                found += await asyncio.to_thread(_lighter, texts)
        return found

    async def report(self, reconciliation_id: str, accounts: Accounts = None) -> StoredReport | None:
        """Return a report as it was written; see ``Pages``."""
        if not reconciliation_id:
            return None
        async with reading(self._engine, StoreFailed) as connection:
            begins = select(_EVENTS.reconciliation_id).where(
                _EVENTS.reconciliation_id.startswith(reconciliation_id, autoescape=True)
            )
            theirs = begins if accounts is None else begins.where(_EVENTS.account.in_(accounts))
            found = (await connection.execute(theirs)).scalars()
            match = only_match(reconciliation_id, [one for one in found if one.startswith(reconciliation_id)])
            if match is None:
                return None
            query = select(_EVENTS.account, _EVENTS.report).where(_EVENTS.reconciliation_id == match)
            account, text = (await connection.execute(query)).one()
        return StoredReport(match, account, text.encode())

    async def discrepancies(
        self, accounts: Accounts, chosen: Chosen, *, after: Place | None = None, limit: int
    ) -> Sequence[Followed]:
        """Return discrepancies, the last seen first; see ``Pages``."""
        query = select(_KNOWN.body)
        for wanted in _wanted(accounts, chosen):
            query = query.where(wanted)
        if after is not None:
            query = query.where(
                or_(_KNOWN.last_seen < after.at, and_(_KNOWN.last_seen == after.at, _KNOWN.discrepancy_id > after.id))
            )
        query = query.order_by(_KNOWN.last_seen.desc(), _KNOWN.discrepancy_id).limit(limit)
        async with reading(self._engine, StoreFailed) as connection:
            return [_followed(body) for body in (await connection.execute(query)).scalars()]

    async def standing(self, account: str) -> Standing:
        """Return what the gate has to know; see ``Pages``."""
        async with reading(self._engine, StoreFailed) as connection:
            last = await _last(connection, account)
            watched = await _watched(connection, account)
            doubtful = await _doubtful(connection, account)
            return Standing(
                account=account,
                last=None if last is None else _check(last),
                good=await _good(connection, account, last),
                discrepancies=0 if last is None else last.discrepancies_found,
                severe=tuple(_followed(body) for body, _ in watched if body is not None),
                and_more=len(watched) > _SEVERE_MAX,
                flips=max((flips for _, flips in watched), default=0),
                unknown=tuple(name for name, state in doubtful if state == AdjustmentState.OUTCOME_UNKNOWN),
                unverified=tuple(name for name, state in doubtful if state == AdjustmentState.UNVERIFIED),
            )

    async def check_ready(self) -> str:
        """Return the revision of the database; see ``Pages``."""
        revision, needed = await current_revision(self._engine), newest_revision()
        if revision != needed:
            raise StoreFailed(f"the database is at revision {revision}, not {needed}; run: gal-friday db upgrade")
        return needed


def _of(accounts: Accounts, query: Select[Any]) -> Select[Any]:
    return query if accounts is None else query.where(_EVENTS.account.in_(sorted(accounts)))


async def _listed(connection: AsyncConnection, query: Select[Any]) -> list[Listed]:
    rows = (await connection.execute(query)).all()
    return [Listed(name, account, at, await _summary(connection, name, text)) for name, account, at, text in rows]


async def _summary(connection: AsyncConnection, reconciliation_id: str, text: str | None) -> bytes:
    if text is not None:
        return text.encode()
    query = select(_EVENTS.report).where(_EVENTS.reconciliation_id == reconciliation_id)
    return summary_of(ReconciliationReport.from_json((await connection.execute(query)).scalar_one().encode()))


async def _failures(connection: AsyncConnection, accounts: Accounts) -> int:
    well = _of(accounts, select(_EVENTS.timestamp)).where(_EVENTS.status != _FAILED)
    since = (await connection.execute(well.order_by(_EVENTS.timestamp.desc()).limit(1))).scalar_one_or_none()
    failed = _of(accounts, select(func.count())).where(_EVENTS.status == _FAILED)
    query = failed if since is None else failed.where(_EVENTS.timestamp > since)
    return int((await connection.execute(query)).scalar_one())


_CHECKED = (
    _EVENTS.reconciliation_id,
    _EVENTS.timestamp,
    _EVENTS.reconciliation_type,
    _EVENTS.status,
    _EVENTS.verdict,
    _EVENTS.discrepancies_found,
    _EVENTS.summary,
)


# What the gate asks is put together once: that took longer than the answers.
_ACCOUNT = bindparam("account", type_=String)
_LAST = select(*_CHECKED).where(_EVENTS.account == _ACCOUNT).order_by(*_NEWEST).limit(1)
_LAST_GOOD = _LAST.where(
    _EVENTS.reconciliation_type == "full",
    _EVENTS.status != _FAILED,
    _EVENTS.verdict != Verdict.INCOMPLETE.value,
)
_IS_SEVERE = _KNOWN.severity.in_([severity.value for severity in SEVERE])
_WATCHED = (
    select(case((_IS_SEVERE, _KNOWN.body)), _KNOWN.flips)
    .where(_KNOWN.account == _ACCOUNT, _KNOWN.state != "cleared", or_(_IS_SEVERE, _KNOWN.flips > 0))
    .order_by(_KNOWN.discrepancy_id)
    .limit(_SEVERE_MAX + 1)
)
_IN_DOUBT = (AdjustmentState.OUTCOME_UNKNOWN.value, AdjustmentState.UNVERIFIED.value)
_DOUBTFUL = (
    select(_KEPT.adjustment_id, _KEPT.state)
    .where(_KEPT.account == _ACCOUNT, _KEPT.state.in_(_IN_DOUBT))
    # In the order of the states, so that the bound leaves none out of which nobody knows.
    .order_by(_KEPT.state, _KEPT.adjustment_id)
    .limit(_SEVERE_MAX)
)


async def _last(connection: AsyncConnection, account: str) -> Any:
    return (await connection.execute(_LAST, {"account": account})).one_or_none()


async def _good(connection: AsyncConnection, account: str, last: Any) -> Check | None:
    row = last if last is not None and _is_good(last) else await _last_good(connection, account)
    if row is None:
        return None
    return _check(row, assets_in(await _summary(connection, row.reconciliation_id, row.summary)))


def _is_good(row: Any) -> bool:
    return bool(row.reconciliation_type == "full" and row.status != _FAILED and row.verdict != Verdict.INCOMPLETE)


async def _last_good(connection: AsyncConnection, account: str) -> Any:
    return (await connection.execute(_LAST_GOOD, {"account": account})).one_or_none()


def _check(row: Any, assets: frozenset[str] = frozenset()) -> Check:
    return Check(
        reconciliation_id=row.reconciliation_id,
        at=row.timestamp,
        status=row.status,
        verdict=row.verdict,
        assets=assets,
    )


async def _watched(connection: AsyncConnection, account: str) -> list[tuple[str | None, int]]:
    """Return the open discrepancies that are severe, or came back: the body of the severe ones, and the count."""
    return [(body, flips) for body, flips in await connection.execute(_WATCHED, {"account": account})]


async def _doubtful(connection: AsyncConnection, account: str) -> list[tuple[str, str]]:
    """Return the adjustments of which nobody knows whether they are in the book, or whether they helped."""
    return [(name, state) for name, state in await connection.execute(_DOUBTFUL, {"account": account})]


def _wanted(accounts: Accounts, chosen: Chosen) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = [] if accounts is None else [_KNOWN.account.in_(sorted(accounts))]
    if not chosen.cleared and not chosen.states:
        wanted.append(_KNOWN.state != "cleared")
    columns = ((_KNOWN.type, chosen.types), (_KNOWN.severity, chosen.severities), (_KNOWN.state, chosen.states))
    return wanted + [column.in_(sorted(map(str, some))) for column, some in columns if some]


def _followed(body: str) -> Followed:
    return Followed.from_json(body.encode())


def _lighter(texts: Sequence[str]) -> list[ReconciliationReport]:
    """Return reports without what grows with the account; that is not even read."""
    every = (msgspec.json.decode(text, type=dict[str, msgspec.Raw]) for text in texts)
    kept = ({name: value for name, value in fields.items() if name not in _HEAVY} for fields in every)
    return [ReconciliationReport.from_json(msgspec.json.encode(fields)) for fields in kept]
