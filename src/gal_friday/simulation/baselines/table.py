"""What the product and the baselines came to in the same worlds, side by side."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from statistics import median

from msgspec import Struct

from gal_friday.domain import quantity
from gal_friday.simulation.baselines.beside import Score

_SUMS = ("planted", "found", "due", "missed", "shown", "false", "corrected", "wrong", "off")


class Compared(Struct, frozen=True, kw_only=True):
    """One way to reconcile, in all worlds."""

    name: str
    planted: int
    found: int
    due: int
    """How often an error had to be in what was said of a list; of the product, how often a finding had to be told."""
    missed: int
    shown: int
    false: int
    corrected: int
    wrong: int
    off: int
    """Balances that were not right at the end, over all accounts."""
    off_value: Decimal
    """What they were off by, in dollars."""
    median_seconds: float | None
    """From an error to when it was shown first, for half of those that were found at most so long."""


def compared(worlds: Iterable[Sequence[Score]]) -> list[Compared]:
    """Return the sums over these worlds, in the order of the first."""
    ways: dict[str, list[Score]] = {}
    for scores in worlds:
        for one in scores:
            ways.setdefault(one.name, []).append(one)
    return [_summed(name, scores) for name, scores in ways.items()]


def _summed(name: str, scores: Sequence[Score]) -> Compared:
    seconds = [each for one in scores for each in one.seconds]
    return Compared(
        name=name,
        **{field: sum(getattr(one, field) for one in scores) for field in _SUMS},
        off_value=quantity.rounded(quantity.total(one.off_value for one in scores), 2),
        median_seconds=round(median(seconds), 1) if seconds else None,
    )
