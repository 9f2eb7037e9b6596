"""How much a difference matters: the tolerance under it, its value, its severity.

Tolerances are about equality, severity about attention; neither ever looks at the sign. A missing price
disarms the rules that need one and never makes a difference small.
"""

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum

from gal_friday.domain import quantity
from gal_friday.domain.assets import Asset
from gal_friday.domain.finding import Stake
from gal_friday.domain.policy import Policy

Prices = Mapping[Asset, Decimal]
"""What one whole unit of an asset is worth in the reporting currency."""


class Severity(StrEnum):
    """How much attention a discrepancy deserves."""

    __hash__ = str.__hash__

    LOW = "low"
    """Look when there is time."""
    MEDIUM = "medium"
    """Look today."""
    HIGH = "high"
    """Look now."""
    CRITICAL = "critical"
    """Look now, and do not trade on this book before it is understood."""


RANK = {severity: rank for rank, severity in enumerate(Severity)}
"""The least severe has the lowest."""


def more_severe(*severities: Severity) -> Severity:
    """Return the most severe of them."""
    return max(severities, key=RANK.__getitem__)


def rounding_tolerance(places: int | None, records: int) -> Decimal:
    """Return by how much rounding *records* amounts to *places* digits can have moved their sum.

    Half a unit of the last place for each record; zero without a scale.
    Source: Kraken keeps amounts to the decimals of the asset.
    """
    if places is None or not records:
        return quantity.ZERO
    return quantity.multiply(quantity.half_unit(places), Decimal(records))


def value_of(stake: Stake | None, prices: Prices, policy: Policy) -> Decimal | None:
    """Return what the stake is worth in the reporting currency, without its sign; None without a price."""
    if stake is None:
        return None
    if stake.asset == policy.reporting_currency:
        return quantity.absolute(stake.amount)
    price = prices.get(stake.asset)
    return None if price is None else quantity.absolute(quantity.multiply(stake.amount, price))


def severity_by_share(difference: Decimal, internal: Decimal, exchange: Decimal, policy: Policy) -> Severity:
    """Grade a difference against the larger of the two sides, without regard to sign."""
    whole = max(quantity.absolute(internal), quantity.absolute(exchange))
    if quantity.at_least(difference, policy.critical_threshold, whole):
        return Severity.CRITICAL
    if quantity.at_least(difference, policy.high_threshold, whole):
        return Severity.HIGH
    if quantity.at_least(difference, policy.medium_threshold, whole):
        return Severity.MEDIUM
    return Severity.LOW


def severity_by_value(value: Decimal, policy: Policy) -> Severity:
    """Grade a difference by what it is worth in the reporting currency."""
    if value >= policy.critical_value:
        return Severity.CRITICAL
    if value >= policy.high_value:
        return Severity.HIGH
    if value >= policy.medium_value:
        return Severity.MEDIUM
    return Severity.LOW
