"""What a book says: its entries, rolled up and cut to the window that was asked for.

The book is by definition all that the trading system holds, so its coverage is total; except where an
entry cannot be understood, and then what depends on it is only partial (I15).
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from operator import attrgetter
from typing import TypeVar

from msgspec import Struct

from gal_friday.domain.records import LIVE_STATUSES, Fill, Kind, Movement, Order
from gal_friday.domain.roll_up import RolledUp, roll_up
from gal_friday.domain.snapshot import Coverage, Coverages, NotChecked, Scales, Since, Snapshot
from gal_friday.ports.errors import BookFailed

Dated = TypeVar("Dated", Fill, Movement)

BEGINNING = datetime.min.replace(tzinfo=UTC)
_ALL = Coverages(
    balances=Coverage.TOTAL,
    positions=Coverage.TOTAL,
    orders=Coverage.TOTAL,
    fills=Coverage.TOTAL,
    movements=Coverage.TOTAL,
)


class Head(Struct, frozen=True, kw_only=True):
    """What a book says about itself."""

    account: str
    exchange: str
    version: int = 0
    fills_since: datetime | None = None
    movements_since: datetime | None = None


class Entries(Struct, frozen=True):
    """All entries of one book, in the order in which they were added."""

    fills: Sequence[Fill]
    movements: Sequence[Movement]
    orders: Sequence[Order]


def unknown_account(account: str) -> BookFailed:
    """Return the refusal to speak for an account that this book has never heard of (N1: it is not empty)."""
    return BookFailed(
        f"the book has no account {account!r}; import what it holds: gal-friday book import FILE --account {account}"
    )


def check_exchange(head: Head, exchange: str) -> None:
    """Raise BookFailed where entries of another exchange come for this account."""
    if head.exchange != exchange:
        raise BookFailed(
            f"account {head.account!r} is kept at {head.exchange}, the entries are of {exchange}; "
            "use another account name for them"
        )


def check_empty(head: Head | None) -> None:
    """Raise BookFailed where a book has begun already."""
    if head is not None and head.version:
        raise BookFailed(
            f"the book of {head.account!r} has begun already (version {head.version}) and keeps what it has; "
            "append to it, or open another account"
        )


def snapshot_of(head: Head, entries: Entries, *, since: datetime, as_of: datetime, scales: Scales) -> Snapshot:
    """Return the internal side at *as_of*, records from *since* on, the oldest first.

    From ``BEGINNING`` on it is everything, what opened the book included.
    """
    rolled = roll_up(fills=entries.fills, movements=entries.movements, orders=entries.orders, scales=scales)
    window = Since(
        orders=_window(since, None),
        fills=_window(since, head.fills_since),
        movements=_window(since, head.movements_since),
    )
    everything = since == BEGINNING
    return Snapshot(
        side="internal",
        account=head.account,
        exchange=head.exchange,
        as_of=as_of,
        coverage=_coverage(rolled),
        since=window,
        balances=rolled.balances,
        positions=rolled.positions,
        orders=tuple(order for order in rolled.orders if _in_window(order, since)),
        fills=_from(entries.fills, None if everything else window.fills),
        movements=_from([*entries.movements, *rolled.legs], None if everything else window.movements),
        scales=scales,
        version=str(head.version),
        not_checked=_gaps(rolled),
    )


def _window(since: datetime, known_since: datetime | None) -> datetime | None:
    first = since if known_since is None else max(since, known_since)
    return None if first == BEGINNING else first


def _from(records: Iterable[Dated], first: datetime | None) -> tuple[Dated, ...]:
    return tuple(sorted((record for record in records if first is None or record.at >= first), key=attrgetter("at")))


def _in_window(order: Order, since: datetime) -> bool:
    # Without a time nobody can say that it is over.
    return order.status in LIVE_STATUSES or order.updated_at is None or order.updated_at >= since


def _coverage(rolled: RolledUp) -> Coverages:
    if not rolled.underivable:
        return _ALL
    return Coverages(
        balances=Coverage.PARTIAL,
        positions=_ALL.positions,
        orders=_ALL.orders,
        fills=_ALL.fills,
        movements=Coverage.PARTIAL,
    )


def _gaps(rolled: RolledUp) -> tuple[NotChecked, ...]:
    if not rolled.underivable:
        return ()
    names = sorted({fill.instrument for fill in rolled.underivable})
    reason = (
        f"{len(rolled.underivable)} fills of {', '.join(names[:5])} do not tell which assets they moved; "
        "name the instrument as BASE/QUOTE, or record their movements"
    )
    return tuple(NotChecked(kind, reason, "internal") for kind in (Kind.BALANCES, Kind.MOVEMENTS))
