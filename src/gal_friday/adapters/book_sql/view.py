"""What a book says: its entries, rolled up and cut to the window that was asked for.

The book is by definition all that the trading system holds, so its coverage is total; except where an
entry cannot be understood, and then what depends on it is only partial (I15).
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from operator import attrgetter
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from gal_friday.domain.adjustment import StandingPlug
from gal_friday.domain.give_way import said, suspense_of, written_out
from gal_friday.domain.records import LIVE_STATUSES, Fill, Kind, Movement, Order
from gal_friday.domain.roll_up import LatestOrders, Rolling
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


def at_version(head: Head, version: str) -> Head:
    """Return the head of the same book as it was at this version.

    Raises:
        BookFailed: it never had this version.
    """
    number = int(version) if version.isascii() and version.isdigit() else -1
    if not 0 <= number <= head.version:
        raise BookFailed(
            f"the book of {head.account!r} is at version {head.version} and never had version {version}; "
            "restore the database of that time"
        )
    # From when on a book speaks is stated by what opens it, which is its first version.
    return replace(head, version=number) if number else Head(account=head.account, exchange=head.exchange)


def unknown_account(account: str) -> BookFailed:
    """Return the refusal to speak for an account that this book has never heard of (N1: it is not empty)."""
    return BookFailed(
        f"the book has no account {account!r}; import what it holds: gal-friday book import FILE --account {account}"
    )


def unreadable_book(account: str, reason: str) -> BookFailed:
    """Return the refusal to read a book in part: one of its entries is not what this program wrote."""
    return BookFailed(
        f"the book of {account!r} holds an entry that this program did not write ({reason}); "
        "keep a copy of the database, and restore it from a backup"
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


class Gathering:
    """A snapshot in the making. Entries come in portions; of each only what the snapshot shows is held.

    Movements come before fills. A window begins at *since*, or later where the book knows no more; from
    ``BEGINNING`` on it is everything, what opened the book included.
    """

    def __init__(self, head: Head, *, since: datetime, scales: Scales) -> None:
        """Begin with the book's head and no entry."""
        self._head = head
        self._scales = scales
        self._rolling = Rolling(scales)
        self._latest = LatestOrders()
        self._window = Since(
            orders=_window(since, None),
            fills=_window(since, head.fills_since),
            movements=_window(since, head.movements_since),
        )
        self._everything = since == BEGINNING
        self._movements: list[Movement] = []
        self._legs: list[Movement] = []
        self._fills: list[Fill] = []
        self._plugs: Sequence[StandingPlug] = ()

    def plug(self, plugs: Sequence[StandingPlug]) -> None:
        """Take all the plugs that stand."""
        self._plugs = plugs
        self._movements += self._shown(self._rolling.plug(plugs), self._window.movements)

    def move(self, movements: Sequence[Movement]) -> None:
        """Take these movements, in the order in which they were added."""
        self._rolling.move(movements)
        self._movements += self._shown(movements, self._window.movements)

    def fill(self, fills: Sequence[Fill]) -> None:
        """Take these fills, in the order in which they were added."""
        self._legs += self._shown(self._rolling.fill(fills), self._window.movements)
        self._fills += self._shown(fills, self._window.fills)

    def order(self, orders: Iterable[Order]) -> None:
        """Take these states of orders, in the order in which they were added."""
        self._latest.take(orders)

    def snapshot(self, as_of: datetime) -> Snapshot:
        """Return the internal side at *as_of*, records of the window, the oldest first."""
        underivable = self._rolling.underivable()
        since = self._window.orders
        suspense = suspense_of(self._plugs)
        return Snapshot(
            side="internal",
            account=self._head.account,
            exchange=self._head.exchange,
            as_of=as_of,
            coverage=_coverage(underivable),
            since=self._window,
            balances=self._rolling.balances(),
            positions=self._rolling.positions(),
            orders=tuple(order for order in self._latest.orders if since is None or _in_window(order, since)),
            fills=_oldest_first(self._fills),
            movements=_oldest_first(self._movements + self._legs),
            scales=self._scales,
            version=str(self._head.version),
            not_checked=_gaps(underivable),
            notes=tuple(map(said, suspense)),
            extra={"suspense": [*map(written_out, suspense)]} if suspense else None,
        )

    def _shown(self, records: Sequence[Dated], first: datetime | None) -> Sequence[Dated]:
        if self._everything or first is None:
            return records
        return [record for record in records if record.at >= first]


def _window(since: datetime, known_since: datetime | None) -> datetime | None:
    first = since if known_since is None else max(since, known_since)
    return None if first == BEGINNING else first


def _oldest_first(records: Iterable[Dated]) -> tuple[Dated, ...]:
    return tuple(sorted(records, key=attrgetter("at")))


def _in_window(order: Order, since: datetime) -> bool:
    # Without a time nobody can say that it is over.
    return order.status in LIVE_STATUSES or order.updated_at is None or order.updated_at >= since


def _coverage(underivable: Sequence[Fill]) -> Coverages:
    if not underivable:
        return _ALL
    return Coverages(
        balances=Coverage.PARTIAL,
        positions=_ALL.positions,
        orders=_ALL.orders,
        fills=_ALL.fills,
        movements=Coverage.PARTIAL,
    )


def _gaps(underivable: Sequence[Fill]) -> tuple[NotChecked, ...]:
    if not underivable:
        return ()
    names = sorted({fill.instrument for fill in underivable})
    reason = (
        f"{len(underivable)} fills of {', '.join(names[:5])} do not tell which assets they moved; "
        "name the instrument as BASE/QUOTE, or record their movements"
    )
    return tuple(NotChecked(kind, reason, "internal") for kind in (Kind.BALANCES, Kind.MOVEMENTS))
