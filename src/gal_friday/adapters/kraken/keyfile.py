"""The small file that remembers a key between processes: last nonce, lockout, call counter.

One file is both the memory and the lock. The memory is written before each call, so it has to be cheap:
two records of one disk sector each are written in turn, with a checksum, and the newer whole one counts.
(Replacing a file by renaming another over it costs milliseconds on common file systems, because they
write the content to disk first.) It never holds a key, a secret or an answer.
"""

import os
import sys
import zlib
from datetime import datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from gal_friday.adapters.kraken.rate import Counter
from gal_friday.ports.errors import ExchangeUnavailable

_SECTOR = 512
_NONCE_MAX = 2**64 - 1  # Kraken REST documentation: the nonce is an unsigned 64-bit number


class KeyMemory(Struct, frozen=True):
    """What has to be known about a key before it is used again."""

    nonce: int = 0
    locked_until: datetime | None = None
    counter: Counter = Counter()


class _Record(Struct, frozen=True):
    turn: int
    memory: KeyMemory


_DECODER = msgspec.json.Decoder(_Record)
_ENCODER = msgspec.json.Encoder()


class KeyFile:
    """Memory and lock of one key in a folder of the service."""

    def __init__(self, folder: Path, fingerprint: str) -> None:
        """Make the folder and the file, readable by their owner only."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._path = folder / f"kraken-{fingerprint}.state"
        self._fd = os.open(self._path, os.O_RDWR | os.O_CREAT | _FLAGS, 0o600)
        self._turn = 0

    def try_lock(self) -> bool:
        """Take the lock if nobody has it; say whether it was taken."""
        return _try_lock(self._fd)

    def unlock(self) -> None:
        """Give the lock back."""
        _unlock(self._fd)

    def load(self, known: KeyMemory) -> KeyMemory:
        """Return the newest memory in the file, or what is *known* where the file says less or nothing."""
        content = _read(self._fd)
        records = [record for place in (0, _SECTOR) if (record := _record(content[place : place + _SECTOR]))]
        if not records:
            return known
        newest = max(records, key=_turn_of)
        self._turn = newest.turn
        return newest.memory if newest.memory.nonce >= known.nonce else known

    def store(self, memory: KeyMemory) -> None:
        """Write the memory over the older of the two records. Hold the lock, and load first.

        Raises:
            ExchangeUnavailable: it could not be written; a nonce that nobody remembers must not be used.
        """
        self._turn += 1
        text = _ENCODER.encode(_Record(self._turn, memory))
        sealed = f"{zlib.crc32(text):08x} ".encode() + text
        try:
            _write(self._fd, sealed.ljust(_SECTOR), self._turn % 2 * _SECTOR)
        except OSError as error:
            raise ExchangeUnavailable(
                f"the last nonce of the key cannot be kept in {self._path} ({error.strerror}), so no call is made; "
                "free some space, or set state_folder to a folder that can be written"
            ) from error

    def __del__(self) -> None:
        fd = getattr(self, "_fd", None)
        if fd is not None:
            os.close(fd)


def _record(sector: bytes) -> _Record | None:
    checksum, _, text = sector.rstrip().partition(b" ")
    if not text or checksum != f"{zlib.crc32(text):08x}".encode():
        return None
    try:
        record = _DECODER.decode(text)
    except (msgspec.DecodeError, ValueError):
        return None
    return record if 0 <= record.memory.nonce <= _NONCE_MAX else None


def _turn_of(record: _Record) -> int:
    return record.turn


_FLAGS = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)

if sys.platform == "win32":
    import msvcrt

    # Far behind the records: this platform locks bytes, and locked ones cannot be read.
    _LOCKED_BYTE = 1 << 20

    def _try_lock(fd: int) -> bool:
        os.lseek(fd, _LOCKED_BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _unlock(fd: int) -> None:
        os.lseek(fd, _LOCKED_BYTE, os.SEEK_SET)
        msvcrt.locking(fd, msvcrt.LK_UNLCK, 1)

    def _read(fd: int) -> bytes:
        os.lseek(fd, 0, os.SEEK_SET)
        return os.read(fd, 2 * _SECTOR)

    def _write(fd: int, content: bytes, place: int) -> None:
        os.lseek(fd, place, os.SEEK_SET)
        os.write(fd, content)

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

    def _read(fd: int) -> bytes:
        return os.pread(fd, 2 * _SECTOR, 0)

    def _write(fd: int, content: bytes, place: int) -> None:
        os.pwrite(fd, content, place)
