"""Proof that no ledger row is missing between two others: the running balances follow from the rows (K2).

Per asset id as the exchange spells it: balance after = balance before + amount − fee. The proof speaks of
the gaps between rows, not of what came before the first or after the last one. It never repairs anything.

Source: Kraken support, "Explanation of ledger fields".
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

from msgspec import Struct

from gal_friday.domain.quantity import EXACT, short, subtract
from gal_friday.domain.records import Movement

# Legs of one event are booked within a moment, and their order on the page need not be that of the booking.
_MOMENT = timedelta(seconds=5)
_AHEAD = 24
_REASONS_MAX = 20


class Chained(Struct, frozen=True):
    """Movements in the order of their booking, and every break of the chain."""

    movements: tuple[Movement, ...]
    breaks: tuple[str, ...]


def chained(movements: Sequence[Movement]) -> Chained:
    """Return *movements*, given oldest first, in booking order, with one sentence for each break.

    Only rows of one asset id that are seconds apart change places, and only where the balances say so.
    """
    places: defaultdict[str, list[int]] = defaultdict(list)
    for place, movement in enumerate(movements):
        places[movement.raw[0]].append(place)
    ordered = list(movements)
    breaks: list[str] = []
    for asset in sorted(places):
        rows = [movements[place] for place in places[asset]]
        breaks.extend(_follow(asset, rows))
        for place, movement in zip(places[asset], rows, strict=True):
            ordered[place] = movement
    return Chained(tuple(ordered), _few(breaks))


def _follow(asset: str, rows: list[Movement]) -> list[str]:
    """Walk along the balances of one asset id, putting *rows* in booking order; return the breaks."""
    breaks = []
    _first_things_first(rows)
    expected: Decimal | None = None
    for place in range(len(rows)):
        row = rows[place]
        if row.balance_after is None:
            return [f"ledger of {asset}: row {row.movement_id} has no running balance"]
        if expected is not None and _before(row) != expected:
            other = _next_with(expected, rows, place)
            if other is None:
                breaks.append(_break(asset, rows[place - 1], row, expected))
            else:
                rows.insert(place, rows.pop(other))
        expected = rows[place].balance_after
    return breaks


def _first_things_first(rows: list[Movement]) -> None:
    """Of the rows that share the first instant, put the one first that follows none of the others."""
    start = [row for row in rows[:_AHEAD] if row.at == rows[0].at and row.balance_after is not None]
    results = {row.balance_after for row in start}
    for row in start[:]:
        if _before(row) not in results:
            rows.remove(row)
            rows.insert(0, row)
            return


def _before(row: Movement) -> Decimal:
    assert row.balance_after is not None
    return EXACT.add(EXACT.subtract(row.balance_after, row.amount), row.fee)


def _next_with(before: Decimal, rows: Sequence[Movement], place: int) -> int | None:
    for other in range(place + 1, min(place + _AHEAD, len(rows))):
        candidate = rows[other]
        if candidate.at - rows[place].at > _MOMENT:
            return None
        if candidate.balance_after is not None and _before(candidate) == before:
            return other
    return None


def _break(asset: str, last: Movement, row: Movement, expected: Decimal) -> str:
    gap = subtract(_before(row), expected)
    return (
        f"ledger of {asset}: between {last.movement_id} and {row.movement_id} the balance moved by "
        f"{short(gap)} without a row; run again, or look at these two rows at the exchange"
    )


def _few(breaks: list[str]) -> tuple[str, ...]:
    if len(breaks) <= _REASONS_MAX:
        return tuple(breaks)
    return (*breaks[:_REASONS_MAX], f"and {len(breaks) - _REASONS_MAX} more breaks of the ledger chain")
