"""What recorded runs would have decided under other limits, read from what is recorded: for every place that asks.

Nothing is kept and nothing is posted: limits are changed in the configuration.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta

from msgspec import Struct

from gal_friday.domain.errors import GalFridayError
from gal_friday.domain.policy import Mode, Policy
from gal_friday.domain.redecided import Redecided, redecided
from gal_friday.ports.clock import Clock
from gal_friday.ports.pages import Accounts, Pages

REPORTS_MAX = 10_000
"""The newest ones."""
DAYS_MAX = 36_500


class UnusableLimits(GalFridayError, ValueError):
    """No such limit, or a value that makes no sense."""


Otherwise = Callable[[Sequence[str]], Policy]
"""Returns the policy in effect with these limits over it, each as ``proven_max_value=500``; raises UnusableLimits."""


class Answer(Struct, frozen=True, kw_only=True):
    """What would have been decided, and by which policy."""

    version: str
    told: Redecided
    all_looked_at: bool
    """Whether every run of these days was decided again, and not the newest of too many alone."""


async def redecide(
    pages: Pages, clock: Clock, policy: Policy, *, accounts: Accounts = None, days: int, mode: Mode | None = None
) -> Answer:
    """Return what the runs of the last *days* would have decided under this policy, and in this mode.

    Raises:
        StoreFailed: they cannot be read.
    """
    since = clock.now() - timedelta(days=days)
    # A day more: what was corrected then counts against the budget of the first.
    reports = await pages.decided(accounts, since=since - timedelta(days=1), limit=REPORTS_MAX)
    told = await asyncio.to_thread(redecided, reports, policy, mode=mode, since=since)
    return Answer(version=policy.version, told=told, all_looked_at=len(reports) < REPORTS_MAX)
