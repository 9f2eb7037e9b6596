"""Amounts in columns: every digit kept, aligned at the decimal point."""

import re
from collections.abc import Iterable, Sequence
from decimal import Decimal

from gal_friday.domain import quantity

_CENT = Decimal("0.01")
_AMOUNT = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")


def aligned(cells: Sequence[str]) -> list[str]:
    """Return the cells at one width: amounts aligned at their points, words to the right."""
    amounts = [cell for cell in cells if _AMOUNT.fullmatch(cell)]
    whole = max((len(cell.partition(".")[0]) for cell in amounts), default=0)
    rest = max((len(cell) - len(cell.partition(".")[0]) for cell in amounts), default=0)
    width = max((whole + rest, *(len(cell) for cell in cells)), default=0)
    return [_cell(cell, rest).rjust(width) for cell in cells]


def _cell(cell: str, rest: int) -> str:
    if not _AMOUNT.fullmatch(cell):
        return cell
    before, point, after = cell.partition(".")
    return before + (point + after).ljust(rest)


def padded(cells: Sequence[str]) -> list[str]:
    """Return the cells at one width, words to the left."""
    width = max(map(len, cells), default=0)
    return [cell.ljust(width) for cell in cells]


def table(columns: Iterable[Sequence[str]]) -> list[str]:
    """Return the rows of these columns, two spaces between them, without trailing spaces."""
    return ["  ".join(cells).rstrip() for cells in zip(*columns, strict=True)]


def signed(difference: Decimal | None) -> str:
    """Return a difference with its sign, every digit that matters, or nothing."""
    if difference is None:
        return ""
    return f"+{quantity.short(difference)}" if difference > 0 else quantity.short(difference)


def worth(value: Decimal | None, currency: str) -> str:
    """Return a value to two decimals, marked as rounded; the only amount that is ever shown rounded."""
    if value is None:
        return ""
    if not value:
        return f"0 {currency}"
    if value < _CENT:
        return f"< 0.01 {currency}"
    return f"≈ {quantity.rounded(value, 2):,f} {currency}"


def amount(text: str | None, *, exact: bool) -> str:
    """Return what one side of a record says; *exact* where it is an amount, which then loses trailing zeros."""
    if text is None:
        return "nothing"
    return quantity.short(quantity.reread(text)) if exact else text
