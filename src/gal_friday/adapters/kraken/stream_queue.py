"""What was heard and not yet taken: bounded, and honest about what it had to drop."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator

from gal_friday.ports.stream import Connected, Disconnected, Missed, StreamEvent

EVENTS_MAX = 1000


class EventQueue:
    """Events for one listener, in their order."""

    def __init__(self, most: int = EVENTS_MAX) -> None:
        """Hold *most* events."""
        self._most = most
        self._events: deque[StreamEvent] = deque()
        self._changed = asyncio.Event()
        self._finished = False

    def put(self, event: StreamEvent) -> None:
        """Add an event; where there is no room, everything that waits becomes one ``Missed``."""
        if isinstance(event, Missed) and self._events and isinstance(self._events[-1], Missed):
            # The later one stands for both.
            self._events.pop()
        if len(self._events) >= self._most:
            self._drop(event)
        self._events.append(event)
        self._changed.set()

    def finish(self) -> None:
        """Let the listener end when it has taken what is there."""
        self._finished = True
        self._changed.set()

    async def taken(self) -> AsyncGenerator[StreamEvent, None]:
        """Yield events as they come, until nothing more will."""
        while True:
            while self._events:
                yield self._events.popleft()
            if self._finished:
                return
            self._changed.clear()
            await self._changed.wait()

    def _drop(self, event: StreamEvent) -> None:
        """Keep of what waits only whether there is a connection."""
        at = event.received_at if not isinstance(event, Connected | Disconnected | Missed) else event.at
        states = [each for each in self._events if isinstance(each, Connected | Disconnected)]
        missed = Missed(f"the listener was too slow: {len(self._events)} events were dropped", at)
        self._events.clear()
        self._events.extend([*states[-1:], missed])
