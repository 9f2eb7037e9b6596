"""Progress of what takes long: on a terminal's stderr; elsewhere as lines, and only where somebody asks for them."""

import sys
from typing import TYPE_CHECKING

from gal_friday.cli.output import err, printable, say

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

_OFTEN = 10_000
"""So many more are worth another line."""


class Meter:
    """A ``Progress`` callback that shows what is being read until it is cleared."""

    def __init__(self, *, anywhere: bool = False) -> None:
        """Show nothing yet. Without a terminal nothing is ever shown, unless it is to be *anywhere*: as lines."""
        terminal = sys.stderr.isatty()
        self._wanted = terminal or anywhere
        self._as_lines = None if terminal else _Lines()
        self._bars: Progress | None = None
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, what: str, done: int, expected: int | None) -> None:
        """Show that *done* rows of *what* are read, of *expected* where that is known."""
        if not self._wanted:
            return
        if self._as_lines is not None:
            self._as_lines(what, done, expected)
            return
        bars = self._shown()
        if what not in self._tasks:
            self._tasks[what] = bars.add_task(printable(what), total=None)
        bars.update(self._tasks[what], completed=done, total=expected)

    def clear(self) -> None:
        """Take everything off the terminal again, so that a result can follow."""
        if self._bars is not None:
            self._bars.stop()
        self._bars = None
        self._tasks = {}

    def _shown(self) -> "Progress":
        if self._bars is None:
            from rich.progress import Progress, SpinnerColumn, TextColumn

            # A spinner and a count: how many rows there will be is rarely known before the last page.
            columns = (SpinnerColumn(), TextColumn("{task.description}"), TextColumn("{task.completed:.0f}"))
            self._bars = Progress(*columns, console=err(), transient=True)
            self._bars.start()
        return self._bars


class _Lines:
    """Progress in a log: a line for each thing that begins, one when its end is known, and one now and then."""

    def __init__(self) -> None:
        self._said: dict[str, int] = {}

    def __call__(self, what: str, done: int, expected: int | None) -> None:
        begins = what not in self._said
        if begins or (done == expected and self._said[what] != done) or done - self._said[what] >= _OFTEN:
            self._said[what] = done
            say(f"{what}: {done:,}" if done else f"{what} …")
