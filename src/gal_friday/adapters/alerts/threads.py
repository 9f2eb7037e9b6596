"""Work of libraries that block, in a thread of its own, so that the loop never waits for it.

Whoever awaits it stops waiting at its deadline; the thread ends when its library does, which has timeouts of its own.
Such threads end with the program, and one channel has one at a time: what hangs does not pile up.
"""

import asyncio
import threading
from collections.abc import Callable

from gal_friday.ports.alerts import Undelivered


class Thread:
    """Does one thing after the other, each in a thread of its own."""

    def __init__(self, name: str) -> None:
        """*name* is that of the channel."""
        self._name = name
        self._running: threading.Thread | None = None

    async def do(self, work: Callable[[], None]) -> None:
        """Return when the work is done.

        Raises:
            Undelivered: what came before it still hangs.
            Exception: whatever the work raises.
        """
        if self._running is not None and self._running.is_alive():
            raise Undelivered(f"{self._name} still hangs at what it was given before")
        loop, done = asyncio.get_running_loop(), asyncio.get_running_loop().create_future()

        def ended(error: Exception | None) -> None:
            if not done.done():
                done.set_result(error)

        def worked() -> None:
            error: Exception | None = None
            try:
                work()
            except Exception as raised:  # noqa: BLE001 - handed to whoever awaits
                error = raised
            if not loop.is_closed():
                loop.call_soon_threadsafe(ended, error)

        self._running = threading.Thread(target=worked, name=f"gal-friday {self._name}", daemon=True)
        self._running.start()
        error = await done
        self._running.join()
        if error is not None:
            raise error
