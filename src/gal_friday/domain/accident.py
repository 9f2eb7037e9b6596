"""How many of so many amounts would add up to a target by chance alone?

Among forty amounts there are a million million subsets, and many add up to whatever is asked for. So an
exact sum is no proof in itself: what counts is how many such sums chance would have given. Round amounts
carry little evidence, amounts of seventeen digits a lot; the grid on which the amounts lie tells which.

Not the finest amount decides how fine that grid is. Beside one deposit of 77.7770331 a hundred is as round as
before, and four fees of 25 make it as easily; what changed is that one more amount cannot take part, for no sum
with it is round. So amounts are counted among their like: all of them on the grid of all, those that are whole
tens on the grid of those, whole hundreds, ..., as far as the target is that round itself. How many values of that
roundness there are is what the target had to be picked from. The level at which chance gives the most counts, so
that the estimate is never below that of all amounts on their own grid.

    E ≈ C(n,k)·w·φ((D−kμ)/s)/s      with s² = kσ²(n−k)/(n−1)
    E ≈ C(n,k)·w/R                  R the spread of the sums of k amounts

n amounts of one level, k of them added up, D the target, w the width of what counts as a hit: as many points of
the grid as lie within the tolerance of D, times their distance (about 2τ+δ); μ and σ of the amounts, φ the normal
density.

The first holds where many sums lie as in a bell; it is counted over random amounts in the tests. One or two
amounts make no bell: there the larger of both is taken. An amount that alone is larger than the rest put
together would flatten the bell: it is taken to be in the sum, and then not to be, and both are added up.

An estimate, never an amount of anything; it only ever decides whether an explanation may be called proven.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import combinations
from math import comb, gcd

from gal_friday.domain import quantity
from gal_friday.domain.quantity import ZERO

PROOF_BELOW = Decimal("0.01")
"""An explanation is taken as proof only if chance would give fewer than this."""

PLACES = 18
_ROOT_OF_TWO_PI = Decimal("2.506628274631000502415765284811")
_BELL_FROM = 3
_APART_MAX = 5
_CROWD_MIN = 6
_ONE = Decimal(1)
_FAR = 6
"""Standard deviations of the others from which on an amount stands apart from them."""


def expected_accidents(units: Sequence[int], size: int, target: int, tolerance: int = 0) -> Decimal:
    """Return how many subsets of this size chance alone would let sum to within *tolerance* of *target*.

    All are whole numbers of one unit, whichever. An estimate with *PLACES* digits after the point.
    """
    return max(_among(rows, size, target, tolerance) for rows in _levels(units, target, tolerance))


def _levels(units: Sequence[int], target: int, tolerance: int) -> Iterator[Sequence[int]]:
    """Yield all amounts, then those that are whole tens, hundreds, ..., as far as the target is so round itself."""
    rows, step = units, 1
    yield rows
    while any(rows) and _points(step * 10, target, tolerance):
        step *= 10
        rounder = [each for each in rows if not each % step]
        if 0 < len(rounder) < len(rows):
            yield rounder
        rows = rounder


def _among(units: Sequence[int], size: int, target: int, tolerance: int) -> Decimal:
    """Return how many subsets of amounts that lie on one grid are expected to reach the target."""
    if not 1 <= size <= len(units):
        return ZERO
    step = grid(units)
    width = _points(step, target, tolerance) * step
    ordered = sorted(units)
    apart: list[int] = []
    while len(apart) < _APART_MAX and (far := _far_end(ordered)) is not None:
        apart.append(ordered.pop(far))
    crowd = _Crowd(ordered, width, tolerance)
    return quantity.total(
        crowd.accidents(size - len(taken), target - sum(taken))
        for count in range(len(apart) + 1)
        for taken in combinations(apart, count)
    )


def grid(units: Sequence[int]) -> int:
    """Return the grid of these: the greatest number of which all are multiples.

    A single number is a multiple of itself, which says nothing: for it, the power of ten it is a multiple of.
    """
    shared = gcd(*units)
    if shared and all(abs(each) in {0, shared} for each in units):
        digits = str(shared)
        return int("1" + "0" * (len(digits) - len(digits.rstrip("0"))))
    return shared or 1


def _points(step: int, target: int, tolerance: int) -> int:
    """Return how many multiples of *step* lie within the tolerance of the target."""
    return (target + tolerance) // step - (target - tolerance - 1) // step


def _far_end(ordered: Sequence[int]) -> int | None:
    """Return which end of these stands apart from all the others, if one does."""
    if len(ordered) < _CROWD_MIN:
        return None
    others, whole = len(ordered) - 1, sum(ordered)
    end = 0 if whole - len(ordered) * ordered[0] > len(ordered) * ordered[-1] - whole else -1
    amount = ordered[end]
    left = whole - amount
    spread = others * (sum([each * each for each in ordered]) - amount * amount) - left * left
    return end if (others * amount - left) ** 2 > _FAR * _FAR * spread else None


class _Crowd:
    """Amounts of which none stands apart, with what both formulas ask of them."""

    def __init__(self, ordered: Sequence[int], width: int, tolerance: int) -> None:
        self._ordered = ordered
        self._tolerance = tolerance
        self._width = width
        self._sum = sum(ordered)
        self._spread = len(ordered) * sum([each * each for each in ordered]) - self._sum * self._sum
        """n²σ², a whole number."""

    def accidents(self, size: int, target: int) -> Decimal:
        """Return how many subsets of this size chance would let reach the target."""
        if not 0 <= size <= len(self._ordered):
            return ZERO
        if not size:
            # Nothing is left to chance: what stands apart reaches the target, or misses it.
            return _ONE if abs(target) <= self._tolerance else ZERO
        lowest, highest = sum(self._ordered[:size]), sum(self._ordered[-size:])
        if not lowest - self._tolerance <= target <= highest + self._tolerance:
            return ZERO
        # Where the sums do not differ at all, anything up to their size either way could have come out.
        spread = highest - lowest or 2 * max(abs(highest), self._width)
        even = _quotient(comb(len(self._ordered), size) * self._width, spread)
        if highest == lowest:
            return even
        bell = self._bell(size, target)
        return bell if size >= _BELL_FROM else max(bell, even)

    def _bell(self, size: int, target: int) -> Decimal:
        rows, left_out = len(self._ordered), len(self._ordered) - size
        varies = size * left_out * self._spread
        off = (rows * target - size * self._sum) ** 2 * (rows - 1)
        density = quantity.rounded_exp(quantity.negate(_quotient(off, 2 * varies)), 2 * PLACES)
        deviation = quantity.rounded_root(_quotient(varies, rows * rows * (rows - 1)), PLACES)
        hits = quantity.multiply(Decimal(comb(rows, size) * self._width), density)
        return quantity.rounded_quotient(hits, quantity.multiply(deviation, _ROOT_OF_TWO_PI), PLACES)


def _quotient(dividend: int, divisor: int) -> Decimal:
    return quantity.rounded_quotient(Decimal(dividend), Decimal(divisor), PLACES)
