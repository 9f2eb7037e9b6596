"""What a run hears of the book, the database and the price sources, taken down and said again.

Around the ports, so that whoever stands behind them knows nothing of it. An embedded book is not copied: its
entries stay for ever, so its version is enough to read it again.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from gal_friday.domain.assets import Asset
from gal_friday.domain.finding import Key
from gal_friday.domain.followed import Followed
from gal_friday.domain.following import Carried
from gal_friday.domain.report import ReconciliationReport
from gal_friday.domain.snapshot import Scales, Snapshot
from gal_friday.ports.book import Book
from gal_friday.ports.errors import BookFailed, PricesFailed
from gal_friday.ports.prices import Prices, Quotes
from gal_friday.ports.recordings import Failure, NotRecorded, Playing, Tape
from gal_friday.ports.store import NOTHING_CARRIED, Store


class PastBook(Protocol):
    """A book that can be read as it was."""

    async def snapshot(self, *, account: str, since: datetime, scales: Scales, version: str | None = None) -> Snapshot:
        """Return the internal side as it stood at *version*; its ``as_of`` is the present.

        Raises:
            BookFailed: the book cannot be read, or never had this version.
        """
        ...


class _Look(Struct, frozen=True):
    """One reading of a book: its version and instant where that is enough, else all of it."""

    as_of: datetime
    version: str | None = None
    whole: Snapshot | None = None


class RecordingBook:
    """A book, with every reading taken down."""

    def __init__(self, book: Book, tape: Tape, *, stays: bool) -> None:
        """*stays* says that this book can be read again at any version it ever had."""
        self._book, self._tape, self._stays = book, tape, stays

    async def snapshot(self, *, account: str, since: datetime, scales: Scales) -> Snapshot:
        """Return the internal side; see ``Book``."""
        asked = _snapshot_of(account, since)
        try:
            found = await self._book.snapshot(account=account, since=since, scales=scales)
        except BookFailed as failure:
            self._tape.hear_failure(asked, failure)
            raise
        by_version = self._stays and found.version is not None
        look = _Look(found.as_of, found.version, None if by_version else found)
        self._tape.hear(asked, msgspec.msgpack.encode(look))
        return found

    async def version(self, account: str) -> str | None:
        """Return the version that a snapshot taken now would state; see ``Book``."""
        try:
            found = await self._book.version(account)
        except BookFailed as failure:
            self._tape.hear_failure(f"book.version({account})", failure)
            raise
        self._tape.hear(f"book.version({account})", msgspec.msgpack.encode(found))
        return found


class PlayedBook:
    """The book as a recorded run read it; an embedded one is read again at the version that it had."""

    def __init__(self, playing: Playing, past: PastBook) -> None:
        """Read *past* wherever a version was recorded."""
        self._playing, self._past = playing, past

    async def snapshot(self, *, account: str, since: datetime, scales: Scales) -> Snapshot:
        """Return the internal side as it was then."""
        look = msgspec.msgpack.decode(_said(self._playing, _snapshot_of(account, since), BookFailed), type=_Look)
        if look.whole is not None:
            return look.whole
        try:
            found = await self._past.snapshot(account=account, since=since, scales=scales, version=look.version)
        except BookFailed as failure:
            # The run could read it. That it cannot be read now is no part of what the run saw.
            raise NotRecorded(f"the book cannot be read at version {look.version}: {failure}") from failure
        return replace(found, as_of=look.as_of)

    async def version(self, account: str) -> str | None:
        """Return the version that the run was told."""
        said = _said(self._playing, f"book.version({account})", BookFailed)
        found: str | None = msgspec.msgpack.decode(said, type=str | None)
        return found


class RecordingStore:
    """The database, with what a run asks of it taken down. Everything else goes through as it is."""

    def __init__(self, store: Store, tape: Tape) -> None:
        """Ask *store*."""
        self._store, self._tape = store, tape

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def open_discrepancies(self, account: str) -> Sequence[Followed]:
        """Return the open ones; see ``Store``. A failure here leaves no report, and so no recording."""
        found = await self._store.open_discrepancies(account)
        self._tape.hear(f"store.open_discrepancies({account})", _written(found))
        return found

    async def pending_runs(self, account: str, exchange: str) -> Mapping[Key, int]:
        """Return the counts of runs; see ``Store``."""
        found = await self._store.pending_runs(account, exchange)
        self._tape.hear(f"store.pending_runs({account},{exchange})", msgspec.msgpack.encode(list(found.items())))
        return found

    async def followed(self, ids: Iterable[str]) -> Sequence[Followed]:
        """Return those that are known; see ``Store``."""
        asked = sorted(set(ids))
        found = await self._store.followed(asked)
        self._tape.hear(f"store.followed({','.join(asked)})", _written(found))
        return found


class PlayedStore:
    """The database as a recorded run found it. A report is not written anywhere."""

    def __init__(self, playing: Playing) -> None:
        """Answer from *playing*."""
        self._playing = playing

    def __getattr__(self, name: str) -> Any:
        raise NotRecorded(f"store.{name} was not recorded")

    async def save_report(
        self,
        report: ReconciliationReport,
        carried: Carried = NOTHING_CARRIED,
        **ignored: object,
    ) -> None:
        """Write nothing: whoever asked for the replay is given the report."""
        del report, carried, ignored

    async def open_discrepancies(self, account: str) -> Sequence[Followed]:
        """Return those that were open then."""
        return _read(_said(self._playing, f"store.open_discrepancies({account})"))

    async def pending_runs(self, account: str, exchange: str) -> Mapping[Key, int]:
        """Return the counts of then."""
        said = _said(self._playing, f"store.pending_runs({account},{exchange})")
        return dict(msgspec.msgpack.decode(said, type=list[tuple[Key, int]]))

    async def followed(self, ids: Iterable[str]) -> Sequence[Followed]:
        """Return those that were known then; of others than the run asked for nobody knows."""
        asked = f"store.followed({','.join(sorted(set(ids)))})"
        try:
            return _read(_said(self._playing, asked))
        except NotRecorded:
            return ()


class RecordingPrices:
    """A source of prices, with everything that it says taken down."""

    def __init__(self, prices: Prices, tape: Tape) -> None:
        """Ask *prices*."""
        self.name = prices.name
        self._prices, self._tape = prices, tape

    async def quotes(self, assets: Sequence[Asset], *, currency: Asset) -> Quotes:
        """Return prices; see ``Prices``."""
        asked = _quotes_of(self.name, assets, currency)
        try:
            found = await self._prices.quotes(assets, currency=currency)
        except PricesFailed as failure:
            self._tape.hear_failure(asked, failure)
            raise
        self._tape.hear(asked, msgspec.msgpack.encode(found))
        return found


class PlayedPrices:
    """A source of prices as a recorded run heard it."""

    def __init__(self, name: str, playing: Playing) -> None:
        """Be called *name*."""
        self.name = name
        self._playing = playing

    async def quotes(self, assets: Sequence[Asset], *, currency: Asset) -> Quotes:
        """Return the prices of then."""
        try:
            said = _said(self._playing, _quotes_of(self.name, assets, currency))
        except NotRecorded as missed:
            raise PricesFailed(str(missed)) from missed
        return msgspec.msgpack.decode(said, type=Quotes)


def _said(playing: Playing, asked: str, failure: type[BookFailed] | type[PricesFailed] = PricesFailed) -> bytes:
    """Return what was said to this, or raise the failure that the run was told of.

    Raises:
        NotRecorded: the run did not ask this.
        BookFailed, PricesFailed: whichever *failure* is.
    """
    said = playing.hear(asked)
    if isinstance(said, Failure):
        raise failure(said.words)
    return said


def _snapshot_of(account: str, since: datetime) -> str:
    return f"book.snapshot({account},{since.isoformat()})"


def _quotes_of(name: str, assets: Sequence[Asset], currency: Asset) -> str:
    return f"prices.{name}({','.join(assets)} in {currency})"


def _written(found: Sequence[Followed]) -> bytes:
    return msgspec.msgpack.encode([one.to_json() for one in found])


def _read(said: bytes) -> tuple[Followed, ...]:
    return tuple(map(Followed.from_json, msgspec.msgpack.decode(said, type=list[bytes])))
