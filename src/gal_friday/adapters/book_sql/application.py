"""Adjustments of one account written into its book, in the transaction of whoever calls, and read back in another.

Locks are taken in one order: the book, the adjustments, the lease; the journal comes last. Each adjustment is decided
on by itself, makes its own version, and is written whole or refused; that several share a transaction only saves
round trips. Nothing here commits, and nothing is written where the lease was lost.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from msgspec.structs import replace
from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gal_friday.adapters.book_sql import adjustment_rows, applying
from gal_friday.adapters.book_sql.book import head_of
from gal_friday.adapters.book_sql.choosing import check_appliable, first_outcome, lost, unknown_adjustment
from gal_friday.adapters.book_sql.posting import Posted, Refusal, post
from gal_friday.adapters.book_sql.shelf import Shelf, Written
from gal_friday.adapters.book_sql.shelf_rows import all_wanted, laid_out, wanted_by, write
from gal_friday.adapters.sql.tables import BOOKS, LEASES, POSITION_ADJUSTMENTS
from gal_friday.domain.adjusted import PROGRAM_ITSELF, Kept, Outcome, Refused, Step, after
from gal_friday.domain.adjustment import Adjustment, AdjustmentState


async def laid_out_for(
    connection: AsyncConnection, adjustments: Sequence[Adjustment], version: int, *, own: bool = False
) -> Shelf:
    """Return the part of the book that adjustments are about; with *own* also what they wrote elsewhere."""
    wanted = all_wanted(map(wanted_by, adjustments))
    if own:
        wanted = replace(wanted, adjustments=wanted.adjustments | {one.adjustment_id for one in adjustments})
    return await laid_out(connection, adjustments[0].account, version, wanted)


async def seen(
    connection: AsyncConnection, adjustments: Iterable[Adjustment], shelf: Shelf
) -> dict[str, AdjustmentState]:
    """Return how the adjustments stand that these take back, or whose plugs they may release."""
    owners = {row.adjustment_id for row in shelf.plugs if row.adjustment_id and row.what == "posted"}
    return await adjustment_rows.states_of(
        connection, owners.union(*(applying.reversed_by(adjustment) for adjustment in adjustments))
    )


async def check_lease(connection: AsyncConnection, account: str, token: int | None) -> None:
    """Raise Overtaken where the account is somebody else's by now (I9); None asks for no fence."""
    if token is None:
        return
    query = select(LEASES.c.token).where(LEASES.c.account == account).with_for_update(read=True)
    if (await connection.execute(query)).scalar_one_or_none() != token:
        raise lost(account)


class Application:
    """Adjustments of one account in the middle of being written."""

    def __init__(self, connection: AsyncConnection, account: str, now: datetime) -> None:
        """Begin with nothing read."""
        self._connection, self._account, self._now = connection, account, now
        self._held: dict[str, tuple[Kept, int | None]] = {}
        self._current: dict[str, Kept] = {}
        self._made: dict[str, int | None] = {}
        self._posted: list[tuple[Adjustment, Posted]] = []
        self.told: list[Kept] = []
        """How each adjustment stood after each step, for the journal."""
        self.outcomes: dict[str, Outcome] = {}
        """What is known already: applied before, or refused. The others have to be read back."""

    async def write(self, ids: Sequence[str], token: int | None) -> None:
        """Write these adjustments, in this order.

        Raises:
            StoreFailed: there is none with one of these ids.
            IllegalStep: one is neither approved nor intended; nothing was written.
            Overtaken: another owner has the account now; nothing was written.
        """
        # Everybody who writes to a book holds its head first: two of them never wait for each other.
        head = await head_of(self._connection, self._account, lock=True)
        await self._hold(ids)
        waiting = self._waiting(ids)
        if not waiting:
            return
        await check_lease(self._connection, self._account, token)
        adjustments = [one.adjustment for one in waiting]
        shelf = await laid_out_for(self._connection, adjustments, 0 if head is None else head.version)
        states = await seen(self._connection, adjustments, shelf)
        for known in waiting:
            shelf = self._one(known, shelf, states, has_book=head is not None)
        await self._write_down(shelf.version)

    async def _hold(self, ids: Sequence[str]) -> None:
        await self._hold_more(ids)
        for name in ids:
            if name not in self._held:
                raise unknown_adjustment(name)
        targets = [one for name in ids for one in applying.reversed_by(self._current[name].adjustment)]
        if targets:
            await self._hold_more(targets)
            held = [self._current[name] for name in targets if name in self._current]
            await self._hold_more(one for known in held for one in applying.reversed_by(known.adjustment))

    async def _hold_more(self, ids: Iterable[str]) -> None:
        new = [name for name in ids if name not in self._held]
        self._held |= await adjustment_rows.held_among(self._connection, new)
        self._current |= {name: self._held[name][0] for name in new if name in self._held}
        self._made |= {name: self._held[name][1] for name in new if name in self._held}

    def _waiting(self, ids: Sequence[str]) -> list[Kept]:
        """Return those that have to be written; what others came to is known, or has to be read back."""
        for name in ids:
            known = self._current[name]
            done = first_outcome(known)
            if done is not None:
                self.outcomes[name] = done
            else:
                check_appliable(known)
        return [self._current[name] for name in ids if name not in self.outcomes and self._made[name] is None]

    def _one(self, known: Kept, shelf: Shelf, states: dict[str, AdjustmentState], *, has_book: bool) -> Shelf:
        intended = known
        if known.state is AdjustmentState.APPROVED:
            intended = after(known, Step.INTEND, PROGRAM_ITSELF, self._now)
            self.told.append(intended)
        try:
            if not has_book:
                raise Refusal("the account has no book here")
            posted = post(known.adjustment, shelf, states)
        except Refusal as refusal:
            self._refuse(intended, str(refusal))
            return shelf
        self._current[known.id] = replace(intended, revision=known.revision + 1)
        self._made[known.id] = shelf.version + 1
        self._posted.append((known.adjustment, posted))
        self._take_back(known.adjustment, states)
        return Shelf(
            version=shelf.version + 1,
            entries=[*shelf.entries, *posted.written.entries],
            reversals=[*shelf.reversals, *posted.written.reversals],
            plugs=[*shelf.plugs, *posted.written.plugs],
        )

    def _take_back(self, adjustment: Adjustment, states: dict[str, AdjustmentState]) -> None:
        """Record what becomes of the adjustments that this one takes back, and of those that they had taken back."""
        for name in applying.reversed_by(adjustment):
            for other, step in applying.step_back(self._current[name]):
                self._current[other] = after(self._current[other], step, PROGRAM_ITSELF, self._now)
                states[other] = self._current[other].state
                self.told.append(self._current[other])

    def _refuse(self, known: Kept, reason: str) -> None:
        outcome = Refused(known.id, reason)
        kept = replace(after(known, Step.REFUSE, replace(PROGRAM_ITSELF, note=reason), self._now), outcome=outcome)
        self._current[known.id] = kept
        self.outcomes[known.id] = outcome
        self.told.append(kept)

    async def _write_down(self, version: int) -> None:
        rows = [each.written for _, each in self._posted]
        written = Written(
            entries=[one for each in rows for one in each.entries],
            reversals=[one for each in rows for one in each.reversals],
            plugs=[one for each in rows for one in each.plugs],
        )
        await write(self._connection, written, {"account": self._account, "added_at": self._now})
        changed = [row for one, each in self._posted for row in applying.changed_amounts(one, each.net, self._now)]
        if changed:
            await self._connection.execute(insert(POSITION_ADJUSTMENTS), changed)
        if self._posted:
            book = update(BOOKS).where(BOOKS.c.account == self._account)
            await self._connection.execute(book.values(version=version))
        new = [(kept, *self._held[name]) for name, kept in self._current.items() if kept is not self._held[name][0]]
        held = [(kept, known, self._made[kept.id]) for kept, known, _ in new]
        await adjustment_rows.write_held(self._connection, held)


async def read_back(connection: AsyncConnection, ids: Sequence[str], now: datetime) -> tuple[list[Kept], list[Kept]]:
    """Read back adjustments of one account that were written, and record it.

    Returns how each stands then, and those of which nobody had recorded it before.

    Raises:
        NotAsPosted: the book does not hold one of them; that is a mistake of this program.
    """
    held = await adjustment_rows.held_among(connection, ids)
    waiting = [held[name] for name in ids if first_outcome(held[name][0]) is None]
    done = {name: known for name, (known, _) in held.items()}
    changed = []
    if waiting:
        adjustments = [known.adjustment for known, _ in waiting]
        newest = max(version for _, version in waiting if version is not None)
        shelf = await laid_out_for(connection, adjustments, newest)
        states = await seen(connection, adjustments, shelf)
        for known, version in waiting:
            assert version is not None, "it was written, or looked up"
            gave_way = applying.read_back(known.adjustment, shelf, version, states)
            done[known.id] = applying.confirmed(known, version, gave_way, now)
            changed.append((done[known.id], known, version))
        await adjustment_rows.write_held(connection, changed)
    return [done[name] for name in ids], [kept for kept, _, _ in changed]
