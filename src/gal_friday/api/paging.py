"""Pages of lists: the parameters that ask for one, and where the next one begins."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, TypeVar

from fastapi import Query

from gal_friday.api.problem import Problem
from gal_friday.domain.exact_json import Unreadable, an_instant
from gal_friday.flows.cursor import MalformedCursor, cursor_of
from gal_friday.flows.cursor import place_of as written_in
from gal_friday.ports.pages import Place

__all__ = ["PAGE", "Cursor", "Limit", "Since", "Until", "cursor_of", "instant_of", "paged", "place_of"]

Row = TypeVar("Row")

PAGE = 100
PAGE_MAX = 500
_CURSOR_MAX = 400

Cursor = Annotated[
    str | None,
    Query(max_length=_CURSOR_MAX, description="`next_cursor` of the page before; nothing for the first page."),
]
Limit = Annotated[int, Query(ge=1, le=PAGE_MAX, description="How many entries a page has at most.")]

Since = Annotated[
    str | None,
    Query(
        max_length=60,
        description="From this instant on, ISO 8601 with its zone: 2026-01-31T12:00:00Z.",
        json_schema_extra={"format": "date-time"},
    ),
]


Until = Annotated[
    str | None,
    Query(
        max_length=60,
        description="Before this instant, ISO 8601 with its zone.",
        json_schema_extra={"format": "date-time"},
    ),
]


def place_of(cursor: str | None) -> Place | None:
    """Return the place that a cursor stands for.

    Raises:
        Problem: it is no cursor of ours.
    """
    try:
        return written_in(cursor)
    except MalformedCursor as error:
        raise Problem(422, "bad-cursor", "No such cursor", str(error)) from None


def paged(rows: Sequence[Row], limit: int) -> tuple[Sequence[Row], bool]:
    """Return a page of what was asked for with one more than *limit*, and whether more follow."""
    return rows[:limit], len(rows) > limit


def instant_of(text: str | None, name: str = "since") -> datetime | None:
    """Return an instant that somebody named.

    Raises:
        Problem: it is none, or has no zone and could be any of 38 instants.
    """
    try:
        return None if text is None else an_instant(text)
    except Unreadable as wrong:
        raise Problem(422, "bad-parameter", "A parameter is not what it has to be", f"{name}: {wrong.reason}") from None
