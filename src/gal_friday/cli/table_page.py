"""``compare --html``: what two tables came to as one page. Whether it can be written is known before they are read."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from gal_friday.bulk.day_over_day import DayOverDay
from gal_friday.bulk.errors import EngineMissing
from gal_friday.bulk.judge import Terms
from gal_friday.bulk.rows import Rejected
from gal_friday.bulk.weighed import Weighed
from gal_friday.cli.files import UnusableFile, write_new
from gal_friday.cli.table_options import shown
from gal_friday.domain.snapshot import Side
from gal_friday.flows.reconcile_many import Outcome

_REFUSED = 100


class Page:
    """A page to be written."""

    def __init__(self, target: Path, places: Mapping[Side, str]) -> None:
        """Take the name of the file, and where both sides are.

        Raises:
            EngineMissing: what draws pages is not installed.
            UnusableFile: there is no such folder, or no right to write in it.
        """
        try:
            from gal_friday.web import tables  # it needs an extra
        except ModuleNotFoundError as error:
            raise EngineMissing(
                "--html: pages are drawn by Jinja2, those of the dashboard too; "
                "install it: pip install 'gal-friday[server]'"
            ) from error
        if target.is_dir() or not os.access(target.parent, os.W_OK):
            raise UnusableFile(f"cannot write {target}; name a file in a folder that is yours")
        self._target, self._drawn = target, tables
        self._names = {side: shown(place) for side, place in places.items()}

    def write(
        self, outcome: Outcome, weighed: Weighed, refused: Sequence[Rejected], turn: DayOverDay | None, terms: Terms,
        seconds: float,
    ) -> None:  # fmt: skip
        """Write it, whole."""
        about = self._drawn.About(
            names=self._names,
            exchange=terms.exchange,
            at=terms.as_of,
            seconds=seconds,
            currency=terms.policy.reporting_currency,
        )
        page = self._drawn.page(outcome, weighed, refused[:_REFUSED], turn, about)
        write_new(self._target, page.encode(), force=True)
