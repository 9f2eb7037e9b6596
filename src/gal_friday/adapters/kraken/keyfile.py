"""The small file that remembers a key between processes: last nonce, lockout, call counter.

It is replaced as a whole, so a reader never sees half of it; an unreadable one counts as empty, because
the clock then still gives a growing nonce. It never holds a key, a secret or an answer.
"""

import os
import sys
from datetime import datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from gal_friday.adapters.kraken.rate import Counter

_READ_MAX = 4096


class KeyMemory(Struct, frozen=True):
    """What has to be known about a key before it is used again."""

    nonce: int = 0
    locked_until: datetime | None = None
    counter: Counter = Counter()


_DECODER = msgspec.json.Decoder(KeyMemory)
_ENCODER = msgspec.json.Encoder()


class KeyFile:
    """Memory and lock of one key in a folder of the service."""

    def __init__(self, folder: Path, fingerprint: str) -> None:
        """Make the folder, readable by its owner only."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._path = folder / f"kraken-{fingerprint}.json"
        # Its own file: the memory is replaced at each call, and a lock would go with the old one.
        self._lock_path = folder / f"kraken-{fingerprint}.lock"
        self._lock_fd: int | None = None

    def try_lock(self) -> bool:
        """Take the lock if nobody has it; say whether it was taken."""
        if self._lock_fd is None:
            self._lock_fd = os.open(self._lock_path, os.O_RDWR | os.O_CREAT | _CLOEXEC, 0o600)
        return _try_lock(self._lock_fd)

    def unlock(self) -> None:
        """Give the lock back."""
        if self._lock_fd is not None:
            _unlock(self._lock_fd)

    def load(self, known: KeyMemory) -> KeyMemory:
        """Return the memory in the file, or what is *known* where the file says less or nothing."""
        try:
            with self._path.open("rb") as file:
                memory = _DECODER.decode(file.read(_READ_MAX))
        except (OSError, msgspec.DecodeError, ValueError):
            return known
        return memory if memory.nonce >= known.nonce else known

    def store(self, memory: KeyMemory) -> None:
        """Replace the file's content as a whole."""
        fresh = self._path.with_suffix(".new")
        fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | _CLOEXEC, 0o600)
        try:
            os.write(fd, _ENCODER.encode(memory))
        finally:
            os.close(fd)
        fresh.replace(self._path)

    def __del__(self) -> None:
        if self._lock_fd is not None:
            os.close(self._lock_fd)


_CLOEXEC = getattr(os, "O_CLOEXEC", 0)

if sys.platform == "win32":
    import msvcrt

    def _try_lock(fd: int) -> bool:
        try:
            msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _unlock(fd: int) -> None:
        os.lseek(fd, 0, os.SEEK_SET)
        msvcrt.locking(fd, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _try_lock(fd: int) -> bool:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _unlock(fd: int) -> None:
        fcntl.flock(fd, fcntl.LOCK_UN)
