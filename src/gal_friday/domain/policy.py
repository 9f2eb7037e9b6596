"""What is tolerated and what is severe, as fields of one value.

Every number here is a named field with its meaning, so that no comparison hides a rule of its own.
Equality is never a matter of policy beyond the stated tolerance: thresholds grade a difference, they do
not make it disappear.
"""

from decimal import Decimal

from msgspec import Struct

from gal_friday.domain.assets import Asset


class Policy(Struct, frozen=True, kw_only=True):
    """Tolerances and thresholds for one account. Shares are fractions: ``0.01`` is one percent."""

    tolerance: Decimal = Decimal("0.00000001")
    """The floor under quantities and balances, inclusive: a difference of exactly this much agrees."""
    tolerances: dict[Asset, Decimal] = {}
    """The floor for single assets, in place of *tolerance*."""

    medium_threshold: Decimal = Decimal("0.01")
    high_threshold: Decimal = Decimal("0.05")
    critical_threshold: Decimal = Decimal("0.10")
    """Relative difference, |difference| ÷ max(|internal|, |exchange|), from which on it is that severe."""

    medium_value: Decimal = Decimal(10)
    high_value: Decimal = Decimal(100)
    critical_value: Decimal = Decimal(1000)
    """Value of the difference in the reporting currency from which on it is that severe."""

    trivial_value: Decimal = Decimal(1)
    """A difference worth less than this is low, whatever else holds."""

    reporting_currency: Asset = Asset("USD")
    """The currency in which values are stated."""

    def tolerance_of(self, asset: Asset) -> Decimal:
        """Return the floor for this asset."""
        return self.tolerances.get(asset, self.tolerance)
