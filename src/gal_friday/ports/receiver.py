"""Handing adjustments over to a book that is kept elsewhere, and asking what became of them."""

from typing import Protocol

from gal_friday.domain.handover import Answer, Handover


class Receiver(Protocol):
    """Whoever keeps the book. It posts an adjustment at most once, whichever way and however often it arrives (I9).

    No call raises because of what the other side does: whatever it is, it is an ``Answer``, and none holds a secret.
    """

    @property
    def place(self) -> str:
        """Return where it is, in words for people and without secrets."""
        ...

    async def send(self, handover: Handover) -> Answer:
        """Hand it over once, and return what came back within the deadline; never tried a second time from here."""
        ...

    async def ask(self, handover: Handover) -> Answer:
        """Return what it says about this one, which was handed over before.

        The handover's token goes along: after this question nothing is taken any more that comes with a smaller one.
        """
        ...

    async def close(self, handover: Handover) -> Answer:
        """Return Closed where one that arrived and was never decided about is now out of its reach; else as ``ask``."""
        ...

    async def check(self) -> str:
        """Look whether it is there and may be used, without writing; return what was seen, in words.

        Raises:
            BookFailed: it is not, or may not; the message says what to do.
        """
        ...
