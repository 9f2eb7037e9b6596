"""Amounts as pages show them: every digit kept, thousands grouped, cut at the decimal point so that columns line up."""

from decimal import Decimal

from markupsafe import Markup, escape
from msgspec import Struct

from gal_friday.domain import quantity
from gal_friday.domain.quantity import ZERO
from gal_friday.web.manner import AS_RECORDED, Manner

_CENT_PLACES = 2
_PERCENT = Decimal(100)


class Parts(Struct, frozen=True):
    """An amount in two parts, set to the right and to the left of one line."""

    whole: str
    rest: str


def parts_of(amount: Decimal, *, signed: bool = False, manner: Manner = AS_RECORDED) -> Parts:
    """Return an amount to the last digit; with its plus where *signed*."""
    whole, point, rest = quantity.text(amount).partition(".")
    digits = whole.lstrip("-")
    numbers = manner.numbers
    groups = f"{int(digits):,}".replace(",", numbers.group)
    sign = "−" if whole.startswith("-") else "+" if signed and amount != ZERO else ""
    return Parts(f"{sign}{groups}", numbers.point + rest if point else "")


def amount(value: Decimal | str | None, *, signed: bool = False, manner: Manner = AS_RECORDED) -> Markup:
    """Return an amount for a cell; what is no amount stands there as it is."""
    if value is None:
        return Markup('<span class="none dash">–</span>')
    if isinstance(value, str):
        return Markup('<span class="text">{}</span>').format(value)
    parts = parts_of(value, signed=signed, manner=manner)
    places = len(parts.rest)
    return Markup(
        '<data class="amount" value="{}"><span class="whole">{}</span><span class="rest p{}">{}</span></data>'
    ).format(quantity.text(value), parts.whole, places, parts.rest)


def difference(value: Decimal | None, *, manner: Manner = AS_RECORDED) -> Markup:
    """Return an amount with its sign."""
    return amount(value, signed=True, manner=manner)


def figure(value: Decimal, signed: bool, *, manner: Manner = AS_RECORDED) -> str:
    """Return an amount as text, for pictures."""
    parts = parts_of(value, signed=signed, manner=manner)
    return parts.whole + parts.rest


def worth(value: Decimal | None, currency: str, *, manner: Manner = AS_RECORDED) -> Markup:
    """Return a value to the cent, in the reporting currency; what is less than a cent says so."""
    if value is None:
        return Markup('<span class="none" title="no price is known">no price</span>')
    rounded = quantity.rounded(value, _CENT_PLACES)
    if rounded == ZERO and value != ZERO:
        cent = f"0{manner.numbers.point}01"
        return Markup('<data value="{}">&lt;&thinsp;{} {}</data>').format(quantity.text(value), cent, currency)
    parts = parts_of(rounded, manner=manner)
    cents = (parts.rest or manner.numbers.point).ljust(_CENT_PLACES + 1, "0")
    return Markup('<data value="{}">{}{} <span class="unit">{}</span></data>').format(
        quantity.text(value), parts.whole, cents, escape(currency)
    )


def share(part: Decimal | None) -> str:
    """Return a share of one as a percentage, to the last digit; empty where there is none."""
    return "" if part is None else f"{quantity.short(quantity.multiply(part, _PERCENT))}\u202f%"
