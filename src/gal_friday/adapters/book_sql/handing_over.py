"""Adjustments of books that are kept elsewhere: kept here, handed over to whoever keeps the book.

    intended, with the handover's row and the journal's fact    one transaction, before anything is sent
    sent, once, under the adjustment's id                       no transaction is open meanwhile
    applied, refused, approved again, or of unknown outcome     one transaction, with the journal's fact

Whoever is killed in between leaves an intention, which ``settle`` asks about. While one adjustment of an account is
unsettled no other one is handed over. Whoever lost the lease of the account writes nothing, whatever came back.
"""

from collections.abc import Iterator, Mapping, Sequence

from msgspec.structs import replace
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gal_friday.adapters.book_sql import adjustment_rows, applying, handover_rows
from gal_friday.adapters.book_sql.application import check_lease
from gal_friday.adapters.book_sql.choosing import check_appliable, first_outcome
from gal_friday.adapters.book_sql.keeping import KeptAdjustments, found
from gal_friday.adapters.sql.engine import reading
from gal_friday.adapters.sql.journalling import Journalling
from gal_friday.adapters.sql.tables import POSITION_ADJUSTMENTS
from gal_friday.domain.adjusted import (
    IN_THE_BOOK,
    PROGRAM_ITSELF,
    Applied,
    Kept,
    Outcome,
    Refused,
    Step,
    Unsettled,
    after,
    names_of,
)
from gal_friday.domain.adjustment import Adjustment, AdjustmentState, Effect, PostMovement, PostOrder
from gal_friday.domain.assets import is_unresolved
from gal_friday.domain.errors import IllegalStep
from gal_friday.domain.handover import (
    Absent,
    Answer,
    Handover,
    NoAnswer,
    NotSent,
    Sighting,
    Steps,
    Took,
    TurnedDown,
    Waits,
    handover_of,
    steps_after_asking,
    steps_after_sending,
    why,
)
from gal_friday.domain.records import known_movement_kind, known_status
from gal_friday.ports.clock import Clock
from gal_friday.ports.errors import BookFailed, StoreFailed
from gal_friday.ports.receiver import Receiver


class HandoverAdjustments(KeptAdjustments):
    """An ``Adjustments`` of accounts whose book somebody else keeps."""

    def __init__(
        self, engine: AsyncEngine, receiver: Receiver, *, clock: Clock, journal: Journalling | None = None
    ) -> None:
        """Keep what ``KeptAdjustments`` does, and the receiver, which whoever opened it closes."""
        super().__init__(engine, clock=clock, journal=journal)
        self._receiver = receiver

    async def apply(self, adjustment_id: str, *, token: int | None) -> Outcome:
        """Hand it over, and return what came of it; see ``Adjustments``."""
        begun = await self._begun(adjustment_id, token)
        if not isinstance(begun, Handover):
            return begun
        answer = await self._receiver.send(begun)
        if isinstance(answer, NoAnswer):
            # What was lost on the way back is often known a moment later.
            asked = await self._receiver.ask(begun)
            answer = asked if isinstance(asked, Took | TurnedDown) else answer
        return await self._recorded(adjustment_id, answer, steps_after_sending(answer), token)

    async def apply_all(self, adjustment_ids: Sequence[str], *, token: int | None) -> Sequence[Outcome]:
        """Hand several of one account over, in this order; what follows one of unknown outcome is not."""
        return [await self.apply(name, token=token) for name in adjustment_ids]

    async def settle(
        self, account: str, *, token: int | None = None, seen: Mapping[str, Sighting] | None = None
    ) -> Sequence[Kept]:
        """Ask about what is unsettled, and settle what is answered or was seen; see ``Adjustments``."""
        settled: list[Kept] = []
        for kept in await self.unsettled(account):
            if kept.state is AdjustmentState.APPROVED:
                continue
            await self._settled(kept, (seen or {}).get(kept.id, Sighting.UNCLEAR), token)
            now = await self.adjustment(kept.id)
            assert now is not None, "an adjustment is never removed"
            settled.append(now)
        return settled

    async def reversal(self, adjustment_id: str, *, reason: str, reconciliation_id: str = "") -> Adjustment:
        """Return the adjustment that takes this one back; see ``Adjustments``."""
        async with reading(self._engine, StoreFailed) as connection:
            known, _ = found(await adjustment_rows.one_kept(connection, adjustment_id), adjustment_id)
        if known.state not in IN_THE_BOOK:
            raise IllegalStep(f"adjustment {known.id} is {known.state}: only what is in the book can be taken back")
        about = applying.empty_reversal(
            known, reason=reason, reconciliation_id=reconciliation_id, version=0, at=self._clock.now()
        )
        effects = tuple(Effect(one.key, one.after, one.before) for one in known.adjustment.effects)
        version = known.outcome.version if isinstance(known.outcome, Applied) else None
        return replace(about, effects=effects, book_version=None if version is None else str(version))

    async def _begun(self, adjustment_id: str, token: int | None) -> Outcome | Handover:
        """Record the intention and what is about to be sent, or return what is known already."""
        async with self._held(adjustment_id) as (connection, known, _):
            done = first_outcome(known)
            if done is not None:
                return done
            check_appliable(known)
            await check_lease(connection, known.adjustment.account, token)
            await self._check_settled(connection, known)
            if known.state is AdjustmentState.INTENDED:
                return Unsettled(known.id, "it was handed over already, and is not answered yet")
            if refusal := await _refusal(connection, known.adjustment):
                return await self._refused(connection, known, refusal)
            handover, at = handover_of(known.adjustment, token=token), self._clock.now()
            await handover_rows.write_down(connection, handover, place=self._receiver.place, at=at)
            by = replace(PROGRAM_ITSELF, note=f"handed over to {self._receiver.place}")
            await self._step(connection, known, after(known, Step.INTEND, by, at))
            return handover

    async def _check_settled(self, connection: AsyncConnection, known: Kept) -> None:
        # Two that begin at once wait here for each other, so that one of them sees the other.
        await handover_rows.hold(connection, known.adjustment.account)
        other = await handover_rows.unanswered(connection, known.adjustment.account, but=known.id)
        if other is not None:
            raise IllegalStep(
                f"nobody knows yet whether adjustment {other} was posted, and until that is settled nothing else is "
                f"handed over; {known.id} stays {known.state}: gal-friday run {known.adjustment.account}"
            )

    async def _refused(self, connection: AsyncConnection, known: Kept, reason: str) -> Refused:
        outcome = Refused(known.id, reason)
        by = replace(PROGRAM_ITSELF, note=reason)
        kept = replace(after(known, Step.REFUSE, by, self._clock.now()), outcome=outcome)
        await self._step(connection, known, kept)
        return outcome

    async def _settled(self, kept: Kept, sighting: Sighting, token: int | None) -> None:
        async with reading(self._engine, StoreFailed) as connection:
            handover = await handover_rows.sent(connection, kept.id, token=token)
        if handover is None:
            # The row is written with the intention: without one nothing was sent.
            await self._recorded(kept.id, Absent(), ((Step.WITHDRAW, "it was never handed over"),), token)
            return
        answer = await self._receiver.ask(handover)
        if isinstance(answer, Waits) and sighting is Sighting.AGREES:
            answer = await self._receiver.close(handover)
        steps = steps_after_asking(answer, sighting)
        if not steps and kept.state is AdjustmentState.INTENDED:
            steps = ((Step.LOSE_SIGHT, why(answer)),)
        if steps:
            await self._recorded(kept.id, answer, steps, token)

    async def _recorded(self, adjustment_id: str, answer: Answer, steps: Steps, token: int | None) -> Outcome:
        """Take these steps and return what they come to; what somebody else recorded meanwhile stands."""
        async with self._held(adjustment_id) as (connection, known, _):
            done = first_outcome(known)
            if done is not None:
                return done
            await check_lease(connection, known.adjustment.account, token)
            for step, note in steps:
                if step is Step.LOSE_SIGHT and known.state is AdjustmentState.OUTCOME_UNKNOWN:
                    continue
                known = await self._taken(connection, known, step, note, answer)
        if isinstance(answer, NotSent) and known.state is AdjustmentState.APPROVED:
            raise BookFailed(f"adjustment {known.id} stays approved, and nothing was posted: {answer.reason}")
        return known.outcome or Unsettled(known.id, steps[-1][1] if steps else why(answer))

    async def _taken(self, connection: AsyncConnection, known: Kept, step: Step, note: str, answer: Answer) -> Kept:
        kept = after(known, step, replace(PROGRAM_ITSELF, note=note), self._clock.now())
        if step is Step.APPLY:
            kept = replace(kept, outcome=Applied(known.id, answer.version if isinstance(answer, Took) else None))
            await self._posted(connection, kept)
        elif step is Step.REFUSE:
            kept = replace(kept, outcome=Refused(known.id, note))
        return await self._step(connection, known, kept)

    async def _posted(self, connection: AsyncConnection, kept: Kept) -> None:
        """Record the amounts that it changed, and what becomes of those that it takes back."""
        made = kept.adjustment
        changes = {effect.key: effect.change for effect in made.effects}
        rows = list(applying.changed_amounts(made, changes, kept.history[-1].at))
        if rows:
            await connection.execute(insert(POSITION_ADJUSTMENTS), rows)
        for name in applying.reversed_by(made):
            target, _ = found(await adjustment_rows.one_kept(connection, name, lock=True), name)
            for other, step in applying.step_back(target):
                one, _ = found(await adjustment_rows.one_kept(connection, other, lock=True), other)
                await self._step(connection, one, after(one, step, PROGRAM_ITSELF, self._clock.now()))


async def _refusal(connection: AsyncConnection, adjustment: Adjustment) -> str | None:
    """Return what of the adjustment itself keeps it from being handed over."""
    unknown = next(_unknown(adjustment), None)
    if unknown is not None:
        return unknown
    targets = applying.reversed_by(adjustment)
    states = await adjustment_rows.states_of(connection, targets)
    gone = [name for name in targets if states.get(name) not in IN_THE_BOOK]
    return f"{gone[0]} is not in the book, so that nothing of it can be taken back" if gone else None


def _unknown(adjustment: Adjustment) -> Iterator[str]:
    """Yield the names that nobody knows: no adjustment may touch them (I15)."""
    for name in sorted(names_of(adjustment)):
        if is_unresolved(name):
            yield f"nobody knows the name {name}: no adjustment may touch it"
    for posting in adjustment.postings:
        match posting:
            case PostMovement(movement) if not known_movement_kind(movement.kind):
                yield f"movement {movement.movement_id} is of a kind that nobody knows: {movement.kind}"
            case PostOrder(order) if not known_status(order.status):
                yield f"order {order.name} has a status that nobody knows: {order.status}"
            case _:
                continue
