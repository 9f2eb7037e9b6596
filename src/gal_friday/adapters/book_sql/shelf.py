"""What stands in a book: entries, what takes them back, and plugs, with the one rule that says which of them count.

An entry stands unless a reversal that stands takes it back; a reversal is taken back by a later one in the same way.
The rows of a plug add up to what is left of it. Nothing here reads or writes a database: a shelf is a part of a book
that somebody has laid out, whole events at a time.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Literal, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from gal_friday.domain import quantity
from gal_friday.domain.adjustment import StandingPlug
from gal_friday.domain.give_way import Moved, change, event_of, give_way, moved_by
from gal_friday.domain.records import Fill, Kind, Movement, Order


class Entry(NamedTuple):
    """One record of a book."""

    entry_id: str
    record: Fill | Movement | Order
    adjustment_id: str | None
    """None: the trading system's own."""
    seq: int
    line: int


class Reversal(NamedTuple):
    """What takes an entry back, or another reversal."""

    reversal_id: str
    takes_back: str
    adjustment_id: str | None
    """None: the trading system delivered its own record."""
    reason: str
    seq: int
    line: int


What = Literal["posted", "gave_way", "taken_back", "restored"]


class PlugRow(Struct, frozen=True, kw_only=True):
    """One row of a plug: what was posted, or what was released of it."""

    row_id: str
    plug_id: str
    what: What
    kind: Kind
    name: str
    part: str
    amount: Decimal
    price: Decimal | None
    at: datetime
    adjustment_id: str | None
    seq: int
    line: int

    @property
    def key(self) -> str:
        """The place, as in reports."""
        return f"{self.kind}:{self.name}:{self.part}"


class Shelf(Struct, frozen=True, kw_only=True):
    """A part of a book: whole events, what takes their entries back, and the plugs at their places."""

    version: int
    entries: Sequence[Entry] = ()
    reversals: Sequence[Reversal] = ()
    plugs: Sequence[PlugRow] = ()

    def as_of(self, version: int) -> "Shelf":
        """Return the same part as it was at an earlier version."""
        return Shelf(
            version=version,
            entries=[one for one in self.entries if one.seq <= version],
            reversals=[one for one in self.reversals if one.seq <= version],
            plugs=[one for one in self.plugs if one.seq <= version],
        )

    def standing(self) -> dict[str, Entry]:
        """Return the entries that count, by id, in the order in which they were added."""
        fallen = taken_back(self.reversals)
        ordered = sorted(self.entries, key=lambda one: (one.seq, one.line))
        return {one.entry_id: one for one in ordered if one.entry_id not in fallen}


class Written(Struct, frozen=True, kw_only=True):
    """What one call adds to a book, all of it at one version."""

    entries: Sequence[Entry] = ()
    reversals: Sequence[Reversal] = ()
    plugs: Sequence[PlugRow] = ()

    @property
    def gave_way(self) -> tuple[str, ...]:
        """The plugs that were released because a record arrived, in part or whole."""
        return tuple(row.plug_id for row in self.plugs if row.what == "gave_way")


def taken_back(reversals: Iterable[Reversal]) -> set[str]:
    """Return the ids of the entries and reversals that do not stand."""
    fallen: set[str] = set()
    # A reversal only takes back what was there before it: the newest ones are settled first.
    for one in sorted(reversals, key=lambda one: (one.seq, one.line), reverse=True):
        if one.reversal_id not in fallen:
            fallen.add(one.takes_back)
    return fallen


def standing_plugs(rows: Iterable[PlugRow]) -> list[StandingPlug]:
    """Return what is left of every plug that is not wholly released, in the order in which they were posted."""
    left: dict[str, StandingPlug] = {}
    for row in sorted(rows, key=lambda row: (row.seq, row.line)):
        known = left.get(row.plug_id)
        if known is None:
            left[row.plug_id] = StandingPlug(
                plug_id=row.plug_id,
                adjustment_id=row.adjustment_id or "",
                kind=row.kind,
                name=row.name,
                part=row.part,
                amount=row.amount,
                price=row.price,
                at=row.at,
            )
        else:
            left[row.plug_id] = replace(known, amount=quantity.add(known.amount, row.amount))
    return [plug for plug in left.values() if plug.amount]


def arrivals(before: Mapping[str, Entry], after: Mapping[str, Entry]) -> list[list[Moved]]:
    """Return what changes between two states of a shelf, event by event; see ``give_way``."""
    touched = dict.fromkeys(_events(one for key, one in after.items() if key not in before))
    touched |= dict.fromkeys(_events(one for key, one in before.items() if key not in after))
    old, new = _by_event(before.values()), _by_event(after.values())
    return [change(moved_by(old.get(name, ())), moved_by(new.get(name, ()))) for name in touched]


def _events(entries: Iterable[Entry]) -> Iterator[str]:
    return (event_of(one.record) for one in entries if not isinstance(one.record, Order))


def _by_event(entries: Iterable[Entry]) -> dict[str, list[Fill | Movement]]:
    groups: dict[str, list[Fill | Movement]] = {}
    for one in entries:
        if not isinstance(one.record, Order):
            groups.setdefault(event_of(one.record), []).append(one.record)
    return groups


def released(shelf: Shelf, events: Sequence[Sequence[Moved]], adjustment_id: str | None) -> list[PlugRow]:
    """Return the rows that release the plugs of a shelf because of these events."""
    posted = posted_rows(shelf.plugs)
    return [
        further_row(posted[each.plug_id], each.amount, "gave_way", adjustment_id, (shelf.version + 1, line))
        for line, each in enumerate(give_way(standing_plugs(shelf.plugs), events))
    ]


def posted_rows(rows: Iterable[PlugRow]) -> dict[str, PlugRow]:
    """Return of each plug the row that posted it."""
    return {row.plug_id: row for row in rows if row.what == "posted"}


def further_row(
    posted: PlugRow, amount: Decimal, what: What, adjustment_id: str | None, place: tuple[int, int]
) -> PlugRow:
    """Return a further row of a plug, dated at the plug's own instant, written at this version and line."""
    seq, line = place
    return replace(
        posted,
        row_id=f"{posted.plug_id}/{seq}.{line}",
        what=what,
        amount=amount,
        price=None,
        adjustment_id=adjustment_id,
        seq=seq,
        line=line,
    )
