"""Discrepancies in SQLite or PostgreSQL: what is true of each now, and every change that led to it.

A discrepancy is read back from its body alone, which is the text as it was written; the other columns are taken
from it, for those who look with SQL. Changes are only ever added.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import bindparam, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gal_friday.adapters.sql.as_written import as_written
from gal_friday.adapters.sql.tables import DISCREPANCIES, DISCREPANCY_CHANGES
from gal_friday.adapters.store.rules import check_first
from gal_friday.domain.followed import Change, Followed
from gal_friday.domain.following import Carried
from gal_friday.domain.materiality import Severity
from gal_friday.ports.store import OpenCount

_KNOWN, _CHANGES = DISCREPANCIES.c, DISCREPANCY_CHANGES.c
_AT_ONCE = 500
"""Ids in one statement: databases take a bounded number of parameters."""


async def write(connection: AsyncConnection, carried: Carried, reconciliation_id: str) -> None:
    """Write what became of the discrepancies, in the transaction of whoever calls.

    Raises:
        StoreFailed: another run carried one of them on in the meantime.
    """
    written = carried.written
    if not written:
        return
    kept = await _revisions(connection, [one.id for one in written])
    check_first(carried, kept)
    fresh = [_row(one) for one in written if one.id not in kept]
    known = [_row(one) | {"known": one.id} for one in written if one.id in kept]
    if fresh:
        await connection.execute(insert(DISCREPANCIES), fresh)
    if known:
        await connection.execute(update(DISCREPANCIES).where(_KNOWN.discrepancy_id == bindparam("known")), known)
    changes = [_change_row(one, change, reconciliation_id) for one in written for change in carried.changes_of(one)]
    if changes:
        await connection.execute(insert(DISCREPANCY_CHANGES), changes)


async def _revisions(connection: AsyncConnection, ids: Sequence[str]) -> dict[str, int]:
    """Return the recorded revisions, and hold their rows until the transaction ends."""
    kept: dict[str, int] = {}
    for some in _in_parts(ids):
        query = select(_KNOWN.discrepancy_id, _KNOWN.revision).where(_KNOWN.discrepancy_id.in_(some))
        rows = await connection.execute(query.order_by(_KNOWN.discrepancy_id).with_for_update())
        kept.update((name, revision) for name, revision in rows)
    return kept


def _row(one: Followed) -> dict[str, Any]:
    return {
        "discrepancy_id": one.id,
        "account": one.account,
        "exchange": one.exchange,
        "key": str(one.key),
        "type": one.type.value,
        "state": one.state,
        "severity": one.severity.value,
        "value": one.latest.value,
        "largest_value": one.largest_value,
        "since": one.since,
        "first_seen": one.first_seen,
        "last_seen": one.last_seen,
        "confirmed_at": one.confirmed_at,
        "cleared_at": one.cleared_at,
        "occurrences": one.occurrences,
        "flips": one.flips,
        "revision": one.revision,
        "body": one.to_json().decode(),
    }


def _change_row(one: Followed, change: Change, reconciliation_id: str) -> dict[str, Any]:
    return {
        "change_id": f"{one.id}/{change.number}",
        "discrepancy_id": one.id,
        "account": one.account,
        "number": change.number,
        "at": change.at,
        "what": change.what,
        "state": change.state,
        "note": change.note,
        "reconciliation_id": reconciliation_id,
    }


async def of_account(
    connection: AsyncConnection, account: str | None, *, cleared: bool, limit: int | None = None
) -> list[Followed]:
    """Return discrepancies, last seen first: the open ones, and with *cleared* the others too."""
    query = select(_KNOWN.body)
    if account is not None:
        query = query.where(_KNOWN.account == account)
    if not cleared:
        query = query.where(_KNOWN.state != "cleared")
    query = query.order_by(_KNOWN.last_seen.desc(), _KNOWN.discrepancy_id).limit(limit)
    return [_followed(body) for body in (await connection.execute(query)).scalars()]


async def resolved_by(connection: AsyncConnection, reconciliation_id: str) -> list[tuple[datetime, datetime]]:
    """Return since when those were wrong that this run saw to agree, and when that was seen."""
    cleared = (_CHANGES.reconciliation_id == reconciliation_id) & (_CHANGES.what == "cleared")
    query = select(_KNOWN.since, _CHANGES.at).join(DISCREPANCIES, _KNOWN.discrepancy_id == _CHANGES.discrepancy_id)
    return [(since, at) for since, at in await connection.execute(query.where(cleared))]


async def oldest(connection: AsyncConnection) -> dict[str, datetime]:
    """Return since when the oldest open one of each account is wrong."""
    query = select(_KNOWN.account, func.min(_KNOWN.since)).where(_KNOWN.state != "cleared").group_by(_KNOWN.account)
    # A result has keys() of its own: dict() alone would take it for a mapping.
    return dict(tuple(row) for row in await connection.execute(query))


async def open_counts(connection: AsyncConnection) -> list[OpenCount]:
    """Return how many are open, by account, type and severity."""
    groups = (_KNOWN.account, _KNOWN.type, _KNOWN.severity)
    query = select(*groups, func.count()).where(_KNOWN.state != "cleared").group_by(*groups).order_by(*groups)
    return [
        OpenCount(account, kind, Severity(severity), n)
        for account, kind, severity, n in await connection.execute(query)
    ]


async def with_ids(connection: AsyncConnection, ids: Iterable[str]) -> list[Followed]:
    """Return those of these that are known, by id."""
    found: list[Followed] = []
    for some in _in_parts(sorted(set(ids))):
        query = select(_KNOWN.body).where(_KNOWN.discrepancy_id.in_(some))
        found += [_followed(body) for body in (await connection.execute(query)).scalars()]
    return sorted(found, key=lambda one: one.id)


async def ids_beginning_with(
    connection: AsyncConnection, prefix: str, accounts: Collection[str] | None = None
) -> list[str]:
    """Return every id that begins so, of these accounts or of all."""
    query = select(_KNOWN.discrepancy_id).where(_KNOWN.discrepancy_id.startswith(prefix, autoescape=True))
    query = query if accounts is None else query.where(_KNOWN.account.in_(accounts))
    # LIKE on SQLite does not tell capitals apart; ids do.
    return [found for found in (await connection.execute(query)).scalars() if found.startswith(prefix)]


async def changes_of(connection: AsyncConnection, discrepancy_id: str) -> list[Change]:
    """Return every change of this discrepancy, oldest first."""
    columns = (_CHANGES.number, _CHANGES.at, _CHANGES.what, _CHANGES.state, _CHANGES.note)
    query = select(*columns).where(_CHANGES.discrepancy_id == discrepancy_id).order_by(_CHANGES.number)
    return [Change(*row) for row in await connection.execute(query)]


def _followed(body: str) -> Followed:
    return as_written("a discrepancy", Followed.from_json, body.encode())


def _in_parts(ids: Iterable[str]) -> Iterable[list[str]]:
    rest = iter(ids)
    while some := list(islice(rest, _AT_ONCE)):
        yield some
