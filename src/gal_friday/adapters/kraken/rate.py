"""Kraken's call counter, kept on our side: we wait before a call rather than be refused after it.

The counter starts at 0, each call adds its cost, it decays steadily, and above the maximum calls are
refused. The tier cannot be read from the exchange, so it is a setting. The exchange's word stands above
ours: after a refusal the counter is taken as full.

Source: Kraken support, "What are the API rate limits?".
"""

from datetime import datetime

from msgspec import Struct

from gal_friday.domain.errors import GalFridayError


class UnknownTier(GalFridayError, ValueError):
    """The setting names no tier of Kraken."""


class Tier(Struct, frozen=True):
    """The limits of one verification level."""

    maximum: float
    decay: float
    """Points given back per second."""


TIERS: dict[str, Tier | None] = {
    "starter": Tier(15, 0.33),
    "intermediate": Tier(20, 0.5),
    "pro": Tier(20, 1.0),
    # An account without limits, as the simulated exchange can have.
    "none": None,
}

# Public calls are limited per address, about one per second; the burst is what opening a connection needs.
PUBLIC = Tier(8, 1.0)

# Waiting to the exact instant would ask the exchange to agree with us to the last bit of a float.
_MARGIN = 0.02


class Counter(Struct, frozen=True):
    """How full the counter was, and when."""

    level: float = 0.0
    at: datetime | None = None


def tier_named(name: str) -> Tier | None:
    """Return the limits of this tier; None means unlimited.

    Raises:
        UnknownTier: there is no such tier.
    """
    try:
        return TIERS[name]
    except KeyError:
        raise UnknownTier(f"{name!r} is no tier; choose one of {', '.join(TIERS)}") from None


def level_at(counter: Counter, tier: Tier, now: datetime) -> float:
    """Return how full the counter is *now*. A clock that stepped back gives nothing back."""
    if counter.at is None:
        return counter.level
    elapsed = max(0.0, (now - counter.at).total_seconds())
    return max(0.0, counter.level - elapsed * tier.decay)


def wait_for(counter: Counter, tier: Tier | None, cost: float, now: datetime) -> float:
    """Return the seconds to wait before a call of this cost fits; 0 when it fits now."""
    if tier is None or cost <= 0:
        return 0.0
    over = level_at(counter, tier, now) + cost - tier.maximum
    return over / tier.decay + _MARGIN if over > 0 else 0.0


def charged(counter: Counter, tier: Tier | None, cost: float, now: datetime) -> Counter:
    """Return the counter after a call of this cost."""
    if tier is None:
        return counter
    return Counter(level_at(counter, tier, now) + cost, now)


def full(tier: Tier | None, now: datetime) -> Counter:
    """Return the counter as the exchange sees it when it refuses: nothing left."""
    return Counter() if tier is None else Counter(tier.maximum, now)
