"""Progress while pages load: on a terminal's stderr, and nowhere else."""

import sys
from typing import TYPE_CHECKING

from gal_friday.cli.output import err, printable

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class Meter:
    """A ``Progress`` callback that shows what is being read until it is cleared; silent without a terminal."""

    def __init__(self) -> None:
        """Show nothing yet."""
        self._wanted = sys.stderr.isatty()
        self._bars: Progress | None = None
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, what: str, done: int, expected: int | None) -> None:
        """Show that *done* rows of *what* are read, of *expected* where that is known."""
        if not self._wanted:
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
