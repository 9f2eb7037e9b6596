"""Reading a list that comes in pages, newest first, while it may move under the reader.

Each page overlaps the one before by a row, so that a page that was skipped, repeated or shifted shows
itself. The list has ended when a short page says so twice, or once together with the exchange's own
count, which is compared and never trusted alone. A failed page fails the read: nothing partial leaks (N1).

Source: Kraken REST documentation, Get Ledgers Info (50 rows a page, offset from the newest).
"""

from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from msgspec import Struct

from gal_friday.ports.exchange import Progress

Row = TypeVar("Row")

PAGE_SIZE = 50
PAGES_MAX = 6000
"""About 300,000 rows; beyond that an export is the better source."""

_LOOKS = 3
"""How often a page that does not fit is asked for in all."""
_STUCK_MAX = 3


class Page(Struct, Generic[Row], frozen=True):
    """One page, newest row first."""

    rows: dict[str, Row]
    count: int | None = None
    """How many rows the exchange says match in all."""


Fetch = Callable[[int], Awaitable[Page[Row]]]
"""Returns the page that starts at this offset from the newest row."""


class Collected(Struct, Generic[Row], frozen=True):
    """All rows, newest first, and what stands against their being all."""

    rows: dict[str, Row]
    reasons: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


async def collect(
    fetch: Fetch[Row], *, what: str, progress: Progress | None = None, pages_max: int = PAGES_MAX
) -> Collected[Row]:
    """Return every row of the list, each once.

    Raises:
        ExchangeFailed: one page could not be read.
    """
    reader = _Reader(fetch, what, progress, pages_max)
    await reader.walk()
    if reader.moved or reader.fewer_than_counted:
        await reader.look_at_the_head_again()
    return reader.collected()


class _Reader(Generic[Row]):
    def __init__(self, fetch: Fetch[Row], what: str, progress: Progress | None, pages_max: int) -> None:
        self._fetch = fetch
        self._what = what
        self._progress = progress
        self._pages_left = pages_max
        self._rows: dict[str, Row] = {}
        self._count: int | None = None
        self._twice = 0
        self._stuck = 0
        self._passed = 0
        self._reasons: list[str] = []
        self._holes: list[str] = []
        self.moved = False

    @property
    def fewer_than_counted(self) -> bool:
        """Say whether the exchange knows of more rows than were found."""
        return self._count is not None and self._count > len(self._rows)

    async def walk(self) -> None:
        offset = 0
        while True:
            page = await self._page_that_fits(offset)
            if page is None:
                return
            new = self._take(page, offset)
            if self._ended(page, offset, new):
                return
            if new:
                self._stuck = 0
            # Counted by what is known and not by the length of pages, which may hold rows twice: so the
            # next page begins at the last known row, moved on by the rows that arrived before it.
            if offset > 0 and len(page.rows) == PAGE_SIZE:
                self._passed += PAGE_SIZE - new - 1
            offset = max(0, len(self._rows) + self._passed - 1)

    async def look_at_the_head_again(self) -> None:
        """Read from the newest row until nothing is new: rows that arrived in between stand there."""
        found: dict[str, Row] = {}
        offset = 0
        while True:
            page = await self._ask(offset)
            if page is None:
                break
            known = self._rows.keys() | found.keys()
            fresh = {name: row for name, row in page.rows.items() if name not in known}
            found.update(fresh)
            if not fresh or len(page.rows) < PAGE_SIZE:
                break
            offset += len(page.rows) - 1
        self._rows = {**found, **self._rows}

    def collected(self) -> Collected[Row]:
        notes = []
        if self._twice:
            notes.append(f"{self._what}: {self._twice} rows came twice; the list moved while it was read")
        # A hole that a later look has filled, down to the exchange's own count, is none.
        (notes if self._count == len(self._rows) else self._reasons).extend(self._holes)
        if self._count is not None and self._count != len(self._rows):
            compared = f"{self._what}: the exchange counts {self._count} rows, {len(self._rows)} were found"
            # Its count proves nothing by agreeing; that it knows of more rows is a reason to doubt.
            if self.fewer_than_counted:
                self._reasons.append(f"{compared}; run again")
            else:
                notes.append(compared)
        return Collected(self._rows, tuple(self._reasons), tuple(notes))

    async def _page_that_fits(self, offset: int) -> Page[Row] | None:
        """Return the page at this offset, taken in; None where the reading has to end here."""
        looks = 0
        while True:
            looks += 1
            page = await self._ask(offset)
            if page is None:
                return None
            misfit = self._misfit(page, offset)
            if misfit == "hole" and self._passed:
                # Fewer rows arrived than it seemed: look from the last known row itself.
                offset, self._passed, looks = offset - self._passed, 0, 0
            elif misfit is None or looks >= _LOOKS:
                break
        if misfit is not None and not self._goes_on_in_spite_of(misfit, page):
            return None
        return page

    def _misfit(self, page: Page[Row], offset: int) -> str | None:
        """Say why this page cannot follow what was read so far; None if it can."""
        if not page.rows:
            expected = offset > 0 if page.count is None else page.count > len(self._rows)
            return "empty" if expected else None
        known = sum(name in self._rows for name in page.rows)
        if offset > 0 and not known:
            return "hole"
        if offset > 0 and known == len(page.rows) >= PAGE_SIZE:
            return "repeated"
        return None

    def _goes_on_in_spite_of(self, misfit: str, page: Page[Row]) -> bool:
        if misfit == "hole":
            first = next(iter(page.rows))
            self._holes.append(
                f"{self._what}: the page before row {first} does not reach it, rows may be missing; run again"
            )
            return True
        if misfit == "repeated":
            self._stuck += 1
            if self._stuck < _STUCK_MAX:
                return True
            self._reasons.append(f"{self._what}: the same page came again and again; run again later")
            return False
        self._reasons.append(f"{self._what}: the list ended before its last known row; run again")
        return False

    def _take(self, page: Page[Row], offset: int) -> int:
        known = 0
        for name, row in page.rows.items():
            if name not in self._rows:
                self._rows[name] = row
                continue
            known += 1
            if self._rows[name] != row:
                self._reasons.append(f"{self._what}: row {name} came twice and differs; run again")
        # One row of overlap is ours; more came because the list moved. A page that only confirms the end is
        # no movement.
        surplus = known - 1 if offset > 0 else 0
        if surplus > 0:
            self._twice += surplus
            self.moved = True
        self._count = page.count if page.count is not None else self._count
        if self._progress is not None:
            self._progress(self._what, len(self._rows), self._count)
        return len(page.rows) - known

    def _ended(self, page: Page[Row], offset: int, new: int) -> bool:
        if len(page.rows) >= PAGE_SIZE:
            return False
        only_overlap = len(page.rows) <= 1 and offset > 0
        return not new or only_overlap or page.count == len(self._rows)

    async def _ask(self, offset: int) -> Page[Row] | None:
        if self._pages_left <= 0:
            self._reasons.append(
                f"{self._what}: more pages than this read may take; choose a later start or import an export"
            )
            return None
        self._pages_left -= 1
        return await self._fetch(offset)
