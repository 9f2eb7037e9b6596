"""At which instant may the two sides be compared, and what is in motion near it.

A record newer than the beginning of the other side's reading cannot be judged by that reading, and
neither can the assets and instruments that it touches. They are pending, key by key; everything else is
compared as it stands. No tolerance is ever widened to absorb the time between two readings.

Two given snapshots are compared as they are. A flow that has just read both sides asks for a *grace* as
well: an exchange shows a fill to the stream before it shows it to a reader, and a trading system books it
a moment after it happened. What is younger than the grace on one side may still be on its way to the other.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from gal_friday.domain import quantity
from gal_friday.domain.assets import Asset, Instrument, base_and_quote
from gal_friday.domain.finding import Key
from gal_friday.domain.records import LIVE_STATUSES, Fill, Movement, Order
from gal_friday.domain.rewind import Past, Place, past_of
from gal_friday.domain.snapshot import Snapshot

NO_GRACE = timedelta(0)


class Cut(Struct, frozen=True, omit_defaults=True):
    """The instants of the two readings, and how still the exchange stood between them."""

    internal: datetime
    exchange: datetime
    row: str | None = None
    """The exchange's newest ledger row at this cut: its balances are those after this row."""
    clean: bool | None = None
    """Whether this row was the newest, and the book of one version, from the first read to the last."""
    past: datetime | None = None
    """The instant to which moving keys were wound back, where they were."""


class Reading(Struct, frozen=True, kw_only=True):
    """What the reading of both sides saw that the snapshots do not tell."""

    assets: frozenset[Asset] = frozenset()
    """Assets that moved while they were read, by rows that nobody showed."""
    unplaced: frozenset[Place] = frozenset()
    """Balances that could not be brought to the cut: their rows do not lead there."""
    positions: tuple[datetime, datetime] | None = None
    """Between which instants the exchange's positions were read."""
    ripe: frozenset[Key] = frozenset()
    """Keys that were pending often enough to be judged by the past."""


class Motion(Struct, frozen=True):
    """What moved after one of the readings began, or so shortly before it that the other side may lack it."""

    assets: frozenset[Asset]
    """Their totals cannot be judged."""
    instruments: frozenset[Instrument]
    """Their positions cannot be judged."""
    held: frozenset[Asset]
    """What is reserved of them cannot be judged; all of *assets* and more."""
    grace: timedelta = NO_GRACE
    """How long a record may be on its way from one side to the other."""
    newest: Mapping[str, datetime] = {}
    """When each asset, instrument and order that is in motion moved last; only under a grace."""
    orders: frozenset[str] = frozenset()
    """Ids of orders that may have another state on the other side; only under a grace."""
    past: Past | None = None
    """Both sides before all that, where every row since is known; only under a grace."""
    ripe: frozenset[Key] = frozenset()
    """Keys that do not wait any longer: they are judged by the past."""

    def until(self, name: str) -> datetime | None:
        """Return when this asset, instrument or order stops being pending, where that is known."""
        last = self.newest.get(name)
        return None if last is None else last + self.grace


_NOTHING = Motion(frozenset(), frozenset(), frozenset())
_READ = Reading()

Row = Fill | Movement | Order


def cut_of(internal: Snapshot, exchange: Snapshot) -> Cut:
    """Return the instants at which the two sides were read."""
    return Cut(internal.as_of, exchange.as_of)


def in_motion(
    internal: Snapshot, exchange: Snapshot, *, grace: timedelta = NO_GRACE, reading: Reading = _READ
) -> Motion:
    """Return the assets and instruments that moved on one side after the other side's reading began.

    With a *grace* they count as moving for that long before it, too, and what both sides were before all of
    it comes along, where it can be known.
    """
    behind = min(internal.as_of, exchange.as_of) - grace
    late = _late(internal, behind) + _late(exchange, behind)
    if not late and not reading.assets and not grace:
        return _NOTHING
    # An order that has filled nothing only reserves; one that has may have moved what it trades.
    moved = [row for row in late if not isinstance(row, Order) or row.filled]
    traded = frozenset(row.instrument for row in moved if not isinstance(row, Movement))
    motion = Motion(_touched(moved) | reading.assets, traded, _touched(late) | reading.assets)
    return _with_grace(motion, internal, exchange, grace, reading, late) if grace else motion


def _with_grace(
    motion: Motion,
    internal: Snapshot,
    exchange: Snapshot,
    grace: timedelta,
    reading: Reading,
    late: Iterable[Row],
) -> Motion:
    now = max(internal.as_of, exchange.as_of)
    orders = _unsettled(internal, exchange, grace)
    newest = dict.fromkeys(reading.assets, now) | orders
    for row in late:
        for name in _names_of(row):
            newest[name] = max(newest.get(name, row_time(row)), row_time(row))
    behind = min(internal.as_of, exchange.as_of) - grace
    past = past_of(internal, exchange, behind, unplaced=reading.unplaced, positions=reading.positions)
    return replace(motion, grace=grace, newest=newest, orders=frozenset(orders), past=past, ripe=reading.ripe)


def row_time(row: Row) -> datetime:
    """Return when this row last changed anything; an order without any time is as old as can be."""
    if isinstance(row, Order):
        return row.updated_at or row.opened_at or _LONG_AGO
    return row.at


_LONG_AGO = datetime.fromisoformat("0001-01-02T00:00:00+00:00")


def _late(snapshot: Snapshot, after: datetime) -> list[Row]:
    late: list[Row] = [fill for fill in snapshot.fills if fill.at > after]
    late += [movement for movement in snapshot.movements if movement.at > after]
    return late + [order for order in snapshot.orders if row_time(order) > after]


def _touched(rows: Iterable[Row]) -> frozenset[Asset]:
    return frozenset(asset for row in rows for asset in _assets_of(row))


def _names_of(row: Row) -> Iterator[str]:
    yield from _assets_of(row)
    if not isinstance(row, Movement):
        yield row.instrument


def _assets_of(row: Row) -> Iterator[Asset]:
    if isinstance(row, Movement):
        yield row.asset
        return
    yield from base_and_quote(row.instrument) or ()
    if isinstance(row, Fill) and row.fee_asset is not None:
        yield row.fee_asset


def _unsettled(internal: Snapshot, exchange: Snapshot, grace: timedelta) -> dict[str, datetime]:
    """Return the orders whose last change may not have reached both sides, and when that change was."""
    after = min(internal.as_of, exchange.as_of) - grace
    changed: dict[str, datetime] = {}
    for snapshot in (internal, exchange):
        changes = [(order.order_id, row_time(order)) for order in snapshot.orders]
        changes += [(fill.order_id, fill.at) for fill in snapshot.fills]
        for order_id, at in changes:
            if order_id and at > after and at > changed.get(order_id, after):
                changed[order_id] = at
    return changed | dict.fromkeys(_ahead_of_their_fills(exchange) - changed.keys(), exchange.as_of)


def _ahead_of_their_fills(exchange: Snapshot) -> set[str]:
    """Return the live orders that have filled otherwise than the exchange's list of fills shows so far.

    A live order has no time of its last change. Whatever it is ahead of the list must be young: the list shows
    everything sooner or later. Only an order whose whole life lies in the window tells that.
    """
    start = exchange.since.fills
    executed: dict[str, list[Fill]] = {}
    for fill in exchange.fills:
        executed.setdefault(fill.order_id or "", []).append(fill)
    return {
        order.order_id
        for order in exchange.orders
        if order.order_id
        and order.status in LIVE_STATUSES
        and (start is None or (order.opened_at is not None and order.opened_at >= start))
        and order.filled != quantity.total(fill.quantity for fill in executed.get(order.order_id, ()))
    }
