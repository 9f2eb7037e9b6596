"""Records that one side lists more than once.

Twice with the same content is a duplicate: a fault of the book, and at the exchange no more than a note,
since there it is counted once. Twice with different content is an identity conflict, on whichever side
it stands. Either is said *beside* what the comparison of the record itself found, never instead of it.

Which of two contents is then compared does not depend on the order of the rows (I12).
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import TypeVar

from msgspec.structs import replace

from gal_friday.domain import quantity
from gal_friday.domain.compare.stake import about, stake_of
from gal_friday.domain.finding import DiscrepancyType, Inconsistent, Stake
from gal_friday.domain.records import Order, Record
from gal_friday.domain.snapshot import Side

Name = TypeVar("Name", bound=Hashable)
Row = TypeVar("Row", bound=Record)
Repeats = dict[Name, tuple[Inconsistent, ...]]


def each_once(rows: Sequence[Row], name_of: Callable[[Row], Name]) -> dict[Name, Row]:
    """Return the rows by name; of several under one name always the same one, wherever it stands."""
    named = {name_of(row): row for row in rows}
    if len(named) < len(rows):
        named |= {name: max(group, key=_rank) for name, group in _repeats(rows, name_of).items()}
    return named


def repeated(
    internal: Sequence[Row],
    exchange: Sequence[Row],
    name_of: Callable[[Row], Name],
    duplicated: DiscrepancyType,
) -> Repeats[Name]:
    """Return what to say of each name that a side lists more than once, the book first."""
    found: Repeats[Name] = {}
    sides: tuple[tuple[Side, Sequence[Row]], ...] = (("internal", internal), ("exchange", exchange))
    for side, rows in sides:
        for name, group in _repeats(rows, name_of).items():
            judged = _judged(group, side, duplicated)
            if judged is not None:
                found[name] = (*found.get(name, ()), judged)
    return found


def of_row(found: Inconsistent, row_id: str) -> Inconsistent:
    """Return it with the row named, for a finding that is about several rows at once."""
    return replace(found, field=f"{found.field}, {row_id}") if row_id else found


def _repeats(rows: Iterable[Row], name_of: Callable[[Row], Name]) -> dict[Name, list[Row]]:
    names = [name_of(row) for row in rows]
    if len(set(names)) == len(names):
        return {}
    groups: dict[Name, list[Row]] = {}
    for name, row in zip(names, rows, strict=True):
        groups.setdefault(name, []).append(row)
    return {name: group for name, group in groups.items() if len(group) > 1}


def _judged(rows: Sequence[Record], side: Side, duplicated: DiscrepancyType) -> Inconsistent | None:
    first = _content(rows[0])
    same = all(_content(row) == first for row in rows)
    if same and side == "exchange":
        return None
    kind = duplicated if same else DiscrepancyType.IDENTITY_CONFLICT
    shown = max(rows, key=_rank)
    stake = _stake_of_others(rows, shown)
    return Inconsistent(kind, side, "times listed", str(len(rows)), "1", about(shown), stake)


def _content(row: Row) -> Row:
    """Return the record without what nobody interprets: a delivery path is no difference in content."""
    return replace(row, raw=(), extra=None)


def _rank(row: Record) -> tuple[str, str]:
    """Return by which of two contents is taken: the later state of an order, else whichever reads higher."""
    changed = row.updated_at if isinstance(row, Order) else None
    return changed.isoformat() if changed else "", repr(row)


def _stake_of_others(rows: Sequence[Record], shown: Record) -> Stake | None:
    """Return what is taken away where the one that is shown stays alone; of another asset nothing is added to it."""
    stake = stake_of(shown)
    stakes = [each for each in map(stake_of, rows) if each is not None and stake and each.asset == stake.asset]
    return stake and Stake(quantity.subtract(stake.amount, quantity.total(each.amount for each in stakes)), stake.asset)
