"""What is tolerated, what is severe, and what may be corrected, as fields of one value.

Every number here is a named field with its meaning, so that no comparison hides a rule of its own.
Equality is never a matter of policy beyond the stated tolerance: thresholds grade a difference, they do
not make it disappear.
"""

from datetime import timedelta
from decimal import Decimal
from enum import StrEnum

from msgspec import Struct
from msgspec.json import encode

from gal_friday.domain.assets import Asset
from gal_friday.domain.ids import digest


class Mode(StrEnum):
    """What a run may do about what it finds."""

    OBSERVE = "observe"
    """Look and report."""
    PROPOSE = "propose"
    """Propose adjustments; a person decides."""
    ENFORCE = "enforce"
    """Apply what policy allows."""


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
    max_price_age_minutes: int = 60
    """A price that is older than this values nothing."""

    confirmations: int = 2
    """In how many runs a discrepancy must be seen before it is confirmed."""
    grace_seconds: int = 90
    """How long a record may be on its way from one side to the other before its absence is a discrepancy, and how
    long a discrepancy must have been seen for before it is confirmed.

    An exchange tells its stream of a fill before it shows it to a reader: up to a minute at Kraken.
    """
    graces: dict[str, int] = {}
    """The grace at single exchanges, in place of *grace_seconds*."""
    pending_runs: int = 3
    """After so many runs in which it was pending, a key is judged by what both sides were before it moved; and a person
    is asked about what only waits for a run that sees everything."""
    reach_back_days: int = 7
    """How far back records are read, at most, to judge discrepancies that are still open."""

    auto_correct_threshold: Decimal = Decimal("0.01")
    """Up to this relative difference a plug may be posted without a person; for balances up to a tenth of it."""
    auto_correct_max_value: Decimal = Decimal(10)
    """Up to this value a plug may be posted without a person; without a price none is."""
    proven_max_value: Decimal = Decimal(10000)
    """Up to this value a proven repair may be posted without a person."""
    corrections_per_hour: int = 20
    corrections_per_day: int = 100
    """How many repairs may be posted without a person; the others are proposed."""
    corrected_value_per_hour: Decimal = Decimal(20000)
    corrected_value_per_day: Decimal = Decimal(50000)
    """How much they may be worth together."""
    breaker_discrepancies: int = 100
    """With more discrepancies than this at once nothing is corrected: something larger is wrong."""
    breaker_flips: int = 3
    """A discrepancy that came back so often is not corrected again, and stops corrections of its account."""
    four_eyes: bool = True
    """Whether who proposes may not approve."""
    four_eyes_value: Decimal = Decimal(0)
    """From this value on; without a price always."""
    proposals_expire_hours: int = 72
    """After so long an undecided proposal expires."""

    @property
    def version(self) -> str:
        """Return the id of this policy: every decision names it, and another content is another id."""
        return "pol_" + digest(encode(self, order="deterministic"))[:12]

    def grace_of(self, exchange: str) -> timedelta:
        """Return the grace at this exchange."""
        return timedelta(seconds=self.graces.get(exchange, self.grace_seconds))

    def tolerance_of(self, asset: Asset) -> Decimal:
        """Return the floor for this asset."""
        return self.tolerances.get(asset, self.tolerance)
