"""The two channels held against each other: a ledger row of a fill whose execution never came.

Every fill has its rows in the ledger, under its own id (K4). So even where the last frame of the executions is
lost, and no number after it shows the gap, the balances tell that there was one.
"""

from datetime import datetime, timedelta

from gal_friday.adapters.kraken.stream_memory import Seen
from gal_friday.adapters.kraken.wire import Row
from gal_friday.ports.stream import Missed

GRACE = timedelta(seconds=3)
"""The two channels are not in step with each other."""

_OF_FILLS = frozenset({"trade"})
_WAITING_MAX = 10_000


class Pairs:
    """Fills that the balances told of, and the executions not yet."""

    def __init__(self, fills: Seen, grace: timedelta = GRACE) -> None:
        """Look for executions among *fills*."""
        self._fills = fills
        self._grace = grace
        self._waiting: dict[str, datetime] = {}

    def entries(self, rows: tuple[Row, ...], at: datetime) -> None:
        """Remember the fills that these ledger rows are of."""
        for row in rows:
            name = row.get("ref_id")
            if row.get("type") in _OF_FILLS and isinstance(name, str) and name and name not in self._fills:
                self._waiting.setdefault(name, at)
        while len(self._waiting) > _WAITING_MAX:
            del self._waiting[next(iter(self._waiting))]

    def overdue(self, at: datetime) -> list[Missed]:
        """Return a ``Missed`` for every fill whose execution should have come by now."""
        due = [name for name, since in self._waiting.items() if at - since >= self._grace or name in self._fills]
        missed = [
            Missed(f"fill {name}: its ledger row came, its execution did not", at)
            for name in due
            if name not in self._fills
        ]
        for name in due:
            del self._waiting[name]
        return missed
