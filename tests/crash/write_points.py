"""The places at which a process can be killed: before and after each statement that writes, and each commit.

They are counted from outside, by what SQLAlchemy tells of its engine; the program itself knows nothing of it.
"""

import os
import re
import signal
import threading
from typing import Any

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

_WRITES = re.compile(r"\s*(INSERT INTO|UPDATE|DELETE FROM|CREATE|DROP|ALTER)\s+(\w+)(?:\s+(\w+))?", re.IGNORECASE)


class WritePoints:
    """Counts the points, and kills this very process at one of them."""

    def __init__(self, kill_at: int = 0, late: int = 0) -> None:
        """*kill_at* counts from 1, 0 is never; *late* are microseconds that it is let run on from there."""
        self.names: list[str] = []
        self._kill_at, self._late, self._dirty = kill_at, late, False

    def watch(self, engine: AsyncEngine) -> None:
        """Count what this engine writes."""
        event.listen(engine.sync_engine, "before_cursor_execute", self._before)
        event.listen(engine.sync_engine, "after_cursor_execute", self._after)
        dialect = engine.sync_engine.dialect
        commit = dialect.do_commit

        def counted(connection: Any) -> None:
            if not self._dirty:
                commit(connection)
                return
            self.reached("before the commit")
            commit(connection)
            self._dirty = False
            self.reached("after the commit")

        dialect.do_commit = counted  # type: ignore[method-assign, assignment]

    def reached(self, name: str) -> None:
        """Count a point, and be killed if it is the one."""
        self.names.append(name)
        if len(self.names) != self._kill_at:
            return
        if self._late:
            threading.Timer(self._late / 1_000_000, _end).start()
        else:
            _end()

    def _before(self, _connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if found := _WRITES.match(statement):
            self._dirty = True
            self.reached(f"before {_named(found)}")

    def _after(self, _connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if found := _WRITES.match(statement):
            self.reached(f"after {_named(found)}")


def _named(found: re.Match[str]) -> str:
    words = [found[1].upper(), found[2]]
    if found[1].upper() in ("CREATE", "DROP", "ALTER") and found[3]:
        words = [found[1].upper(), found[2].upper()]
    return " ".join(words)


def _end() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
