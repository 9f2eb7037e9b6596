"""Bytes of a file that somebody names: bounded, and never waited for where nobody writes."""

import os
import threading
from pathlib import Path

import pytest

from gal_friday.adapters.book_file import FileBook, read_bounded
from gal_friday.adapters.clock import SteppedClock
from gal_friday.domain.snapshot import Scales
from gal_friday.ports.errors import BookFailed
from tests.adapters.book_file.test_file_book import LONG_AGO, T0


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    os.mkfifo(tmp_path / "pipe")
    return tmp_path / "pipe"


def test_no_more_is_read_than_was_asked_for(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"abcdef")
    assert read_bounded(tmp_path / "file", 4) == b"abcd"
    assert read_bounded(tmp_path / "file", 10) == b"abcdef"


def test_a_pipe_that_nobody_writes_to_is_refused_at_once(pipe: Path) -> None:
    with pytest.raises(OSError, match="nobody writes to"):
        read_bounded(pipe, 10)


@pytest.mark.parametrize("size", [3, 200_000])
def test_a_pipe_that_somebody_writes_to_is_read_to_its_end(size: int) -> None:
    out, into = os.pipe()

    def write() -> None:
        with os.fdopen(into, "wb") as file:
            file.write(b"x" * size)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert read_bounded(Path(f"/dev/fd/{out}"), 1 << 20) == b"x" * size
    finally:
        writer.join()
        os.close(out)


def test_a_pipe_is_refused_where_it_would_have_to_be_read_twice(pipe: Path) -> None:
    with pytest.raises(OSError, match="write it to a file first"):
        read_bounded(pipe, 10, pipes=False)


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null"])
def test_a_device_is_no_file(device: str) -> None:
    with pytest.raises(OSError, match="a device"):
        read_bounded(Path(device), 10)


@pytest.mark.parametrize("place", ["/dev/zero", "a\0b", "pipe"])
async def test_a_book_in_no_file_is_refused_and_never_waited_for(pipe: Path, place: str) -> None:
    """N1."""
    book = FileBook(pipe.parent / place, clock=SteppedClock(T0))
    with pytest.raises(BookFailed, match="check the path in the configuration"):
        await book.snapshot(account="main", since=LONG_AGO, scales=Scales())
