"""``compare --store``: what two tables came to, recorded where the service records its runs."""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from msgspec.structs import replace

from gal_friday.bootstrap.desk import desk_of
from gal_friday.bootstrap.settings import Database, Settings, load
from gal_friday.bootstrap.wire import open_store
from gal_friday.bulk.judge import Judged, Terms
from gal_friday.domain.finding import Key
from gal_friday.domain.followed import Followed
from gal_friday.domain.records import Kind
from gal_friday.flows.record_many import Recorded, Shelf, known_in, record_many, watched_of
from gal_friday.ports.exchange import Progress


class Recording:
    """An open store; used as a context, at whose end it is closed."""

    def __init__(self, where: str, config: Path | None) -> None:
        """Take the address of the database, its file, or the configuration that names it.

        Raises:
            BadConfiguration: the configuration cannot be used.
        """
        self._settings = _settings(where, config)
        self._found: list[Judged] = []
        self._known: Mapping[str, Sequence[Followed]] = {}

    def __enter__(self) -> Self:
        """Open the store.

        Raises:
            StoreFailed: it cannot be opened.
        """
        self._runner = asyncio.Runner()
        try:
            self._opened = self._runner.run(open_store(self._settings))
        except BaseException:
            self._runner.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        try:
            self._runner.run(self._opened.close())
        finally:
            self._runner.close()

    def watched(self, exchange: str, kinds: Collection[Kind]) -> Mapping[str, frozenset[Key]]:
        """Return the keys of what is open of these kinds at this exchange, by account.

        Raises:
            StoreFailed: they cannot be read.
        """
        self._known = self._runner.run(known_in(self._opened.store, exchange, kinds))
        return watched_of(self._known)

    def hear(self, one: Judged) -> None:
        """Keep what is found in an account until both tables were read to their end."""
        self._found.append(one)

    def record(self, terms: Terms, names: Iterable[str], progress: Progress) -> Recorded:
        """Record all that was heard."""
        shelf = Shelf(
            store=self._opened.store,
            desk=desk_of(self._opened),
            policy=terms.policy,
            note=f"compared as tables: {' and '.join(names)}; what agrees is not listed, unless it was open before",
        )
        return self._runner.run(record_many(self._found, self._known, shelf, progress))


def _settings(where: str, config: Path | None) -> Settings:
    if where.endswith(".toml"):
        return load(Path(where))
    base = Settings() if config is None else load(config)
    url = where if "://" in where else f"sqlite+aiosqlite:///{Path(where).expanduser()}"
    return replace(base, database=Database(url=url, password=base.database.password if "://" in where else None))
