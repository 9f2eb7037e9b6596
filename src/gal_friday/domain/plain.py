"""What is kept or shown as JSON: the values of the domain as JSON types, with amounts as plain digits.

What was written so and is read again is written the same way again.
"""

from decimal import Decimal
from typing import Any

import msgspec

from gal_friday.domain import quantity

NOT_READ = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What a decoder raises at bytes that are not what was asked for; the last one at nesting without end."""


def plain(value: Any) -> Any:
    """Return *value* as JSON types, with amounts as plain digits: the encoder alone would write 1E-8."""
    return _without_exponents(msgspec.to_builtins(value, builtin_types=(Decimal,)))


_LOOKED_INTO = frozenset({Decimal, dict, list, tuple})
"""What the values of a report are made of besides text, numbers and flags: only these need a look."""


def _without_exponents(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: _without_exponents(inner) if type(inner) in _LOOKED_INTO else inner for name, inner in value.items()
        }
    if isinstance(value, list | tuple):
        return [_without_exponents(inner) if type(inner) in _LOOKED_INTO else inner for inner in value]
    if isinstance(value, Decimal):
        return quantity.text(value) if value else "0"
    return value
