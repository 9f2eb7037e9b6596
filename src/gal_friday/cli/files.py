"""Files that a user names: read whole, within a bound, and refused with the reason and the way out."""

import os
import sys
from pathlib import Path

from gal_friday.bootstrap.files import read_bounded
from gal_friday.cli.output import STDIN
from gal_friday.domain.errors import GalFridayError, MalformedSnapshot
from gal_friday.domain.exact_json import BYTES_MAX
from gal_friday.domain.snapshot import Snapshot
from gal_friday.domain.snapshot_json import read_snapshot

OWNER_ONLY = 0o600
_HEAD = 512
_BLANK = b"\xef\xbb\xbf \t\r\n"


class UnusableFile(GalFridayError, ValueError):
    """A file that cannot be read, or is something else than what was asked for."""


def read(name: str) -> bytes:
    """Return the bytes of this file, or of standard input.

    Raises:
        UnusableFile: no such file, a folder, no right to read it, nothing in it, or more than fits.
    """
    data = _standard_input() if name == STDIN else _file(Path(name), BYTES_MAX + 1)
    if not data:
        raise UnusableFile(f"{title(name)} is empty; was it written to its end?")
    if len(data) > BYTES_MAX:
        raise UnusableFile(f"{title(name)} is larger than {BYTES_MAX} bytes; split it by account")
    return data


def snapshot_in(name: str) -> Snapshot:
    """Return the snapshot in this file, or in standard input.

    Raises:
        UnusableFile: the file cannot be read.
        MalformedSnapshot: it is no snapshot; the message says what it seems to be instead.
    """
    data = read(name)
    if seems := _something_else(data):
        raise MalformedSnapshot(f"{title(name)} is {seems}")
    return read_snapshot(data, source=title(name))


def head(name: str) -> bytes:
    """Return the beginning of this file, enough to tell what it is, without a byte order mark or blank lines.

    Raises:
        UnusableFile: the file cannot be read, or is empty.
    """
    data = _file(Path(name), _HEAD, pipes=False)
    if not data:
        raise UnusableFile(f"{name} is empty; was it written to its end?")
    return data.lstrip(_BLANK)


def write_new(target: Path, data: bytes, *, force: bool) -> None:
    """Write a file that its owner alone can read. Whoever reads it sees the old file or the new one, whole.

    Raises:
        UnusableFile: there is one already and *force* is not set, or the place cannot be written to.
    """
    if not force and (target.exists() or target.is_symlink()):
        raise UnusableFile(f"{target} is there already; --force replaces it, or name another file")
    if target.is_dir():
        raise UnusableFile(f"{target} is a folder; name a file in it")
    beside = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        beside.replace(target)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise UnusableFile(f"cannot write {target}: {error.strerror}; name a file in a folder that is yours") from error


def title(name: str) -> str:
    """Return what to call this file in a message."""
    return "standard input" if name == STDIN else name


def _standard_input() -> bytes:
    if sys.stdin.isatty():
        raise UnusableFile("standard input is a terminal; pipe a file into it or name one")
    return sys.stdin.buffer.read(BYTES_MAX + 1)


def _file(path: Path, size: int, *, pipes: bool = True) -> bytes:
    try:
        return read_bounded(path, size, pipes=pipes)
    except IsADirectoryError:
        raise UnusableFile(f"{path} is a folder; name a file in it") from None
    except OSError as error:
        raise UnusableFile(f"cannot read {path}: {error.strerror}; check path and rights") from error


def _something_else(data: bytes) -> str | None:
    """Say what a file is that people hand over by mistake, with the way out; None where it may be a snapshot."""
    head = data[:_HEAD].lstrip(_BLANK).lower()
    if head.startswith(b"<"):
        return "a web page or XML, not a snapshot; was an error page saved in its place?"
    if head.startswith(b"pk\x03\x04"):
        return "a ZIP archive, not a snapshot; `gal-friday book import` reads exports of Kraken"
    if head.startswith((b'"txid"', b"txid,")):
        return "a Kraken export, not a snapshot; `gal-friday book import` reads it"
    return None
