"""What a run hears when it decides and repairs, taken down and said again. A replay posts nothing."""

from collections.abc import Awaitable, Iterable, Mapping, Sequence
from typing import Any, TypeVar, cast

import msgspec

from gal_friday.domain.adjusted import Kept, Outcome
from gal_friday.domain.adjustment import Adjustment
from gal_friday.domain.errors import IllegalStep, Overtaken
from gal_friday.domain.policy import Mode
from gal_friday.domain.reviewed import Review
from gal_friday.flows.apply import Repairing
from gal_friday.flows.review import Desk
from gal_friday.ports.adjustments import Adjustments
from gal_friday.ports.clock import Clock
from gal_friday.ports.errors import BookFailed, StoreFailed
from gal_friday.ports.recordings import Failure, NotRecorded, Playing, Repairs, Tape
from gal_friday.ports.reviews import Reviews
from gal_friday.ports.store import Store

Said = TypeVar("Said")
_FAILURES = (StoreFailed, BookFailed, Overtaken, IllegalStep)


def recording_repairs(repairing: Repairing, tape: Tape, clock: Clock) -> Repairing:
    """Return the same with everything taken down that a report can depend on."""
    desk, adjustments = repairing.desk, repairing.adjustments
    if adjustments is not None:
        adjustments = cast("Adjustments", _RecordingAdjustments(adjustments, tape))
    if desk is not None:
        desk = Desk(desk.store, cast("Reviews", _RecordingReviews(desk.reviews, tape)), clock)
    return msgspec.structs.replace(repairing, adjustments=adjustments, desk=desk)


def repairs_of(repairing: Repairing) -> Repairs:
    """Return what must be known of it to play it again."""
    return Repairs(mode=repairing.mode, adjustments=repairing.adjustments is not None, desk=repairing.desk is not None)


def played_repairs(repairs: Repairs, playing: Playing, store: Store, clock: Clock) -> Repairing:
    """Return what decides and posts as the recorded run did, and writes nothing."""
    adjustments = cast("Adjustments", _PlayedAdjustments(playing)) if repairs.adjustments else None
    desk = Desk(store, cast("Reviews", _PlayedReviews(playing)), clock) if repairs.desk else None
    return Repairing(mode=Mode(repairs.mode), adjustments=adjustments, desk=desk)


class _RecordingAdjustments:
    def __init__(self, adjustments: Adjustments, tape: Tape) -> None:
        self._adjustments, self._tape = adjustments, tape

    async def keep(self, adjustments: Iterable[Adjustment], **how: Any) -> Sequence[Kept]:
        given = tuple(adjustments)
        return await _heard(self._tape, _keep(given, how), self._adjustments.keep(given, **how))

    async def adjustments(self, **which: Any) -> Sequence[Kept]:
        return await _heard(self._tape, _listed(which), self._adjustments.adjustments(**which))

    async def move(self, adjustment_id: str, to_state: str, **how: Any) -> Kept:
        moved = self._adjustments.move(adjustment_id, cast("Any", to_state), **how)
        return await _heard(self._tape, f"adjustments.move({adjustment_id},{to_state})", moved)

    async def apply(self, adjustment_id: str, *, token: int | None) -> Outcome:
        applied = self._adjustments.apply(adjustment_id, token=token)
        return await _heard(self._tape, f"adjustments.apply({adjustment_id})", applied)

    async def settle(self, account: str) -> Sequence[Kept]:
        return await _heard(self._tape, f"adjustments.settle({account})", self._adjustments.settle(account))


class _PlayedAdjustments:
    def __init__(self, playing: Playing) -> None:
        self._playing = playing

    def __getattr__(self, name: str) -> Any:
        raise NotRecorded(f"adjustments.{name} was not recorded")

    async def keep(self, adjustments: Iterable[Adjustment], **how: Any) -> Sequence[Kept]:
        return self._kept(_keep(tuple(adjustments), how))

    async def adjustments(self, **which: Any) -> Sequence[Kept]:
        return self._kept(_listed(which))

    async def move(self, adjustment_id: str, to_state: str, **how: Any) -> Kept:
        del how
        return msgspec.msgpack.decode(
            _played(self._playing, f"adjustments.move({adjustment_id},{to_state})"), type=Kept
        )

    async def apply(self, adjustment_id: str, *, token: int | None) -> Outcome:
        del token
        said = _played(self._playing, f"adjustments.apply({adjustment_id})")
        outcome: Outcome = msgspec.msgpack.decode(said, type=Outcome)
        return outcome

    async def settle(self, account: str) -> Sequence[Kept]:
        return self._kept(f"adjustments.settle({account})")

    def _kept(self, asked: str) -> tuple[Kept, ...]:
        return msgspec.msgpack.decode(_played(self._playing, asked), type=tuple[Kept, ...])


class _RecordingReviews:
    def __init__(self, reviews: Reviews, tape: Tape) -> None:
        self._reviews, self._tape = reviews, tape

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reviews, name)

    async def reviews(self, ids: Iterable[str]) -> Mapping[str, Review]:
        asked = sorted(set(ids))
        return await _heard(self._tape, _reviews_of(asked), self._reviews.reviews(asked))


class _PlayedReviews:
    def __init__(self, playing: Playing) -> None:
        self._playing = playing

    def __getattr__(self, name: str) -> Any:
        # What follows the report is none of its business, and a replay has no say in it.
        raise StoreFailed(f"a replay does nothing about reviews, and not {name}")

    async def reviews(self, ids: Iterable[str]) -> Mapping[str, Review]:
        said = _played(self._playing, _reviews_of(sorted(set(ids))))
        return msgspec.msgpack.decode(said, type=dict[str, Review])


async def _heard(tape: Tape, asked: str, said: Awaitable[Said]) -> Said:
    try:
        found = await said
    except _FAILURES as failure:
        tape.hear_failure(asked, failure)
        raise
    tape.hear(asked, msgspec.msgpack.encode(found))
    return found


def _played(playing: Playing, asked: str) -> bytes:
    try:
        said = playing.hear(asked)
    except NotRecorded as missed:
        raise StoreFailed(str(missed)) from missed
    if isinstance(said, Failure):
        # Whichever it was, a run tells it in these words and stops repairing.
        raise StoreFailed(said.words)
    return said


def _keep(adjustments: Sequence[Adjustment], how: Mapping[str, Any]) -> str:
    return f"adjustments.keep({','.join(one.adjustment_id for one in adjustments)} as {how['state']})"


def _listed(which: Mapping[str, Any]) -> str:
    said = {name: ",".join(map(str, value)) if name == "states" else str(value) for name, value in which.items()}
    return f"adjustments.adjustments({' '.join(f'{name}={said[name]}' for name in sorted(said))})"


def _reviews_of(ids: Sequence[str]) -> str:
    return f"reviews.reviews({','.join(ids)})"
