"""At which instant may the two sides be compared, and what is in motion near it.

A record newer than the beginning of the other side's reading cannot be judged by that reading, and
neither can the assets and instruments that it touches. They are pending, key by key; everything else is
compared as it stands. No tolerance is ever widened to absorb the time between two readings.
"""

from collections.abc import Iterator
from datetime import datetime

from msgspec import Struct

from gal_friday.domain.assets import Asset, Instrument, base_and_quote
from gal_friday.domain.records import Fill
from gal_friday.domain.snapshot import Snapshot


class Cut(Struct, frozen=True):
    """The instants of the two readings."""

    internal: datetime
    exchange: datetime


class Motion(Struct, frozen=True):
    """What moved after one of the readings began."""

    assets: frozenset[Asset]
    instruments: frozenset[Instrument]


_NOTHING = Motion(frozenset(), frozenset())


def cut_of(internal: Snapshot, exchange: Snapshot) -> Cut:
    """Return the instants at which the two sides were read."""
    return Cut(internal.as_of, exchange.as_of)


def in_motion(internal: Snapshot, exchange: Snapshot) -> Motion:
    """Return the assets and instruments that moved on one side after the other side's reading began."""
    if not (internal.fills or internal.movements or exchange.fills or exchange.movements):
        return _NOTHING
    late = [*_late_fills(internal, exchange.as_of), *_late_fills(exchange, internal.as_of)]
    assets = {asset for fill in late for asset in _touched(fill)}
    for snapshot, other in ((internal, exchange), (exchange, internal)):
        assets |= {movement.asset for movement in snapshot.movements if movement.at > other.as_of}
    return Motion(frozenset(assets), frozenset(fill.instrument for fill in late))


def _late_fills(snapshot: Snapshot, after: datetime) -> Iterator[Fill]:
    return (fill for fill in snapshot.fills if fill.at > after)


def _touched(fill: Fill) -> Iterator[Asset]:
    yield from base_and_quote(fill.instrument) or ()
    if fill.fee_asset is not None:
        yield fill.fee_asset
