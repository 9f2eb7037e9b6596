"""Answers that were given under a key of the caller's, so that asking again gets the first one and does nothing twice.

A key belongs to who sent it. While the first call with it is under way, it is taken; a call that died with its process
gives it back after a while, and what it did is safe to do again. Nothing here knows what was asked.
"""

from datetime import datetime
from typing import Protocol

from msgspec import Struct


class Asked(Struct, frozen=True, kw_only=True):
    """One call under a key."""

    caller: str
    key: str
    what: str
    """Method, address and digest of the body: the same key for anything else is a mistake of the caller's."""
    at: datetime


class Free(Struct, frozen=True):
    """Nobody has used the key: it is taken now, and the answer has to be kept or the key given back."""


class Given(Struct, frozen=True):
    """The first answer."""

    status: int
    content: bytes
    media_type: str


class UnderWay(Struct, frozen=True):
    """The first call with this key has no answer yet."""


class OtherCall(Struct, frozen=True):
    """The key was used for something else."""


Claimed = Free | Given | UnderWay | OtherCall


class Answers(Protocol):
    """Keeps answers for as long as somebody may ask again."""

    async def claim(self, asked: Asked, *, stale_before: datetime, forgotten_before: datetime) -> Claimed:
        """Take the key for this call, or return what stands under it.

        A call from before *stale_before* that has no answer died: the key is free again. What is from before
        *forgotten_before* counts no more.

        Raises:
            StoreFailed: nobody can tell; nothing was taken.
        """
        ...

    async def keep(self, asked: Asked, answer: Given) -> None:
        """Keep the answer to a call that has taken its key.

        Raises:
            StoreFailed: it was not kept; the key is free again after a while.
        """
        ...

    async def release(self, asked: Asked) -> None:
        """Give the key back: the call came to nothing, and may be made again.

        Raises:
            StoreFailed: the key is free again after a while.
        """
        ...

    async def forget(self, before: datetime) -> int:
        """Remove what was asked before this instant; return how many there were.

        Raises:
            StoreFailed: nothing was removed.
        """
        ...
