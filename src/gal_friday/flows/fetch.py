"""Step 1 of the line: one account in, two snapshots out, each with coverage and proof of its completeness.

A part that cannot be read costs that part and nothing else: its coverage becomes none, with the reason. It
never becomes an empty list (N1), and it never stops the parts that can be read.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from gal_friday.domain.aliases import Aliases, renamed
from gal_friday.domain.records import RECORD_KINDS, Kind, Order
from gal_friday.domain.snapshot import Coverages, NotChecked, Scales, Side, Since, Snapshot
from gal_friday.ports.book import Book
from gal_friday.ports.clock import Clock
from gal_friday.ports.errors import BookFailed, ExchangeFailed
from gal_friday.ports.exchange import Exchange, Reading

OVERLAP = timedelta(minutes=1)
"""Read before the window, so that a record which the two sides date a little apart is found on both."""


class Sources(Struct, frozen=True):
    """The two sides of one account, and the clock that dates their reading."""

    account: str
    exchange: Exchange
    book: Book
    clock: Clock
    aliases: Aliases = Aliases()
    """The trading system's names for assets and instruments."""


class Fetched(Struct, frozen=True):
    """The two snapshots, and what failed on the way to them."""

    internal: Snapshot
    exchange: Snapshot
    errors: tuple[str, ...] = ()


async def fetch(sources: Sources, *, since: datetime, only: Sequence[Kind]) -> Fetched:
    """Return both sides from *since* on. Never raises for a failure of the world: what failed is in the result."""
    try:
        await sources.exchange.open()
        scales = await sources.exchange.scales()
    except ExchangeFailed as failure:
        internal = await _internal(sources, since, Scales())
        return _fetched(internal, _nothing(sources, "exchange", since, str(failure)))
    internal = await _internal(sources, since, scales)
    return _fetched(internal, await _exchange(sources, internal, scales, since, only))


def _fetched(internal: Snapshot, exchange: Snapshot) -> Fetched:
    reasons = [gap.reason for gap in (*internal.not_checked, *exchange.not_checked)]
    return Fetched(internal, exchange, tuple(dict.fromkeys(reasons)))


async def _internal(sources: Sources, since: datetime, scales: Scales) -> Snapshot:
    try:
        book = await sources.book.snapshot(account=sources.account, since=since - OVERLAP, scales=scales)
    except BookFailed as failure:
        return _nothing(sources, "internal", since, str(failure))
    return renamed(replace(book, since=_later(book.since, since)), sources.aliases)


def _later(stated: Since, since: datetime) -> Since:
    """Return the window without the overlap; a book that begins later than that says so, and is believed."""
    return Since(
        orders=max(since, stated.orders or since),
        fills=max(since, stated.fills or since),
        movements=max(since, stated.movements or since),
    )


def _nothing(sources: Sources, side: Side, since: datetime, reason: str) -> Snapshot:
    return Snapshot(
        side=side,
        account=sources.account,
        exchange=sources.exchange.name,
        as_of=sources.clock.now(),
        coverage=Coverages(),
        since=Since(orders=since, fills=since, movements=since),
        not_checked=tuple(NotChecked(kind, reason, side) for kind in RECORD_KINDS),
    )


async def _exchange(
    sources: Sources, internal: Snapshot, scales: Scales, since: datetime, only: Sequence[Kind]
) -> Snapshot:
    """Read part after part. The order matters: what moves late must show in a later part.

    Balances come before the ledger, so that a movement between the two is known and its asset is judged as
    moving rather than as wrong; the ledger before the fills, because it alone knows their true fees.
    """
    exchange, began, start = sources.exchange, sources.clock.now(), since - OVERLAP
    known = _believed(internal.orders)
    parts: dict[Kind, Callable[[], Awaitable[Reading[Any]]]] = {
        Kind.BALANCES: exchange.balances,
        Kind.POSITIONS: exchange.positions,
        Kind.ORDERS: lambda: exchange.orders(since=start, known=known),
        Kind.MOVEMENTS: lambda: exchange.movements(since=start, until=sources.clock.now()),
        Kind.FILLS: lambda: exchange.fills(since=start, until=sources.clock.now()),
    }
    readings = {kind: await _part(kind, read) for kind, read in parts.items() if kind in only}
    return _snapshot(sources, readings, scales, since, began)


def _believed(orders: Sequence[Order]) -> tuple[str, ...]:
    """Return the ids that the exchange has to be asked for: a rejected order never had one there."""
    return tuple(sorted({order.order_id for order in orders if order.order_id and order.status != "rejected"}))


async def _part(kind: Kind, read: Callable[[], Awaitable[Reading[Any]]]) -> Reading[Any] | NotChecked:
    try:
        return await read()
    except ExchangeFailed as failure:
        return NotChecked(kind, str(failure), "exchange")


def _snapshot(
    sources: Sources,
    readings: dict[Kind, Reading[Any] | NotChecked],
    scales: Scales,
    since: datetime,
    began: datetime,
) -> Snapshot:
    done = {kind: reading for kind, reading in readings.items() if isinstance(reading, Reading)}
    failed = [gap for gap in readings.values() if isinstance(gap, NotChecked)]
    partial = [NotChecked(kind, why, "exchange") for kind, part in done.items() for why in part.reasons]
    rows: dict[str, Any] = {kind.value: part.rows for kind, part in done.items()}
    heads = [part.head for part in done.values() if part.head]
    return Snapshot(
        side="exchange",
        account=sources.account,
        exchange=sources.exchange.name,
        as_of=began,
        coverage=Coverages(**{kind.value: part.coverage for kind, part in done.items()}),
        since=Since(orders=since, fills=since, movements=since),
        **rows,
        scales=scales,
        version=heads[-1] if heads else None,
        not_checked=(*failed, *partial),
        notes=tuple(note for part in done.values() for note in part.notes),
        evidence=tuple(evidence for part in done.values() for evidence in part.evidence),
    )
