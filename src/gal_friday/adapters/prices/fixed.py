"""Prices that a person has fixed. They hold for as long as they stand; nothing here looks at a market."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from gal_friday.domain.assets import Asset
from gal_friday.domain.errors import MalformedAmount
from gal_friday.domain.price import Price
from gal_friday.ports.errors import PricesFailed
from gal_friday.ports.prices import Quotes


class FixedPrices:
    """``Prices`` that were stated once, all in one currency."""

    def __init__(self, prices: Mapping[Asset, Decimal], *, currency: Asset, name: str = "configuration") -> None:
        """Keep the prices of whole units in *currency*.

        Raises:
            PricesFailed: one of them is no price.
        """
        self.name = name
        self._currency = currency
        self._prices = {asset: _price(asset, amount, name) for asset, amount in prices.items()}

    async def quotes(self, assets: Sequence[Asset], *, currency: Asset) -> Quotes:
        """Return those of these that are fixed, in their one currency; see ``Prices``."""
        held = self._prices if currency == self._currency else {}
        found = {asset: held[asset] for asset in assets if asset in held and asset != currency}
        return Quotes(found, frozenset(self._prices))


def _price(asset: Asset, amount: Decimal, name: str) -> Price:
    try:
        return Price(amount, name)
    except MalformedAmount as wrong:
        raise PricesFailed(f"{name}: the price of {asset}: {wrong}") from wrong
