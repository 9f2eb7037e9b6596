"""Everything that can be set, read off the settings themselves: names, kinds, defaults, meanings.

The meaning of a setting stands once, below its field; this reads it from there.
"""

import ast
import inspect
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from textwrap import dedent, wrap
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import NODEFAULT, Struct
from msgspec.structs import fields

from gal_friday.domain import quantity

_WIDTH = 80
_WORDS = {str: "text", int: "whole number", bool: "true or false", Decimal: "amount"}


def documented(settings: type[Struct], section: str = "") -> Iterator[str]:
    """Yield the lines of a readable list: each section with its settings, their defaults and meanings."""
    meanings = _meanings(settings)
    plain = [field for field in fields(settings) if not _sections(field.type)]
    if section and (plain or settings.__struct_config__.tag):
        yield f"[{section}]"
        yield from wrap(inspect.cleandoc(settings.__doc__ or ""), _WIDTH, initial_indent="# ", subsequent_indent="# ")
    if tag := settings.__struct_config__.tag:
        yield f'type = "{tag}"'
    for field in plain:
        yield f"{field.name} = {_default(field)}  ({_kind(_hint(settings, field.name))})"
        yield from wrap(meanings.get(field.name, ""), _WIDTH, initial_indent="    ", subsequent_indent="    ")
    yield ""
    for field in fields(settings):
        for nested, suffix in _sections(field.type):
            yield from documented(nested, ".".join(filter(None, (section, field.name, suffix))))


def schema_of(settings: type[Struct]) -> dict[str, Any]:
    """Return the JSON schema of the settings, with meanings as descriptions and amounts as plain digits."""
    schema: dict[str, Any] = msgspec.json.schema(settings)
    for nested in _every(settings):
        described = schema["$defs"][nested.__name__]["properties"]
        for name, meaning in _meanings(nested).items():
            described[name]["description"] = meaning
        for field in fields(nested):
            if isinstance(field.default, Decimal):
                described[field.name]["default"] = quantity.text(field.default)
            elif "default" in described[field.name] and _sections(field.type):
                # The defaults of a section stand with its own settings.
                del described[field.name]["default"]
    return schema


def _every(settings: type[Struct]) -> Iterator[type[Struct]]:
    yield settings
    for field in fields(settings):
        for nested, _ in _sections(field.type):
            yield from _every(nested)


def _sections(kind: Any) -> list[tuple[type[Struct], str]]:
    """Return the sections that a field of this type holds, and how their names are written where users choose them."""
    if isinstance(kind, type) and issubclass(kind, Struct):
        return [(kind, "")]
    if get_origin(kind) is dict:
        return [(nested, "NAME") for nested, _ in _sections(get_args(kind)[1])]
    if get_origin(kind) in (Union, UnionType):
        return [found for part in get_args(kind) for found in _sections(part)]
    return []


def _default(field: Any) -> str:
    if field.default is NODEFAULT and field.default_factory is NODEFAULT:
        return "…"
    value = field.default if field.default is not NODEFAULT else field.default_factory()
    match value:
        case Decimal():
            return f'"{quantity.text(value)}"'
        case bool():
            return str(value).lower()
        case None:
            return "…"
        case str():
            return f'"{value}"'
        case _:
            return str(value)


def _hint(settings: type[Struct], name: str) -> Any:
    return get_type_hints(settings)[name]


def _kind(hint: Any) -> str:
    if get_origin(hint) is Literal:
        return " or ".join(get_args(hint))
    if get_origin(hint) in (Union, UnionType):
        return " or ".join(_kind(part) for part in get_args(hint) if part is not type(None)) + ", optional"
    if get_origin(hint) is dict:
        return f"NAME = {_kind(get_args(hint)[1])}"
    return _WORDS.get(hint, "text")


@cache
def _meanings(settings: type[Struct]) -> dict[str, str]:
    """Return the text that stands below each field in the source, wherever the field was inherited from."""
    found: dict[str, str] = {}
    for kind in reversed(settings.__mro__):
        if issubclass(kind, Struct) and kind is not Struct:
            found |= dict(_written_in(kind))
    return found


def _written_in(settings: type[Struct]) -> Iterator[tuple[str, str]]:
    (body,) = ast.parse(dedent(inspect.getsource(settings))).body
    assert isinstance(body, ast.ClassDef)
    for field, below in zip(body.body, body.body[1:], strict=False):
        match field, below:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                yield name, inspect.cleandoc(text)
