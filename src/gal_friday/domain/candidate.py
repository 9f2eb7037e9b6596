"""An event that went wrong, what could be posted for it, and what there is to know before deciding.

Built in ``repair``, decided about in ``decision``, and kept with the report, so that it can be decided about again.
"""

from decimal import Decimal

from msgspec import Struct

from gal_friday.domain.adjustment import Adjustment
from gal_friday.domain.quantity import ZERO


class Bars(Struct, frozen=True):
    """Why nothing may be posted."""

    passing: tuple[str, ...] = ()
    """A later run will tell."""
    lasting: tuple[str, ...] = ()
    """A person has to look."""


class Candidate(Struct, frozen=True, kw_only=True):
    """One event that went wrong, what could be posted for it, and what there is to know before deciding."""

    event: str
    cause: str
    discrepancies: tuple[str, ...]
    """Their ids, sorted."""
    keys: tuple[str, ...]
    adjustment: Adjustment | None = None
    """None where nothing could be posted: the bars say why."""
    bars: Bars
    """What stands against posting anything, whatever the policy says."""
    proven: bool = False
    """The records leave no residual and no doubt."""
    confirmed: bool = False
    """Seen often and long enough, or proven in a clean cut."""
    value: Decimal | None = None
    difference: Decimal = ZERO
    """Of a plug: what it would force."""
    whole: Decimal | None = None
    """Of a plug: the larger of the two sides, without its sign; None where one side lacks the key altogether."""
    turned_down: str = ""
    """An adjustment that posted the same, and that a person turned down or took back; empty for none."""
    runs: int = 0
    """In how many runs all of it was seen since it opened; zero where nothing tells."""
    flips: int = 0
    """How often one of its discrepancies came back after it had agreed."""
