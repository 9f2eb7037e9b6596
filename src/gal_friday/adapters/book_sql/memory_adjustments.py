"""Adjustments in memory, posted to books in memory: the same rules as in a database, gone with the process."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime

from msgspec.structs import replace

from gal_friday.adapters.book_sql import applying
from gal_friday.adapters.book_sql.choosing import (
    check_appliable,
    check_content,
    check_revision,
    first_outcome,
    is_chosen,
    lost,
    newest_first,
    only_one,
    unknown_adjustment,
)
from gal_friday.adapters.book_sql.memory import MemoryBook
from gal_friday.adapters.book_sql.posting import Refusal, post
from gal_friday.adapters.book_sql.shelf import Shelf
from gal_friday.adapters.book_sql.shelf_rows import wanted_by
from gal_friday.domain.adjusted import (
    PROGRAM_ITSELF,
    AdjustmentChange,
    By,
    Kept,
    Outcome,
    Refused,
    Step,
    after,
    first,
    move_to,
    renewed,
)
from gal_friday.domain.adjustment import UNSETTLED, Adjustment, AdjustmentState
from gal_friday.domain.facts import Fact
from gal_friday.domain.handover import Sighting
from gal_friday.ports.clock import Clock

Newest = Callable[[str], int | None]


class MemoryAdjustments:
    """An ``Adjustments`` on a book in memory."""

    def __init__(self, book: MemoryBook, *, clock: Clock, newest: Newest | None = None) -> None:
        """Keep the book to post to and the clock that dates every change.

        *newest* returns the token of an account's newest lease; without it every token is taken.
        """
        self._book, self._clock, self._newest = book, clock, newest
        self._kept: dict[str, Kept] = {}
        self.facts: list[Fact] = []
        """What a journal would have been told."""

    async def keep(
        self, adjustments: Iterable[Adjustment], *, state: AdjustmentState, by: By, four_eyes: bool = False
    ) -> Sequence[Kept]:
        """Keep them as proposed or approved; see ``Adjustments``."""
        now = self._clock.now()
        wanted = [first(one, state, by, now, four_eyes=four_eyes) for one in adjustments]
        done: list[Kept] = []
        for anew in wanted:
            known = self._kept.get(anew.id)
            if known is not None:
                check_content(known, anew)
            done.append(anew if known is None else renewed(known, anew, now))
            self._write(done[-1], known)
        return done

    async def adjustment(self, adjustment_id: str, *, accounts: Collection[str] | None = None) -> Kept | None:
        """Return the one with this id, or the only one that begins so; see ``Adjustments``."""
        theirs = [one.id for one in self._kept.values() if accounts is None or one.adjustment.account in accounts]
        name = only_one(adjustment_id, [one for one in theirs if adjustment_id and one.startswith(adjustment_id)])
        return None if name is None else self._kept[name]

    async def adjustments(
        self,
        *,
        account: str | None = None,
        accounts: Collection[str] | None = None,
        states: Iterable[AdjustmentState] = (),
        since: datetime | None = None,
        trading_pair: str | None = None,
        after: tuple[datetime, str] | None = None,
        limit: int = 100,
    ) -> Sequence[Kept]:
        """Return adjustments, the newest first; see ``Adjustments``."""
        some = frozenset(states)
        chosen = [
            one
            for one in self._kept.values()
            if (account is None or one.adjustment.account == account)
            and (accounts is None or one.adjustment.account in accounts)
            and (after is None or (one.adjustment.at, one.id) < after)
            and (not some or one.state in some)
            and (since is None or one.adjustment.at >= since)
            and is_chosen(one, trading_pair)
        ]
        return newest_first(chosen)[:limit]

    async def changes(self, adjustment_id: str) -> Sequence[AdjustmentChange]:
        """Return every change, the oldest first; see ``Adjustments``."""
        known = self._kept.get(adjustment_id)
        return () if known is None else known.history

    async def move(
        self,
        adjustment_id: str,
        to_state: AdjustmentState,
        *,
        by: By,
        content: str | None = None,
        revision: int | None = None,
    ) -> Kept:
        """Take a decision, or record what was seen; see ``Adjustments``."""
        known = self._get(adjustment_id)
        check_revision(known, revision)
        return self._write(after(known, move_to(known, to_state), by, self._clock.now(), content=content), known)

    async def intend(self, adjustment_id: str) -> Kept:
        """Record that it is about to be written; see ``Adjustments``."""
        known = self._get(adjustment_id)
        if known.state is AdjustmentState.INTENDED:
            return known
        return self._write(after(known, Step.INTEND, PROGRAM_ITSELF, self._clock.now()), known)

    async def apply(self, adjustment_id: str, *, token: int | None) -> Outcome:
        """Write it into the book, read it back, and return what came of it; see ``Adjustments``."""
        known = self._get(adjustment_id)
        done = first_outcome(known)
        if done is not None:
            return done
        check_appliable(known)
        self._check_lease(known.adjustment.account, token)
        if known.state is AdjustmentState.APPROVED:
            known = await self.intend(adjustment_id)
        shelf = self._shelf(known)
        if applying.written_at(adjustment_id, shelf) is None:
            try:
                posted = post(known.adjustment, shelf, self._states())
            except Refusal as refusal:
                return self._refused(known, str(refusal))
            book = self._book.kept(known.adjustment.account)
            assert book is not None, "a shelf was laid out from it"
            book.write(posted.written)
            self._take_back(known)
        return self._confirmed(known)

    async def apply_all(self, adjustment_ids: Sequence[str], *, token: int | None) -> Sequence[Outcome]:
        """Write several, in this order; see ``Adjustments``."""
        for name in adjustment_ids:
            if first_outcome(self._get(name)) is None:
                check_appliable(self._get(name))
        return [await self.apply(name, token=token) for name in adjustment_ids]

    async def unsettled(self, account: str) -> Sequence[Kept]:
        """Return what a restart has to look after; see ``Adjustments``."""
        return [*reversed(await self.adjustments(account=account, states=UNSETTLED, limit=len(self._kept)))]

    async def settle(
        self, account: str, *, token: int | None = None, seen: Mapping[str, Sighting] | None = None
    ) -> Sequence[Kept]:
        """Look up in the book what was intended; see ``Adjustments``."""
        settled = []
        for known in await self.unsettled(account):
            if known.state is AdjustmentState.APPROVED:
                continue
            if applying.written_at(known.id, self._shelf(known)) is not None:
                self._confirmed(known)
            else:
                self._write(after(known, Step.WITHDRAW, PROGRAM_ITSELF, self._clock.now()), known)
            settled.append(self._kept[known.id])
        return settled

    async def reversal(self, adjustment_id: str, *, reason: str, reconciliation_id: str = "") -> Adjustment:
        """Return the adjustment that takes this one back; see ``Adjustments``."""
        known = self._get(adjustment_id)
        shelf = self._shelf(known)
        about = applying.empty_reversal(
            known, reason=reason, reconciliation_id=reconciliation_id, version=shelf.version, at=self._clock.now()
        )
        return applying.reversal_of(known, shelf, self._states(), about)

    def _check_lease(self, account: str, token: int | None) -> None:
        if token is not None and self._newest is not None and self._newest(account) != token:
            raise lost(account)

    def _get(self, adjustment_id: str) -> Kept:
        if adjustment_id not in self._kept:
            raise unknown_adjustment(adjustment_id)
        return self._kept[adjustment_id]

    def _states(self) -> dict[str, AdjustmentState]:
        return {name: one.state for name, one in self._kept.items()}

    def _shelf(self, known: Kept) -> Shelf:
        book = self._book.kept(known.adjustment.account)
        if book is None:
            return Shelf(version=0)
        wanted = wanted_by(known.adjustment)
        # What another adjustment wrote may be anywhere.
        return book.shelf() if wanted.adjustments else book.about(wanted.events | wanted.movements | wanted.orders)

    def _take_back(self, known: Kept) -> None:
        for name in applying.reversed_by(known.adjustment):
            for other, step in applying.step_back(self._kept[name]):
                self._write(after(self._kept[other], step, PROGRAM_ITSELF, self._clock.now()), self._kept[other])

    def _refused(self, known: Kept, reason: str) -> Refused:
        outcome = Refused(known.id, reason)
        by = replace(PROGRAM_ITSELF, note=reason)
        self._write(replace(after(known, Step.REFUSE, by, self._clock.now()), outcome=outcome), known)
        return outcome

    def _confirmed(self, known: Kept) -> Outcome:
        shelf = self._shelf(known)
        version = applying.written_at(known.id, shelf)
        assert version is not None, "it was written, or looked up"
        gave_way = applying.read_back(known.adjustment, shelf, version, self._states())
        done = self._write(applying.confirmed(known, version, gave_way, self._clock.now()), known)
        assert done.outcome is not None, "it was given one just now"
        return done.outcome

    def _write(self, kept: Kept, known: Kept | None) -> Kept:
        if known is None or len(kept.history) > len(known.history):
            self.facts.append(applying.fact_of(kept))
        self._kept[kept.id] = kept
        return kept
