"""Runs as tasks of this process, so many at a time."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from gal_friday.ports.errors import StoreFailed

_LOG = logging.getLogger("gal_friday.service")
_CANCELLED_SECONDS = 5.0
"""How long a run that was cancelled may take to write down that it was."""


class TaskDispatcher:
    """A ``Dispatcher`` without any queue: whoever finds no place is due still, and asks again."""

    def __init__(self, take: Callable[[str], Awaitable[object]], *, at_once: int) -> None:
        """*take* gives an account its turn; never more than *at_once* of them are under way."""
        self._take, self._at_once = take, at_once
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._draining = False

    async def dispatch(self, account: str) -> bool:
        """Start the account's turn; see ``Dispatcher``."""
        if account in self._tasks:
            return True
        if self._draining or len(self._tasks) >= self._at_once:
            return False
        task = asyncio.create_task(self._taken(account), name=f"run of {account}")
        self._tasks[account] = task
        task.add_done_callback(lambda _: self._tasks.pop(account, None))
        return True

    async def drain(self, seconds: float) -> Sequence[str]:
        """Wait for the turns under way, then cancel what is left; see ``Dispatcher``."""
        self._draining = True
        tasks = dict(self._tasks)
        if not tasks:
            return ()
        await asyncio.wait(tasks.values(), timeout=seconds)
        left = [name for name, task in tasks.items() if not task.done()]
        for name in left:
            tasks[name].cancel()
        if left:
            await asyncio.wait([tasks[name] for name in left], timeout=_CANCELLED_SECONDS)
        return left

    async def _taken(self, account: str) -> None:
        try:
            await self._take(account)
        except StoreFailed as failure:
            _LOG.error("the turn of account %s was not written down: %s", account, failure)
