"""Rows of one kind in the order of their time, found by time, by id and by filter without walking them.

A benchmark reads hundreds of pages from an account of 30,000 rows, so a page is a slice: times lie beside
the rows for bisection, and every filter that was asked for keeps a growing view of its own. Rows are only
ever appended; nothing is removed or moved.
"""

from bisect import bisect_right
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

PAGE_SIZE = 50  # Kraken REST documentation, Get Ledgers Info

Row = TypeVar("Row")


class History(Generic[Row]):
    """Rows, oldest first, each with its ticks and its id."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.times: list[int] = []
        self._by_id: dict[str, int] = {}
        self._views: dict[Hashable, _View[Row]] = {}

    def __len__(self) -> int:
        return len(self.rows)

    def append(self, row_id: str, ticks: int, row: Row) -> None:
        """Add the newest row; its time is later than every other's."""
        assert not self.times or ticks > self.times[-1], "rows come in the order of their time"
        self._by_id[row_id] = len(self.rows)
        self.rows.append(row)
        self.times.append(ticks)

    def get(self, row_id: str) -> Row | None:
        """Return the row of that id, or None."""
        place = self._by_id.get(row_id)
        return None if place is None else self.rows[place]

    def time_of(self, row_id: str) -> int | None:
        """Return the ticks of the row of that id, or None."""
        place = self._by_id.get(row_id)
        return None if place is None else self.times[place]

    def window(self, after: int, until: int) -> tuple[int, int]:
        """Return the places of the rows later than *after* and not later than *until*."""
        low = bisect_right(self.times, after)
        return low, max(low, bisect_right(self.times, until))

    def page(self, low: int, high: int, offset: int) -> list[Row]:
        """Return at most one page of the rows between two places, newest first, *offset* rows skipped."""
        top = max(low, high - offset)
        return self.rows[max(low, top - PAGE_SIZE) : top][::-1]

    def latest(self, until: int) -> Row | None:
        """Return the newest row that is not later than *until*."""
        place = bisect_right(self.times, until)
        return self.rows[place - 1] if place else None

    def view(self, key: Hashable, keeps: Callable[[Row], bool]) -> "History[Row]":
        """Return the rows that *keeps* accepts; *key* names the filter, so that asking again is cheap."""
        view = self._views.get(key)
        if view is None:
            view = self._views[key] = _View(keeps)
        return view.caught_up(self)


class _View(Generic[Row]):
    """A filtered copy that remembers how far it has read."""

    def __init__(self, keeps: Callable[[Row], bool]) -> None:
        self._keeps = keeps
        self._read = 0
        self._kept: History[Row] = History()

    def caught_up(self, source: History[Row]) -> History[Row]:
        for place in range(self._read, len(source.rows)):
            if self._keeps(source.rows[place]):
                self._kept.rows.append(source.rows[place])
                self._kept.times.append(source.times[place])
        self._read = len(source.rows)
        return self._kept
