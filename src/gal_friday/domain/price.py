"""What an asset is worth, when that was so, and who says it; and whether a run may rest on it.

A price values a difference. It never decides whether two amounts are equal, and a missing one is never guessed:
without a price a difference is graded by its share alone.
"""

from datetime import datetime, timedelta
from decimal import Decimal

from msgspec import Struct

from gal_friday.domain import quantity
from gal_friday.domain.errors import MalformedAmount
from gal_friday.domain.policy import Policy

AHEAD = timedelta(minutes=1)
"""Clocks of two machines are never quite the same; a price from further ahead is of no time at all."""

_MINUTE, _HOUR, _DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


class PriceSource(Struct, frozen=True):
    """Where a price in a report comes from."""

    source: str
    at: datetime | None
    """The instant of the price; None where somebody fixed it for as long as it stands."""


class Price(Struct, frozen=True):
    """What one whole unit of an asset is worth in the currency that was asked for."""

    amount: Decimal
    source: str
    at: datetime | None = None
    """The instant of the price; None where somebody fixed it for as long as it stands."""

    def __post_init__(self) -> None:
        """Refuse what is no price.

        Raises:
            MalformedAmount: zero, negative, not finite, or no exact number.
        """
        if quantity.exact(self.amount) <= 0:
            raise MalformedAmount(quantity.text(self.amount), "a price is above zero")

    @property
    def origin(self) -> PriceSource:
        """Who says it, and when it was so."""
        return PriceSource(self.source, self.at)


def doubt(price: Price, *, now: datetime, policy: Policy) -> str:
    """Return why a run at *now* may not rest on this price, or nothing where it may."""
    if price.at is None:
        return ""
    if price.at - now > AHEAD:
        return f"is dated {_spoken(price.at - now)} in the future"
    limit = policy.max_price_age_minutes
    return f"is {_spoken(now - price.at)} old" if now - price.at > timedelta(minutes=limit) else ""


def _spoken(span: timedelta) -> str:
    """Return a span in its largest whole unit: 90 minutes are 1 h."""
    for unit, word in ((_DAY, "d"), (_HOUR, "h")):
        if span >= unit:
            return f"{span // unit} {word}"
    return f"{span // _MINUTE} min"
