"""A book in memory: for a trial, a test, or a trading system that feeds it anew at every start.

It obeys the same rules as the one in a database, and is gone with the process.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from gal_friday.adapters.book_sql.entries import (
    fill_entries,
    movement_entries,
    new_order_entries,
    order_name,
)
from gal_friday.adapters.book_sql.opening import opening_of
from gal_friday.adapters.book_sql.view import (
    BEGINNING,
    Gathering,
    Head,
    check_empty,
    check_exchange,
    unknown_account,
)
from gal_friday.domain.records import Fill, Movement, Order
from gal_friday.domain.snapshot import Scales, Snapshot
from gal_friday.ports.book import Appended
from gal_friday.ports.clock import Clock


class _Shelf:
    """The entries of one account."""

    def __init__(self, head: Head) -> None:
        self.head = head
        self.fills: list[Fill] = []
        self.movements: list[Movement] = []
        self.orders: list[Order] = []
        self.ids: set[str] = set()
        self.states: dict[str, list[str]] = {}

    def add(self, fills: Sequence[Fill], movements: Sequence[Movement], orders: Sequence[Order]) -> Appended:
        account = self.head.account
        new_fills = [one for one in fill_entries(account, fills) if one.entry_id not in self.ids]
        new_movements = [one for one in movement_entries(account, movements) if one.entry_id not in self.ids]
        new_orders = new_order_entries(account, orders, self.states)
        self.fills += [one.record for one in new_fills]
        self.movements += [one.record for one in new_movements]
        self.orders += [one.record for one in new_orders]
        self.ids.update(one.entry_id for one in new_fills)
        self.ids.update(one.entry_id for one in new_movements)
        for one in new_orders:
            name = order_name(one.record.order_id, one.record.client_order_id)
            self.states.setdefault(name, []).append(one.content)
        new = len(new_fills) + len(new_movements) + len(new_orders)
        if new:
            self.head = msgspec.structs.replace(self.head, version=self.head.version + 1)
        return Appended(self.head.version, new, len(fills) + len(movements) + len(orders) - new)


class MemoryBook:
    """A ``Book`` and ``BookWriter`` that keeps its entries in memory."""

    def __init__(self, *, clock: Clock) -> None:
        """Keep the clock that stamps snapshots."""
        self._clock = clock
        self._shelves: dict[str, _Shelf] = {}

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
        shelf = self._shelves.setdefault(account, _Shelf(Head(account=account, exchange=exchange)))
        check_exchange(shelf.head, exchange)
        return shelf.add(fills, movements, orders)

    async def open_with(self, snapshot: Snapshot) -> Appended:
        """Begin the account's book so that it says what *snapshot* states; see ``opening_of``."""
        known = self._shelves.get(snapshot.account)
        check_empty(known.head if known else None)
        opening = opening_of(snapshot)
        shelf = _Shelf(
            Head(
                account=snapshot.account,
                exchange=snapshot.exchange,
                fills_since=opening.fills_since,
                movements_since=opening.movements_since,
            )
        )
        self._shelves[snapshot.account] = shelf
        return shelf.add(opening.fills, opening.movements, snapshot.orders)

    async def snapshot(self, *, account: str, since: datetime, scales: Scales) -> Snapshot:
        """Return the internal side; see ``Book``."""
        shelf = self._shelves.get(account)
        if shelf is None:
            raise unknown_account(account)
        gathering = Gathering(shelf.head, since=since, scales=scales)
        gathering.move(shelf.movements)
        gathering.fill(shelf.fills)
        gathering.order(shelf.orders)
        return gathering.snapshot(self._clock.now())

    async def version(self, account: str) -> str | None:
        """Return the version that a snapshot taken now would state; see ``Book``."""
        shelf = self._shelves.get(account)
        return None if shelf is None else str(shelf.head.version)

    async def export(self, account: str) -> Snapshot:
        """Return everything that the book has, from its beginning; a new book can be opened with it."""
        return await self.snapshot(account=account, since=BEGINNING, scales=Scales())
