"""What is sent: exact JSON, and whether it may be kept by whoever receives it.

Amounts are strings of plain digits. What was stored and stays is sent with a tag, so that asking again costs nothing;
everything else is not to be kept. Nothing here knows what the content means.
"""

from hashlib import sha256
from typing import Any

import msgspec
from fastapi import Request, Response

from gal_friday.domain.plain import plain

JSON = "application/json"
_KEPT = {"Cache-Control": "private, no-cache"}  # Kept, and asked for again with its tag.
_TAG_DIGITS = 32


def encoded(value: Any) -> bytes:
    """Return the value as JSON; bytes of a ``msgspec.Raw`` go in as they are."""
    return msgspec.json.encode(value if isinstance(value, dict) else plain(value))


def fresh(value: Any, status: int = 200) -> Response:
    """Return an answer that holds at this moment only."""
    return Response(encoded(value), status, {"Cache-Control": "no-store"}, JSON)


def tagged(request: Request, content: bytes) -> Response:
    """Return an answer with its tag, or nothing but the tag where whoever asks has it already."""
    tag = f'"{sha256(content).hexdigest()[:_TAG_DIGITS]}"'
    headers = _KEPT | {"ETag": tag}
    if _has(request.headers.get("if-none-match", ""), tag):
        return Response(None, 304, headers)
    return Response(content, 200, headers, JSON)


def _has(known: str, tag: str) -> bool:
    # Weakly compared, as RFC 9110 asks for this header (13.1.2).
    tags = [one.strip().removeprefix("W/") for one in known.split(",")]
    return tag in tags or tags == ["*"]


def raw(content: bytes) -> msgspec.Raw:
    """Return JSON that goes into an answer as it is."""
    return msgspec.Raw(content)
