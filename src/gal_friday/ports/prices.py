"""What things are worth in the reporting currency."""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from gal_friday.domain.assets import Asset
from gal_friday.domain.price import Price


class Quotes(Struct, frozen=True):
    """What a source says when it is asked for prices."""

    prices: dict[Asset, Price] = {}
    stated: frozenset[Asset] = frozenset()
    """Every asset that somebody wrote down a price of, asked for or not: one that nobody else knows is misspelt."""
    notes: tuple[str, ...] = ()
    """What was seen beside, such as a price in another currency."""


class Prices(Protocol):
    """A source of prices. It values differences; it never decides whether two amounts are equal."""

    @property
    def name(self) -> str:
        """What reports and messages call it: the exchange, a file, the configuration."""
        ...

    async def quotes(self, assets: Sequence[Asset], *, currency: Asset) -> Quotes:
        """Return a price in *currency* for those of these assets that have one; the others are left out.

        Each price tells its own instant, however long ago that is: how old it may be is not decided here. A price
        in another currency is never converted.

        Raises:
            PricesFailed: the source cannot be read, or something in it is no price; nothing of it was used.
        """
        ...
