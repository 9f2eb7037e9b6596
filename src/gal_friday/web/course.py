"""The course: both running balances as steps, row by row, around the point from which they differ.

Two lanes lie under each other: what both sides held, and the difference, which has a scale of its own, for it may be
far smaller than what both moved. The figures are never rounded; only places in the picture are. Times are to scale
where that leaves the rows apart, else every instant takes the same room, which the picture says.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any

from msgspec import Struct

from gal_friday.domain import quantity
from gal_friday.domain.explanation import Divergence, Explanation, Waypoint
from gal_friday.domain.quantity import ZERO

WIDTH, HEIGHT = 960, 330
LEFT, SPAN = 16, 720
"""Where the lines begin, and how far they go; what they end with is written to the right."""
TOP, TALL = 34, 150
"""The lane of both balances."""
GAP_TOP, GAP_TALL = 222, 72
"""The lane of the difference."""
APART = 36
"""Between two words at the end, each two lines tall."""
_FEW_PLACES = 4
"""With no more than so many after the point, the columns of amounts are narrow ones."""
_CLOSEST = 9.0
"""Closer than this, rows cannot be told apart."""


class Spot(Struct, frozen=True, kw_only=True):
    """One instant in the picture, with the rows that were booked at it."""

    x: str
    edge: str
    """Where the room for whoever points at it begins."""
    room: str
    rows: tuple[Waypoint, ...]


class Word(Struct, frozen=True, kw_only=True):
    """What a line ends with."""

    y: str
    amount: Decimal


class Course(Struct, frozen=True, kw_only=True):
    """The picture."""

    spots: tuple[Spot, ...]
    book: str
    exchange: str
    gap: str
    """The area between the difference and zero."""
    zero_y: str
    turn: Spot | None
    """The point of divergence; None where the sides differ from the start."""
    turn_anchor: str
    book_word: Word
    exchange_word: Word
    gap_word: Word
    to_scale: bool


class Row(Struct, frozen=True, kw_only=True):
    """One row of the table under it."""

    waypoint: Waypoint
    gap: Decimal


def shown(explanation: Explanation | None) -> Mapping[str, Any]:
    """Return since when the sides differ, for the page: the picture and the rows of its table."""
    divergence = None if explanation is None else explanation.divergence
    if divergence is None:
        return {"divergence": None, "course": None, "course_rows": (), "course_narrow": True}
    rows = [Row(waypoint=each, gap=_gap(each)) for each in divergence.course]
    places = max((quantity.places(each) for row in rows for each in _amounts(row.waypoint)), default=0)
    return {
        "divergence": divergence,
        "course": course_of(divergence),
        "course_rows": rows,
        "course_narrow": places <= _FEW_PLACES,
    }


def course_of(divergence: Divergence) -> Course | None:
    """Return the picture; None where nothing is known of the running balances."""
    points = divergence.course
    if not points:
        return None
    instants = sorted({each.at for each in points})
    places, to_scale = _places(instants)
    first = points[0]
    book = [_before(first, first.internal, "exchange"), *(each.internal for each in points)]
    exchange = [_before(first, first.exchange, "internal"), *(each.exchange for each in points)]
    gaps = [quantity.subtract(theirs, ours) for ours, theirs in zip(book, exchange, strict=True)]
    xs = [places[each.at] for each in points]
    balance, gap = _Lane([*book, *exchange], TOP, TALL), _Lane([ZERO, *gaps], GAP_TOP, GAP_TALL)
    spots = tuple(_spots(points, instants, places))
    turn = next((spot for spot in spots if any(row.diverges for row in spot.rows)), None)
    ends = _apart(balance.y(book[-1]), balance.y(exchange[-1]))
    return Course(
        spots=spots,
        book=_stepped(xs, [balance.y(each) for each in book]),
        exchange=_stepped(xs, [balance.y(each) for each in exchange]),
        gap=f"{_stepped(xs, [gap.y(each) for each in gaps])}V{_said(gap.y(ZERO))}H{LEFT}Z",
        zero_y=_said(gap.y(ZERO)),
        turn=turn,
        turn_anchor="end" if turn is not None and float(turn.x) > LEFT + SPAN / 2 else "start",
        book_word=Word(y=_said(ends[0]), amount=book[-1]),
        exchange_word=Word(y=_said(ends[1]), amount=exchange[-1]),
        gap_word=Word(y=_said(GAP_TOP + GAP_TALL / 2), amount=gaps[-1]),
        to_scale=to_scale,
    )


def _before(first: Waypoint, after: Decimal, other: str) -> Decimal:
    """Return what a side held before the first row, which may have been booked by the other one alone."""
    return after if first.side == other else quantity.subtract(after, first.amount)


def _amounts(point: Waypoint) -> tuple[Decimal, ...]:
    return point.amount, point.internal, point.exchange


def _gap(point: Waypoint) -> Decimal:
    return quantity.subtract(point.exchange, point.internal)


def _places(instants: Sequence[datetime]) -> tuple[dict[datetime, float], bool]:
    """Return where each instant lies, and whether their distances are to scale."""
    begin, margin = LEFT + SPAN / (len(instants) + 1) / 2, SPAN / (len(instants) + 1)
    seconds = [(each - instants[0]).total_seconds() for each in instants]
    room = SPAN - margin
    scaled = [begin + room * each / (seconds[-1] or 1) * (1 - 0.5 / len(instants)) for each in seconds]
    if all(after - before >= _CLOSEST for before, after in pairwise(scaled)):
        return dict(zip(instants, scaled, strict=True)), True
    return {each: begin + margin * number for number, each in enumerate(instants)}, False


class _Lane:
    """The scale of one lane: a larger amount is further up."""

    def __init__(self, amounts: Iterable[Decimal], top: int, tall: int) -> None:
        exact = [Fraction(each) for each in amounts]
        self._low, self._high = min(exact), max(exact)
        self._top, self._tall = top, tall

    def y(self, amount: Decimal) -> float:
        breadth = self._high - self._low
        share = (self._high - Fraction(amount)) / breadth if breadth else Fraction(1, 2)
        return self._top + float(share * self._tall)


def _stepped(xs: Sequence[float], ys: Sequence[float]) -> str:
    """Return the line: level until the next row, then up or down at once."""
    steps = "".join(f"H{_said(x)}V{_said(y)}" for x, y in zip(xs, ys[1:], strict=True))
    return f"M{LEFT} {_said(ys[0])}{steps}H{LEFT + SPAN}"


def _spots(points: Sequence[Waypoint], instants: Sequence[datetime], places: dict[datetime, float]) -> Iterable[Spot]:
    xs = [float(LEFT), *(places[each] for each in instants), float(LEFT + SPAN)]
    for number, at in enumerate(instants, 1):
        left = LEFT if number == 1 else (xs[number - 1] + xs[number]) / 2
        right = xs[-1] if number == len(instants) else (xs[number] + xs[number + 1]) / 2
        rows = tuple(each for each in points if each.at == at)
        yield Spot(x=_said(xs[number]), edge=_said(left), room=_said(right - left), rows=rows)


def _apart(one: float, other: float) -> tuple[float, float]:
    """Return two heights at least so far from each other that both can be read, within the lane."""
    short = APART - abs(one - other)
    if short > 0:
        by = short / 2 if one > other or (one == other) else -short / 2
        one, other = one + by, other - by
    low, high = min(one, other), max(one, other)
    move = max(TOP - low, 0) or min(TOP + TALL - high, 0)
    return one + move, other + move


def _said(length: float) -> str:
    return f"{length:.1f}"
