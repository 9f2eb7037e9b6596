"""The baselines themselves: what each says of two lists of amounts, and what it sets at once.

Every amount stands under the key of its finding (``balances:BTC:spot``, ``positions:ETH/USD``); an order under its own,
with one for an order that works and zero for one that is known to have ended. Each rule is given the best reading of
its own idea; what it does not look at at all it is not blamed for twice.
"""

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import NamedTuple

from msgspec import Struct, field

from gal_friday.domain import quantity
from gal_friday.domain.quantity import ZERO
from gal_friday.domain.records import Kind

Amounts = Mapping[str, Decimal]
FLOOR = Decimal("0.00000001")


class Said(Struct):
    """What a baseline made of one list."""

    shown: set[str] = field(default_factory=set)
    sets: dict[str, Decimal] = field(default_factory=dict)
    """Amounts of the book that it overwrites at once."""


class Rule(NamedTuple):
    """One baseline."""

    name: str
    judge: Callable[[Kind, Amounts, Amounts], Said]


def first_specification(kind: Kind, ours: Amounts, theirs: Amounts) -> Said:
    """Compare as the first specification of this system did, and correct what is small at once.

    The latest amount of every symbol is held against the exchange's, down to 0.00000001. Up to 1 % of the internal
    total of a position, and a tenth of that of a balance, the internal amount is set to the exchange's at once; the
    rest waits for a person. Of orders it looks for those that are open at the exchange and unknown inside.

    Best reading: the latest amount is the one that was written last, whatever its time; the share is one of the total
    without its sign; where the internal total is zero there is no share, and nothing is set; a person sets nothing.
    """
    said = Said()
    limit = Decimal("0.01") if kind is Kind.POSITIONS else Decimal("0.001")
    for key, mine, other, gap in _apart(ours, theirs):
        if kind is Kind.ORDERS:
            if other and key not in ours:
                said.shown.add(key)
            continue
        said.shown.add(key)
        if mine and quantity.absolute(gap) <= quantity.multiply(limit, quantity.absolute(mine)):
            said.sets[key] = other
    return said


def tolerance_only(kind: Kind, ours: Amounts, theirs: Amounts) -> Said:
    """Report what is more than a tenth of a percent of the larger side apart, and correct nothing.

    Best reading: of totals that trades of some hundred dollars move, a tenth of a percent is what hides most of what is
    only on its way, and shows what is worth a look. Orders have no size that could be tolerated, so each is shown.
    """
    share = ZERO if kind is Kind.ORDERS else Decimal("0.001")
    apart = _apart(ours, theirs)
    return Said(
        shown={
            key
            for key, mine, other, gap in apart
            if quantity.absolute(gap) > quantity.multiply(share, max(map(quantity.absolute, (mine, other))))
        }
    )


def overwrite(_: Kind, ours: Amounts, theirs: Amounts) -> Said:
    """Set whatever differs to what the exchange says, as trading engines do, and note that it differed."""
    apart = list(_apart(ours, theirs))
    return Said(shown={key for key, *_ in apart}, sets={key: other for key, _, other, _ in apart})


RULES = (
    Rule("the first specification", first_specification),
    Rule("a tolerance", tolerance_only),
    Rule("overwriting with the exchange", overwrite),
)


def _apart(ours: Amounts, theirs: Amounts) -> Iterator[tuple[str, Decimal, Decimal, Decimal]]:
    for key in sorted({*ours, *theirs}):
        mine, other = ours.get(key, ZERO), theirs.get(key, ZERO)
        gap = quantity.subtract(other, mine)
        if quantity.absolute(gap) > FLOOR:
            yield key, mine, other, gap
