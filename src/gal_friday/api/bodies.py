"""What is sent to us as a body: JSON, within its bound, decoded exactly and to the field."""

from typing import TypeVar

import msgspec
from fastapi import Request

from gal_friday.api.problem import Problem
from gal_friday.domain.plain import NOT_READ

Body = TypeVar("Body")


async def json_bytes(request: Request) -> bytes:
    """Return the body of a call that must send JSON.

    Raises:
        Problem: 415 where it is something else.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        said = f"{kind[:60]!r}" if kind else "nothing"
        raise Problem(415, "not-json", "JSON is expected", f"Content-Type says {said}; send application/json")
    return await request.body()


async def body_of(request: Request, kind: type[Body]) -> Body:
    """Return the body as a value of this kind; no body at all is an empty object.

    Raises:
        Problem: 415 as above, 422 with the place where it is not what it has to be.
    """
    content = await request.body()
    if content:
        content = await json_bytes(request)
    try:
        return msgspec.json.decode(content or b"{}", type=kind)
    except NOT_READ as error:
        raise Problem(422, "bad-body", "The body cannot be read", f"{error}; see /openapi.json for its shape") from None
