"""One run per account at a time, across processes and machines (I13).

A lease says who may work on an account, and until when. Its token grows with every lease: whoever writes for a run
names it, and a process that was paused for longer than its lease lasts is refused, whatever its own clock says.
"""

from datetime import datetime
from typing import Protocol

from msgspec import Struct


class Lease(Struct, frozen=True):
    """The right to work on one account."""

    account: str
    token: int
    """Larger than that of every lease before it."""
    owner: str
    until: datetime


class Leases(Protocol):
    """Hands out leases; at most one per account stands at any time."""

    async def acquire(self, account: str, *, owner: str, seconds: int) -> Lease | None:
        """Return a lease for so long, or None where somebody else has one that still stands.

        Raises:
            StoreFailed: nobody can tell; nothing was taken.
        """
        ...

    async def renew(self, lease: Lease, *, seconds: int) -> Lease | None:
        """Return the lease with a later end, or None where it was taken over meanwhile.

        Raises:
            StoreFailed: nobody can tell; the lease stands as long as it said.
        """
        ...

    async def release(self, lease: Lease) -> None:
        """Give it back; nothing where it was taken over meanwhile.

        Raises:
            StoreFailed: nothing was given back; the lease ends by itself.
        """
        ...

    async def holder(self, account: str) -> Lease | None:
        """Return the lease that stands now, or None.

        Raises:
            StoreFailed: nobody can tell.
        """
        ...
