"""Since when do the two sides differ? The last row up to which they agree, and the first event after it.

What both sides booked of one event cancels out, whenever they booked it. What is left are the events by which
the running balances drift apart. From the closing difference backwards, the drift is taken off event by
event: the last moment at which nothing was left of it is the last good one. A difference that went back to
zero before was a matter of time and is none.

Without a running balance nothing has to be searched: one pass over the rows, whatever their number.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from msgspec import Struct

from gal_friday.domain import quantity
from gal_friday.domain.chain import Link
from gal_friday.domain.explanation import Divergence
from gal_friday.domain.instants import exact_instant
from gal_friday.domain.quantity import ZERO
from gal_friday.domain.records import FILL_LEG_KINDS, Movement


class State(StrEnum):
    """Whether and how the sides came to differ."""

    __hash__ = str.__hash__

    NONE = "none"
    """They end in agreement."""
    FROM_THE_START = "from_the_start"
    """They differ since before the first row that both were asked for."""
    AT_EVENT = "at_event"
    """They agree up to a row, and never after the next event."""


class Change(NamedTuple):
    """One event that the sides booked differently."""

    at: datetime
    """When the exchange booked it, or the book where the exchange did not."""
    event: str
    kind: str
    record_ids: tuple[str, ...]
    amount: Decimal
    """exchange − internal."""
    first_seen: datetime
    """When the earliest of its rows was booked on either side."""


class FirstDivergence(Struct, frozen=True):
    """Since when the sides differ."""

    state: State
    difference: Decimal = ZERO
    """exchange − internal, right after the first bad event or, from the start, before any."""
    last_good_at: datetime | None = None
    last_good: str = ""
    """The id of the row up to which they agree; empty where there is none before the first bad event."""
    first_bad_at: datetime | None = None
    first_bad: tuple[str, ...] = ()
    """The ids of the rows of the first bad event, on whichever side they are."""
    event: str = ""
    kind: str = ""

    def told(self) -> Divergence | None:
        """Return it as it stands in an explanation; None where there is no divergence."""
        match self.state:
            case State.NONE:
                return None
            case State.FROM_THE_START:
                return Divergence(None, None, self.difference)
            case State.AT_EVENT:
                since = self.first_bad_at and self.first_bad_at.astimezone(UTC)
                return Divergence(self._good(), self._bad(), self.difference, since)

    def _good(self) -> str:
        return f"{_written(self.last_good_at)} {self.last_good}" if self.last_good_at else "the beginning"

    def _bad(self) -> str:
        ids = ", ".join(self.first_bad)
        return f"{_written(self.first_bad_at)} {self.kind} {self.event}" + (f" ({ids})" if ids != self.event else "")


def _written(at: datetime | None) -> str:
    return exact_instant(at) if at else ""


def changes_between(ours: Sequence[Link], theirs: Sequence[Link]) -> list[Change]:
    """Return what the sides of one wallet booked differently, oldest first.

    Rows are one event if they share their id, else if they share the event that they refer to.
    """
    shared = {each.row.movement_id for each in ours} & {each.row.movement_id for each in theirs}
    mine, other = _sums(ours, shared), _sums(theirs, shared)
    unlike = {name for name in mine.keys() | other.keys() if mine.get(name, ZERO) != other.get(name, ZERO)}
    if not unlike:
        return []
    rows: dict[str, list[Movement]] = {}
    # The exchange's rows first: theirs is the time of the event.
    for row in (each.row for each in (*theirs, *ours)):
        if (name := _event(row, shared)) in unlike:
            rows.setdefault(name, []).append(row)
    return sorted(
        _change(name, each, quantity.subtract(other.get(name, ZERO), mine.get(name, ZERO)))
        for name, each in rows.items()
    )


def _event(row: Movement, shared: set[str]) -> str:
    if row.movement_id in shared or row.refers_to is None:
        return row.movement_id
    # A rollover refers to the position, whose id is that of its opening fill: another event.
    return row.refers_to if row.kind in FILL_LEG_KINDS else f"{row.kind} of {row.refers_to}"


def _sums(links: Iterable[Link], shared: set[str]) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = {}
    for row, step, _ in links:
        name = _event(row, shared)
        sums[name] = quantity.add(sums[name], step) if name in sums else step
    return sums


def _change(name: str, rows: Sequence[Movement], amount: Decimal) -> Change:
    ids = tuple(dict.fromkeys(row.movement_id for row in rows))
    first = rows[0]
    return Change(first.at, first.refers_to or name, first.kind, ids, amount, min(row.at for row in rows))


def first_divergence(
    changes: Sequence[Change], difference: Decimal, tolerance: Decimal, rows: Sequence[Movement]
) -> FirstDivergence:
    """Return since when the sides differ, given their closing *difference* (exchange − internal).

    *rows* are those in which the last good one is looked for, oldest first.
    """
    if quantity.absolute(difference) <= tolerance:
        return FirstDivergence(State.NONE)
    for change in reversed(changes):
        before = quantity.subtract(difference, change.amount)
        if quantity.absolute(before) <= tolerance:
            good = _last_before(change, rows)
            return FirstDivergence(
                State.AT_EVENT,
                difference,
                good.at if good else None,
                good.movement_id if good else "",
                change.at,
                change.record_ids,
                change.event,
                change.kind,
            )
        difference = before
    return FirstDivergence(State.FROM_THE_START, difference)


def _last_before(change: Change, rows: Sequence[Movement]) -> Movement | None:
    good = None
    for row in _until(change, rows):
        good = row
    return good


def _until(change: Change, rows: Sequence[Movement]) -> Iterator[Movement]:
    for row in rows:
        if row.at > change.at or row.movement_id in change.record_ids:
            return
        yield row
