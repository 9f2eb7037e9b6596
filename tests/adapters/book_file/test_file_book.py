"""A book in a file: passed on as it stands, read anew at every run, refused with file, place and reason."""

import concurrent.futures.thread  # noqa: F401 - loaded lazily, and a user without rights could not
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gal_friday.adapters.book_file import FileBook
from gal_friday.adapters.clock import SteppedClock
from gal_friday.domain.snapshot import Coverage, Scales, Since, Snapshot
from gal_friday.ports.errors import BookFailed

T0 = datetime(2026, 1, 31, 12, tzinfo=UTC)
NOBODY = 65534
LONG_AGO = T0 - timedelta(days=1000)


def movement(movement_id: str, hour: int) -> dict[str, str]:
    return {
        "movement_id": movement_id,
        "kind": "deposit",
        "asset": "BTC",
        "amount": "1",
        "at": f"2026-01-31T{hour:02}:00:00Z",
    }


CONTENT: dict[str, Any] = {
    "format": "gal-friday/snapshot/1",
    "side": "internal",
    "account": "main",
    "exchange": "kraken",
    "as_of": "2026-01-31T12:00:00Z",
    "coverage": {"balances": "total", "movements": "total"},
    "since": {"movements": "2026-01-31T08:00:00Z"},
    "balances": [{"asset": "BTC", "total": "1.50000000"}],
    "movements": [movement("a", 9), movement("b", 10)],
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write(tmp_path / "book.json")


def write(path: Path, **changes: Any) -> Path:
    path.write_text(json.dumps(CONTENT | changes))
    return path


async def look(
    path: Path, *, since: datetime = LONG_AGO, now: datetime = T0, stale_after_minutes: float = 60
) -> Snapshot:
    book = FileBook(path, clock=SteppedClock(now), stale_after_minutes=stale_after_minutes)
    return await book.snapshot(account="main", since=since, scales=Scales())


async def test_the_file_is_passed_on_as_it_stands(path: Path) -> None:
    snapshot = await look(path)
    assert [(row.asset, str(row.total)) for row in snapshot.balances] == [("BTC", "1.50000000")]
    assert (snapshot.coverage.balances, snapshot.coverage.fills) == (Coverage.TOTAL, Coverage.NONE)
    assert (snapshot.as_of, snapshot.notes) == (T0, ())


async def test_the_window_is_the_later_of_the_files_and_the_one_asked_for(path: Path) -> None:
    assert (await look(path)).since == Since(movements=T0 - timedelta(hours=4))
    asked = await look(path, since=T0 - timedelta(hours=2))
    assert asked.since == Since(movements=T0 - timedelta(hours=2))
    assert [row.movement_id for row in asked.movements] == ["b"]


async def test_a_record_from_before_the_files_own_window_is_left_out(path: Path) -> None:
    snapshot = await look(write(path, movements=[movement("early", 7), movement("edge", 8)]))
    assert [row.movement_id for row in snapshot.movements] == ["edge"]


async def test_a_file_written_anew_is_read_anew(path: Path) -> None:
    book = FileBook(path, clock=SteppedClock(T0))
    first = await book.snapshot(account="main", since=LONG_AGO, scales=Scales())
    write(path, balances=[])
    second = await book.snapshot(account="main", since=LONG_AGO, scales=Scales())
    assert (len(first.balances), len(second.balances)) == (1, 0)
    assert first.version != second.version


async def test_the_snapshot_names_the_bytes_it_was_read_from(path: Path) -> None:
    (evidence,) = (await look(path)).evidence
    assert (evidence.source, evidence.rows, len(evidence.digest)) == (str(path), 3, 64)


async def test_a_version_that_the_file_states_is_kept(path: Path) -> None:
    assert (await look(write(path, version="v7"))).version == "v7"


@pytest.mark.parametrize("minutes,noted", [(60, False), (61, True)])
async def test_a_file_older_than_allowed_is_noted(path: Path, minutes: int, noted: bool) -> None:
    notes = (await look(path, now=T0 + timedelta(minutes=minutes))).notes
    assert [f"{path}: as_of is {minutes} minutes old" in note for note in notes] == [True] * noted


async def test_a_file_from_the_future_is_noted(path: Path) -> None:
    assert "in the future" in (await look(path, now=T0 - timedelta(minutes=1))).notes[0]


@pytest.mark.parametrize(
    "changes,reason",
    [
        ({"account": "other"}, "account: the file is of 'other', not of 'main'"),
        ({"side": "exchange"}, "side: this is the exchange side"),
        ({"balances": [{"asset": "BTC", "total": "x"}]}, "balances[0].total: 'x' is no amount"),
        ({"format": "other"}, "format: unknown format 'other'"),
    ],
)
async def test_what_cannot_be_the_book_is_refused(path: Path, changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(BookFailed) as caught:
        await look(write(path, **changes))
    assert str(caught.value).startswith(f"{path}: {reason}")


@pytest.fixture
def half_a_file(path: Path) -> Path:
    path.write_bytes(path.read_bytes()[:-30])
    return path


async def test_half_a_file_is_refused_and_not_an_empty_book(half_a_file: Path) -> None:  # N1
    with pytest.raises(BookFailed, match="was the file written to its end"):
        await look(half_a_file)


async def test_a_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(BookFailed, match=r"gone\.json: No such file or directory; check the path"):
        await look(tmp_path / "gone.json")


async def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BookFailed, match="directory"):
        await look(tmp_path)


@pytest.fixture
def forbidden(path: Path) -> Iterator[Path]:
    """Give a file that this process may not read: root gives its rights up for as long as the test takes."""
    path.chmod(0)
    was_root = os.geteuid() == 0
    if was_root:
        os.seteuid(NOBODY)
    yield path
    if was_root:
        os.seteuid(0)


async def test_a_file_that_may_not_be_read_is_refused(forbidden: Path) -> None:
    with pytest.raises(BookFailed, match="Permission denied; check the path"):
        await look(forbidden)
