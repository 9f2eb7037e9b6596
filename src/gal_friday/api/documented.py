"""The description of the API that programs read: OpenAPI 3.1, made from the shapes that handlers answer with.

The framework describes addresses and parameters; what is sent and answered is described by our own values, so that the
description cannot say anything else than what is encoded. Amounts are strings with a pattern.
"""

from collections.abc import Iterator
from typing import Any

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from msgspec import Struct

from gal_friday.api.answers import JSON
from gal_friday.api.problem import MEDIA_TYPE
from gal_friday.api.pushes import EXAMPLES
from gal_friday.api.shapes import SIGHTINGS

REFERENCE = "#/components/schemas/{name}"
DIGITS = r"^-?[0-9]+(\.[0-9]+)?$"
_DESCRIBED: list[type] = []


class ProblemShape(Struct, rename={"kind": "type"}):
    """What went wrong, and what to do next (RFC 9457)."""

    kind: str
    title: str
    status: int
    detail: str


_WRONG = {
    401: "Nobody is signed in, or the token is not good.",
    403: "The caller may not do this.",
    404: "There is no such thing, or the caller may not see it.",
    409: "Not now, or not from where it stands.",
    413: "The body is too large.",
    415: "The body is no JSON.",
    422: "A parameter or the body is not what it has to be.",
    429: "Too many at once.",
    500: "A mistake of this program.",
    502: "The exchange gave no usable answer.",
    503: "The database or the book cannot be used now.",
}


def said(kind: type, *, media_type: str = JSON, description: str = "") -> dict[str, Any]:
    """Return what a route has to be given, so that its answer is described as a value of this kind."""
    schema = {"schema": _reference(kind)}
    right = {200: {"description": description or _first_line(kind), "content": {media_type: schema}}}
    return {"response_model": None, "responses": right | {304: {"description": "As it was."}} | wrong()}


def wrong() -> dict[int | str, dict[str, Any]]:
    """Return the description of every answer that is a problem."""
    problem = {"content": {MEDIA_TYPE: {"schema": _reference(ProblemShape)}}}
    return {status: {"description": text, **problem} for status, text in _WRONG.items()}


def takes(kind: type, *, required: bool = True) -> dict[str, Any]:
    """Return what a route has to be given, so that its body is described as a value of this kind."""
    content: dict[str, Any] = {"schema": _reference(kind)}
    if kind in EXAMPLES:
        content["example"] = EXAMPLES[kind]
    return {"openapi_extra": {"requestBody": {"required": required, "content": {JSON: content}}}}


def describe(app: FastAPI) -> None:
    """Have *app* answer with the description of itself."""

    def described() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _described(app)
        return app.openapi_schema

    app.openapi = described  # type: ignore[method-assign]


def _described(app: FastAPI) -> dict[str, Any]:
    made = get_openapi(
        title=app.title, version=app.version, summary=app.summary, description=app.description, routes=app.routes
    )
    every = list(dict.fromkeys([*_DESCRIBED, *SIGHTINGS]))
    _, components = msgspec.json.schema_components(every, ref_template=REFERENCE)
    seen = {"anyOf": [{"$ref": REFERENCE.format(name=kind.__name__)} for kind in SIGHTINGS]}
    components["FollowedDiscrepancy"]["properties"]["latest"] = seen
    ours = {name: _exact(schema) for name, schema in components.items()}
    known = made.setdefault("components", {}).setdefault("schemas", {})
    for theirs in ("HTTPValidationError", "ValidationError"):
        known.pop(theirs, None)
    known.update(ours)
    return made


def _reference(kind: type) -> dict[str, str]:
    _DESCRIBED.append(kind)
    return {"$ref": REFERENCE.format(name=kind.__name__)}


def _first_line(kind: type) -> str:
    return (kind.__doc__ or kind.__name__).partition("\n")[0]


def _exact(schema: Any) -> Any:
    """Return the schema with the pattern that every amount keeps."""
    if isinstance(schema, dict):
        inner = {name: _exact(value) for name, value in schema.items()}
        return inner | {"pattern": DIGITS} if inner.get("format") == "decimal" else inner
    return [_exact(each) for each in schema] if isinstance(schema, list) else schema


def amounts(schema: Any) -> Iterator[dict[str, Any]]:
    """Yield every part of a description that describes an amount."""
    if isinstance(schema, dict):
        if schema.get("format") == "decimal":
            yield schema
        for value in schema.values():
            yield from amounts(value)
    elif isinstance(schema, list):
        for each in schema:
            yield from amounts(each)
