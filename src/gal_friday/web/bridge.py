"""The bridge: from the internal amount over each reconciling item to the exchange's, drawn to scale.

The figures are those of the explanation and are never rounded; only the lengths of bars are. Bars of totals begin at
zero where that leaves the steps visible, and are cut off below otherwise, which the picture says.
"""

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from msgspec import Struct

from gal_friday.domain import quantity
from gal_friday.domain.explanation import Explanation
from gal_friday.domain.quantity import ZERO

Part = Literal["total", "up", "down", "residual"]

ROW = 44
TOP = 6
LEFT = 250
SPAN = 430
WIDTH = 960
_BAR = 22
_ROOM = Fraction(1, 8)
_THIN = 2.0
_WORTH_ZERO = Fraction(1, 2)
"""Totals begin at zero where the steps take at least this share of the picture's breadth with it."""


class Step(Struct, frozen=True, kw_only=True):
    """One row of the picture, and of its table."""

    part: Part
    label: str
    amount: Decimal
    reached: Decimal
    """The running amount after it."""
    note: str = ""
    record_ids: tuple[str, ...] = ()


class Bar(Struct, frozen=True, kw_only=True):
    """A step with its place in the picture, in units of its own."""

    step: Step
    x: str
    y: int
    width: str
    line_x: str
    """Where the line to the next bar goes down."""
    last: bool


class Bridge(Struct, frozen=True, kw_only=True):
    """The picture."""

    bars: tuple[Bar, ...]
    height: int
    zero_x: str | None
    """Where zero is; None where the totals are cut off."""


def steps_of(explanation: Explanation) -> Iterator[Step]:
    """Yield the rows: the book, each item, the residual where there is one, the exchange."""
    yield Step(part="total", label="The book says", amount=explanation.internal, reached=explanation.internal)
    reached = explanation.internal
    for item in explanation.items:
        reached = quantity.add(reached, item.effect)
        yield Step(
            part="up" if item.effect >= ZERO else "down",
            label=item.cause.replace("_", " "),
            amount=item.effect,
            reached=reached,
            note=item.note,
            record_ids=item.record_ids,
        )
    if explanation.residual != ZERO:
        cause = explanation.residual_cause.replace("_", " ")
        yield Step(part="residual", label=cause, amount=explanation.residual, reached=explanation.exchange)
    yield Step(part="total", label="The exchange says", amount=explanation.exchange, reached=explanation.exchange)


def bridge_of(explanation: Explanation) -> Bridge:
    """Return the picture of an explanation."""
    steps = tuple(steps_of(explanation))
    reached = [Fraction(step.reached) for step in steps]
    low, high = min(reached), max(reached)
    from_zero = (high - low) >= _WORTH_ZERO * max(abs(low), abs(high)) or low == high
    if from_zero:
        low, high = min(low, Fraction(0)), max(high, Fraction(0))
    breadth = (high - low) or Fraction(1)
    start = low - (0 if from_zero else breadth * _ROOM * 2)
    scale = SPAN / (high - start or Fraction(1))

    def at(value: Fraction) -> float:
        return LEFT + float((value - start) * scale)

    base = at(Fraction(0)) if from_zero else float(LEFT)
    bars, before = [], Fraction(0)
    for number, (step, now) in enumerate(zip(steps, reached, strict=True)):
        begins = base if step.part == "total" else at(before)
        left, right = sorted((begins, at(now)))
        bars.append(
            Bar(
                step=step,
                x=_said(left),
                y=TOP + number * ROW,
                width=_said(max(right - left, _THIN)),
                line_x=_said(at(now)),
                last=number == len(steps) - 1,
            )
        )
        before = now
    return Bridge(bars=tuple(bars), height=TOP * 2 + len(bars) * ROW, zero_x=_said(base) if from_zero else None)


def _said(length: float) -> str:
    return f"{length:.1f}"
