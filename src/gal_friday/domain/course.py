"""How both running balances went around the first divergence, row by row.

What both booked alike of one event is one row, at the exchange's time: that the book heard of it later is no
divergence. Each side is wound back from its closing balance. Only where neither side contradicts itself is there
anything to tell: a running balance that does not follow from its rows is not known.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from heapq import merge
from typing import NamedTuple

from gal_friday.domain import quantity
from gal_friday.domain.chain import Link
from gal_friday.domain.divergence import Change, FirstDivergence
from gal_friday.domain.explanation import Waypoint
from gal_friday.domain.records import BOOKS_OWN_KINDS
from gal_friday.domain.snapshot import Side

REACH = 8
"""So many rows are kept on either side of the divergence."""


class Booked(NamedTuple):
    """What one side says of one balance."""

    links: Sequence[Link]
    """Its rows, oldest first."""
    closing: Decimal


class _Row(NamedTuple):
    link: Link
    side: Side | None

    @property
    def at(self) -> datetime:
        return self.link.row.at

    def moved(self, side: Side) -> bool:
        return self.side is None or self.side == side


def course_of(
    ours: Booked, theirs: Booked, changes: Iterable[Change], found: FirstDivergence, known: Callable[[datetime], bool]
) -> tuple[Waypoint, ...]:
    """Return the rows around the first divergence with what both sides held after each, oldest first.

    Where they differ from the start, it is the first rows. *changes* are what the sides booked differently; *known*
    says of an instant whether both sides tell of it.
    """
    apart = {name for change in changes for name in change.record_ids}
    alone = [_Row(link, "internal") for link in ours.links if _only_here(link, apart) and known(link.row.at)]
    told = theirs.links[bisect_left(theirs.links, True, key=lambda link: known(link.row.at)) :]
    first, last = _around(told, found.first_bad_at)
    begin = told[first].row.at if first else None
    end = told[last].row.at if last < len(told) else None
    late = [row for row in alone if end is not None and row.at >= end]
    near = [row for row in alone if (begin is None or row.at >= begin) and (end is None or row.at < end)]
    rows = [*merge(_told(told[first:last], apart), near, key=lambda row: row.at)]
    after = [*_told(told[last:], apart), *late]
    course = [*_walked(rows, _before(ours, "internal", rows, after), _before(theirs, "exchange", rows, after), found)]
    turn = next((place for place, each in enumerate(course) if each.diverges), 0)
    return tuple(course[max(0, turn - REACH) : turn + REACH])


def _only_here(link: Link, apart: set[str]) -> bool:
    return link.row.movement_id in apart or link.row.kind in BOOKS_OWN_KINDS


def _around(links: Sequence[Link], at: datetime | None) -> tuple[int, int]:
    """Return the places of the first row of the window, and of the first one behind it."""
    if at is None:
        return 0, min(len(links), REACH)
    first, last = bisect_left(links, at, key=_at), bisect_right(links, at, key=_at)
    return max(0, first - REACH), min(len(links), last + REACH)


def _at(link: Link) -> datetime:
    return link.row.at


def _told(links: Iterable[Link], apart: set[str]) -> Iterator[_Row]:
    for link in links:
        yield _Row(link, "exchange" if link.row.movement_id in apart else None)


def _before(booked: Booked, side: Side, *rows: Iterable[_Row]) -> Decimal:
    """Return what a side held before these rows."""
    return quantity.subtract(
        booked.closing, quantity.total([row.link.step for some in rows for row in some if row.moved(side)])
    )


def _walked(rows: Iterable[_Row], internal: Decimal, exchange: Decimal, found: FirstDivergence) -> Iterator[Waypoint]:
    for row in rows:
        step = row.link.step
        if row.moved("internal"):
            internal = quantity.add(internal, step)
        if row.moved("exchange"):
            exchange = quantity.add(exchange, step)
        yield Waypoint(
            at=row.at.astimezone(UTC),
            record_id=row.link.row.movement_id,
            kind=row.link.row.kind,
            side=row.side,
            amount=step,
            internal=internal,
            exchange=exchange,
            diverges=row.side is not None and row.link.row.movement_id in found.first_bad,
        )
