"""What could explain an amount that no record id explains?

First what a single mistake leaves behind (a row missing, counted twice, booked with the other sign or with a
shifted point), then rows that add up, the fewest first. All that fits equally well is kept: two answers are
two candidates, never the one that was found first. Next to each stands how many such answers chance alone
would have given, over everything that was tried until then; it is called proven only if it is the only one
and that number is small.

Nothing here decides that something differs, and what is not found is not made up: no candidate is an answer.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal

from msgspec import Struct

from gal_friday.domain import quantity
from gal_friday.domain.accident import PLACES, PROOF_BELOW, expected_accidents
from gal_friday.domain.cause import Cause
from gal_friday.domain.explanation import Rests
from gal_friday.domain.patterns import Family, Guess, Numbers, Part, seldom_mistakes, simple_mistakes, weak_signs
from gal_friday.domain.pool import PoolRow, pool_of
from gal_friday.domain.quantity import ZERO
from gal_friday.domain.records import FILL_LEG_KINDS
from gal_friday.domain.subset import BUDGET, subsets

__all__ = ["Candidate", "Part", "PoolRow", "Searched", "candidates", "pool_of"]

KEPT_MAX = 8
PATTERNS = 200_000
"""Effects of single mistakes that are looked at, over all patterns: about 0.1 s, all patterns of 20,000 rows."""
_SMALLEST = quantity.unit(PLACES)


class Candidate(Struct, frozen=True):
    """One way to explain the amount."""

    parts: tuple[Part, ...]
    """What it is made of, oldest first: the records of each part, its effect and its cause."""
    effect: Decimal
    """What the parts add up to: the amount, within the tolerance."""
    cause: Cause
    """A hint: the cause of the part with the largest effect."""
    rests_on: Rests
    note: str
    expected_accidents: str
    """How many candidates chance alone would give over all that was tried, as a plain number."""
    proven: bool
    """It is the only candidate of a complete search, no weak sign, and chance is all but excluded."""

    @property
    def record_ids(self) -> tuple[str, ...]:
        """Return the ids of all records it rests on."""
        return tuple(record for part in self.parts for record in part.record_ids)


class Searched(Struct, frozen=True):
    """What was found, best first, and whether everything was looked at that should have been."""

    candidates: tuple[Candidate, ...]
    complete: bool
    """False where more would have had to be tried than the bounds on work allow."""


def candidates(
    residual: Decimal,
    pool: Sequence[PoolRow],
    *,
    tolerance: Decimal = ZERO,
    places: int | None = None,
    whole: Iterable[Decimal] = (),
    budget: int = BUDGET,
    patterns: int = PATTERNS,
) -> Searched:
    """Return what would explain *residual* (exchange − internal) within *tolerance*.

    *places* is where the exchange rounds this asset, *whole* the full balances that may stand in the wrong
    place, *budget* the bound on the steps of the search, *patterns* that on the effects of single mistakes that
    are looked at. The order of *pool* does not matter.
    """
    wholes = tuple(whole)
    if quantity.absolute(residual) <= tolerance or not (pool or wholes):
        return Searched((), complete=True)
    numbers = Numbers(residual, tolerance, sorted(pool, key=_by_age), wholes, places)
    tried = _Tried(numbers, patterns)
    for families in (simple_mistakes(numbers), seldom_mistakes(numbers)):
        if guesses := tried.patterns(families):
            return _searched(tried, guesses, "pattern")
    if guesses := tried.sums(budget):
        return _searched(tried, guesses, "search")
    return _searched(tried, tried.patterns(weak_signs(numbers)), "pattern", weak=True)


def _by_age(row: PoolRow) -> tuple[datetime, str]:
    return row.at, row.row_id


class _Tried:
    """What was tried so far, and how much more may be."""

    def __init__(self, numbers: Numbers, patterns: int) -> None:
        self._numbers = numbers
        self._kinds = {record: row.kind for row in numbers.rows for record in row.ids}
        self._left = patterns
        self._attempts: list[tuple[Sequence[int], int]] = []
        """Amounts, and how many of them were added up at a time."""
        self.complete = True
        """Nothing was left out because it would have been too much work."""

    def patterns(self, families: Iterable[Family]) -> list[Guess]:
        """Return what fits; a family larger than what is left of the bound is not begun, nor any after it."""
        guesses: list[Guess] = []
        for family in families:
            if len(family.effects) > self._left:
                self.complete = False
                break
            self._left -= len(family.effects)
            self._attempts.append((family.effects, 1))
            guesses += map(self._by_kind, family.hits(self._numbers))
        return guesses

    def _by_kind(self, guess: Guess) -> Guess:
        """Return the guess with the causes that its kinds of rows allow."""
        return Guess(tuple(part._replace(cause=self._cause(part)) for part in guess.parts), guess.note)

    def _cause(self, part: Part) -> Cause:
        kinds = {self._kinds[record] for record in part.record_ids if record in self._kinds}
        match part.cause:
            case Cause.DUPLICATED_FILL if not kinds <= FILL_LEG_KINDS:
                return Cause.DUPLICATED_MOVEMENT
            case Cause.IN_FLIGHT if "deposit" in kinds:
                # What comes in is on the account once it is credited: nothing says what one in the book alone is.
                return Cause.UNEXPLAINED
            case _:
                return part.cause

    def sums(self, budget: int) -> list[Guess]:
        """Return which unmatched rows, two or more, add up; end with the smallest number of rows that does."""
        numbers = self._numbers
        rows = numbers.unmatched
        effects = [numbers.missing(row) for row in rows]
        found = subsets(
            [Decimal(effect) for effect in effects],
            Decimal(numbers.target),
            tolerance=Decimal(numbers.slack),
            sizes=range(2, len(rows) + 1),
            smallest_only=True,
            most=KEPT_MAX,
            budget=budget,
        )
        self.complete &= found.complete
        self._attempts += ((effects, size) for size in sorted({*found.sizes, *map(len, found.subsets)}))
        return [self._by_kind(_sum_of(numbers, [rows[place] for place in solution])) for solution in found.subsets]

    def expected_accidents(self) -> Decimal:
        """Return how many answers chance alone would have given over all of it."""
        aim, slack = self._numbers.target, self._numbers.slack
        return quantity.total(expected_accidents(effects, size, aim, slack) for effects, size in self._attempts)


def _sum_of(numbers: Numbers, rows: Sequence[PoolRow]) -> Guess:
    parts = tuple(numbers.part(row, numbers.missing(row)) for row in rows)
    return Guess(parts, f"{len(rows)} rows that only one side has add up to it")


def _searched(tried: _Tried, guesses: Sequence[Guess], rests_on: Rests, *, weak: bool = False) -> Searched:
    if not guesses:
        return Searched((), tried.complete)
    expected = tried.expected_accidents()
    alone = len(guesses) == 1 and tried.complete and not weak
    # What rounds to nothing is still not impossible.
    shown = quantity.short(max(expected, _SMALLEST))
    found = tuple(
        Candidate(
            parts=guess.parts,
            effect=quantity.total(part.effect for part in guess.parts),
            cause=_largest(guess.parts).cause,
            rests_on=rests_on,
            note=guess.note,
            expected_accidents=shown,
            proven=alone and expected < PROOF_BELOW,
        )
        for guess in guesses[:KEPT_MAX]
    )
    return Searched(found, tried.complete)


def _largest(parts: Sequence[Part]) -> Part:
    return max(parts, key=lambda part: quantity.absolute(part.effect))
