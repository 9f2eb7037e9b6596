"""One value, one sequence of bytes: JSON as RFC 8785 (JCS) writes it, without floats.

Keys stand in the order of their UTF-16 code units, nothing stands between the tokens, text is escaped in one way
alone. Amounts and instants are text. Nothing here is ever read back and written again to be hashed: what was
written is what is hashed.

Source: RFC 8785, JSON Canonicalization Scheme, sections 3.2.2 and 3.2.3.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec

from gal_friday.domain import quantity
from gal_friday.domain.errors import MalformedFact

DEPTH_MAX = 32
WHOLE_MAX = 2**53 - 1  # RFC 8785, section 3.2.2.3: beyond it readers in other languages lose digits.

_ENCODER = msgspec.json.Encoder()


def canonical(value: Mapping[str, Any]) -> bytes:
    """Return the one text of this value, in UTF-8. Amounts become plain digits, instants UTC to the microsecond.

    Raises:
        MalformedFact: a float, a number too large for every reader, half a character, a key that is no text.
    """
    try:
        return _ENCODER.encode(_ordered(value, 0))
    except UnicodeEncodeError:
        raise MalformedFact("half a character (a lone surrogate) cannot be written; write the whole one") from None


def written_exactly(instant: datetime) -> str:
    """Return the instant in UTC with six digits of a second, so that texts sort as instants do."""
    if instant.tzinfo is None:
        raise MalformedFact(f"{instant.isoformat()} has no time zone; pass an aware instant")
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ").rjust(27, "0")


def _ordered(value: Any, depth: int) -> Any:
    if depth > DEPTH_MAX:
        raise MalformedFact(f"nested deeper than {DEPTH_MAX} levels; flatten it")
    match value:
        case str() | bool() | None:
            return value
        case int():
            if not -WHOLE_MAX <= value <= WHOLE_MAX:
                raise MalformedFact(f"{value} is beyond {WHOLE_MAX}, which not every reader keeps; write it as text")
            return value
        case Decimal():
            return quantity.text(quantity.followed(value))
        case datetime():
            return written_exactly(value)
        case Mapping():
            return {key: _ordered(value[key], depth + 1) for key in _sorted(value)}
        case list() | tuple():
            return [_ordered(item, depth + 1) for item in value]
        case _:
            raise MalformedFact(f"{type(value).__name__} has no place in a fact; write text, a whole number or a flag")


def _sorted(fields: Mapping[Any, Any]) -> list[str]:
    keys = list(fields)
    if any(not isinstance(key, str) for key in keys):
        raise MalformedFact("a key that is no text; write it as text")
    # Only beyond the first plane do code units and characters sort differently.
    return sorted(keys) if all(key.isascii() for key in keys) else sorted(keys, key=_code_units)


def _code_units(key: str) -> bytes:
    return key.encode("utf-16-be")
