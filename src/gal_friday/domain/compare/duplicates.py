"""Records that one side lists more than once.

Twice with the same content is a duplicate: a fault of the book, and at the exchange no more than a note,
since there it is counted once. Twice with different content is an identity conflict, on whichever side
it stands. Either is said *beside* what the comparison of the record itself found, never instead of it.
"""

from collections.abc import Callable, Hashable, Sequence
from decimal import Decimal
from typing import TypeVar

from gal_friday.domain import quantity
from gal_friday.domain.compare.stake import about, stake_of
from gal_friday.domain.compare.view import View
from gal_friday.domain.finding import DiscrepancyType, Inconsistent, Stake
from gal_friday.domain.records import Kind, Record
from gal_friday.domain.snapshot import Side

Name = TypeVar("Name", bound=Hashable)


def repeated(
    view: View, kind: Kind, name_of: Callable[..., Name], duplicated: DiscrepancyType
) -> dict[Name, Inconsistent]:
    """Return what to say of each name that a side lists more than once; of the two sides, the book's first."""
    found: dict[Name, Inconsistent] = {}
    for side in ("exchange", "internal"):
        for name, rows in _repeats(view.snapshot(side).rows(kind), name_of).items():
            judged = _judged(rows, side, duplicated)
            if judged is not None:
                found[name] = judged
    return found


def _repeats(rows: Sequence[Record], name_of: Callable[..., Name]) -> dict[Name, list[Record]]:
    names = [name_of(row) for row in rows]
    if len(set(names)) == len(names):
        return {}
    groups: dict[Name, list[Record]] = {}
    for name, row in zip(names, rows, strict=True):
        groups.setdefault(name, []).append(row)
    return {name: group for name, group in groups.items() if len(group) > 1}


def _judged(rows: list[Record], side: Side, duplicated: DiscrepancyType) -> Inconsistent | None:
    same = all(row == rows[0] for row in rows)
    if same and side == "exchange":
        return None
    kind = duplicated if same else DiscrepancyType.IDENTITY_CONFLICT
    stake = _stake_of_copies(rows[0], len(rows) - 1)
    return Inconsistent(kind, side, "times listed", str(len(rows)), "1", about(rows[0]), stake)


def _stake_of_copies(row: Record, copies: int) -> Stake | None:
    stake = stake_of(row)
    return stake and Stake(quantity.multiply(stake.amount, Decimal(-copies)), stake.asset)
