"""Lines for a log that somebody may have stopped reading: written by a thread of its own, so that nobody waits for it.

A full pipe, a terminal at which somebody pressed Ctrl-S and a disk that hangs block whoever writes to them. Here that
is this thread alone: what finds no room is dropped and counted, and the count is told once there is room again.
"""

import os
from collections.abc import Callable
from contextlib import suppress
from queue import Full, Queue
from threading import Thread

LINES_MAX = 10_000
"""So many wait to be written; further ones are dropped."""
_LAST_SECONDS = 1.0


class Lines:
    """Writes lines to a file descriptor, in their order."""

    def __init__(self, descriptor: int, dropped: Callable[[int], None]) -> None:
        """*dropped* is told from the thread how many lines were dropped, when there is room again."""
        self._descriptor, self._dropped = descriptor, dropped
        self._waiting: Queue[bytes | None] = Queue(LINES_MAX)
        self._lost, self._told = 0, 0  # each is counted on one side, so that none is lost between them
        # A daemon: one that is blocked must not keep the program from ending.
        self._thread = Thread(target=self._written, name="gal-friday log", daemon=True)
        self._thread.start()

    def put(self, line: str) -> None:
        """Have the line written, or drop it. Never waits."""
        try:
            self._waiting.put_nowait(f"{line}\n".encode(errors="backslashreplace"))
        except Full:
            self._lost += 1

    def close(self) -> None:
        """Wait a moment until everything is written, and end."""
        try:
            self._waiting.put(None, timeout=_LAST_SECONDS)
        except Full:
            return
        self._thread.join(_LAST_SECONDS)

    def _written(self) -> None:
        while (line := self._waiting.get()) is not None:
            self._write(line)
            if self._waiting.empty() and (lost := self._lost) > self._told:
                lost, self._told = lost - self._told, lost
                self._dropped(lost)

    def _write(self, line: bytes) -> None:
        with suppress(OSError):  # nobody will ever read it, or the disk is full: there is nowhere to say so
            while line:
                line = line[os.write(self._descriptor, line) :]
