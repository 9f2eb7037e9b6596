"""Exact amounts: the only file of the project that does decimal arithmetic.

Amounts come from text, keep every digit they came with, and never pass through a binary float (I1).
Arithmetic that would have to drop a digit raises instead (I2); the functions that are allowed to round
say so in their names.

Two limits make both promises cheap. An amount may have at most 40 digits before the point and 30
after it, checked once, at birth; the context is so wide that any sum of amounts and any product of
three of them fits into it. So nothing that passed the door can raise later.
"""

import re
from collections.abc import Iterable
from decimal import (
    ROUND_HALF_EVEN,
    Clamped,
    Context,
    Decimal,
    DivisionByZero,
    Inexact,
    InvalidOperation,
    Overflow,
    Underflow,
)
from functools import cache

from gal_friday.domain.errors import MalformedAmount

WHOLE_DIGITS_MAX = 40
FRACTION_DIGITS_MAX = 30

# 240 digits hold any product of three legal amounts (210: a cost times a price) and any sum of 10^20 of them.
EXACT = Context(prec=240, traps=[Inexact, InvalidOperation, DivisionByZero, Overflow, Underflow, Clamped])
_ROUNDING = Context(prec=240, rounding=ROUND_HALF_EVEN, traps=[InvalidOperation, DivisionByZero, Overflow])
# Chances are estimates: forty digits of them are more than anybody needs, and quick.
_CHANCES = Context(prec=40, rounding=ROUND_HALF_EVEN, traps=[InvalidOperation, DivisionByZero, Overflow])

ZERO = Decimal(0)

# Scientific notation is read exactly, because some sources write 5.4E-9 for a small reward.
_PLAIN = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?", re.ASCII)


def parse(text: str) -> Decimal:
    """Return the amount written in *text*, with exactly its digits; negative zero becomes zero.

    Raises:
        MalformedAmount: the text is not a plain or scientific decimal number, or has more digits than
            the limits of this module. Spaces, underscores, thousands separators, NaN and infinity are
            all refused: a guess about an amount is worse than none.
    """
    if not _PLAIN.fullmatch(text):
        raise MalformedAmount(text, "it is not a decimal number such as 0.25 or -1500")
    amount = Decimal(text)
    # So short a text, one of whose characters may be the point, has no more digits than are allowed: the usual case.
    brief = len(text) <= FRACTION_DIGITS_MAX + 1 and "e" not in text and "E" not in text
    return amount if brief and amount else exact(amount)


def exact(amount: Decimal) -> Decimal:
    """Return *amount* if it may enter the system, with negative zero made zero.

    For decimals that a decoder has already built from text.

    Raises:
        MalformedAmount: no Decimal (a float above all), not finite, or more digits than the limits of
            this module.
    """
    if not isinstance(amount, Decimal):
        raise MalformedAmount(repr(amount), "it is no Decimal; make one from text, as in Decimal('0.25')")
    if not amount.is_finite():
        raise MalformedAmount(str(amount), "NaN and infinity are not amounts")
    if not amount:
        return ZERO if amount.is_signed() or not _fits_zero(amount) else amount
    if amount.adjusted() >= WHOLE_DIGITS_MAX:
        reason = f"it has more than {WHOLE_DIGITS_MAX} digits before the point"
        raise MalformedAmount(_shortened(amount), reason)
    if -_exponent(amount) > FRACTION_DIGITS_MAX:
        reason = f"it has more than {FRACTION_DIGITS_MAX} digits after the point"
        raise MalformedAmount(_shortened(amount), reason)
    return amount


def followed(amount: Decimal) -> Decimal:
    """Return an amount that follows from others, however many digits a sum or a product of them has.

    Raises:
        MalformedAmount: as ``refuse_inexact``.
    """
    refuse_inexact(amount)
    return amount if amount else exact(amount)


def reread(text: str) -> Decimal:
    """Return an amount that this program wrote itself, as ``text`` or ``short``; it may have followed from others.

    Raises:
        MalformedAmount: the text is no such amount.
    """
    if not _PLAIN.fullmatch(text):
        raise MalformedAmount(text, "it is not a decimal number such as 0.25 or -1500")
    return followed(Decimal(text))


def refuse_inexact(amount: Decimal | None) -> None:
    """Raise unless this is an exact number, or unknown; for values that are built, a thousand times a second.

    Raises:
        MalformedAmount: a float, an integer, NaN or infinity (I1).
    """
    if amount is not None and (type(amount) is not Decimal or not amount.is_finite()):
        exact(amount)


def add(left: Decimal, right: Decimal) -> Decimal:
    """Return the exact sum."""
    return EXACT.add(left, right)


def subtract(left: Decimal, right: Decimal) -> Decimal:
    """Return *left* minus *right*, exactly."""
    return EXACT.subtract(left, right)


def multiply(left: Decimal, right: Decimal) -> Decimal:
    """Return the exact product; zero has no sign."""
    return EXACT.multiply(left, right) or ZERO


def negate(amount: Decimal) -> Decimal:
    """Return the amount with the other sign; zero stays zero."""
    return EXACT.minus(amount)


def absolute(amount: Decimal) -> Decimal:
    """Return the size of the amount without its sign."""
    return EXACT.abs(amount)


def total(amounts: Iterable[Decimal]) -> Decimal:
    """Return the exact sum of any number of amounts; zero for none."""
    result = ZERO
    for amount in amounts:
        # Of a single amount the sum is that amount, and not a copy of it.
        result = amount if result is ZERO else EXACT.add(result, amount)
    return result


@cache
def unit(places: int) -> Decimal:
    """Return one unit of the last place: ``unit(8)`` is 0.00000001."""
    return Decimal((0, (1,), -places))


def half_unit(places: int) -> Decimal:
    """Return half a unit of the last place, the most that rounding to *places* can move an amount."""
    return Decimal((0, (5,), -places - 1))


def places(amount: Decimal) -> int:
    """Return how many digits stand after the point as the amount is written, trailing zeros included."""
    return max(0, -_exponent(amount))


def is_finer(amount: Decimal, places: int) -> bool:
    """Say whether rounding to *places* digits would change the amount: trailing zeros are nothing to round away."""
    return bool(EXACT.remainder(amount, unit(places)))


def rounded(amount: Decimal, places: int) -> Decimal:
    """Return the amount rounded half to even to *places* digits. One of the functions that may round."""
    return _ROUNDING.plus(_ROUNDING.quantize(amount, unit(places)))


def rounded_quotient(dividend: Decimal, divisor: Decimal, places: int) -> Decimal:
    """Return dividend ÷ divisor, rounded half to even to *places* digits. It may round too.

    Raises:
        ZeroDivisionError: the divisor is zero.
    """
    if not divisor:
        raise ZeroDivisionError(f"{text(dividend)} divided by zero")
    return rounded(_ROUNDING.divide(dividend, divisor), places)


def rounded_root(square: Decimal, places: int) -> Decimal:
    """Return the square root, rounded half to even to *places* digits. For chances; no amount is a root."""
    return rounded(_CHANCES.sqrt(square), places)


def rounded_exp(power: Decimal, places: int) -> Decimal:
    """Return e to this power, rounded half to even to *places* digits. For chances, as above."""
    # Below it nothing is left at any number of places, and the digits of so small a number take long.
    return rounded(_CHANCES.exp(power), places) if power > -200 else ZERO


def at_least(part: Decimal, share: Decimal, whole: Decimal) -> bool:
    """Say whether |part| ≥ share × |whole|, without dividing and so without rounding."""
    return absolute(part) >= multiply(share, absolute(whole))


def text(amount: Decimal) -> str:
    """Return the amount as plain digits, as it is shown and stored: no exponent, and no sign on a zero."""
    return format(amount if amount else absolute(amount), "f")


def short(amount: Decimal) -> str:
    """Return the amount as plain digits without trailing zeros, for people. ``1.500`` is ``1.5``."""
    digits = text(amount)
    return digits.rstrip("0").rstrip(".") if "." in digits else digits


def _exponent(amount: Decimal) -> int:
    exponent = amount.as_tuple().exponent
    assert isinstance(exponent, int), "only finite amounts have an exponent"
    return exponent


def _fits_zero(zero: Decimal) -> bool:
    return -FRACTION_DIGITS_MAX <= _exponent(zero) <= 0


def _shortened(amount: Decimal) -> str:
    digits = str(amount)
    return digits if len(digits) <= 80 else f"{digits[:76]}…"
