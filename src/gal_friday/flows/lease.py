"""One run per account at a time (I13): the lease is taken before the run, kept alive, and given back after it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from gal_friday.ports.clock import Clock
from gal_friday.ports.errors import AccountBusy, StoreFailed
from gal_friday.ports.leases import Lease, Leases

LASTS_SECONDS = 60
"""How long an account stays taken after its process was killed, where nobody says otherwise."""
_RENEWED = 4
"""So many times is a lease renewed before it would end: three may fail."""
_GIVEN_BACK_SECONDS = 5.0


@asynccontextmanager
async def held(
    leases: Leases, account: str, *, owner: str, clock: Clock, lasts: int = LASTS_SECONDS
) -> AsyncIterator[Lease]:
    """Hold the account's lease for as long as the block runs.

    It is renewed on the way. Where that fails, the block goes on: whatever it writes names the token, and is refused
    once somebody else has taken the account over.

    Raises:
        AccountBusy: somebody else works on the account now.
        StoreFailed: nobody can tell.
    """
    lease = await leases.acquire(account, owner=owner, seconds=lasts)
    if lease is None:
        raise await _busy(leases, account)
    renewing = asyncio.create_task(_renewed(leases, lease, clock, lasts))
    try:
        yield lease
    finally:
        renewing.cancel()
        with suppress(asyncio.CancelledError):
            await renewing
        # Without it the lease ends by itself; a run that is interrupted must not wait for a database that is gone.
        with suppress(StoreFailed, TimeoutError):
            async with asyncio.timeout(_GIVEN_BACK_SECONDS):
                await leases.release(lease)


async def _renewed(leases: Leases, lease: Lease, clock: Clock, lasts: int) -> None:
    while True:
        await clock.sleep(lasts / _RENEWED)
        with suppress(StoreFailed):
            if await leases.renew(lease, seconds=lasts) is None:
                return


async def _busy(leases: Leases, account: str) -> AccountBusy:
    other = await leases.holder(account)
    who = f" by {other.owner}, at the latest until {other.until:%Y-%m-%d %H:%M:%S} UTC" if other is not None else ""
    return AccountBusy(f"account {account} is being reconciled already{who}; wait for that run, or run again later")
