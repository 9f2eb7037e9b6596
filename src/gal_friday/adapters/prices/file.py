"""Prices from a file that another program writes: CSV or JSON, each with its currency and its instant.

The file is read anew at every run and never written. One line that is no price refuses the whole file: half of a
broken list is no list. Nothing is converted from one currency to another.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from gal_friday.adapters.prices.rows import Row, rows_of
from gal_friday.domain.assets import Asset
from gal_friday.domain.price import Price
from gal_friday.ports.errors import PricesFailed
from gal_friday.ports.prices import Quotes

BYTES_MAX = 16 * 1024 * 1024
_NAMED_MAX = 6  # Assets of one note.

Read = Callable[[Path, int], bytes]
"""Reads at most so many bytes of a file, and never waits for a pipe or a device."""


class FilePrices:
    """``Prices`` in a file of rows with ``asset``, ``price``, ``currency`` and ``at``."""

    def __init__(self, path: Path, *, read: Read, aliases: Mapping[str, Asset] | None = None) -> None:
        """Keep the path. Names are canonical, or those of *aliases*."""
        self.name = str(path)
        self._path, self._read, self._aliases = path, read, aliases or {}

    async def quotes(self, assets: Sequence[Asset], *, currency: Asset) -> Quotes:
        """Return what the file says of these assets in *currency*; see ``Prices``."""
        # Only here: looking at a file for `config check` needs no event loop, and starts sooner without one.
        import asyncio

        rows = await asyncio.to_thread(self.rows)
        mine = {row.asset: Price(row.amount, self.name, row.at) for row in rows if row.currency == currency}
        found = {asset: mine[asset] for asset in assets if asset in mine and asset != currency}
        elsewhere = sorted({row.asset for row in rows} & (set(assets) - mine.keys()))
        return Quotes(found, frozenset(row.asset for row in rows), tuple(self._in_others(elsewhere, currency)))

    def rows(self) -> tuple[Row, ...]:
        """Return every row of the file as it stands.

        Raises:
            PricesFailed: it cannot be read, or something in it is no price; file, row and reason are named.
        """
        try:
            data = self._read(self._path, BYTES_MAX + 1)
        except OSError as error:
            raise PricesFailed(
                f"{self.name} cannot be read: {error.strerror}; write it, or take prices.file out of the configuration"
            ) from error
        if len(data) > BYTES_MAX:
            raise PricesFailed(f"{self.name} is larger than {BYTES_MAX >> 20} MiB; leave out what is not held")
        return rows_of(data, self.name, self._aliases)

    def _in_others(self, assets: Sequence[Asset], currency: Asset) -> Sequence[str]:
        if not assets:
            return ()
        more = f" and {len(assets) - _NAMED_MAX} more" if len(assets) > _NAMED_MAX else ""
        return (f"{self.name} has no price in {currency} of {', '.join(assets[:_NAMED_MAX])}{more}, only in others",)
