"""Which of these amounts add up to that one? Exactly, and never beyond a counted bound on work.

Amounts are searched as whole numbers of one unit of the last place, so a sum is exact or it is none. What
the bound leaves unsearched is said to be unsearched, never to be empty. Whether a sum means anything is
not decided here: among many amounts some always add up (see ``accident``).

Method: a subset of size k, its rows in order, is cut after half of them. The lower halves are kept by their
sum; every upper half looks up what it lacks. That is O(n²) for three rows. Where all subsets of the first
and of the second half of the rows are fewer (Horowitz and Sahni 1974), those are joined instead.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import combinations, islice
from math import comb

from msgspec import Struct

from gal_friday.domain import quantity
from gal_friday.domain.quantity import ZERO

BUDGET = 50_000
"""Steps of one search, each a sum that is kept or looked up: about 20 ms, three of 300 rows or four of 150."""
KEPT_MAX = 8

_Rows = tuple[int, ...]
_BySum = dict[int, list[tuple[int, _Rows]]]
"""Sums in buckets as wide as the tolerance, each in the one or two buckets from which it can be reached."""


class Sums(Struct, frozen=True):
    """What a search found, and how far it looked."""

    subsets: tuple[_Rows, ...]
    """Positions of the rows of each solution, ascending; the smallest solutions first, then by position."""
    sizes: tuple[int, ...]
    """The sizes that were searched to their end."""
    complete: bool
    """Every size that was asked for was searched, and every solution is listed."""


def subsets(
    amounts: Sequence[Decimal],
    target: Decimal,
    *,
    tolerance: Decimal = ZERO,
    sizes: Sequence[int] | None = None,
    smallest_only: bool = False,
    most: int = KEPT_MAX,
    budget: int = BUDGET,
) -> Sums:
    """Return the subsets of *amounts* whose sum is within *tolerance* of *target*, bound included.

    *sizes* defaults to all. With *smallest_only* the search ends after the first size that has a solution.
    At most *most* solutions are kept. A size that would not fit into what is left of *budget* is not begun.
    """
    places = max(map(quantity.places, (*amounts, target, tolerance)))
    aim, slack = in_units((target, tolerance), places)
    search = _Search(in_units(amounts, places), aim, slack, budget)
    asked = sorted({size for size in sizes or range(1, len(amounts) + 1) if 1 <= size <= len(amounts)})
    found: list[_Rows] = []
    done: list[int] = []
    for size in asked:
        solutions = search.of_size(size, most - len(found))
        found += sorted(solutions or ())
        if solutions is None or search.cut_short:
            return Sums(tuple(found), tuple(done), complete=False)
        done.append(size)
        if found and smallest_only:
            break
    return Sums(tuple(found), tuple(done), complete=True)


def in_units(amounts: Sequence[Decimal], places: int) -> list[int]:
    """Return the amounts as whole numbers of one unit of the last of *places*, which must hold all their digits."""
    scale = Decimal(10**places)
    return [int(quantity.multiply(amount, scale)) for amount in amounts]


class _Exhausted(Exception):
    """The budget is used up."""


class _Search:
    """One search: the numbers, and how many steps are left."""

    def __init__(self, units: Sequence[int], target: int, slack: int, budget: int) -> None:
        self._units = units
        self._target = target
        self._slack = slack
        self._width = 2 * slack + 1
        self._left = budget
        self._halves: _Halves | None = None
        self.cut_short = False
        """There are more solutions than were to be kept."""

    def of_size(self, size: int, most: int) -> list[_Rows] | None:
        """Return up to *most* solutions of this size; None where the budget does not allow to look."""
        found: list[_Rows] = []
        try:
            for solution in self._solutions(size):
                if len(found) == most:
                    self.cut_short = True
                    break
                found.append(solution)
        except _Exhausted:
            return None
        return found

    def _solutions(self, size: int) -> Iterator[_Rows]:
        rows = len(self._units)
        half = rows - rows // 2
        by_position = comb(rows, size // 2) + comb(rows, size - size // 2)
        # Beyond 2^60 nobody would wait, and the number itself becomes long.
        by_halves = 2 ** min(half, 60) * (1 if self._halves else 3)
        self._spend(min(by_position, by_halves))
        return self._cut(size) if by_position <= by_halves else self._joined(size)

    def _spend(self, steps: int) -> None:
        if steps > self._left:
            raise _Exhausted
        self._left -= steps

    def _cut(self, size: int) -> Iterator[_Rows]:
        """Yield each solution once: at the row where its upper half begins."""
        units, low, high = self._units, size // 2, size - size // 2
        kept: _BySum = {}
        if not low:
            _put(kept, 0, (), self._slack)
        width = self._width
        for row, amount in enumerate(units):
            need = self._target - amount
            # Sums are made by what runs fastest; which rows made one is asked again only where it fits.
            for place, above in enumerate(map(sum, combinations(units[row + 1 :], high - 1))):
                if (need - above) // width in kept:
                    upper = next(islice(combinations(range(row + 1, len(units)), high - 1), place, None))
                    yield from ((*lower, row, *upper) for lower in self._near(kept, need - above))
            if low:
                self._keep(kept, row, low - 1)

    def _keep(self, kept: _BySum, row: int, others: int) -> None:
        """Keep the lower halves of which *row* is the last."""
        amount = self._units[row]
        sums = map(sum, combinations(self._units[:row], others))
        for below, rows in zip(sums, combinations(range(row), others), strict=True):
            _put(kept, amount + below, (*rows, row), self._slack)

    def _joined(self, size: int) -> Iterator[_Rows]:
        """Yield each solution once: what it takes of the first half of the rows joined with the rest."""
        if self._halves is None:
            self._halves = _Halves(self._units, self._slack)
        width = self._width
        for below, kept in enumerate(self._halves.lower):
            for taken, upper in self._halves.upper.get(size - below, ()):
                need = self._target - taken
                if need // width in kept:
                    yield from ((*lower, *upper) for lower in self._near(kept, need))

    def _near(self, kept: _BySum, need: int) -> list[_Rows]:
        """Return what is kept within the tolerance of *need*."""
        reached = kept.get(need // self._width, ())
        self._spend(len(reached))
        return [rows for amount, rows in reached if -self._slack <= amount - need <= self._slack]


class _Halves:
    """All subsets of the first half of the rows, by size and sum, and all of the second half, by size."""

    def __init__(self, units: Sequence[int], slack: int) -> None:
        middle = len(units) // 2
        self.lower: list[_BySum] = [{} for _ in range(middle + 1)]
        for amount, rows in _all(units, range(middle)):
            _put(self.lower[len(rows)], amount, rows, slack)
        self.upper: dict[int, list[tuple[int, _Rows]]] = {}
        for amount, rows in _all(units, range(middle, len(units))):
            self.upper.setdefault(len(rows), []).append((amount, rows))


def _all(units: Sequence[int], rows: range) -> list[tuple[int, _Rows]]:
    found: list[tuple[int, _Rows]] = [(0, ())]
    for row in rows:
        found += [(amount + units[row], (*taken, row)) for amount, taken in found]
    return found


def _put(kept: _BySum, amount: int, rows: _Rows, slack: int) -> None:
    width = 2 * slack + 1
    lowest, highest = (amount - slack) // width, (amount + slack) // width
    kept.setdefault(lowest, []).append((amount, rows))
    if highest != lowest:
        kept.setdefault(highest, []).append((amount, rows))
