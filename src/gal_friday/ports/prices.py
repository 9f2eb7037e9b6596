"""What things are worth in the reporting currency."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Protocol

from gal_friday.domain.assets import Asset


class Prices(Protocol):
    """A source of prices. It values differences; it never decides whether two amounts are equal."""

    async def prices(self, assets: Sequence[Asset], *, currency: Asset) -> dict[Asset, Decimal]:
        """Return the last price in *currency* of those assets that have one; the others are left out."""
        ...
