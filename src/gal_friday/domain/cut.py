"""At which instant may the two sides be compared, and what is in motion near it.

A record newer than the beginning of the other side's reading cannot be judged by that reading, and
neither can the assets and instruments that it touches. They are pending, key by key; everything else is
compared as it stands. No tolerance is ever widened to absorb the time between two readings.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

from msgspec import Struct

from gal_friday.domain.assets import Asset, Instrument, base_and_quote
from gal_friday.domain.records import Fill, Movement, Order
from gal_friday.domain.snapshot import Snapshot


class Cut(Struct, frozen=True):
    """The instants of the two readings."""

    internal: datetime
    exchange: datetime


class Motion(Struct, frozen=True):
    """What moved after one of the readings began."""

    assets: frozenset[Asset]
    """Their totals cannot be judged."""
    instruments: frozenset[Instrument]
    """Their positions cannot be judged."""
    held: frozenset[Asset]
    """What is reserved of them cannot be judged; all of *assets* and more."""


_NOTHING = Motion(frozenset(), frozenset(), frozenset())


def cut_of(internal: Snapshot, exchange: Snapshot) -> Cut:
    """Return the instants at which the two sides were read."""
    return Cut(internal.as_of, exchange.as_of)


def in_motion(internal: Snapshot, exchange: Snapshot) -> Motion:
    """Return the assets and instruments that moved on one side after the other side's reading began."""
    late = [*_late(internal, exchange.as_of), *_late(exchange, internal.as_of)]
    if not late:
        return _NOTHING
    # An order that has filled nothing only reserves; one that has may have moved what it trades.
    moved = [row for row in late if not isinstance(row, Order) or row.filled]
    traded = (row.instrument for row in moved if not isinstance(row, Movement))
    return Motion(_touched(moved), frozenset(traded), _touched(late))


def _late(snapshot: Snapshot, after: datetime) -> Iterator[Fill | Movement | Order]:
    yield from (fill for fill in snapshot.fills if fill.at > after)
    yield from (movement for movement in snapshot.movements if movement.at > after)
    for order in snapshot.orders:
        changed = order.updated_at or order.opened_at
        if changed is not None and changed > after:
            yield order


def _touched(rows: Iterable[Fill | Movement | Order]) -> frozenset[Asset]:
    return frozenset(asset for row in rows for asset in _assets_of(row))


def _assets_of(row: Fill | Movement | Order) -> Iterator[Asset]:
    if isinstance(row, Movement):
        yield row.asset
        return
    yield from base_and_quote(row.instrument) or ()
    if isinstance(row, Fill) and row.fee_asset is not None:
        yield row.fee_asset
