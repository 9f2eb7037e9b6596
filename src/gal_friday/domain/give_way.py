"""Plugs give way: how much of each is released when the record arrives that it stood for.

A plug was posted because a record was missing. When one arrives that is dated at or before the plug's instant and
moves the plug's place in the plug's direction, that much of the plug is released, never more than is left of it.
What moves the place the other way is another story and releases nothing. What an arrival moves is the difference
between its event rolled up before and after, so that a record that merely takes another's place moves nothing.

Nothing here writes, and no plug is ever made larger.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from gal_friday.domain import quantity
from gal_friday.domain.adjustment import StandingPlug, Suspense
from gal_friday.domain.quantity import ZERO
from gal_friday.domain.records import FILL_LEG_KINDS, Fill, Kind, Movement, OrderSide
from gal_friday.domain.roll_up import Rolling
from gal_friday.domain.snapshot import Scales

_NO_SCALES = Scales()


class Moved(NamedTuple):
    """What one record adds to one place."""

    key: str
    """As in reports: ``balances:BTC:spot``."""
    amount: Decimal
    at: datetime


class Release(Struct, frozen=True):
    """So much of a plug goes; the amount has the opposite sign."""

    plug_id: str
    amount: Decimal


def event_of(record: Fill | Movement) -> str:
    """Return the name of the event that a record belongs to: the fill, for a fill and its legs; else its own id."""
    if isinstance(record, Fill):
        return record.fill_id
    return record.refers_to if record.refers_to and record.kind in FILL_LEG_KINDS else record.movement_id


def moved_by(records: Iterable[Fill | Movement]) -> list[Moved]:
    """Return what these records add to balances and positions, one line per record and place; see ``roll_up``."""
    fills: list[Fill] = []
    movements: list[Movement] = []
    for record in records:
        (fills if isinstance(record, Fill) else movements).append(record)  # type: ignore[arg-type]
    rolling = Rolling(_NO_SCALES)
    rolling.move(movements)
    rows = (*movements, *rolling.fill(fills))
    moved = [
        Moved(f"balances:{row.asset}:{row.wallet}", quantity.subtract(row.amount, row.fee), row.at) for row in rows
    ]
    return moved + [Moved(f"positions:{fill.instrument}:net", _signed(fill), fill.at) for fill in fills if fill.margin]


def _signed(fill: Fill) -> Decimal:
    return fill.quantity if fill.side is OrderSide.BUY else quantity.negate(fill.quantity)


def change(before: Iterable[Moved], after: Iterable[Moved]) -> list[Moved]:
    """Return what *after* adds to *before*, line by line: those of *before* with the other sign."""
    return [*after, *(each._replace(amount=quantity.negate(each.amount)) for each in before)]


def summed(moved: Iterable[Moved]) -> dict[str, Decimal]:
    """Return the sum of each place; places that do not change are left out."""
    sums: dict[str, Decimal] = {}
    for each in moved:
        sums[each.key] = quantity.add(sums.get(each.key, ZERO), each.amount)
    return {key: amount for key, amount in sums.items() if amount}


def give_way(plugs: Sequence[StandingPlug], events: Iterable[Sequence[Moved]]) -> tuple[Release, ...]:
    """Return what is released of these plugs, in their order, when these events arrive, each what it changes.

    One event releases no more over all plugs than it moves.
    """
    left = {plug.plug_id: plug for plug in plugs}
    for event in events:
        used: dict[str, Decimal] = {}
        for plug in tuple(left.values()):
            arrived = quantity.total(each.amount for each in event if each.key == plug.key and each.at <= plug.at)
            free = quantity.subtract(arrived, used.get(plug.key, ZERO))
            if not plug.amount or not free or (free > 0) != (plug.amount > 0):
                continue
            gone = min(free, plug.amount, key=quantity.absolute)
            used[plug.key] = quantity.add(used.get(plug.key, ZERO), gone)
            left[plug.plug_id] = replace(plug, amount=quantity.subtract(plug.amount, gone))
    released = ((plug.plug_id, quantity.subtract(left[plug.plug_id].amount, plug.amount)) for plug in plugs)
    return tuple(Release(plug_id, amount) for plug_id, amount in released if amount)


class Drained(Struct, frozen=True):
    """What plugs of one place stood for, before and after a record arrived."""

    key: str
    """As in reports: ``balances:BTC:spot``."""
    before: Decimal
    after: Decimal

    @property
    def change(self) -> Decimal:
        """What is added to the place by it, beside the record."""
        return quantity.subtract(self.after, self.before)


def drained(before: Iterable[Suspense], after: Iterable[Suspense]) -> tuple[Drained, ...]:
    """Return the places whose suspense is another one afterwards, ordered by place."""
    old, new = ({f"{line.kind}:{line.name}:{line.part}": line.amount for line in lines} for lines in (before, after))
    every = (Drained(key, old.get(key, ZERO), new.get(key, ZERO)) for key in sorted(old.keys() | new.keys()))
    return tuple(one for one in every if one.change)


def suspense_of(plugs: Iterable[StandingPlug]) -> tuple[Suspense, ...]:
    """Return the suspense line of every place with a plug, ordered by place."""
    places: dict[tuple[Kind, str, str], list[Decimal]] = {}
    for plug in plugs:
        places.setdefault((plug.kind, plug.name, plug.part), []).append(plug.amount)
    return tuple(Suspense(*place, quantity.total(rows), len(rows)) for place, rows in sorted(places.items()))


def said(line: Suspense) -> str:
    """Return the suspense line as a sentence: ``suspense: 3 XRP in 1 plug``."""
    plugs = "1 plug" if line.plugs == 1 else f"{line.plugs} plugs"
    place = f" {line.part}" if line.part not in ("spot", "net") else ""
    return f"suspense: {quantity.short(line.amount)} {line.name}{place} in {plugs}"


def suspense_in(extra: Mapping[str, Any] | None) -> tuple[Suspense, ...]:
    """Return the suspense lines that a snapshot carries as a field of its own; none where it has no such field."""
    lines = (extra or {}).get("suspense", ())
    try:
        return tuple(
            Suspense(
                Kind(line["kind"]), line["name"], line["part"], quantity.reread(line["amount"]), int(line["plugs"])
            )
            for line in lines
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return ()  # somebody else's field of the same name


def written_out(line: Suspense) -> dict[str, Any]:
    """Return the line as it stands in a snapshot; readers of the format keep it, and need not know it."""
    amount = quantity.text(line.amount)
    return {"kind": line.kind.value, "name": line.name, "part": line.part, "amount": amount, "plugs": line.plugs}
