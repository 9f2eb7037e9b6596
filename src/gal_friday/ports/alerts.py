"""Where alerts stand, what waits to be told, and the channels that tell it.

What is told goes through an outbox: a notice is written in the transaction that moves its alert, and delivered after
the commit, as often as it takes (I14). Whoever receives one twice knows it by its key.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from msgspec import Struct

from gal_friday.domain.alert import Alert, Notice
from gal_friday.domain.alerting import Moved
from gal_friday.domain.conditions import JournalSeen, Stuck
from gal_friday.domain.facts import Actor
from gal_friday.domain.muting import Silence
from gal_friday.domain.routing import Addressed
from gal_friday.ports.errors import WorldFailed


class Undelivered(WorldFailed):
    """A channel did not take a notice; the message names no secret."""

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        """Keep for how many seconds the receiver asked to be left alone, where it did."""
        super().__init__(message)
        self.retry_after = retry_after


class Channel(Protocol):
    """Tells somebody. Each has its own deadline, and never waits for another."""

    name: str

    async def send(self, notice: Notice) -> None:
        """Return when the receiver has taken the notice.

        Raises:
            Undelivered: it was not taken, or nobody knows; sending it again under its key is safe.
        """
        ...

    async def close(self) -> None:
        """Close what is open."""
        ...


class Written(Struct, frozen=True):
    """A step of an alert, and who hears of it."""

    moved: Moved
    to: tuple[Addressed, ...] = ()


class DeliveryState(StrEnum):
    """What became of a notice on its way to one channel."""

    WAITING = "waiting"
    SENT = "sent"
    SUPERSEDED = "superseded"
    """A newer notice of the same episode says all of it, and this one was never tried."""
    GIVEN_UP = "given_up"
    """It was tried for too long."""


class Delivery(Struct, frozen=True, kw_only=True):
    """One notice on its way to one channel."""

    notice: Notice
    channel: str
    state: DeliveryState
    due: datetime
    """Not before this."""
    attempts: int = 0
    claimed_until: datetime | None = None
    """Until when somebody is about to deliver it."""
    sent_at: datetime | None = None
    reason: str = ""
    """Why it was not taken the last time."""


class Alerts(Protocol):
    """Keeps alerts, silences and the outbox; what is read back is equal to what was written."""

    async def standing(self, ids: Iterable[str]) -> Mapping[str, Alert]:
        """Return every alert that is open, and those of *ids* that are known, by id.

        Raises:
            StoreFailed: they cannot be read.
        """
        ...

    async def alerts(self, *, resolved: bool = False, limit: int = 100) -> Sequence[Alert]:
        """Return open alerts, the newest first, and with *resolved* those that are over too.

        Raises:
            StoreFailed: they cannot be read.
        """
        ...

    async def alert(self, alert_id: str) -> Alert | None:
        """Return the one with this id, or the only one whose id begins with it; None where there is none.

        Raises:
            StoreFailed: they cannot be read; or several ids begin so.
        """
        ...

    async def save(self, steps: Sequence[Written], at: datetime) -> bool:
        """Write these alerts, what has to be told, and the facts, in one transaction (I10): all of it, or nothing.

        Notices of the same episode that wait and were never tried are superseded. False where somebody else has
        moved one of these alerts since it was read; nothing was written then, and whoever asks looks again.

        Raises:
            StoreFailed: nothing was written.
        """
        ...

    async def silences(self, *, since: datetime) -> Sequence[Silence]:
        """Return those that end after *since*, the first to end first.

        Raises:
            StoreFailed: they cannot be read.
        """
        ...

    async def silence(self, silence: Silence) -> None:
        """Begin a silence; the same one again changes nothing.

        Raises:
            StoreFailed: nothing was written.
        """
        ...

    async def end_silence(self, silence_id: str, by: Actor, at: datetime) -> Silence | None:
        """End a silence now, found by its id or the beginning of it; None where none such is in force.

        Raises:
            StoreFailed: nothing was written; or several ids begin so.
        """
        ...

    async def claim(self, channel: str, now: datetime, *, seconds: float, limit: int) -> Sequence[Delivery]:
        """Return what is due for this channel, the oldest first, for whoever asks alone for so long.

        Of one episode only the oldest that waits: what is over must not be told before it began.

        Raises:
            StoreFailed: nothing was claimed.
        """
        ...

    async def delivered(self, delivery: Delivery, at: datetime) -> bool:
        """Mark that a claimed notice was taken, with its fact; False where that was known already.

        Raises:
            StoreFailed: nothing was written: it will be delivered again, under the same key.
        """
        ...

    async def failed(self, delivery: Delivery, at: datetime, *, reason: str, again: datetime | None) -> bool:
        """Mark that a claimed notice was not taken, and when to try *again*; None gives it up, with its fact.

        False where somebody else has claimed it since.

        Raises:
            StoreFailed: nothing was written; it will be tried again when the claim ends.
        """
        ...

    async def outbox(self, *, states: Iterable[DeliveryState] = (), limit: int = 100) -> Sequence[Delivery]:
        """Return deliveries in these states, or in all, the newest first.

        Raises:
            StoreFailed: they cannot be read.
        """
        ...

    async def stuck(self) -> Sequence[Stuck]:
        """Return for each channel what was tried and not taken, by name; none that takes everything.

        Raises:
            StoreFailed: they cannot be read.
        """
        ...

    async def forget(self, before: datetime, *, limit: int = 1000) -> int:
        """Remove deliveries that ended before this, and return how many; their facts stay in the journal.

        Raises:
            StoreFailed: nothing was removed.
        """
        ...


class Watched(Protocol):
    """Keeps what was seen last of things that no other table knows."""

    async def key_seen(self, account: str, ends: datetime | None, at: datetime) -> None:
        """Keep until when the key of an account is valid; None for ever."""
        ...

    async def keys(self) -> Mapping[str, datetime]:
        """Return until when keys are valid, by account; those that end never are left out."""
        ...

    async def journal_seen(self, seen: JournalSeen) -> None:
        """Keep what a verification of the journal saw."""
        ...

    async def journal(self) -> JournalSeen | None:
        """Return what the last verification saw; None where there was none."""
        ...
