"""The journal in memory, gone with the process; sealed like any other."""

from collections.abc import Iterable

from gal_friday.adapters.journal.key import SigningKey
from gal_friday.adapters.journal.sealing import Last, sealed
from gal_friday.domain.facts import Fact
from gal_friday.domain.journal import Entry, SignedHead
from gal_friday.ports.clock import Clock


class MemoryJournal:
    """Keeps entries and heads in two lists."""

    def __init__(self, clock: Clock, key: SigningKey | None = None) -> None:
        """Begin empty, with a key of its own unless one is given."""
        self._clock, self._key = clock, key or SigningKey.fresh()
        self._last: Last | None = None
        self.entries: list[Entry] = []
        self.heads: list[SignedHead] = []

    def append(self, facts: Iterable[Fact]) -> None:
        """Keep these facts in this order, under one head; nothing where there are none.

        Raises:
            MalformedFact: a fact holds what cannot be written exactly; none was kept.
        """
        given = tuple(facts)
        if not given:
            return
        done = sealed(self._last, given, self._key, self._clock.now(), known_key=self._last is not None)
        self.entries.extend(done.entries)
        self.heads.append(done.signed)
        head = done.signed.head
        self._last = Last(head.journal, head.number, head.size, done.frontier)

    @property
    def facts(self) -> tuple[Fact, ...]:
        """Every fact, oldest first, those of the journal itself included."""
        return tuple(entry.fact for entry in self.entries)
