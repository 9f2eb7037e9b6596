"""One adjustment written into its book, in the transaction of whoever calls.

Locks are taken in one order: the book, the adjustment, the lease; the journal comes last. Nothing here commits, and
nothing is written where the lease was lost.
"""

from datetime import datetime
from typing import Any

from msgspec.structs import replace
from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gal_friday.adapters.book_sql import adjustment_rows, applying
from gal_friday.adapters.book_sql.book import head_of
from gal_friday.adapters.book_sql.choosing import check_appliable, unknown_adjustment
from gal_friday.adapters.book_sql.posting import Posted, Refusal, post
from gal_friday.adapters.book_sql.shelf import Shelf
from gal_friday.adapters.book_sql.shelf_rows import laid_out, wanted_by, write
from gal_friday.adapters.sql.tables import ADJUSTMENTS, BOOKS, LEASES, POSITION_ADJUSTMENTS
from gal_friday.domain.adjusted import PROGRAM_ITSELF, Kept, Outcome, Refused, Step, after
from gal_friday.domain.adjustment import Adjustment, AdjustmentState
from gal_friday.domain.errors import Overtaken


async def laid_out_for(
    connection: AsyncConnection, adjustment: Adjustment, version: int, *, own: bool = False
) -> Shelf:
    """Return the part of the book that an adjustment is about; with *own* also what it wrote elsewhere."""
    wanted = wanted_by(adjustment)
    if own:
        wanted = replace(wanted, adjustments=wanted.adjustments | {adjustment.adjustment_id})
    return await laid_out(connection, adjustment.account, version, wanted)


async def seen(connection: AsyncConnection, adjustment: Adjustment, shelf: Shelf) -> dict[str, AdjustmentState]:
    """Return how the adjustments stand that this one takes back, or whose plugs it may release."""
    owners = {row.adjustment_id for row in shelf.plugs if row.adjustment_id and row.what == "posted"}
    return await adjustment_rows.states_of(connection, owners | set(applying.reversed_by(adjustment)))


class Application:
    """An adjustment in the middle of being written."""

    def __init__(self, connection: AsyncConnection, known: Kept, version: int | None, now: datetime) -> None:
        """Take what ``begun`` has read and locked."""
        self._connection, self._version, self._now = connection, version, now
        self.known = known
        self.told: list[Kept] = []
        """How each adjustment stood after each step, for the journal."""

    @classmethod
    async def begun(cls, connection: AsyncConnection, adjustment_id: str, now: datetime) -> "Application":
        """Read and lock the book, then the adjustment.

        Raises:
            StoreFailed: there is none with this id.
        """
        query = select(ADJUSTMENTS.c.account).where(ADJUSTMENTS.c.adjustment_id == adjustment_id)
        account = (await connection.execute(query)).scalar_one_or_none()
        if account is not None:
            # Everybody who writes to a book holds its head first: two of them never wait for each other.
            await head_of(connection, account, lock=True)
            found = await adjustment_rows.one_kept(connection, adjustment_id, lock=True)
            if found is not None:
                return cls(connection, *found, now)
        raise unknown_adjustment(adjustment_id)

    async def check_lease(self, token: int | None) -> None:
        """Raise Overtaken where the account is somebody else's by now (I9); None asks for no fence."""
        if token is None:
            return
        account = self.known.adjustment.account
        query = select(LEASES.c.token).where(LEASES.c.account == account).with_for_update(read=True)
        current = (await self._connection.execute(query)).scalar_one_or_none()
        if current != token:
            raise Overtaken(f"account {account} is run by somebody else now; nothing was written")

    async def written(self) -> Outcome | None:
        """Write it; None where it is in the book and has to be read back, else what stood against it.

        Raises:
            IllegalStep: it is neither approved nor intended.
        """
        check_appliable(self.known)
        if self._version is not None:
            return None
        known, adjustment = self.known, self.known.adjustment
        if known.state is AdjustmentState.APPROVED:
            known = after(known, Step.INTEND, PROGRAM_ITSELF, self._now)
            self.told.append(known)
        head = await head_of(self._connection, adjustment.account)
        version = 0 if head is None else head.version
        shelf = await laid_out_for(self._connection, adjustment, version)
        try:
            if head is None:
                raise Refusal("the account has no book here")
            posted = post(adjustment, shelf, await seen(self._connection, adjustment, shelf))
        except Refusal as refusal:
            return await self._refused(known, str(refusal))
        await self._post(adjustment, posted, version + 1)
        await adjustment_rows.write_on(
            self._connection, replace(known, revision=self.known.revision + 1), self.known, version=version + 1
        )
        await self._take_back(adjustment)
        return None

    async def _post(self, adjustment: Adjustment, posted: Posted, version: int) -> None:
        stamp: dict[str, Any] = {"account": adjustment.account, "seq": version, "added_at": self._now}
        await write(self._connection, posted.written, stamp)
        changed = [*applying.changed_amounts(adjustment, posted.net, self._now)]
        if changed:
            await self._connection.execute(insert(POSITION_ADJUSTMENTS), changed)
        book = update(BOOKS).where(BOOKS.c.account == adjustment.account)
        await self._connection.execute(book.values(version=version))

    async def _take_back(self, adjustment: Adjustment) -> None:
        """Record what becomes of the adjustments that this one takes back, and of those that they had taken back."""
        for name in applying.reversed_by(adjustment):
            target = (await adjustment_rows.known_among(self._connection, [name]))[name]
            steps = dict(applying.step_back(target))
            for other, known in (await adjustment_rows.known_among(self._connection, steps)).items():
                kept = after(known, steps[other], PROGRAM_ITSELF, self._now)
                await adjustment_rows.write_on(self._connection, kept, known)
                self.told.append(kept)

    async def _refused(self, known: Kept, reason: str) -> Refused:
        outcome = Refused(known.id, reason)
        kept = replace(after(known, Step.REFUSE, replace(PROGRAM_ITSELF, note=reason), self._now), outcome=outcome)
        await adjustment_rows.write_on(self._connection, kept, self.known)
        self.told.append(kept)
        return outcome
