"""The small file that remembers every name an exchange ever listed, from one process to the next.

A name that is listed no more goes on in old orders, trades and ledger rows, and only who has seen it in a list can say
what it means. What is lost with the file is learned anew, but for names that are gone by then: those are reported as
names that nobody knows.
"""

import os
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import msgspec

from gal_friday.adapters.kraken.listing import KnownNames


class NameFile:
    """The names of the exchange at one address, in a folder of the service."""

    def __init__(self, folder: Path, url: str) -> None:
        """Make nothing yet; the names of another address are kept apart."""
        self._path = folder / f"kraken-names-{sha256(url.encode()).hexdigest()[:16]}.json"

    def load(self) -> KnownNames:
        """Return the names that are kept; none where nothing is, or nothing that can be read."""
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=KnownNames)
        except (OSError, msgspec.MsgspecError, RecursionError):
            return KnownNames()

    def keep(self, names: KnownNames) -> None:
        """Keep these names beside those that are kept by now; where they are the same nothing is written.

        A folder that cannot be written to is told by the next call, which keeps its nonce there.
        """
        before = self.load()
        both = before.with_newer(names)
        if both == before:
            return
        new = self._path.with_suffix(f".{os.getpid()}")
        with suppress(OSError):
            new.write_bytes(msgspec.json.encode(both))
            new.replace(self._path)
