"""What the differences of a run are worth: sources of prices asked in their order, the exchange last.

The first usable price of an asset counts. A price that is too old, or of the future, is not used, and the report
says so; a source that fails costs its prices and nothing else. Nothing here grades anything.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from msgspec import Struct

from gal_friday.domain.assets import Asset
from gal_friday.domain.discrepancy import stake_assets
from gal_friday.domain.errors import MalformedAmount
from gal_friday.domain.finding import Finding
from gal_friday.domain.policy import Policy
from gal_friday.domain.price import Price, PriceSource, doubt
from gal_friday.domain.snapshot import Snapshot
from gal_friday.ports.clock import Clock
from gal_friday.ports.errors import ExchangeFailed, PricesFailed
from gal_friday.ports.exchange import Exchange
from gal_friday.ports.prices import Prices, Quotes

NAMED_MAX = 12
"""How many assets a note names; the rest is counted."""


class Worth(Struct, frozen=True):
    """Prices for what is at stake, where each comes from, and what is to be said about the others."""

    prices: dict[Asset, Decimal] = {}
    sources: dict[str, PriceSource] = {}
    notes: tuple[str, ...] = ()


class AtExchange:
    """The exchange's own last prices as ``Prices``. They are of the instant at which they were asked for."""

    def __init__(self, exchange: Exchange, clock: Clock) -> None:
        """Keep the exchange, which whoever opened it closes."""
        self.name = exchange.name
        self._exchange, self._clock = exchange, clock

    async def quotes(self, assets: Sequence[Asset], *, currency: Asset) -> Quotes:
        """Return last prices; see ``Prices``. Where nothing is wanted the exchange is not asked."""
        wanted = [asset for asset in assets if asset != currency]
        if not wanted:
            return Quotes()
        at = self._clock.now()
        try:
            last = await self._exchange.prices(wanted, currency=currency)
            return Quotes({asset: Price(last[asset], self.name, at) for asset in wanted if asset in last})
        except (ExchangeFailed, MalformedAmount) as failure:
            raise PricesFailed(str(failure)) from failure


async def worth(
    sources: Sequence[Prices],
    findings: Iterable[Finding],
    sides: Sequence[Snapshot],
    *,
    policy: Policy,
    clock: Clock,
) -> Worth:
    """Return what is known about the worth of what differs. Never raises for a failure of the world."""
    currency = policy.reporting_currency
    wanted = sorted({stake.asset for finding in findings for stake in stake_assets(finding)} - {currency})
    found: dict[Asset, Price] = {}
    refused: dict[Asset, list[str]] = {}
    notes: list[str] = []
    for source in sources:
        try:
            quotes = await source.quotes([asset for asset in wanted if asset not in found], currency=currency)
        except PricesFailed as failure:
            notes.append(f"differences could not be valued by {source.name}: {failure}")
            continue
        notes += [*quotes.notes, *_strangers(source.name, quotes.stated, sides, currency)]
        for asset, price in quotes.prices.items():
            if why := doubt(price, now=clock.now(), policy=policy):
                refused.setdefault(asset, []).append(f"the price in {price.source} {why}")
            else:
                found[asset] = price
    return Worth(
        {asset: price.amount for asset, price in found.items()},
        {str(asset): price.origin for asset, price in sorted(found.items())},
        (*notes, *_not_used(refused, found, policy), *_without_any(wanted, found, refused)),
    )


def _not_used(refused: Mapping[Asset, list[str]], found: Mapping[Asset, Price], policy: Policy) -> Iterable[str]:
    """Say of every price that was not used why, and what its difference is valued by instead."""
    limit = f"max_price_age_minutes = {policy.max_price_age_minutes}"
    for asset, reasons in sorted(refused.items()):
        valued = f"valued by {found[asset].source}" if asset in found else "not valued"
        yield f"difference in {asset} is {valued}: {'; '.join(reasons)} ({limit})"


def _without_any(wanted: Iterable[Asset], found: Mapping[Asset, Price], refused: Mapping[Asset, object]) -> list[str]:
    missing = [asset for asset in wanted if asset not in found and asset not in refused]
    return [f"no price for {_named(missing)}: severity by share alone"] if missing else []


def _strangers(source: str, stated: frozenset[Asset], sides: Sequence[Snapshot], currency: Asset) -> list[str]:
    """Name prices of assets that nobody else knows; where the exchange did not list its assets, nobody can tell."""
    listed = {asset for side in sides for asset in side.scales.assets}
    if not listed or not stated:
        return []
    held = {row.asset for side in sides for row in side.balances}
    held |= {row.asset for side in sides for row in side.movements}
    strangers = sorted(stated - listed - held - {currency})
    said = f"{source} has a price for {_named(strangers)}, which neither side knows; correct the name"
    return [said] if strangers else []


def _named(assets: Sequence[Asset]) -> str:
    more = f" and {len(assets) - NAMED_MAX} more" if len(assets) > NAMED_MAX else ""
    return ", ".join(assets[:NAMED_MAX]) + more
