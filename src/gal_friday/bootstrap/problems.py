"""What is wrong with the shape of a configuration: unknown and missing settings, values of another kind.

Every problem names its place as the file writes it, the value as it was given, and what would do. It never quotes
what may be a secret: the value of a setting that nobody knows, a key, or an address that may hold a password.
"""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from difflib import get_close_matches
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import NODEFAULT, Struct
from msgspec.structs import FieldInfo, fields

from gal_friday.domain.errors import MalformedAmount
from gal_friday.domain.quantity import exact

Path = tuple[str, ...]
_QUOTED_MAX = 80  # Characters of a value.
_BITS_MAX = 4096  # Python writes no number of more than 4,300 digits; TOML can state one in hexadecimal.
_NEAR = 0.5  # Of letters in common: "recon" is meant to be "reconciliation".
_NEVER_QUOTED = frozenset({"api_key", "api_secret", "url", "token", "database", "secret", "routing_key", "password"})
_KINDS: dict[Any, str] = {
    int: "a whole number",
    bool: "true or false",
    str: 'text in quotes ("…")',
    Decimal: 'an amount in plain digits, such as "0.01"',
}


class Problem(Struct, frozen=True):
    """One thing that is wrong, and where."""

    path: Path
    text: str
    value: Any = None
    """What stands there; None where it must not be shown."""

    def __str__(self) -> str:
        """Return it as one line, the place as the file writes it: ``[accounts.main] exchange = 'krakn': …``."""
        shown = "" if self.value is None or self.path[-1] in _NEVER_QUOTED else f" = {quoted(self.value)}"
        return f"{place(self.path)}{shown}: {self.text}"


def place(path: Path) -> str:
    """Return where a setting stands, as a file writes it."""
    *sections, name = path
    return f"[{'.'.join(_key(part) for part in sections)}] {_key(name)}" if sections else _key(name)


def quoted(value: Any) -> str:
    """Return a value as a message shows it."""
    match value:
        case bool():
            return str(value).lower()
        case Decimal() if value.is_finite():
            return format(value, "f")[:_QUOTED_MAX]
        case dict() | list():
            return "a section" if isinstance(value, dict) else "a list"
        case str():
            return ascii(value if len(value) <= _QUOTED_MAX else f"{value[:_QUOTED_MAX]}…")
        case int():
            return str(value)[:_QUOTED_MAX] if value.bit_length() < _BITS_MAX else "a number of thousands of digits"
        case _:
            return str(value)[:_QUOTED_MAX]


def one_of(words: Iterable[str]) -> str:
    """Return a rule that only these words keep."""
    return f"must be one of {', '.join(map(repr, words))}"


def problems_in(kind: type[Struct], tree: Any, path: Path = ()) -> Iterator[Problem]:
    """Yield everything in which *tree* is no settings of this kind, in the order of the settings."""
    if not isinstance(tree, Mapping):
        yield Problem(path, f"is a section and has settings of its own: {', '.join(_names(kind))}")
        return
    hints, known = get_type_hints(kind), {field.name: field for field in fields(kind)}
    yield from _unknown(kind, tree, path)
    for name, field in known.items():
        if name in tree:
            yield from _value(hints[name], tree[name], (*path, name))
        elif _needed(field):
            yield Problem((*path, name), "is missing; write it, it has no default")


def _key(part: str) -> str:
    return part if part.replace("_", "").replace("-", "").isalnum() and part.isascii() else ascii(part)


def _names(kind: type[Struct]) -> list[str]:
    return [field.name for field in fields(kind)]


def _needed(field: FieldInfo) -> bool:
    return field.default is NODEFAULT and field.default_factory is NODEFAULT


def _unknown(kind: type[Struct], tree: Mapping[str, Any], path: Path) -> Iterator[Problem]:
    names = _names(kind)
    for name in tree:
        if name not in names and name != kind.__struct_config__.tag_field:
            near = get_close_matches(name, names, 1, _NEAR)
            hint = f"did you mean {near[0]}?" if near else f"known here: {', '.join(names) or 'none'}"
            yield Problem((*path, name), f"there is no such setting; {hint} (gal-friday config schema lists all)")


def _value(hint: Any, value: Any, path: Path) -> Iterator[Problem]:
    if get_origin(hint) in (Union, UnionType):
        yield from _alternatives([part for part in get_args(hint) if part is not NoneType], value, path)
    elif get_origin(hint) is dict:
        key, entry = get_args(hint)
        yield from _entries(key, entry, value, path)
    elif get_origin(hint) is Literal:
        if value not in get_args(hint):
            yield Problem(path, one_of(get_args(hint)), value)
    elif isinstance(hint, type) and issubclass(hint, Struct):
        yield from problems_in(hint, value, path)
    else:
        yield from _leaf(hint, value, path)


def _alternatives(parts: list[Any], value: Any, path: Path) -> Iterator[Problem]:
    if len(parts) == 1:
        yield from _value(parts[0], value, path)
        return
    tags = {part.__struct_config__.tag: part for part in parts}
    if not isinstance(value, Mapping):
        yield Problem(path, f"is a section; write type, {one_of(tags)}, and its settings")
    elif "type" not in value:
        yield Problem((*path, "type"), f"is missing; it {one_of(tags)}")
    elif value["type"] not in tuple(tags):  # not in the table itself: a list cannot be looked up
        yield Problem((*path, "type"), one_of(tags), value["type"])
    else:
        yield from problems_in(tags[value["type"]], value, path)


def _entries(key: Any, entry: Any, value: Any, path: Path) -> Iterator[Problem]:
    if not isinstance(value, Mapping):
        yield Problem(path, "is a section of names of your own, each with its value")
        return
    for name, each in value.items():
        if get_origin(key) is Literal and name not in get_args(key):
            yield Problem((*path, name), f"the name {one_of(get_args(key))}")
        else:
            yield from _value(entry, each, (*path, name))


def _leaf(kind: Any, value: Any, path: Path) -> Iterator[Problem]:
    try:
        found = msgspec.convert(value, kind, strict=False)
        if isinstance(found, Decimal):
            exact(found)
    except (msgspec.ValidationError, MalformedAmount):
        yield Problem(path, f"must be {_KINDS[kind]}", value)
