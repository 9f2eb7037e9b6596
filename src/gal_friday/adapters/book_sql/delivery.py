"""A record that arrives late takes the place of what an adjustment booked for it, and plugs give way.

The trading system's own record always counts: whatever an adjustment had booked under its id is taken back in the
same transaction. Ledger rows that an adjustment booked for a fill stand in place of the fill's derived legs, until
the trading system delivers rows of its own for the same leg. Nothing that the trading system wrote is ever touched.
"""

from collections.abc import Iterable, Iterator, Sequence

from gal_friday.adapters.book_sql.shelf import Entry, Reversal, Shelf, Written, arrivals, released
from gal_friday.domain.ids import digest
from gal_friday.domain.records import FILL_LEG_KINDS, Fill, Movement, Order

DELIVERED = "the trading system delivered it"


def delivered(shelf: Shelf, new: Sequence[Entry]) -> Written:
    """Return everything that these new entries of the trading system add to the book, themselves included."""
    before = shelf.standing()
    booked = [one for one in before.values() if one.adjustment_id is not None]
    gone = {one.entry_id: one for one in _replaced(booked, new)}
    seq = shelf.version + 1
    reversals = [
        Reversal(digest("delivered", entry_id), entry_id, None, DELIVERED, seq, line)
        for line, entry_id in enumerate(gone)
    ]
    after = {key: one for key, one in before.items() if key not in gone} | {one.entry_id: one for one in new}
    return Written(entries=new, reversals=reversals, plugs=released(shelf, arrivals(before, after), None))


def replaced_by(written: Written, entries: Iterable[Entry]) -> tuple[str, ...]:
    """Return the ids of the records whose place was taken."""
    gone = {one.takes_back for one in written.reversals}
    return tuple(name_of(one.record) for one in entries if one.entry_id in gone) if gone else ()


def name_of(record: Fill | Movement | Order) -> str:
    """Return the id of a record."""
    match record:
        case Fill(fill_id=name) | Movement(movement_id=name):
            return name
        case Order():
            return record.name


def _replaced(booked: Sequence[Entry], new: Sequence[Entry]) -> Iterator[Entry]:
    fills = {one.record.fill_id for one in new if isinstance(one.record, Fill)}
    rows = {one.record.movement_id for one in new if isinstance(one.record, Movement)}
    known = {one.record.movement_id for one in booked if isinstance(one.record, Movement)}
    # A row that an adjustment booked under its very id takes that one's place and no other's.
    strangers = [one.record for one in new if isinstance(one.record, Movement) and one.record.movement_id not in known]
    legs = {leg_of(row) for row in strangers} - {None}
    for one in booked:
        match one.record:
            case Fill(fill_id=name) if name in fills:
                yield one
            case Movement() as row if row.movement_id in rows or leg_of(row) in legs:
                yield one
            case Fill() | Movement() | Order():
                continue


def leg_of(row: Movement) -> tuple[str, str, str] | None:
    """Return which leg of which fill a row tells: the fill, the asset, the wallet; None where it tells none."""
    if row.refers_to and row.kind in FILL_LEG_KINDS:
        return row.refers_to, row.asset, row.wallet
    return None
