"""Answers that are forgotten with the process."""

from datetime import datetime

from gal_friday.adapters.answers.rules import claimed
from gal_friday.ports.answers import Asked, Claimed, Free, Given


class MemoryAnswers:
    """``Answers`` in memory."""

    def __init__(self) -> None:
        """Begin empty."""
        self._kept: dict[tuple[str, str], tuple[Asked, Given | None]] = {}

    async def claim(self, asked: Asked, *, stale_before: datetime, forgotten_before: datetime) -> Claimed:
        """Take the key, or return what stands under it; see ``Answers``."""
        found: Claimed = Free()
        before = self._kept.get((asked.caller, asked.key))
        if before is not None and before[0].at >= forgotten_before:
            found = claimed(asked, before[0].what, before[0].at, before[1], stale_before)
        if isinstance(found, Free):
            self._kept[asked.caller, asked.key] = (asked, None)
        return found

    async def keep(self, asked: Asked, answer: Given) -> None:
        """Keep the answer; see ``Answers``."""
        self._kept[asked.caller, asked.key] = (asked, answer)

    async def release(self, asked: Asked) -> None:
        """Give the key back; see ``Answers``."""
        self._kept.pop((asked.caller, asked.key), None)

    async def forget(self, before: datetime) -> int:
        """Remove what is older; see ``Answers``."""
        old = [name for name, (asked, _) in self._kept.items() if asked.at < before]
        for name in old:
            del self._kept[name]
        return len(old)
