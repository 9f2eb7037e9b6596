"""The internal side from a snapshot file that the trading system writes.

The file is read anew at every run and never written. What it says is passed on as it stands: nothing is
rolled up, nothing is filled in, and its coverage is believed. A file that was being replaced while it was
read is read again, at once and a few times at most.
"""

from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

import msgspec

from gal_friday.adapters.book_file.reading import read_bounded
from gal_friday.domain.errors import MalformedSnapshot
from gal_friday.domain.exact_json import BYTES_MAX
from gal_friday.domain.records import Fill, Movement
from gal_friday.domain.snapshot import Coverage, Evidence, Scales, Since, Snapshot
from gal_friday.domain.snapshot_json import read_snapshot
from gal_friday.ports.clock import Clock
from gal_friday.ports.errors import BookFailed

Dated = TypeVar("Dated", Fill, Movement)

READS_MAX = 3
# Clocks of two machines are never quite the same; more than this is worth a word.
AHEAD = timedelta(seconds=5)


class FileBook:
    """A ``Book`` in a snapshot file of version 1."""

    def __init__(self, path: Path | str, *, clock: Clock, stale_after_minutes: float = 60) -> None:
        """Keep the path; a file whose ``as_of`` is older than *stale_after_minutes* is noted as stale."""
        self._path = Path(path)
        self._clock = clock
        self._stale_after = timedelta(minutes=stale_after_minutes)

    async def snapshot(self, *, account: str, since: datetime, scales: Scales) -> Snapshot:
        """Return what the file says, fills and movements from *since* on; balances as the file states them.

        Raises:
            BookFailed: the file cannot be read, is malformed, or is of another account or side; the message
                names file, place and reason.
        """
        # Only here: reading a file for a comparison needs no event loop, and starts sooner without one.
        import asyncio

        data, snapshot = await asyncio.to_thread(self._read)
        self._check(snapshot, account)
        notes = (*snapshot.notes, *self._doubts(snapshot))
        return _from(since, _identified(msgspec.structs.replace(snapshot, notes=notes), data, self._path))

    async def version(self, account: str) -> str | None:
        """Return None: a file tells its version only to whoever reads it all."""
        return None

    def _read(self) -> tuple[bytes, Snapshot]:
        for _ in range(READS_MAX - 1):
            before = self._state()
            try:
                return self._read_once()
            except MalformedSnapshot:
                # Written in place while we read? Then it is another file by now, and may be a whole one.
                if self._state() == before:
                    break
        try:
            return self._read_once()
        except MalformedSnapshot as error:
            raise BookFailed(
                f"{error}. The whole file is refused; write a new one beside it and rename that, so that "
                "nobody ever reads half of it"
            ) from error

    def _read_once(self) -> tuple[bytes, Snapshot]:
        try:
            data = read_bounded(self._path, BYTES_MAX + 1, pipes=False)
        except OSError as error:
            reason = error.strerror or str(error)
            raise BookFailed(
                f"{self._path}: {reason}; check the path in the configuration and that this user may read it"
            ) from error
        return data, read_snapshot(data, source=str(self._path))

    def _state(self) -> tuple[int, int, int] | None:
        try:
            found = self._path.stat()
        except (OSError, ValueError):
            return None
        return found.st_ino, found.st_size, found.st_mtime_ns

    def _check(self, snapshot: Snapshot, account: str) -> None:
        if snapshot.side != "internal":
            raise BookFailed(
                f"{self._path}: side: this is the {snapshot.side} side; a book is the internal one. "
                "Name the file that the trading system writes"
            )
        if snapshot.account != account:
            raise BookFailed(
                f"{self._path}: account: the file is of {snapshot.account!r}, not of {account!r}; "
                "correct the file, or the account's book in the configuration"
            )

    def _doubts(self, snapshot: Snapshot) -> list[str]:
        age = self._clock.now() - snapshot.as_of
        if age > self._stale_after:
            return [f"{self._path}: as_of is {_minutes(age)} minutes old; is the trading system still writing it?"]
        if age < -AHEAD:
            return [f"{self._path}: as_of is in the future; set the clock of the machine that writes it"]
        return []


def _minutes(age: timedelta) -> int:
    return int(age.total_seconds() // 60)


def _identified(snapshot: Snapshot, data: bytes, path: Path) -> Snapshot:
    """Add what proves which bytes this was read from; they are also its version, where it states none."""
    digest = sha256(len(data).to_bytes(8, "big") + data).hexdigest()
    rows = sum(
        len(records)
        for records in (
            snapshot.balances,
            snapshot.positions,
            snapshot.orders,
            snapshot.fills,
            snapshot.movements,
        )
    )
    evidence = (*snapshot.evidence, Evidence(str(path), digest, pages=1, rows=rows))
    return msgspec.structs.replace(snapshot, version=snapshot.version or digest[:16], evidence=evidence)


def _from(since: datetime, snapshot: Snapshot) -> Snapshot:
    """Leave out what was before the window: the later of the one asked for and the file's own."""
    fills = _window(snapshot.since.fills, since, snapshot.coverage.fills)
    movements = _window(snapshot.since.movements, since, snapshot.coverage.movements)
    return msgspec.structs.replace(
        snapshot,
        fills=tuple(fill for fill in snapshot.fills if fills is None or fill.at >= fills),
        movements=tuple(row for row in snapshot.movements if movements is None or row.at >= movements),
        since=Since(orders=snapshot.since.orders, fills=fills, movements=movements),
    )


def _window(stated: datetime | None, since: datetime, coverage: Coverage) -> datetime | None:
    if coverage is Coverage.NONE:
        return stated
    return since if stated is None else max(stated, since)
