"""An HTTP request as it came in, and an answer as it will go out, with what may go wrong on its way."""

import enum
from collections.abc import Mapping

import msgspec

JSON = "application/json"
PUBLIC_PREFIX, PRIVATE_PREFIX = "/0/public/", "/0/private/"


class Ending(enum.Enum):
    """How an answer ends: complete, cut off, reset, or never."""

    COMPLETE = enum.auto()
    CUT = enum.auto()
    RESET = enum.auto()
    NEVER = enum.auto()


class HttpRequest(msgspec.Struct, frozen=True):
    """One HTTP request; header names are lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def endpoint(self) -> str:
        """What comes after ``/0/public/`` or ``/0/private/``; the whole path for anything else."""
        return self.path.removeprefix(PUBLIC_PREFIX).removeprefix(PRIVATE_PREFIX)


class Answer(msgspec.Struct):
    """One HTTP answer."""

    body: bytes
    status: int = 200
    content_type: str = JSON
    headers: tuple[tuple[str, str], ...] = ()
    ending: Ending = Ending.COMPLETE
    delay: float = 0.0


def page_of_html(title: str) -> bytes:
    """Return a small HTML page such as a front end sends instead of JSON."""
    head, body = f"<head><title>{title}</title></head>", f"<body><h1>{title}</h1></body>"
    return f"<!DOCTYPE html><html>{head}{body}</html>".encode()
