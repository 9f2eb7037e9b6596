"""The journal as it is read: entries to the byte, heads, proofs, and whether it is what was written."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from gal_friday.domain.journal import SignedHead


class StoredEntry(Struct, frozen=True):
    """An entry as it is stored."""

    seq: int
    kind: str
    account: str
    text: bytes
    """The very bytes that are sealed: one JSON object."""


class Wanted(Struct, frozen=True, kw_only=True):
    """Which entries; what is None does not matter."""

    accounts: Collection[str] | None = None
    kind: str | None = None
    subject: str | None = None
    """The beginning of an id is enough."""
    since: datetime | None = None
    until: datetime | None = None
    """Entries before this instant."""
    actor: str | None = None
    """Who did it, by name."""


PROOF_FORMAT = "gal-friday/journal-proof/1"


class Proof(Struct, frozen=True, kw_only=True):
    """What shows that an entry is under the newest head (RFC 9162, 2.1.3)."""

    seq: int
    entry: str
    """The sealed bytes, as text."""
    leaf: str
    index: int
    """The entry's place in the tree, counted from 0."""
    size: int
    """Of the tree that the head stands over."""
    path: tuple[str, ...]
    """The hashes that lead from the leaf to the root, lowest first, as hex."""
    signed: SignedHead
    public_key: str


Progress = Callable[[int], None]
"""Told how many entries were looked at so far."""


class Checked(Struct, frozen=True, kw_only=True):
    """What the verification of the whole journal saw."""

    sound: bool
    entries: int
    heads: int
    root: str
    reports: int
    changes: int
    broken: str = ""
    """The first place at which it is not what was written, and what is wrong there; empty where nothing is."""


class JournalReading(Protocol):
    """Reads the journal. Nothing here changes it."""

    async def before(self, wanted: Wanted, *, seq: int | None = None, limit: int) -> Sequence[StoredEntry]:
        """Return entries, the newest first; those before *seq* where it is given.

        Raises:
            StoreFailed: they cannot be read.
        """
        ...

    async def after(self, wanted: Wanted, *, seq: int, limit: int) -> Sequence[StoredEntry]:
        """Return entries that follow *seq*, the oldest first.

        Raises:
            StoreFailed: they cannot be read.
        """
        ...

    async def one(self, seq: int) -> StoredEntry | None:
        """Return the entry at this place; None where there is none.

        Raises:
            StoreFailed: it cannot be read.
        """
        ...

    async def newest(self) -> int:
        """Return the place of the newest entry; 0 where nothing was written yet.

        Raises:
            StoreFailed: it cannot be read.
        """
        ...

    async def head(self) -> SignedHead | None:
        """Return the newest head; None where nothing was written yet.

        Raises:
            StoreFailed: it cannot be read.
        """
        ...

    async def heads(self, *, number: int | None = None, limit: int) -> Sequence[SignedHead]:
        """Return heads, the newest first; those before *number* where it is given.

        Raises:
            StoreFailed: they cannot be read.
        """
        ...

    async def proof(self, seq: int) -> Proof | None:
        """Return what shows that this entry is under the newest head; None where there is no such entry.

        Raises:
            StoreFailed: it cannot be read.
        """
        ...

    def flaw(self, proof: Proof) -> str:
        """Return what is wrong with a proof; empty where it leads from its entry to a head that its key signed."""
        ...

    async def verify(self, progress: Progress | None = None) -> Checked:
        """Look at every byte of the journal, and let others go on meanwhile.

        Raises:
            StoreFailed: it cannot be read.
        """
        ...
