"""JSON read without losing a digit: parsing, and one value at a time.

Bare numbers never pass through a float. A key that stands twice in one object, half a character, a
number that is none, nesting without end: each is refused, with the steps to its place. Nothing here knows
what the values mean; ``snapshot_json`` does.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

from gal_friday.domain import quantity
from gal_friday.domain.errors import MalformedAmount

BYTES_MAX = 256 * 1024 * 1024  # About a million records; larger books are compared as tables.
DEPTH_MAX = 32
_FIRST, _LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)
TEXT_CHARS_MAX = 500  # Of a name or an id: PostgreSQL finds nothing by one of more than 2,704 bytes (btree).
NUMBER_DIGITS_MAX = 1000  # Of a number in an unknown field; amounts have the limits of quantity.py.


class Unreadable(Exception):
    """What is wrong; the steps to its place are added on the way out, innermost first.

    Never leaves the domain: whoever called catches it and names the file.
    """

    def __init__(self, reason: str, step: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.steps = [step]

    def under(self, step: str) -> "Unreadable":
        """Add the step that leads here from one level up."""
        self.steps.append(step)
        return self

    @property
    def place(self) -> str:
        """Where it is, from the top: ``fills[3].quantity``; printable whatever the file's own names are."""
        place = "".join(reversed(self.steps)).lstrip(".")
        return (place if place.isprintable() else ascii(place)[1:-1])[:200]


class BareNumber(str):
    """The text of a bare JSON number, so that no digit passes through a float."""

    __slots__ = ()


class _Repeated(dict[str, Any]):
    """An object in which one key stands twice; refused where its place is known."""

    key = ""


def parsed(data: bytes) -> dict[str, Any]:
    """Return the object that these bytes hold, bare numbers as ``BareNumber``, nothing interpreted yet."""
    if len(data) > BYTES_MAX:
        raise Unreadable(f"larger than {BYTES_MAX} bytes; compare it as a table (CSV, Parquet, database) instead")
    try:
        top = json.loads(
            data.decode("utf-8-sig"),
            parse_float=BareNumber,
            parse_int=BareNumber,
            parse_constant=BareNumber,
            object_pairs_hook=_object_of,
        )
    except UnicodeDecodeError as error:
        raise Unreadable(f"not UTF-8 (byte {error.start}); save the file as UTF-8") from None
    except json.JSONDecodeError as error:
        reason = f"not JSON at line {error.lineno} column {error.colno}: {error.msg}"
        raise Unreadable(f"{reason}; was the file written to its end?") from None
    except RecursionError:
        raise Unreadable(f"nested deeper than {DEPTH_MAX} levels; flatten it") from None
    return an_object(top)


def _object_of(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) == len(pairs):
        return fields
    repeated = _Repeated(fields)
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            repeated.key = key
        seen.add(key)
    return repeated


def each(rows: Any, read: Callable[[Any], Any], step: str = "") -> tuple[Any, ...]:
    """Return every row read; the number of the row that cannot be read is the step to it."""
    if not isinstance(rows, list):
        raise Unreadable(f"expected a list, found {shown(rows)}; write [] if there are none", step)
    done: list[Any] = []
    try:
        for row in rows:
            done.append(read(row))  # noqa: PERF401 - how many are done is the place of what is wrong
    except Unreadable as wrong:
        raise wrong.under(f"[{len(done)}]").under(step) from None
    return tuple(done)


def an_object(value: Any) -> dict[str, Any]:
    """Return the fields of an object in which every key stands once."""
    if type(value) is dict:
        return value
    if isinstance(value, _Repeated):
        raise Unreadable("stands twice in one object; keep the one that is true", f".{value.key}")
    raise Unreadable(f"expected an object, found {shown(value)}")


def kept(value: Any, depth: int = 2) -> Any:
    """Return an unknown value as plain Python, numbers exact."""
    if depth > DEPTH_MAX:
        raise Unreadable(f"nested deeper than {DEPTH_MAX} levels; flatten it")
    match value:
        case BareNumber():
            return _number(value)
        case str():
            return sound(value)
        case list():
            return [kept(item, depth + 1) for item in value]
        case dict():
            return {sound(key): kept(item, depth + 1) for key, item in an_object(value).items()}
        case _:
            return value


def _number(value: BareNumber) -> int | Decimal:
    if len(value) <= 18 and value.lstrip("-").isdecimal():  # msgspec writes integers of 64 bits
        return int(value)
    try:
        number = Decimal(value) if len(value) <= NUMBER_DIGITS_MAX else Decimal("NaN")
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise Unreadable(f"{shown(value)} is no number that can be kept exactly; write it as text")
    return number


def sound(value: str) -> str:
    """Return text that can be written as UTF-8 again."""
    if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
        raise Unreadable("half a character (a lone surrogate); write the whole character")
    return value


def a_text(value: Any) -> str:
    """Return a name, id or word. Whatever cannot be printed could not be told apart on a screen."""
    if type(value) is not str:
        raise Unreadable(f"expected text, found {shown(value)}")
    if not value or not value.isprintable():
        raise Unreadable("empty; give it or leave the field out" if not value else f"{value[:40]!a} cannot be printed")
    if len(value) > TEXT_CHARS_MAX:
        raise Unreadable(f"{len(value)} characters, and a name or an id has at most {TEXT_CHARS_MAX}; shorten it")
    return value


def a_note(value: Any) -> str:
    """Return free text, line ends included."""
    if type(value) is not str:
        raise Unreadable(f"expected text, found {shown(value)}")
    return sound(value)


def an_amount(value: Any) -> Decimal:
    """Return the amount written as text or as a bare number, with exactly its digits."""
    if not isinstance(value, str):
        raise Unreadable(f'expected an amount such as "0.25", found {shown(value)}')
    try:
        return quantity.parse(value)
    except MalformedAmount as error:
        raise Unreadable(f"{shown(value)} is no amount: {error.reason}") from None


def a_size(value: Any) -> Decimal:
    """Return an amount that has no direction of its own."""
    amount = an_amount(value)
    if amount < 0:
        raise Unreadable("must not be negative: side or mode tells the direction")
    return amount


def an_instant(value: Any) -> datetime:
    """Return the instant in UTC; what is finer than a microsecond is cut off."""
    text = a_text(value)
    try:
        stated = datetime.fromisoformat(text)
        instant = stated.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Unreadable(f"{shown(value)} is no time such as 2026-01-31T12:00:00Z") from None
    if stated.tzinfo is None:
        raise Unreadable(f"{shown(value)} has no time zone; write 2026-01-31T12:00:00Z")
    if not _FIRST <= instant < _LAST:
        # N1: year 1 is what several languages write for a time that was never set.
        raise Unreadable(
            f"{shown(value)} is no time at which anything happened; leave the field out where it is unknown"
        )
    return instant


def written_instant(instant: datetime) -> str:
    """Return the instant as ISO 8601 with Z."""
    if instant.tzinfo is None:
        raise ValueError(f"{instant.isoformat()} has no time zone")
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def a_flag(value: Any) -> bool:
    """Return true or false, and nothing that merely looks like it."""
    if type(value) is not bool:
        raise Unreadable(f"expected true or false, found {shown(value)}")
    return value


def a_count(value: Any) -> int:
    """Return a whole number from 0 on, written as a bare number."""
    if not isinstance(value, BareNumber) or not value.isdecimal() or len(value) > 9:
        raise Unreadable(f"expected a whole number such as 8, found {shown(value)}")
    return int(value)


def a_word(words: type[StrEnum] | dict[str, str]) -> Callable[[Any], Any]:
    """Return a reader that knows exactly these words, and names them when it meets another."""
    known = words if isinstance(words, dict) else {str(word.value): word for word in words}

    def read(value: Any) -> str:
        if type(value) is not str or value not in known:
            raise Unreadable(f"{shown(value)} is none of {', '.join(known)}")
        return known[value]

    return read


def by_name(read: Callable[[Any], Any], names: Callable[[str], Any]) -> Callable[[Any], dict[Any, Any]]:
    """Return a reader of an object whose keys are names and whose values are all read alike."""

    def read_all(value: Any) -> dict[Any, Any]:
        done: dict[Any, Any] = {}
        for name, item in an_object(value).items():
            try:
                done[names(name)] = read(item)
            except Unreadable as wrong:
                raise wrong.under(f".{name}") from None
        return done

    return read_all


def shown(value: Any) -> str:
    """Return a short, printable form of what was found, for a message."""
    match value:
        case None:
            return "null"
        case BareNumber():
            return f"the number {value[:40]}"
        case str():
            return ascii(value[:40]) if value.isprintable() is False else repr(value[:40])
        case bool():
            return "true" if value else "false"
        case list():
            return "a list"
        case _:
            return "an object"
