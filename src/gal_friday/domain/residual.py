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
from gal_friday.domain.subset import BUDGET, subsets

__all__ = ["Candidate", "Part", "PoolRow", "Searched", "candidates", "pool_of"]

KEPT_MAX = 8
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
    """It is the only candidate, no weak sign, and chance is all but excluded."""

    @property
    def record_ids(self) -> tuple[str, ...]:
        """Return the ids of all records it rests on."""
        return tuple(record for part in self.parts for record in part.record_ids)


class Searched(Struct, frozen=True):
    """What was found, best first, and whether everything was looked at that should have been."""

    candidates: tuple[Candidate, ...]
    complete: bool
    """False where more rows would have had to be added up than the bound on work allows."""


def candidates(
    residual: Decimal,
    pool: Sequence[PoolRow],
    *,
    tolerance: Decimal = ZERO,
    places: int | None = None,
    whole: Iterable[Decimal] = (),
    budget: int = BUDGET,
) -> Searched:
    """Return what would explain *residual* (exchange − internal) within *tolerance*.

    *places* is where the exchange rounds this asset, *whole* the full balances that may stand in the wrong
    place, *budget* the bound on the steps of the search. The order of *pool* does not matter.
    """
    if quantity.absolute(residual) <= tolerance:
        return Searched((), complete=True)
    numbers = Numbers(residual, tolerance, sorted(pool, key=_by_age), tuple(whole), places)
    expected = ZERO
    for families in (simple_mistakes(numbers), seldom_mistakes(numbers)):
        guesses, chance = _tried(numbers, families)
        expected = quantity.add(expected, chance)
        if guesses:
            return Searched(_as_candidates(numbers, guesses, expected, "pattern"), complete=True)
    guesses, chance, complete = _added_up(numbers, budget)
    expected = quantity.add(expected, chance)
    if guesses:
        return Searched(_as_candidates(numbers, guesses, expected, "search"), complete)
    guesses, chance = _tried(numbers, weak_signs(numbers))
    return Searched(_as_candidates(numbers, guesses, quantity.add(expected, chance), "pattern", weak=True), complete)


def _by_age(row: PoolRow) -> tuple[datetime, str]:
    return row.at, row.row_id


def _tried(numbers: Numbers, families: Iterable[Family]) -> tuple[list[Guess], Decimal]:
    guesses: list[Guess] = []
    expected = ZERO
    for family in families:
        chance = expected_accidents(family.effects, 1, numbers.target, numbers.slack)
        expected = quantity.add(expected, chance)
        guesses += family.hits(numbers)
    return guesses, expected


def _added_up(numbers: Numbers, budget: int) -> tuple[list[Guess], Decimal, bool]:
    """Search which unmatched rows, two or more, add up; end with the smallest number of rows that does."""
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
    tried = {*found.sizes, *map(len, found.subsets)}
    chance = quantity.total(expected_accidents(effects, size, numbers.target, numbers.slack) for size in sorted(tried))
    guesses = [_sum_of(numbers, [rows[place] for place in solution]) for solution in found.subsets]
    return guesses, chance, found.complete


def _sum_of(numbers: Numbers, rows: Sequence[PoolRow]) -> Guess:
    parts = tuple(numbers.part(row, numbers.missing(row)) for row in rows)
    return Guess(parts, f"{len(rows)} rows that only one side has add up to it")


def _as_candidates(
    numbers: Numbers, guesses: Sequence[Guess], expected: Decimal, rests_on: Rests, *, weak: bool = False
) -> tuple[Candidate, ...]:
    alone = len(guesses) == 1 and not weak
    # What rounds to nothing is still not impossible.
    shown = quantity.short(max(expected, _SMALLEST))
    return tuple(
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


def _largest(parts: Sequence[Part]) -> Part:
    return max(parts, key=lambda part: quantity.absolute(part.effect))
