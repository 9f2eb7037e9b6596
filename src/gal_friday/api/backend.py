"""Everything that the API stands on, as one value that bootstrap fills: ports, flows and plain settings, no adapter."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Protocol

from msgspec import Struct

from gal_friday.domain.aliases import Aliases
from gal_friday.domain.gate import MAX_AGE
from gal_friday.domain.policy import Mode, Policy
from gal_friday.domain.report import ReconciliationReport
from gal_friday.domain.snapshot import Snapshot
from gal_friday.flows.decide import Repairs
from gal_friday.flows.redecide import Otherwise
from gal_friday.flows.replay import ReplayTold
from gal_friday.flows.review import Desk
from gal_friday.flows.standing import AccountInfo
from gal_friday.flows.vitals import KeyLooked, LiveOf
from gal_friday.ports.answers import Answers
from gal_friday.ports.book import Appended, Book, BookWriter
from gal_friday.ports.clock import Clock
from gal_friday.ports.journal_reading import JournalReading
from gal_friday.ports.pages import Pages
from gal_friday.ports.schedules import Schedules
from gal_friday.ports.steps import Steps, unwatched

Run = Callable[[str, Mode | None], Awaitable[ReconciliationReport]]
"""Reconciles an account now, in this mode or its own; raises AccountBusy where somebody else does."""


Replay = Callable[[str], Awaitable[ReplayTold | None]]
"""Works a recorded report out again, apart from everything that waits; None where there is no such report."""


Look = Callable[[str], Awaitable[KeyLooked]]
"""Looks at an account's key, exchange and book; the last look where that was a moment ago."""


class EmbeddedBook(Book, BookWriter, Protocol):
    """The book that is kept here."""

    async def open_with(self, snapshot: Snapshot) -> Appended:
        """Begin the account's book so that it says what *snapshot* states."""
        ...


class Limits(Struct, frozen=True, kw_only=True):
    """What one caller may ask of the API."""

    body_bytes: int = 8 * 1024 * 1024
    """Of a call that feeds the book; of any other a hundredth."""
    question_seconds: float = 20.0
    """Who asks for something that changes nothing is answered after so long, whatever the database does."""
    streams_per_caller: int = 4
    streams: int = 200
    """Open event streams in all."""
    stream_seconds: float = 900.0
    """A stream ends after so long; whoever listens connects again, and shows anew that they may."""
    heartbeat_seconds: float = 15.0
    poll_seconds: float = 0.5
    """How often an event stream looks for new entries of the journal."""
    answers_kept: timedelta = timedelta(days=1)
    """For how long a call under the same Idempotency-Key gets the first answer."""
    answer_due: timedelta = timedelta(minutes=5)
    """A call without an answer after so long died with its process."""
    gate_max_age: timedelta = MAX_AGE


class Backend(Struct, frozen=True, kw_only=True):
    """What handlers need."""

    version: str
    """Of this program."""
    clock: Clock
    accounts: Mapping[str, AccountInfo]
    aliases: Aliases
    policy: Policy
    pages: Pages
    desk: Desk
    repairs: Repairs
    journal: JournalReading
    book: EmbeddedBook
    answers: Answers
    run: Run
    replay: Replay
    otherwise: Otherwise
    live: LiveOf
    look: Look
    schedules: Schedules | None = None
    metrics: Callable[[], Awaitable[bytes]] | None = None
    """Gives what a monitor collects; None where nothing is counted."""
    steps: Steps = unwatched
    limits: Limits = Limits()
