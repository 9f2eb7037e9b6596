"""Leases in memory, in SQLite and in PostgreSQL.

The row of an account is never removed: its token has to go on growing.
"""

from datetime import timedelta
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gal_friday.adapters.sql.engine import reading, writing
from gal_friday.adapters.sql.tables import LEASES
from gal_friday.ports.clock import Clock
from gal_friday.ports.errors import StoreFailed
from gal_friday.ports.leases import Lease

_ROW = LEASES.c


class SqlLeases:
    """``Leases`` on a database that was brought up to date by ``upgrade``."""

    def __init__(self, engine: AsyncEngine, *, clock: Clock) -> None:
        """Keep the engine, which whoever opened it disposes of, and the clock that leases end by."""
        self._engine = engine
        self._clock = clock

    async def acquire(self, account: str, *, owner: str, seconds: int) -> Lease | None:
        """Return a lease, or None where somebody else has one; see ``Leases``."""
        async with writing(self._engine, StoreFailed) as connection:
            await _begin(connection, account, self._clock)
            last = await _last(connection, account, lock=True)
            assert last is not None, "the row was begun"
            if last.until > self._clock.now():
                return None
            return await self._written(connection, Lease(account, last.token + 1, owner, last.until), seconds)

    async def renew(self, lease: Lease, *, seconds: int) -> Lease | None:
        """Return the lease with a later end, or None where it was taken over; see ``Leases``."""
        async with writing(self._engine, StoreFailed) as connection:
            last = await _last(connection, lease.account, lock=True)
            if last is None or last.token != lease.token:
                return None
            return await self._written(connection, lease, seconds)

    async def release(self, lease: Lease) -> None:
        """Give it back; see ``Leases``."""
        async with writing(self._engine, StoreFailed) as connection:
            held = (_ROW.account == lease.account) & (_ROW.token == lease.token)
            await connection.execute(update(LEASES).where(held).values(until=self._clock.now()))

    async def holder(self, account: str) -> Lease | None:
        """Return the lease that stands now, or None; see ``Leases``."""
        async with reading(self._engine, StoreFailed) as connection:
            last = await _last(connection, account)
        return last if last is not None and last.until > self._clock.now() else None

    async def _written(self, connection: AsyncConnection, lease: Lease, seconds: int) -> Lease:
        until = self._clock.now() + timedelta(seconds=seconds)
        fields: dict[str, Any] = {"token": lease.token, "owner": lease.owner, "until": until}
        await connection.execute(update(LEASES).where(_ROW.account == lease.account).values(fields))
        return Lease(lease.account, lease.token, lease.owner, until)


async def _begin(connection: AsyncConnection, account: str, clock: Clock) -> None:
    """See to it that the account has its row; a lease that has ended already."""
    row = {"account": account, "token": 0, "owner": "", "until": clock.now()}
    if connection.dialect.name == "postgresql":
        # Another process may begin it in this very moment: then its row is the one.
        await connection.execute(postgresql.insert(LEASES).values(row).on_conflict_do_nothing())
    elif await _last(connection, account) is None:
        await connection.execute(insert(LEASES).values(row))


async def _last(connection: AsyncConnection, account: str, *, lock: bool = False) -> Lease | None:
    query = select(LEASES).where(_ROW.account == account)
    # SQLite holds the lock on the whole file already; there this adds nothing.
    found = (await connection.execute(query.with_for_update() if lock else query)).mappings().one_or_none()
    return None if found is None else Lease(found["account"], found["token"], found["owner"], found["until"])


class MemoryLeases:
    """``Leases`` of one process, for tests and for those who keep nothing."""

    def __init__(self, *, clock: Clock) -> None:
        """Keep the clock that leases end by."""
        self._clock = clock
        self._last: dict[str, Lease] = {}

    async def acquire(self, account: str, *, owner: str, seconds: int) -> Lease | None:
        """Return a lease, or None where somebody else has one; see ``Leases``."""
        if await self.holder(account) is not None:
            return None
        last = self._last.get(account)
        return self._written(Lease(account, last.token + 1 if last else 1, owner, self._clock.now()), seconds)

    async def renew(self, lease: Lease, *, seconds: int) -> Lease | None:
        """Return the lease with a later end, or None where it was taken over; see ``Leases``."""
        last = self._last.get(lease.account)
        return self._written(lease, seconds) if last is not None and last.token == lease.token else None

    async def release(self, lease: Lease) -> None:
        """Give it back; see ``Leases``."""
        last = self._last.get(lease.account)
        if last is not None and last.token == lease.token:
            self._last[lease.account] = Lease(last.account, last.token, last.owner, self._clock.now())

    async def holder(self, account: str) -> Lease | None:
        """Return the lease that stands now, or None; see ``Leases``."""
        last = self._last.get(account)
        return last if last is not None and last.until > self._clock.now() else None

    def newest(self, account: str) -> int | None:
        """Return the token of the account's newest lease, whether it has ended or not."""
        last = self._last.get(account)
        return None if last is None else last.token

    def _written(self, lease: Lease, seconds: int) -> Lease:
        until = self._clock.now() + timedelta(seconds=seconds)
        self._last[lease.account] = Lease(lease.account, lease.token, lease.owner, until)
        return self._last[lease.account]
