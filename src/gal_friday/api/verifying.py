"""The verification of the whole journal: one that everybody shares, begun by whoever asks, and never twice at once.

It reads everything, so it goes on beside the calls that wait for it, and also when nobody waits any more.
"""

import asyncio

from gal_friday.api.backend import Backend
from gal_friday.api.shapes import Verification, VerificationProgress

_WORTH_SECONDS = 60
"""Whoever asks within this time gets the last one."""


class Verifying:
    """The verification that is under way, and what the last one saw."""

    def __init__(self) -> None:
        """Begin with none."""
        self._task: asyncio.Task[Verification] | None = None
        self._shown = VerificationProgress(under_way=False, began=None, entries=0, of=0, last=None)

    async def result(self, backend: Backend) -> Verification:
        """Return what the verification sees that is under way, or that a moment ago saw; begin one where none is.

        Raises:
            StoreFailed: the journal cannot be read.
        """
        last = self._shown.last
        if last is not None and 0 <= (backend.clock.now() - last.checked_at).total_seconds() < _WORTH_SECONDS:
            return last
        if self._task is None:
            self._task = asyncio.create_task(self._verified(backend), name="verification of the journal")
            self._task.add_done_callback(self._ended)
        return await asyncio.shield(self._task)

    def progress(self) -> VerificationProgress:
        """Return how far it is."""
        return self._shown

    def close(self) -> None:
        """End it: the service stops."""
        if self._task is not None:
            self._task.cancel()

    async def _verified(self, backend: Backend) -> Verification:
        began, at = backend.clock.now(), backend.clock.monotonic()
        shown = self._shown
        shown.under_way, shown.began, shown.entries, shown.of = True, began, 0, await backend.journal.newest()
        result = await backend.journal.verify(self._seen)
        seconds = round(backend.clock.monotonic() - at, 3)
        shown.last = Verification(checked_at=began, seconds=seconds, result=result)
        return shown.last

    def _seen(self, entries: int) -> None:
        self._shown.entries, self._shown.of = entries, max(self._shown.of, entries)

    def _ended(self, task: asyncio.Task[Verification]) -> None:
        self._task, self._shown.under_way = None, False
        if not task.cancelled():
            task.exception()  # Whoever waited was told; where nobody did, the next one who asks begins anew.
