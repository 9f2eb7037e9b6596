"""A book in memory: for a trial, a test, or a trading system that feeds it anew at every start.

It obeys the same rules as the one in a database, and is gone with the process.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import count

from msgspec.structs import replace

from gal_friday.adapters.book_sql.delivery import delivered, name_of, replaced_by
from gal_friday.adapters.book_sql.entries import (
    fill_entries,
    movement_entries,
    new_order_entries,
    order_name,
)
from gal_friday.adapters.book_sql.opening import opening_of
from gal_friday.adapters.book_sql.shelf import Entry, PlugRow, Reversal, Shelf, Written, standing_plugs, taken_back
from gal_friday.adapters.book_sql.view import (
    BEGINNING,
    Gathering,
    Head,
    at_version,
    check_empty,
    check_exchange,
    unknown_account,
)
from gal_friday.domain.give_way import event_of
from gal_friday.domain.records import Fill, Movement, Order
from gal_friday.domain.snapshot import Scales, Snapshot
from gal_friday.ports.book import Appended
from gal_friday.ports.clock import Clock


class Kept:
    """The book of one account."""

    def __init__(self, head: Head) -> None:
        """Begin with no entry."""
        self.head = head
        self.entries: list[Entry] = []
        self.reversals: list[Reversal] = []
        self.plugs: list[PlugRow] = []
        self._adjusted = False
        self._ids: set[str] = set()
        self._named: dict[str, list[Entry]] = {}
        """Entries by the event or order that they belong to, and by their own id."""
        self._states: dict[str, list[str]] = {}

    def shelf(self) -> Shelf:
        """Return all of it, laid out."""
        version = self.head.version
        return Shelf(version=version, entries=self.entries, reversals=self.reversals, plugs=self.plugs)

    def about(self, names: Iterable[str]) -> Shelf:
        """Return the events and orders that go by these names, each with all its entries, laid out."""
        entries: dict[str, Entry] = {}
        new, known = {*names}, set[str]()
        while new:
            found = [one for name in new for one in self._named.get(name, ())]
            entries.update((one.entry_id, one) for one in found)
            known |= new
            new = {name for one in found for name in _names(one.record)} - known
        return replace(self.shelf(), entries=[*entries.values()])

    def rewrite(self, entries: Sequence[Entry]) -> None:
        """Have these entries and no others, as if somebody had changed them behind the back of everybody."""
        self.entries, self._named = [*entries], {}
        self._name(self.entries)

    def _name(self, entries: Iterable[Entry]) -> None:
        for one in entries:
            for name in _names(one.record):
                self._named.setdefault(name, []).append(one)

    def write(self, written: Written) -> None:
        """Add what was decided on, as one version."""
        self.entries += written.entries
        self._name(written.entries)
        self.reversals += written.reversals
        self.plugs += written.plugs
        self._adjusted |= bool(written.plugs or written.reversals or any(one.adjustment_id for one in written.entries))
        self.head = replace(self.head, version=self.head.version + 1)

    def add(self, fills: Sequence[Fill], movements: Sequence[Movement], orders: Sequence[Order]) -> Appended:
        """Add what the trading system delivered, as far as it is new."""
        account = self.head.account
        new_fills = [one for one in fill_entries(account, fills) if one.entry_id not in self._ids]
        new_movements = [one for one in movement_entries(account, movements) if one.entry_id not in self._ids]
        new_orders = new_order_entries(account, orders, self._states)
        self._ids.update(one.entry_id for one in new_fills)
        self._ids.update(one.entry_id for one in new_movements)
        for one in new_orders:
            name = order_name(one.record.order_id, one.record.client_order_id)
            self._states.setdefault(name, []).append(one.content)
        seq = self.head.version + 1
        # One line after the other over all three: a part that is laid out comes in the order of the whole.
        lines = count()
        new = [Entry(one.entry_id, one.record, None, seq, next(lines)) for one in new_fills]
        new += [Entry(one.entry_id, one.record, None, seq, next(lines)) for one in new_movements]
        new += [Entry(one.entry_id, one.record, None, seq, next(lines)) for one in new_orders]
        # Only what was posted by an adjustment can give way: the book need not be laid out where nothing was.
        written = delivered(self.about(_all_names(fills, movements)), new) if self._adjusted else Written(entries=new)
        if new:
            self.write(written)
        known = len(fills) + len(movements) + len(orders) - len(new)
        return Appended(self.head.version, len(new), known, written.gave_way, replaced_by(written, self.entries))


def _all_names(fills: Sequence[Fill], movements: Sequence[Movement]) -> Iterable[str]:
    return set[str]().union(*map(_names, fills), *map(_names, movements))


def _names(record: Fill | Movement | Order) -> set[str]:
    if isinstance(record, Order):
        return {name for name in (record.order_id, record.client_order_id) if name is not None}
    return {event_of(record), name_of(record)}


class MemoryBook:
    """A ``Book`` and ``BookWriter`` that keeps its entries in memory."""

    def __init__(self, *, clock: Clock) -> None:
        """Keep the clock that stamps snapshots."""
        self._clock = clock
        self._shelves: dict[str, Kept] = {}

    def kept(self, account: str) -> Kept | None:
        """Return the book of one account, for who posts adjustments; None where there is none."""
        return self._shelves.get(account)

    async def accounts(self) -> tuple[str, ...]:
        """Return the names of all accounts, sorted."""
        return tuple(sorted(self._shelves))

    async def append(
        self,
        *,
        account: str,
        exchange: str,
        fills: Sequence[Fill] = (),
        movements: Sequence[Movement] = (),
        orders: Sequence[Order] = (),
    ) -> Appended:
        """Add entries; see ``BookWriter``. Without any entry the account begins as an empty one."""
        shelf = self._shelves.setdefault(account, Kept(Head(account=account, exchange=exchange)))
        check_exchange(shelf.head, exchange)
        return shelf.add(fills, movements, orders)

    async def open_with(self, snapshot: Snapshot) -> Appended:
        """Begin the account's book so that it says what *snapshot* states; see ``opening_of``."""
        known = self._shelves.get(snapshot.account)
        check_empty(known.head if known else None)
        opening = opening_of(snapshot)
        shelf = Kept(
            Head(
                account=snapshot.account,
                exchange=snapshot.exchange,
                fills_since=opening.fills_since,
                movements_since=opening.movements_since,
            )
        )
        self._shelves[snapshot.account] = shelf
        return shelf.add(opening.fills, opening.movements, snapshot.orders)

    async def snapshot(self, *, account: str, since: datetime, scales: Scales, version: str | None = None) -> Snapshot:
        """Return the internal side, or what it was at *version*; see ``SqlBook``."""
        shelf = self._shelves.get(account)
        if shelf is None:
            raise unknown_account(account)
        head = shelf.head if version is None else at_version(shelf.head, version)
        gathering = Gathering(head, since=since, scales=scales)
        fallen = taken_back(one for one in shelf.reversals if one.seq <= head.version)
        standing = [one.record for one in shelf.entries if one.seq <= head.version and one.entry_id not in fallen]
        gathering.move([one for one in standing if isinstance(one, Movement)])
        gathering.fill([one for one in standing if isinstance(one, Fill)])
        gathering.order(one for one in standing if isinstance(one, Order))
        gathering.plug(standing_plugs(one for one in shelf.plugs if one.seq <= head.version))
        return gathering.snapshot(self._clock.now())

    async def version(self, account: str) -> str | None:
        """Return the version that a snapshot taken now would state; see ``Book``."""
        shelf = self._shelves.get(account)
        return None if shelf is None else str(shelf.head.version)

    async def export(self, account: str) -> Snapshot:
        """Return everything that the book has, from its beginning; a new book can be opened with it."""
        return await self.snapshot(account=account, since=BEGINNING, scales=Scales())
