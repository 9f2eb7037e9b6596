"""Files that a user names: read whole, within a bound, and refused with the reason and the way out."""

import sys
from pathlib import Path

from gal_friday.cli.output import STDIN
from gal_friday.domain.errors import GalFridayError, MalformedSnapshot
from gal_friday.domain.exact_json import BYTES_MAX
from gal_friday.domain.snapshot import Snapshot
from gal_friday.domain.snapshot_json import read_snapshot


class UnusableFile(GalFridayError, ValueError):
    """A file that cannot be read, or is something else than what was asked for."""


def read(name: str) -> bytes:
    """Return the bytes of this file, or of standard input.

    Raises:
        UnusableFile: no such file, a folder, no right to read it, nothing in it, or more than fits.
    """
    data = _standard_input() if name == STDIN else _file(Path(name))
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


def title(name: str) -> str:
    """Return what to call this file in a message."""
    return "standard input" if name == STDIN else name


def _standard_input() -> bytes:
    if sys.stdin.isatty():
        raise UnusableFile("standard input is a terminal; pipe a file into it or name one")
    return sys.stdin.buffer.read(BYTES_MAX + 1)


def _file(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(BYTES_MAX + 1)
    except IsADirectoryError:
        raise UnusableFile(f"{path} is a folder; name a file in it") from None
    except (OSError, ValueError) as error:
        reason = (isinstance(error, OSError) and error.strerror) or "that is no file name"
        raise UnusableFile(f"cannot read {path}: {reason}; check path and rights") from error


def _something_else(data: bytes) -> str | None:
    """Say what a file is that people hand over by mistake, with the way out; None where it may be a snapshot."""
    head = data[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if head.startswith(b"<"):
        return "a web page or XML, not a snapshot; was an error page saved in its place?"
    if head.startswith(b"pk\x03\x04"):
        return "a ZIP archive, not a snapshot; `gal-friday book import` reads exports of Kraken"
    if head.startswith((b'"txid"', b"txid,")):
        return "a Kraken export, not a snapshot; `gal-friday book import` reads it"
    return None
