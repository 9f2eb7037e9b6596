"""The rows among which an explanation may be looked for: those of one asset in one wallet, on either side.

Rows that an explanation already uses are left out (a record is used once), and so is what opened the book.
The legs of one fill count as one row: the exchange may have split them, and nobody books half of them.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from gal_friday.domain import quantity
from gal_friday.domain.case import Case, Place
from gal_friday.domain.quantity import ZERO
from gal_friday.domain.records import BOOKS_OWN_KINDS, FILL_LEG_KINDS, Movement
from gal_friday.domain.snapshot import Side


class PoolRow(NamedTuple):
    """One row, or the rows that are one leg of a fill."""

    row_id: str
    amount: Decimal
    """Signed, before the fee."""
    fee: Decimal
    at: datetime
    kind: str = ""
    event: str = ""
    side: Side = "exchange"
    """Whose row it is; the exchange's where both have it."""
    matched: bool = False
    """Both sides have it."""
    record_ids: tuple[str, ...] = ()

    @property
    def ids(self) -> tuple[str, ...]:
        """Return the ids of its records."""
        return self.record_ids or (self.row_id,)


_Rows = Mapping[str, list[Movement]]


def pool_of(case: Case, place: Place, *, used: frozenset[str] = frozenset()) -> tuple[PoolRow, ...]:
    """Return the rows of this balance that no item uses yet, oldest first."""
    mine, other = case.standing("internal", place), case.standing("exchange", place)
    if not mine and not other:
        return ()
    ours, theirs = _rows_at(mine), _rows_at(other)
    shared = _names(ours) & _names(theirs)
    rows = [_row(name, rows, "exchange", shared) for name, rows in theirs.items()]
    rows += [_row(name, rows, "internal", shared) for name, rows in ours.items() if not _known(rows, shared)]
    free = (row for row in rows if used.isdisjoint((row.row_id, *row.ids)))
    return tuple(sorted(free, key=lambda row: (row.at, row.row_id)))


def _rows_at(movements: Iterable[Movement]) -> _Rows:
    rows: dict[str, list[Movement]] = {}
    seen: set[str] = set()
    for row in movements:
        if row.kind in BOOKS_OWN_KINDS or row.movement_id in seen:
            continue
        seen.add(row.movement_id)
        leg = row.refers_to if row.kind in FILL_LEG_KINDS else None
        rows.setdefault(leg or row.movement_id, []).append(row)
    return rows


def _names(rows: _Rows) -> set[str]:
    return set(rows) | {row.movement_id for each in rows.values() for row in each}


def _known(rows: Iterable[Movement], shared: set[str]) -> bool:
    return any(row.movement_id in shared or row.refers_to in shared for row in rows)


def _row(name: str, rows: list[Movement], side: Side, shared: set[str]) -> PoolRow:
    first = rows[0]
    return PoolRow(
        row_id=name,
        amount=quantity.total(row.amount for row in rows) if len(rows) > 1 else first.amount,
        fee=quantity.total(row.fee for row in rows if row.fee) if len(rows) > 1 else first.fee or ZERO,
        at=max(row.at for row in rows),
        kind=first.kind,
        event=first.refers_to or name,
        side=side,
        matched=_known(rows, shared),
        record_ids=tuple(row.movement_id for row in rows),
    )
