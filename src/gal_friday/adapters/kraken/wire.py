"""Kraken's answers as values: the envelope, and single fields of a row, exactly as they were sent.

Numbers stay text until an amount is made of them; a binary float never exists. Whatever cannot be read
raises ``ExchangeMalformed`` naming endpoint, row and field; nothing is replaced by a default.
"""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, NoReturn

import msgspec
from msgspec import Struct

from gal_friday.domain.errors import GalFridayError, MalformedAmount
from gal_friday.domain.quantity import ZERO, parse, places
from gal_friday.ports.errors import ExchangeMalformed

Row = dict[str, Any]
"""One record of an answer: strings, whole numbers, booleans, nulls, lists and maps; fractions as text."""

Where = tuple[str, str]
"""Endpoint and row id, for messages."""

MISSING = object()

_DIGITS_MAX = 20  # On either side of the point; Kraken's assets and prices have at most 12 decimals.
# A third of an account's time goes into amounts: the usual form is recognised without a second look.
_ORDINARY = re.compile(r"-?(?=[0-9.]*[1-9])[0-9]{1,20}(?:\.[0-9]{1,20})?|0(?:\.0{1,20})?")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNIX_TIME = re.compile(r"([0-9]{1,11})(?:\.([0-9]{1,12}))?")

_ID_MAX = 128
_WORD_MAX = 1000
_SHOWN_MAX = 80
_DEPTH_MAX = 32  # Kraken's answers have six. Whoever walks through a row later is spared nesting without end.

# Fractions stay text, whole numbers are exact anyway.
_DECODER = msgspec.json.Decoder(float_hook=str)


class Unreadable(Exception):
    """The body is not one JSON object: a cut answer, or a page of the front end. Asking again may help."""


class Envelope(Struct, frozen=True):
    """The outer object of every answer."""

    errors: tuple[str, ...]
    result: Any
    """What came, null made MISSING."""


def envelope(body: bytes) -> Envelope:
    """Return the two parts of an answer. ``error`` as plain text is accepted: it has been seen.

    Raises:
        Unreadable: not JSON, not an object, no error list, or a name that stands twice in one object.
    """
    answer = object_of(body)
    if "error" not in answer:
        raise Unreadable("it is not a JSON object with an error list")
    result = answer.get("result")
    return Envelope(_errors(answer["error"]), MISSING if result is None else result)


def object_of(body: bytes) -> Row:
    """Return the one JSON object that these bytes are; fractions stay text.

    Raises:
        Unreadable: not JSON, not an object, or a name that stands twice in one object.
    """
    try:
        answer = _DECODER.decode(body)
        if isinstance(answer, dict):
            _refuse_names_that_stand_twice(body, answer)
            return answer
    except (ValueError, RecursionError) as error:
        raise Unreadable(_shown(str(error))) from error
    raise Unreadable("it is not a JSON object")


def rows_of(value: Any, endpoint: str) -> Mapping[str, Row]:
    """Return a map from id to row.

    Raises:
        ExchangeMalformed: it is no map, a row is no map, or an id is no id.
    """
    if not isinstance(value, dict):
        refuse((endpoint, ""), "", f"a map of rows was expected, not {_kind(value)}")
    for name, row in value.items():
        if not name or len(name) > _ID_MAX or not name.isprintable():
            refuse((endpoint, ascii(_shown(name))), "", "this is no id")
        if not isinstance(row, dict):
            refuse((endpoint, name), "", f"a row was expected, not {_kind(row)}")
    return value


def amount(row: Row, field: str, where: Where) -> Decimal:
    """Return the amount in this field, written as text or as a bare number."""
    value = row.get(field)
    if value.__class__ is not str:
        value = _number_text(value, field, where)
    if _ORDINARY.fullmatch(value):
        # Within the limits of every amount by its form alone, and no zero with a sign: nothing is left to check.
        return Decimal(value)
    try:
        parsed = parse(value)
    except MalformedAmount as error:
        refuse(where, field, _shown(str(error)), error)
    if parsed and (parsed.adjusted() >= _DIGITS_MAX or places(parsed) > _DIGITS_MAX):
        refuse(where, field, f"{_shown(value)} has more digits than any amount at Kraken")
    return parsed


def amount_or_none(row: Row, field: str, where: Where) -> Decimal | None:
    """Return the amount in this field; None where the field is absent or null."""
    return None if row.get(field) is None else amount(row, field, where)


def amount_or_zero(row: Row, field: str, where: Where) -> Decimal:
    """Return the amount in a field that Kraken leaves out where it would be zero."""
    value = row.get(field)
    return ZERO if value is None or value == "" else amount(row, field, where)


def word(row: Row, field: str, where: Where) -> str:
    """Return the text in this field, which must be there."""
    value = row.get(field)
    if value.__class__ is not str or not value:
        refuse(where, field, f"a text was expected, not {_kind(value)}")
    return _readable(value, field, where)


def word_or_empty(row: Row, field: str, where: Where) -> str:
    """Return the text in this field; empty where it is absent or null."""
    value = row.get(field)
    if value is None:
        return ""
    if value.__class__ is not str:
        refuse(where, field, f"a text was expected, not {_kind(value)}")
    return _readable(value, field, where)


def number_text(row: Row, field: str, where: Where) -> str:
    """Return a number, sent as text or bare, as its text."""
    value = row.get(field)
    return value if isinstance(value, str) else _number_text(value, field, where)


def instant(text: str, field: str, where: Where) -> datetime:
    """Return unix seconds, written as text, as an instant. Digits beyond the microsecond are cut off."""
    written = _UNIX_TIME.fullmatch(text)
    if written is None:
        refuse(where, field, f"{_shown(text)!r} is no time in unix seconds")
    seconds, fraction = written.groups()
    return _EPOCH + timedelta(0, int(seconds), int(fraction[:6].ljust(6, "0")) if fraction else 0)


def dated(row: Row, field: str, where: Where) -> datetime:
    """Return the instant in this field, written with date, time and zone as the stream writes it."""
    text = word(row, field, where)
    try:
        at = datetime.fromisoformat(text)
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        refuse(where, field, f"{_shown(text)!r} is no time", error)


def whole_number(value: Any) -> int | None:
    """Return a whole number, sent as text or bare; None where it is none."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 18:
        return int(value)
    return None


def refuse(where: Where, field: str, reason: str, cause: Exception | None = None) -> NoReturn:
    """Raise ``ExchangeMalformed`` for this place."""
    endpoint, row = where
    place = "".join((f", row {row}" if row else "", f", field {field}" if field else ""))
    said = f"Kraken {endpoint}{place}: {reason}. Nothing of this answer was used."
    raise ExchangeMalformed(said) from cause


def refuse_record(where: Where, error: GalFridayError) -> NoReturn:
    """Raise ``ExchangeMalformed`` for a row that breaks a rule of the records, such as a size below zero."""
    if isinstance(error, ExchangeMalformed):
        raise error
    refuse(where, "", _shown(str(error)), error)


def _readable(text: str, field: str, where: Where) -> str:
    # Names and ids end up on screens and in files that have to be read again.
    if len(text) > _WORD_MAX or not text.isprintable():
        refuse(where, field, f"{text[:_SHOWN_MAX]!a} is no word that can be shown")
    return text


def _errors(value: Any) -> tuple[str, ...]:
    if value is None or value == "":
        return ()
    if isinstance(value, str):
        return (value,)
    if isinstance(value, list) and all(isinstance(entry, str) for entry in value):
        return tuple(value)
    raise Unreadable("its error list is no list of texts")


def _number_text(value: Any, field: str, where: Where) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    refuse(where, field, f"a number was expected, not {_kind(value)}")


def _kind(value: Any) -> str:
    return "nothing" if value is None or value is MISSING else type(value).__name__


def _shown(text: str) -> str:
    return text if len(text) <= _SHOWN_MAX else f"{text[:_SHOWN_MAX]}…"


def _refuse_names_that_stand_twice(body: bytes, answer: Row) -> None:
    # A decoder keeps the last of two equal names and says nothing, so a row could vanish. Counting the
    # colons behind closing quotes is a hundred times cheaper than decoding pair by pair, which is done
    # only where the count does not settle it.
    if body.count(b'":') == _names_in(answer):
        return
    json.loads(body, object_pairs_hook=_pairs, parse_float=str, parse_constant=str)


def _names_in(value: Any, depth: int = 0) -> int:
    # Rows are flat and many: only what is nested is worth another call.
    if depth > _DEPTH_MAX:
        raise ValueError(f"nested deeper than {_DEPTH_MAX} levels, as no answer of Kraken is")
    names = 0
    inner = value
    if type(value) is dict:
        names = len(value)
        inner = value.values()
    for nested in [each for each in inner if type(each) in _NESTED]:
        names += _names_in(nested, depth + 1)
    return names


_NESTED = frozenset({dict, list})


def _pairs(pairs: list[tuple[str, Any]]) -> Row:
    names = dict(pairs)
    if len(names) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return names
