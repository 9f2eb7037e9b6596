"""When an account is reconciled next, why then, and what becomes of a run that was due and did not happen.

Level-triggered: whatever happens only marks an account as due, and a run looks at the whole account. An account
that was marked while its run was under way is due again after it, because that run may have read too early. How long
to wait after a failure follows from what stood in the way. Nothing here reads a clock or draws a lot: instants are
passed in, and accounts are spread by their names.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from gal_friday.domain.facts import PROGRAM, Actor, Fact, FactKind
from gal_friday.domain.ids import digest
from gal_friday.domain.instants import instant
from gal_friday.domain.materiality import Severity


class Why(StrEnum):
    """What made an account due."""

    __hash__ = str.__hash__

    START = "start"
    """The service began to look after it."""
    INTERVAL = "interval"
    """It is time again."""
    REQUESTED = "requested"
    """Somebody asked for a run."""
    STREAM = "stream"
    """The exchange's stream told of something, or may have failed to."""
    RETRY = "retry"
    """The run before it failed."""


class Obstacle(StrEnum):
    """What kept a run from being done, in the order of how much harm the next attempt may do."""

    __hash__ = str.__hash__

    LOCKOUT = "lockout"
    """The exchange has locked the key for a while: every further call prolongs it."""
    REFUSED = "refused"
    """The exchange refuses the key or the request: a person has to act."""
    THROTTLED = "throttled"
    """Too many calls."""
    MAINTENANCE = "maintenance"
    """The exchange is closed for a while."""
    OUTAGE = "outage"
    """No usable answer."""
    BUSY = "busy"
    """Somebody else reconciles the account at this moment."""
    HERE = "here"
    """It failed on this side: the book, the database, the configuration."""


class Timing(Struct, frozen=True, kw_only=True):
    """How often an account is to be reconciled."""

    interval: timedelta = timedelta(hours=1)
    """At the latest so long after the beginning of the last run."""
    jitter_percent: int = 10
    """Up to this share of the interval earlier, so that accounts do not come all at once."""
    least: timedelta = timedelta(0)
    """At the earliest so long after the beginning of the last run, whatever marks the account, unless a person does."""
    late_after: timedelta = timedelta(minutes=5)
    """A run that is so late is a run that was missed."""


class Held(Struct, frozen=True):
    """Why nothing is tried before an instant."""

    obstacle: Obstacle
    until: datetime


class Planned(Struct, frozen=True, kw_only=True):
    """Where the schedule of one account stands."""

    account: str
    due: datetime
    because: Why = Why.START
    marked: datetime | None = None
    """When it was marked as due last, until a run begins after that."""
    marked_because: Why | None = None
    begun: datetime | None = None
    """Since when a run is under way."""
    owner: str = ""
    """Whose run it is."""
    last_begun: datetime | None = None
    last_run: datetime | None = None
    """When the last run ended, however it went."""
    last_complete: datetime | None = None
    """The cut of the last run that saw everything it was about."""
    last_report: str = ""
    """The id of its report; empty where the last run left none."""
    status: str = ""
    """How the last run went, in the words of its report."""
    verdict: str = ""
    failures: int = 0
    """How many runs failed one after the other, up to now."""
    held: Held | None = None
    paused_by: str = ""
    """Who stopped the runs of this account; empty where nobody has."""
    paused_at: datetime | None = None
    paused_because: str = ""
    """What they said of it."""
    spent: int = 0
    """What a run costs of the key's call budget, in points: the dearest of the last ones."""
    missed: datetime | None = None
    """The due instant that was told as missed already."""
    missed_at: datetime | None = None
    """When that was noticed."""
    revision: int = 0

    @property
    def is_paused(self) -> bool:
        """Whether somebody has stopped the runs of this account."""
        return bool(self.paused_by)


class Step(Struct, frozen=True):
    """Where the schedule stands then, and what has to be told to the journal with it."""

    planned: Planned
    facts: tuple[Fact, ...] = ()


class Ended(Struct, frozen=True, kw_only=True):
    """What came of a run."""

    at: datetime
    report: str = ""
    status: str = "failed"
    verdict: str = ""
    complete: datetime | None = None
    """Its cut, where it saw everything."""
    obstacle: Obstacle | None = None
    """What stood in the way, where something did."""
    until: datetime | None = None
    """Before this instant another attempt is pointless or harmful."""
    spent: int = 0
    because: str = ""
    """In words, where there is no report."""


_WAITS: Mapping[Obstacle, timedelta] = {
    Obstacle.LOCKOUT: timedelta(minutes=15),
    Obstacle.REFUSED: timedelta(minutes=15),
    Obstacle.THROTTLED: timedelta(seconds=30),
    Obstacle.MAINTENANCE: timedelta(minutes=1),
    Obstacle.OUTAGE: timedelta(seconds=15),
    Obstacle.BUSY: timedelta(seconds=5),
    Obstacle.HERE: timedelta(seconds=15),
}
"""How long to wait after the first failure."""
_DOUBLES = frozenset({Obstacle.THROTTLED, Obstacle.OUTAGE, Obstacle.HERE, Obstacle.MAINTENANCE})
"""After these the wait doubles with every failure, up to the interval."""
_DOUBLED_MAX = 10
_NEVER = datetime(1, 1, 1, tzinfo=UTC)


def begun_with(account: str, now: datetime) -> Step:
    """Return the schedule of an account that nobody looked after until now: it is due at once."""
    return _scheduled(Planned(account=account, due=now, because=Why.START), now)


def started(planned: Planned, now: datetime, timing: Timing) -> Step:
    """Return the schedule when the service starts: an initial run, and what was missed until now is told."""
    told = missed(planned, now, timing)
    done = told.planned if told is not None else planned
    done = replace(done, due=min(now, done.due), because=Why.START)
    return Step(done, told.facts if told is not None else ())


def marked(planned: Planned, why: Why, now: datetime, timing: Timing | None = None) -> Step:
    """Return the schedule of an account that is due at once, or after the run that is under way.

    A hold is kept: an event does not open what an exchange has locked. What the stream tells waits until the key's
    call budget allows for another run.
    """
    done = replace(planned, marked=now, marked_because=why)
    due = _spaced(planned, why, now, timing or Timing())
    if planned.begun is None and due < planned.due:
        done = replace(done, due=due, because=why)
    return Step(done)


def is_due(planned: Planned, now: datetime) -> bool:
    """Say whether a run may begin now."""
    if planned.is_paused or planned.begun is not None or now < planned.due:
        return False
    return planned.held is None or now >= planned.held.until


def begin(planned: Planned, now: datetime, *, owner: str) -> Step | None:
    """Return the schedule with a run under way; None where none may begin now."""
    if not is_due(planned, now):
        return None
    done = replace(planned, begun=now, last_begun=now, owner=owner, marked=None, marked_because=None)
    return Step(done)


def ended(planned: Planned, run: Ended, timing: Timing) -> Step:
    """Return the schedule after a run, with when the next one is due and why."""
    began = planned.begun or run.at
    failed = run.status == "failed" and run.obstacle is not Obstacle.BUSY
    failures = planned.failures + 1 if failed else planned.failures if run.obstacle is Obstacle.BUSY else 0
    done = replace(
        planned,
        begun=None,
        owner="",
        last_run=run.at,
        last_complete=run.complete or planned.last_complete,
        failures=failures,
        held=_held(planned.account, run, failures, timing),
        spent=_dearest(planned.spent, run.spent),
    )
    if run.obstacle is not Obstacle.BUSY:
        done = replace(done, last_report=run.report, status=run.status, verdict=run.verdict)
    facts = () if run.report else (_skipped(planned, run.at, run.because or "it left no report"),)
    scheduled = _scheduled(_next(done, began, run.at, timing, failed=failed), run.at)
    return Step(scheduled.planned, (*facts, *scheduled.facts))


def abandoned(planned: Planned, now: datetime) -> Step:
    """Return the schedule of an account whose run will never end: its process is gone."""
    assert planned.begun is not None, "only a run that began can be abandoned"
    why = f"the run that {planned.owner or 'somebody'} began at {instant(planned.begun)} ended without a report"
    done = replace(planned, begun=None, owner="", due=now, because=Why.RETRY, failures=planned.failures + 1)
    return Step(done, (_skipped(planned, now, why),))


def interrupted(planned: Planned, now: datetime) -> Step:
    """Return the schedule of an account whose run was stopped with the service: it is due at once, and did not fail."""
    why = f"the service stopped during the run that began at {instant(planned.begun or now)}"
    done = replace(planned, begun=None, owner="", due=now, because=Why.RETRY)
    return Step(done, (_skipped(planned, now, why),))


def missed(planned: Planned, now: datetime, timing: Timing) -> Step | None:
    """Return the schedule with a missed run told, once for every due instant; None where none was missed.

    While an account is paused every due instant that passes is told, and the next one comes an interval later.
    """
    if planned.begun is not None or planned.missed == planned.due:
        return None
    if planned.is_paused and now >= planned.due:
        why = f"paused by {planned.paused_by}"
        due = _after(planned.due, now, timing)
        done = replace(planned, missed=planned.due, missed_at=now, due=due, because=Why.INTERVAL)
        return Step(done, (_skipped(planned, now, why),))
    if now - planned.due <= timing.late_after:
        return None
    why = "nobody ran it in time"
    if planned.held is not None and planned.held.until > planned.due:
        why = f"{planned.held.obstacle}: nothing was tried before {instant(planned.held.until)}"
    return Step(replace(planned, missed=planned.due, missed_at=now), (_skipped(planned, now, why),))


def paused(planned: Planned, by: Actor, now: datetime, because: str = "") -> Step:
    """Return the schedule with the runs of the account stopped; one that is under way goes on."""
    if planned.is_paused:
        return Step(planned)
    done = replace(planned, paused_by=by.name, paused_at=now, paused_because=because)
    return Step(done, (replace(_told(FactKind.RUNS_PAUSED, planned.account, now, by), body={"note": because}),))


def resumed(planned: Planned, by: Actor, now: datetime) -> Step:
    """Return the schedule with runs going on: one is due at once."""
    if not planned.is_paused:
        return Step(planned)
    going = replace(planned, paused_by="", paused_at=None, paused_because="", missed=None, missed_at=None)
    done = replace(going, due=now, because=Why.REQUESTED)
    return Step(done, (_told(FactKind.RUNS_RESUMED, planned.account, now, by),))


def first_served(due: Iterable[Planned], worst: Mapping[str, Severity]) -> tuple[Planned, ...]:
    """Return accounts in the order in which a scarce budget is spent on them: the riskiest first.

    What somebody waits for comes first, then what the stream told of, then by the worst that is open, then whoever
    was seen whole the longest ago.
    """
    return tuple(sorted(due, key=lambda one: _rank(one, worst.get(one.account))))


def paced(timing: Timing, *, points: int, points_per_hour: int | None) -> Timing:
    """Return the timing that a key's call budget can bear: reads less often, and never in part.

    *points* are what one round of all accounts that share the key costs, *points_per_hour* what the exchange gives
    back; None is without limit. A quarter of the budget is left for whatever comes in between.
    """
    if points_per_hour is None or not points:
        return timing
    least = timedelta(hours=1) * points / (points_per_hour * 3 / 4)
    return replace(timing, interval=max(timing.interval, least), least=max(timing.least, least))


def _rank(one: Planned, severity: Severity | None) -> tuple[Any, ...]:
    asked = {Why.REQUESTED: 0, Why.STREAM: 1}.get(one.because, 2)
    badness = len(Severity) if severity is None else len(Severity) - 1 - list(Severity).index(severity)
    return (asked, badness, one.last_complete or _NEVER, one.due, one.account)


def _next(planned: Planned, began: datetime, now: datetime, timing: Timing, *, failed: bool) -> Planned:
    held = planned.held
    if held is not None:
        sooner = (
            held.until
            if failed or held.obstacle is Obstacle.BUSY
            else max(held.until, _regular(planned, began, timing))
        )
        return replace(planned, due=sooner, because=Why.RETRY)
    if planned.marked is not None and planned.marked >= began:
        # Whatever marked it came after the run had begun to read.
        why = planned.marked_because or Why.STREAM
        return replace(planned, due=_spaced(planned, why, now, timing), because=why)
    return replace(planned, due=max(now, _regular(planned, began, timing)), because=Why.INTERVAL)


def _spaced(planned: Planned, why: Why, now: datetime, timing: Timing) -> datetime:
    if why is Why.REQUESTED or planned.last_begun is None:
        return now
    return max(now, planned.last_begun + timing.least)


def _regular(planned: Planned, began: datetime, timing: Timing) -> datetime:
    share = int(digest(planned.account, began.isoformat())[:8], 16) % 1000
    earlier = timing.interval * timing.jitter_percent * share / 100_000
    return began + timing.interval - earlier


def _after(due: datetime, now: datetime, timing: Timing) -> datetime:
    """Return the first instant after *now* that is whole intervals after *due*."""
    return due + timing.interval * ((now - due) // timing.interval + 1)


def _held(account: str, run: Ended, failures: int, timing: Timing) -> Held | None:
    obstacle = run.obstacle or (Obstacle.HERE if run.status == "failed" else None)
    if obstacle is None:
        return None
    wait = _WAITS[obstacle]
    if obstacle in _DOUBLES:
        wait = min(wait * 2 ** min(max(failures - 1, 0), _DOUBLED_MAX), max(timing.interval, wait))
    # Whoever failed together must not come back together.
    wait += wait * (int(digest(account, run.at.isoformat())[:8], 16) % 250) / 1000
    return Held(obstacle, max(run.at + wait, run.until or run.at))


def _dearest(before: int, spent: int) -> int:
    """Return what to reckon with: a dear run counts at once, and is forgotten slowly."""
    return max(spent, before - before // 8)


def _scheduled(planned: Planned, now: datetime) -> Step:
    body = {"due": planned.due, "because": planned.because.value, "failures": planned.failures}
    if planned.held is not None:
        body |= {"obstacle": planned.held.obstacle.value, "not_before": planned.held.until}
    fact = Fact(kind=FactKind.RUN_SCHEDULED, at=now, account=planned.account, subject=planned.account, body=body)
    return Step(planned, (fact,))


def _skipped(planned: Planned, now: datetime, reason: str) -> Fact:
    body = {"due": planned.due, "because": planned.because.value, "reason": reason}
    return Fact(kind=FactKind.RUN_SKIPPED, at=now, account=planned.account, subject=planned.account, body=body)


def _told(kind: FactKind, account: str, now: datetime, by: Actor = PROGRAM) -> Fact:
    return Fact(kind=kind, at=now, account=account, subject=account, actor=by)
