"""Reviews in SQLite or PostgreSQL: what is true of each now, and every change that led to it.

Both are read back from their bodies alone, which are the texts as they were written; the other columns are taken from
them, for those who look with SQL. Changes are only ever added.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gal_friday.adapters.sql.as_written import as_written
from gal_friday.adapters.sql.tables import DISCREPANCIES, REVIEW_CHANGES, REVIEWS
from gal_friday.domain.review import ReviewState
from gal_friday.domain.reviewed import Review, ReviewChange, Stepped
from gal_friday.ports.errors import ReviewOvertaken

_KNOWN, _CHANGES, _DISCREPANCY = REVIEWS.c, REVIEW_CHANGES.c, DISCREPANCIES.c.discrepancy_id
_AT_ONCE = 500
"""Ids in one statement: databases take a bounded number of parameters."""


def check_next(steps: Sequence[Stepped], kept: Mapping[str, int]) -> None:
    """Raise ReviewOvertaken where a review is not as it was read. *kept* holds the revisions that are recorded."""
    for step in steps:
        name = step.review.discrepancy_id
        if kept.get(name, 0) != step.review.revision - 1:
            raise ReviewOvertaken(
                f"somebody else has changed the review of {name} in the meantime, and nothing of yours was written; "
                f"look at it, then decide: gal-friday discrepancy {name}"
            )


async def write(connection: AsyncConnection, steps: Sequence[Stepped]) -> None:
    """Write steps, each of another review, in the transaction of whoever calls.

    Raises:
        ReviewOvertaken: one of them does not follow from what is recorded.
    """
    kept = await _revisions(connection, [step.review.discrepancy_id for step in steps])
    check_next(steps, kept)
    fresh = [_row(step.review) for step in steps if step.review.discrepancy_id not in kept]
    known = [_row(step.review) | {"known": step.review.discrepancy_id} for step in steps]
    known = [row for row in known if row["known"] in kept]
    if fresh:
        await connection.execute(insert(REVIEWS), fresh)
    if known:
        await connection.execute(update(REVIEWS).where(_KNOWN.discrepancy_id == bindparam("known")), known)
    await connection.execute(insert(REVIEW_CHANGES), [_change_row(step.change) for step in steps])


async def with_ids(connection: AsyncConnection, ids: Iterable[str]) -> dict[str, Review]:
    """Return those of these that are known, by id."""
    found: dict[str, Review] = {}
    for some in _in_parts(sorted(set(ids))):
        query = select(_KNOWN.discrepancy_id, _KNOWN.body).where(_KNOWN.discrepancy_id.in_(some))
        found.update((name, _review(body)) for name, body in await connection.execute(query))
    return found


async def not_closed(connection: AsyncConnection, account: str) -> list[Review]:
    """Return those of the account that no run has closed, by id."""
    query = select(_KNOWN.body).where(_KNOWN.account == account, _KNOWN.state != ReviewState.CLOSED.value)
    found = [_review(body) for body in (await connection.execute(query)).scalars()]
    return sorted(found, key=lambda review: review.discrepancy_id)


async def changes_of(connection: AsyncConnection, discrepancy_id: str) -> list[ReviewChange]:
    """Return every change of this review, oldest first."""
    query = select(_CHANGES.body).where(_CHANGES.discrepancy_id == discrepancy_id).order_by(_CHANGES.number)
    bodies = (await connection.execute(query)).scalars()
    return [as_written("a step of a review", ReviewChange.from_json, body.encode()) for body in bodies]


async def _revisions(connection: AsyncConnection, ids: Sequence[str]) -> dict[str, int]:
    """Return the recorded revisions, and hold them until the transaction ends."""
    kept: dict[str, int] = {}
    for some in _in_parts(sorted(ids)):
        # A review that nobody has touched has no row that could be held; its discrepancy has one.
        held = select(_DISCREPANCY).where(_DISCREPANCY.in_(some)).order_by(_DISCREPANCY).with_for_update()
        await connection.execute(held)
        query = select(_KNOWN.discrepancy_id, _KNOWN.revision).where(_KNOWN.discrepancy_id.in_(some))
        kept.update((name, revision) for name, revision in await connection.execute(query))
    return kept


def _row(review: Review) -> dict[str, Any]:
    return {
        "discrepancy_id": review.discrepancy_id,
        "account": review.account,
        "state": review.state.value,
        "assignee": review.assignee,
        "until": review.until,
        "reason": review.reason and review.reason.value,
        "note": review.note,
        "revision": review.revision,
        "body": review.to_json().decode(),
    }


def _change_row(change: ReviewChange) -> dict[str, Any]:
    return {
        "change_id": f"{change.discrepancy_id}/{change.number}",
        "discrepancy_id": change.discrepancy_id,
        "account": change.account,
        "number": change.number,
        "at": change.at,
        "actor": change.actor.name,
        "known_by": change.actor.known_by,
        "action": change.action.value,
        "from_state": change.before.value,
        "to_state": change.after.value,
        "reason": change.reason and change.reason.value,
        "note": change.note,
        "adjustment_id": change.adjustment_id or None,
        "body": change.to_json().decode(),
    }


def _review(body: str) -> Review:
    return as_written("a review", Review.from_json, body.encode())


def _in_parts(ids: Iterable[str]) -> Iterable[list[str]]:
    rest = iter(ids)
    while some := list(islice(rest, _AT_ONCE)):
        yield some
