"""Fills against ledger rows: each trade has its rows, each row of a trade has its trade (K4).

Two lists of the same exchange that were read independently prove more than either alone. Near the edges
of the window nothing is concluded: a trade and its rows can be booked a moment apart.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from gal_friday.domain.records import Fill, Movement

# Kraken's lists can lag behind a trade by about a minute.
LAG = timedelta(seconds=90)
_EDGE = timedelta(seconds=5)

_SHOWN = 5


class Window(Struct, frozen=True):
    """The time in which both lists must agree."""

    since: datetime
    until: datetime

    def holds(self, at: datetime) -> bool:
        """Say whether something of this instant must be in both lists."""
        return self.since + _EDGE < at < self.until - LAG

    def common(self, other: "Window") -> "Window":
        """Return the part that lies in both windows."""
        return Window(max(self.since, other.since), min(self.until, other.until))


def trades_only_in_ledger(fills: Sequence[Fill], movements: Sequence[Movement], window: Window) -> tuple[str, ...]:
    """Return the ids of trades that the ledger knows and the trade list does not, sorted."""
    known = {fill.fill_id for fill in fills}
    return tuple(
        sorted(
            {
                movement.refers_to
                for movement in movements
                if movement.kind == "trade"
                and movement.refers_to is not None
                and movement.refers_to not in known
                and window.holds(movement.at)
            }
        )
    )


def fills_without_rows(fills: Sequence[Fill], movements: Sequence[Movement], window: Window) -> tuple[str, ...]:
    """Return the ids of spot fills that no ledger row refers to, sorted. Fills on margin may have none."""
    referred = {movement.refers_to for movement in movements}
    return tuple(
        sorted(
            fill.fill_id for fill in fills if not fill.margin and fill.fill_id not in referred and window.holds(fill.at)
        )
    )


def some(ids: Sequence[str]) -> str:
    """Return the first few ids as text, and how many more there are."""
    shown = ", ".join(ids[:_SHOWN])
    return shown if len(ids) <= _SHOWN else f"{shown} and {len(ids) - _SHOWN} more"
