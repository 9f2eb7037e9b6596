"""A recorded run once more: the same answers, the same book, the same instants, and its report byte for byte (I12).

The exchange's raw answers go through the connector's parser again, and the book is read again at the version that it
had. Nothing is asked of the network and nothing is written. Where the report is another one, the first difference is
named with both values.
"""

from collections.abc import Callable, Sequence
from typing import Any, cast

import msgspec
from msgspec import Struct

from gal_friday.domain.report import ReconciliationReport
from gal_friday.flows.apply import Repairing
from gal_friday.flows.fetch import Sources
from gal_friday.flows.reconcile import reconcile
from gal_friday.flows.taped import (
    PastBook,
    PlayedBook,
    PlayedPrices,
    PlayedStore,
    RecordingBook,
    RecordingPrices,
    RecordingStore,
)
from gal_friday.flows.taped_repairs import played_repairs, recording_repairs
from gal_friday.ports.clock import Clock
from gal_friday.ports.exchange import Exchange
from gal_friday.ports.prices import Prices
from gal_friday.ports.recordings import (
    Conditions,
    DamagedRecording,
    Kept,
    NotRecorded,
    Packed,
    Playing,
    Recordings,
    Tape,
    unpacked,
)
from gal_friday.ports.store import Store

Reopened = Callable[[Playing], tuple[Exchange, Clock]]
"""Gives the exchange and the clock of a recorded run."""

_SHOWN_MAX = 400
_ABSENT = "(absent)"
_ID = "reconciliation_id"


class Difference(Struct, frozen=True):
    """The first place at which two reports are not the same."""

    path: str
    """As ``$.balance_discrepancies[0].internal``; ``recording…`` where what was recorded is damaged."""
    recorded: str
    replayed: str


class Replayed(Struct, frozen=True, kw_only=True):
    """What came of working a report out again."""

    outcome: str
    """``equal``, ``different``, or ``incomplete`` where what is recorded does not suffice to tell."""
    recorded_by: str
    """The version of the program that made the report."""
    difference: Difference | None = None
    missing: str | None = None
    """What was asked and is not recorded: this program goes another way than the one that made the report."""


class Found(Struct, frozen=True, kw_only=True):
    """What came of asking for a replay."""

    reconciliation_id: str
    program: str
    """The version that replays."""
    replayed: Replayed | None = None
    """None where there is nothing to replay any more, or never was."""
    kept: Kept | None = None
    """What is known of the recording; None where the run was not recorded."""
    removed_in_time: bool = False
    """Whether its content is older than the settings keep it."""


class ReplayTold(Struct, frozen=True, kw_only=True):
    """What came of working a report out again, as it is told everywhere."""

    reconciliation_id: str
    outcome: str
    """``equal``, ``different``, or ``incomplete`` where what is kept does not suffice to tell."""
    difference: Difference | None
    missing: str | None
    recorded_by: str | None
    replayed_by: str
    recording: Kept | None
    kept: bool
    because: str
    """Why there is nothing to replay, where there is nothing."""


def told(found: Found, keep_days: int) -> ReplayTold:
    """Return what came of it in one value."""
    done = found.replayed
    return ReplayTold(
        reconciliation_id=found.reconciliation_id,
        outcome="incomplete" if done is None else done.outcome,
        difference=None if done is None else done.difference,
        missing=None if done is None else done.missing,
        recorded_by=done.recorded_by if done is not None else found.kept.program if found.kept is not None else None,
        replayed_by=found.program,
        recording=found.kept,
        kept=done is not None,
        because="" if done is not None else _why_gone(found, keep_days),
    )


def _why_gone(found: Found, keep_days: int) -> str:
    if found.kept is None:
        return "this run was not recorded; [recordings] keep_days says for how long recordings are kept (0 keeps none)"
    made = f"its recording of {found.kept.at:%Y-%m-%d %H:%M} UTC ({found.kept.kept_size} bytes)"
    if found.removed_in_time:
        return f"{made} is no longer kept: [recordings] keep_days = {keep_days}"
    return (
        f"{made} is gone before its time; look for it in a backup: somebody removed it, or keep_days was shorter then"
    )


async def recorded(
    sources: Sources,
    store: Store,
    tape: Tape,
    clock: Clock,
    conditions: Conditions,
    prices: Sequence[Prices] = (),
    *,
    stays: bool,
    repairing: Repairing | None = None,
) -> ReconciliationReport:
    """Reconcile as ``reconcile`` does, and take down what the run hears.

    *clock* and the exchange of *sources* take theirs down themselves; *stays* says that the book keeps its versions.
    """
    taped = msgspec.structs.replace(sources, book=RecordingBook(sources.book, tape, stays=stays), clock=clock)
    return await reconcile(
        taped,
        cast("Store", RecordingStore(store, tape)),
        policy=conditions.policy,
        since=conditions.since,
        only=conditions.only,
        prices=tuple(RecordingPrices(each, tape) for each in prices),
        repairing=None if repairing is None else recording_repairs(repairing, tape, clock),
    )


async def keep(recordings: Recordings, report: ReconciliationReport, tape: Tape, conditions: Conditions) -> None:
    """Keep the recording of a recorded report, under its id.

    Raises:
        StoreFailed: it was not kept; the report is.
    """
    packed = tape.packed(conditions)
    await recordings.keep(report.reconciliation_id, packed, conditions, at=report.timestamp)


async def replay(packed: Packed, stored: bytes, *, reopened: Reopened, past: PastBook) -> Replayed:
    """Work the report out again and hold it against *stored*, the report as it was written.

    Raises:
        MsgspecError: *stored* is no JSON.
    """
    try:
        recording, bodies = unpacked(packed)
    except DamagedRecording as damaged:
        at = Difference(damaged.place, damaged.expected, damaged.found)
        return Replayed(outcome="different", recorded_by="unknown", difference=at)
    playing = Playing(recording, bodies)
    by = recording.conditions.program
    try:
        report = await _again(playing, reopened, past)
    except NotRecorded as missed:
        return Replayed(outcome="incomplete", recorded_by=by, missing=str(playing.missed or missed))
    difference = first_difference(stored, report.to_json())
    missing = None if playing.missed is None else str(playing.missed)
    outcome = "different" if difference is not None else "equal" if missing is None else "incomplete"
    return Replayed(outcome=outcome, recorded_by=by, difference=difference, missing=missing)


async def _again(playing: Playing, reopened: Reopened, past: PastBook) -> ReconciliationReport:
    conditions = playing.conditions
    exchange, clock = reopened(playing)
    store, repairs = cast("Store", PlayedStore(playing)), conditions.repairs
    sources = Sources(conditions.account, exchange, PlayedBook(playing, past), clock, conditions.aliases)
    return await reconcile(
        sources,
        store,
        policy=conditions.policy,
        since=conditions.since,
        only=conditions.only,
        prices=tuple(PlayedPrices(name, playing) for name in conditions.prices),
        repairing=None if repairs is None else played_repairs(repairs, playing, store, clock),
    )


def first_difference(recorded: bytes, replayed: bytes) -> Difference | None:
    """Return the first difference of two reports as they are written, in the order in which they are written.

    The report's own id comes last: it is another one as soon as anything is, and says nothing of what.
    """
    if recorded == replayed:
        return None
    sides = (msgspec.json.decode(recorded), msgspec.json.decode(replayed))
    told = ({name: side[name] for name in side if name != _ID} | {name: side[name] for name in side} for side in sides)
    found = _first("$", *told)
    return found or Difference("$", f"{len(recorded)} bytes", f"{len(replayed)} bytes that say the same")


def _first(path: str, recorded: Any, replayed: Any) -> Difference | None:
    if isinstance(recorded, dict) and isinstance(replayed, dict):
        for name in [*recorded, *(name for name in replayed if name not in recorded)]:
            found = _first(f"{path}.{name}", recorded.get(name, _ABSENT), replayed.get(name, _ABSENT))
            if found is not None:
                return found
        return None
    if isinstance(recorded, list) and isinstance(replayed, list):
        for at in range(max(len(recorded), len(replayed))):
            sides = (each[at] if at < len(each) else _ABSENT for each in (recorded, replayed))
            if found := _first(f"{path}[{at}]", *sides):
                return found
        return None
    # A number that is written as text is another one: compared as they are written.
    if type(recorded) is type(replayed) and recorded == replayed:
        return None
    return Difference(path, _shown(recorded), _shown(replayed))


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text if len(text) <= _SHOWN_MAX else f"{text[:_SHOWN_MAX]}…"
