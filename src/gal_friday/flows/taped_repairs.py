"""What a run hears when it decides and repairs, taken down and said again. A replay posts nothing."""

from collections.abc import Awaitable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, TypeVar, cast, get_type_hints

import msgspec

from gal_friday.domain.adjusted import By
from gal_friday.domain.adjustment import Adjustment
from gal_friday.domain.errors import IllegalStep, Overtaken
from gal_friday.domain.policy import Mode
from gal_friday.domain.reviewed import Review, ReviewChange
from gal_friday.flows.apply import Repairing
from gal_friday.flows.review import Desk
from gal_friday.flows.taped import RecordingStore
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
        reviews = cast("Reviews", _RecordingReviews(desk.reviews, tape))
        desk = Desk(cast("Store", RecordingStore(desk.store, tape)), reviews, clock)
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
    """Every call and what came of it, whichever of the port's it is."""

    def __init__(self, adjustments: Adjustments, tape: Tape) -> None:
        self._adjustments, self._tape = adjustments, tape

    def __getattr__(self, name: str) -> Any:
        async def called(*given: Any, **named: Any) -> Any:
            if name == "keep":
                given = (tuple(given[0]),)  # asked for twice: by the tape, and by who keeps them
            answer = getattr(self._adjustments, name)(*given, **named)
            return await _heard(self._tape, _call(name, given, named), answer)

        return called


class _PlayedAdjustments:
    """The same answers to the same calls."""

    def __init__(self, playing: Playing) -> None:
        self._playing = playing

    def __getattr__(self, name: str) -> Any:
        async def called(*given: Any, **named: Any) -> Any:
            if name == "keep":
                given = (tuple(given[0]),)
            said = _played(self._playing, _call(name, given, named))
            return msgspec.msgpack.decode(said, type=_answer(name))

        return called


class _RecordingReviews:
    def __init__(self, reviews: Reviews, tape: Tape) -> None:
        self._reviews, self._tape = reviews, tape

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reviews, name)

    async def reviews(self, ids: Iterable[str]) -> Mapping[str, Review]:
        asked = sorted(set(ids))
        return await _heard(self._tape, _reviews_of(asked), self._reviews.reviews(asked))

    async def changes(self, discrepancy_id: str) -> Sequence[ReviewChange]:
        return await _heard(self._tape, _changes_of(discrepancy_id), self._reviews.changes(discrepancy_id))


class _PlayedReviews:
    def __init__(self, playing: Playing) -> None:
        self._playing = playing

    def __getattr__(self, name: str) -> Any:
        # What follows the report is none of its business, and a replay has no say in it.
        raise StoreFailed(f"a replay does nothing about reviews, and not {name}")

    async def reviews(self, ids: Iterable[str]) -> Mapping[str, Review]:
        said = _played(self._playing, _reviews_of(sorted(set(ids))))
        return msgspec.msgpack.decode(said, type=dict[str, Review])

    async def changes(self, discrepancy_id: str) -> Sequence[ReviewChange]:
        said = _played(self._playing, _changes_of(discrepancy_id))
        return msgspec.msgpack.decode(said, type=list[ReviewChange])


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


@cache
def _answer(name: str) -> Any:
    """Return the type of what a method of the port gives back."""
    return get_type_hints(getattr(Adjustments, name))["return"]


_UNTOLD = frozenset({"token"})
"""Of a lease: another one in every run, and no part of what is asked."""


def _call(name: str, given: Sequence[Any], named: Mapping[str, Any]) -> str:
    parts = [_spelled(value) for value in given]
    parts += [f"{key}={_spelled(named[key])}" for key in sorted(named) if key not in _UNTOLD]
    return f"adjustments.{name}({' '.join(parts)})"


def _spelled(value: Any) -> str:
    match value:
        case Adjustment():
            return value.adjustment_id
        case tuple() | list():
            return ",".join(map(_spelled, value))
        case dict():
            return ",".join(f"{key}:{value[key]}" for key in sorted(value))
        case set() | frozenset():
            return ",".join(sorted(map(_spelled, value)))  # they come in another order in every process
        case By():
            return value.actor
        case _:
            return str(value)


def _changes_of(discrepancy_id: str) -> str:
    return f"reviews.changes({discrepancy_id})"


def _reviews_of(ids: Sequence[str]) -> str:
    return f"reviews.reviews({','.join(ids)})"
