"""Bytes of a file that somebody names: within a bound, and never from a place where reading has no end.

A pipe that nobody writes to and a device would keep a program waiting for ever; both are refused at once.
Nothing is interpreted here, and nothing is ever written.
"""

import errno
import os
import stat
from pathlib import Path

_NO_WAIT = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


def read_bounded(path: Path, most: int, *, pipes: bool = True) -> bytes:
    """Return the first *most* bytes of a file, or of a pipe that somebody writes to.

    Without *pipes* only a file will do: what came out of a pipe cannot be read a second time.

    Raises:
        OSError: it cannot be read, or is nothing that has an end; ``strerror`` says which.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | _NO_WAIT)
    except ValueError:
        raise OSError(errno.EINVAL, "that is no file name", "") from None
    try:
        return _rest(descriptor, _beginning(descriptor, path, pipes=pipes), most)
    finally:
        os.close(descriptor)


def _beginning(descriptor: int, path: Path, *, pipes: bool) -> bytes:
    """Return what had to be read in order to know that there is an end; nothing of a file."""
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode):
        return b""
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISFIFO(mode):
        raise OSError(errno.EINVAL, "a device, not a file", str(path))
    if not pipes:
        raise OSError(errno.EINVAL, "a pipe, which can be read only once; write it to a file first", str(path))
    return _of_pipe(descriptor, path)


def _of_pipe(descriptor: int, path: Path) -> bytes:
    try:
        beginning = os.read(descriptor, _AT_ONCE)
    except BlockingIOError:
        beginning = None  # Somebody holds the other end and has written nothing yet.
    if beginning == b"":
        raise OSError(errno.EPIPE, "a pipe that nobody writes to", str(path))
    os.set_blocking(descriptor, True)
    return beginning or b""


_AT_ONCE = 1 << 16


def _rest(descriptor: int, beginning: bytes, most: int) -> bytes:
    with os.fdopen(descriptor, "rb", closefd=False) as file:
        return (beginning + file.read(max(0, most - len(beginning))))[:most]
