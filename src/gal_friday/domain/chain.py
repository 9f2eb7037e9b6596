"""Do the rows of a ledger follow from each other? Row by row, through the running balance that each states.

    balance after a row = balance after the row before + amount − fee

Counted for every name under which the source lists the asset: two names of one wallet have two balances.
Rows of one instant may be listed in any order; they are put into the one in which they follow. A row that
does not follow proves that rows are missing before it. Nothing here supplies them.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

from msgspec import Struct

from gal_friday.domain import quantity
from gal_friday.domain.quantity import ZERO
from gal_friday.domain.records import Movement


class Gap(Struct, frozen=True):
    """Rows are missing between two rows of one name."""

    name: str
    """The asset as the source spells it."""
    after: str
    """The id of the last row before the gap."""
    before: str
    """The id of the first row behind it."""
    at: datetime
    """When that row was booked."""
    amount: Decimal
    """What the missing rows add up to, fees taken off."""


class Link(NamedTuple):
    """One row in its place in the chain."""

    row: Movement
    step: Decimal
    """By how much the running balance changed: what the row says, and before it whatever is missing."""
    gap: Gap | None


_at = attrgetter("at")


def net(row: Movement) -> Decimal:
    """Return by how much the wallet changed: amount − fee."""
    return quantity.subtract(row.amount, row.fee) if row.fee else row.amount


def name_of(row: Movement) -> str:
    """Return the asset as the source spells it: what its running balance counts. Empty where it does not say."""
    return row.raw[0] if row.raw else ""


def chained(rows: Iterable[Movement]) -> list[Link]:
    """Return the rows of one wallet in the order in which they follow from each other, oldest first."""
    names: dict[str, list[Movement]] = {}
    for row in rows:
        names.setdefault(name_of(row), []).append(row)
    links = [link for name, each in names.items() for link in _walked(name, sorted(each, key=_at))]
    return sorted(links, key=_instant) if len(names) > 1 else links


def _instant(link: Link) -> datetime:
    return link.row.at


def _walked(name: str, rows: Sequence[Movement]) -> Iterator[Link]:
    balance: Decimal | None = None
    last = ""
    for _, group in groupby(rows, key=_at):
        at_once = list(group)
        for row in at_once if len(at_once) == 1 else _in_order(at_once, balance):
            step, gap = net(row), None
            if row.balance_after is None:
                balance = None
            else:
                if balance is not None and quantity.add(balance, step) != row.balance_after:
                    missing = quantity.subtract(quantity.subtract(row.balance_after, balance), step)
                    step, gap = quantity.add(step, missing), Gap(name, last, row.movement_id, row.at, missing)
                balance = row.balance_after
            last = row.movement_id
            yield Link(row, step, gap)


def _in_order(rows: list[Movement], balance: Decimal | None) -> list[Movement]:
    """Return rows of one instant in an order in which each follows from the one before, if there is one."""
    if any(row.balance_after is None for row in rows) or _follow(rows, balance):
        return rows
    return _trail(rows, _beginning(rows) if balance is None else balance) or rows


def _follow(rows: Iterable[Movement], balance: Decimal | None) -> bool:
    for row in rows:
        if balance is not None and _before(row) != balance:
            return False
        balance = row.balance_after
    return True


def _before(row: Movement) -> Decimal:
    assert row.balance_after is not None, "only rows with a running balance are put in order"
    return quantity.subtract(row.balance_after, net(row))


def _beginning(rows: Sequence[Movement]) -> Decimal:
    """Return the balance from which more rows go out than come in: where a chain of all of them begins."""
    surplus: dict[Decimal, int] = {}
    for row in rows:
        surplus[_before(row)] = surplus.get(_before(row), 0) + 1
        after = row.balance_after or ZERO
        surplus[after] = surplus.get(after, 0) - 1
    return next((balance for balance, count in surplus.items() if count > 0), _before(rows[0]))


def _trail(rows: Sequence[Movement], start: Decimal) -> list[Movement]:
    """Return a trail through all rows, each leading from one balance to the next (Hierholzer 1873); empty if none."""
    leaving: dict[Decimal, list[Movement]] = {}
    for row in reversed(rows):
        leaving.setdefault(_before(row), []).append(row)
    stack: list[tuple[Decimal, Movement | None]] = [(start, None)]
    trail: list[Movement] = []
    while stack:
        balance, reached_by = stack[-1]
        if leaving.get(balance):
            row = leaving[balance].pop()
            stack.append((row.balance_after or ZERO, row))
        else:
            stack.pop()
            if reached_by is not None:
                trail.append(reached_by)
    trail.reverse()
    return trail if len(trail) == len(rows) and _follow(trail, start) else []
