"""How long the database takes for a statement, told to whoever counts; never what the statement says."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, event
from sqlalchemy.ext.asyncio import AsyncEngine

from gal_friday.ports.clock import Clock

Told = Callable[[str, float], None]
"""Told of each statement: ``read`` or ``write``, and its seconds."""

_BEGUN = "gal_friday_begun"
_KINDS = {
    "SELECT": "read",
    "WITH": "read",
    "INSERT": "write",
    "UPDATE": "write",
    "DELETE": "write",
    # SQLite: here a write waits for everybody else's.
    "BEGIN IMMEDIATE": "write",
}


def timed(engine: AsyncEngine, clock: Clock, told: Told) -> None:
    """Tell of every statement that reads or writes from now on, once it was carried out; of one that fails, nothing."""

    @event.listens_for(engine.sync_engine, "before_cursor_execute")
    def begun(connection: Connection, *_: Any) -> None:
        connection.info[_BEGUN] = clock.monotonic()

    @event.listens_for(engine.sync_engine, "after_cursor_execute")
    def done(connection: Connection, _cursor: Any, statement: str, *_: Any) -> None:
        kind = kind_of(statement)
        if kind is not None:
            told(kind, clock.monotonic() - connection.info[_BEGUN])


def kind_of(statement: str) -> str | None:
    """Return whether a statement reads or writes; None for what does neither."""
    first = "".join(statement.split(maxsplit=1)[:1]).upper()
    return _KINDS.get(first if first != "BEGIN" else statement.strip().upper())
