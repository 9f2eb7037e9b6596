"""Adjustments in SQLite or PostgreSQL: what each posts, how it stands now, and every change that led to it.

An adjustment is read back from its body alone, which is the text as it was written; the other columns say the same for
those who look with SQL, and for the rules that the database enforces. Changes are only ever added.
"""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Select, bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gal_friday.adapters.sql.as_written import as_written
from gal_friday.adapters.sql.tables import ADJUSTMENT_CHANGES, ADJUSTMENTS
from gal_friday.domain.adjusted import AdjustmentChange, Kept, Outcome
from gal_friday.domain.adjustment import Adjustment, AdjustmentState
from gal_friday.domain.errors import Overtaken

_KEPT, _CHANGES = ADJUSTMENTS.c, ADJUSTMENT_CHANGES.c
_AT_ONCE = 500

_ADJUSTMENT = msgspec.json.Decoder(Adjustment)
_OUTCOME = msgspec.json.Decoder(Outcome)
_ENCODER = msgspec.json.Encoder()


def all_kept() -> Select[Any]:
    """Return the question for adjustments, in the columns that ``with_histories`` reads."""
    return select(
        _KEPT.body,
        _KEPT.state,
        _KEPT.proposed_by,
        _KEPT.four_eyes,
        _KEPT.decided_by,
        _KEPT.outcome,
        _KEPT.revision,
        _KEPT.book_version,
    )


async def with_histories(connection: AsyncConnection, rows: Iterable[Sequence[Any]]) -> list[Kept]:
    """Return what these rows hold, each with its changes, in their order."""
    kept = [as_written("an adjustment", _kept, row) for row in rows]
    histories: dict[str, list[AdjustmentChange]] = {one.id: [] for one in kept}
    ids = iter(histories)
    while some := list(islice(ids, _AT_ONCE)):
        for adjustment_id, change in await _changes(connection, _CHANGES.adjustment_id.in_(some)):
            histories[adjustment_id].append(change)
    return [msgspec.structs.replace(one, history=tuple(histories[one.id])) for one in kept]


async def one_kept(
    connection: AsyncConnection, adjustment_id: str, *, lock: bool = False
) -> tuple[Kept, int | None] | None:
    """Return the adjustment of this id, and the book's version that it made; *lock* holds it for this transaction."""
    query = all_kept().where(_KEPT.adjustment_id == adjustment_id)
    row = (await connection.execute(query.with_for_update() if lock else query)).one_or_none()
    if row is None:
        return None
    (kept,) = await with_histories(connection, [row])
    return kept, row.book_version


async def held_among(connection: AsyncConnection, ids: Iterable[str]) -> dict[str, tuple[Kept, int | None]]:
    """Return those of these that are kept, by id, each with the book's version that it made, and hold them."""
    found: dict[str, tuple[Kept, int | None]] = {}
    rest = iter(sorted(set(ids)))
    while some := list(islice(rest, _AT_ONCE)):
        query = all_kept().where(_KEPT.adjustment_id.in_(some)).order_by(_KEPT.adjustment_id).with_for_update()
        rows = (await connection.execute(query)).all()
        kept = await with_histories(connection, rows)
        found |= {one.id: (one, row.book_version) for one, row in zip(kept, rows, strict=True)}
    return found


async def states_of(connection: AsyncConnection, ids: Iterable[str]) -> dict[str, AdjustmentState]:
    """Return how these adjustments stand, by id."""
    names = sorted(set(ids))
    if not names:
        return {}
    query = select(_KEPT.adjustment_id, _KEPT.state).where(_KEPT.adjustment_id.in_(names))
    rows = await connection.execute(query)
    return {name: as_written("an adjustment", AdjustmentState, state) for name, state in rows}


async def changes_of(connection: AsyncConnection, adjustment_id: str) -> list[AdjustmentChange]:
    """Return every change of this adjustment, the oldest first."""
    return [change for _, change in await _changes(connection, _CHANGES.adjustment_id == adjustment_id)]


async def write_new(connection: AsyncConnection, new: Sequence[Kept]) -> None:
    """Add adjustments that are not kept yet."""
    if new:
        await connection.execute(insert(ADJUSTMENTS), [_row(one) for one in new])
        await _add_changes(connection, [(one, change) for one in new for change in one.history])


async def write_on(connection: AsyncConnection, kept: Kept, known: Kept) -> None:
    """Write how an adjustment stands now.

    Raises:
        Overtaken: it was written since *known* was read.
    """
    wanted = (_KEPT.adjustment_id == kept.id) & (_KEPT.revision == known.revision)
    done = await connection.execute(update(ADJUSTMENTS).where(wanted).values(_row(kept)))
    if done.rowcount != 1:
        raise Overtaken(f"adjustment {kept.id} was written by somebody else at the same moment; look at it again")
    await _add_changes(connection, [(kept, change) for change in kept.history[len(known.history) :]])


async def write_held(connection: AsyncConnection, held: Sequence[tuple[Kept, Kept, int | None]]) -> None:
    """Write how adjustments stand that this transaction holds: each now, as it was read, and the version it made."""
    if not held:
        return
    rows = [_row(kept) | {"book_version": version, "known": kept.id} for kept, _, version in held]
    await connection.execute(update(ADJUSTMENTS).where(_KEPT.adjustment_id == bindparam("known")), rows)
    changes = ((kept, change) for kept, known, _ in held for change in kept.history[len(known.history) :])
    await _add_changes(connection, list(changes))


async def _add_changes(connection: AsyncConnection, changes: Sequence[tuple[Kept, AdjustmentChange]]) -> None:
    rows = [
        {
            "adjustment_id": one.id,
            "number": change.number,
            "account": one.adjustment.account,
            "at": change.at,
            "from_state": None if change.from_state is None else change.from_state.value,
            "to_state": change.to_state.value,
            "actor": change.actor,
            "how": change.how,
            "note": change.note,
        }
        for one, change in changes
    ]
    if rows:
        await connection.execute(insert(ADJUSTMENT_CHANGES), rows)


async def _changes(connection: AsyncConnection, wanted: ColumnElement[bool]) -> list[tuple[str, AdjustmentChange]]:
    query = select(
        _CHANGES.adjustment_id,
        _CHANGES.number,
        _CHANGES.at,
        _CHANGES.from_state,
        _CHANGES.to_state,
        _CHANGES.actor,
        _CHANGES.how,
        _CHANGES.note,
    )
    rows = await connection.execute(query.where(wanted).order_by(_CHANGES.adjustment_id, _CHANGES.number))
    return [as_written("a step of an adjustment", _change, row) for row in rows]


def _change(row: Sequence[Any]) -> tuple[str, AdjustmentChange]:
    name, number, at, from_, to, actor, how, note = row
    before = from_ and AdjustmentState(from_)
    return name, AdjustmentChange(number, at, before, AdjustmentState(to), actor, how, note)


def _kept(row: Sequence[Any]) -> Kept:
    body, state, proposed_by, four_eyes, decided_by, outcome, revision, _ = row
    return Kept(
        adjustment=_ADJUSTMENT.decode(body),
        state=AdjustmentState(state),
        proposed_by=proposed_by,
        four_eyes=four_eyes,
        decided_by=decided_by,
        outcome=None if outcome is None else _OUTCOME.decode(outcome),
        revision=revision,
    )


def _row(kept: Kept) -> dict[str, Any]:
    it = kept.adjustment
    return {
        "adjustment_id": it.adjustment_id,
        "account": it.account,
        "exchange": it.exchange,
        "type": it.type.value,
        "state": kept.state.value,
        "content": it.content,
        "four_eyes": kept.four_eyes,
        "proposed_by": kept.proposed_by,
        "decided_by": kept.decided_by,
        "value": it.value,
        "reconciliation_id": it.reconciliation_id,
        "at": it.at,
        "revision": kept.revision,
        "outcome": None if kept.outcome is None else _ENCODER.encode(kept.outcome).decode(),
        "body": _ENCODER.encode(it).decode(),
    }
