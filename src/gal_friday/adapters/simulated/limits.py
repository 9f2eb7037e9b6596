"""The call counter of a key: a call adds its cost, time takes it away, above the maximum it is refused.

Constants from the Kraken REST documentation, Rate Limits. The counter is kept in whole numbers (hundredths
of a point, per tick), so it decays exactly.
"""

import msgspec

from gal_friday.adapters.simulated.clock import TICKS_PER_SECOND
from gal_friday.adapters.simulated.keys import ApiKey
from gal_friday.adapters.simulated.refusal import RATE_LIMIT, Refused

POINT = 100 * TICKS_PER_SECOND


class Tier(msgspec.Struct, frozen=True):
    """How many points a key may run up, and hundredths of a point that each second takes away."""

    maximum: int
    decay: int


TIERS = {"starter": Tier(15, 33), "intermediate": Tier(20, 50), "pro": Tier(20, 100)}


def spend(key: ApiKey, cost: int, now: int) -> None:
    """Add the cost of a call to the key's counter at *now* (ticks).

    Raises:
        Refused: EAPI:Rate limit exceeded; the refused call costs nothing.
    """
    tier = TIERS[key.tier]
    counter = max(0, key.counter - tier.decay * max(0, now - key.counter_at))
    key.counter_at = max(key.counter_at, now)
    if counter + cost * POINT > tier.maximum * POINT:
        key.counter = counter
        raise Refused(RATE_LIMIT)
    key.counter = counter + cost * POINT
