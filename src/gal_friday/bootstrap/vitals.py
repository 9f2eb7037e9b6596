"""What a process knows of an account beside the database: its call budget, its stream, and the last look at its key."""

from datetime import datetime

from gal_friday.adapters.kraken import Counter, level_at, tier_named
from gal_friday.bootstrap.clock import system_clock
from gal_friday.bootstrap.settings import AccountSettings, Settings
from gal_friday.bootstrap.wire import points_per_hour, timing_of
from gal_friday.domain.schedule import Timing
from gal_friday.flows.vitals import Budget, KeyLooked, Listened, Live
from gal_friday.service.listening import Listening

Left = tuple[datetime, float]
"""When the last call was, and how many points were left after it."""


def live_of(
    settings: Settings,
    account: str,
    *,
    paced: Timing | None = None,
    left: Left | None = None,
    listening: Listening | None = None,
    key: KeyLooked | None = None,
) -> Live:
    """Return what is known; what nothing is known of is left out."""
    configured = settings.accounts[account]
    timing = timing_of(settings, configured)
    connected = listening is not None and listening.connected
    because = "" if listening is None or connected else listening.because
    return Live(
        timing=timing,
        paced=paced or timing,
        budget=_budget(configured, left),
        stream=Listened(wanted=configured.stream, connected=connected, because=because),
        key=key,
    )


def _budget(configured: AccountSettings, left: Left | None) -> Budget:
    tier, known = tier_named(configured.tier), points_per_hour(configured)
    if tier is None:
        return Budget(limit=None, points_per_hour=None)
    if left is None:
        return Budget(limit=tier.maximum, points_per_hour=known)
    at, after = left
    level = level_at(Counter(tier.maximum - after, at), tier, system_clock().now())
    return Budget(limit=tier.maximum, points_per_hour=known, left=round(tier.maximum - level, 2), left_at=at)
