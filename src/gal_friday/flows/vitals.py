"""What keeps an account's checks going: its key, its call budget, its stream, its schedule, and how fresh each kind is.

What the API tells and the page of an account shows is put together here, once. Nothing here changes anything, and
nothing asks an exchange.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec
from msgspec import Struct

from gal_friday.domain.records import RECORD_KINDS, Kind
from gal_friday.domain.schedule import Planned, Timing
from gal_friday.domain.snapshot import NotChecked
from gal_friday.ports.exchange import Check
from gal_friday.ports.pages import Listed, Pages
from gal_friday.ports.schedules import Schedules

LOOKED_BACK = 50
"""So many of the last runs are looked through for one that saw a kind in full."""


class Budget(Struct, frozen=True, kw_only=True):
    """The call budget of a key, in the exchange's own points."""

    limit: float | None
    """How full the exchange's counter may be; None is without limit."""
    points_per_hour: int | None
    """What the exchange gives back."""
    left: float | None = None
    """What is left of it now, as far as this process has spent it; None where no call of it is known."""
    left_at: datetime | None = None
    """When the last call was, that this is reckoned from."""


class Listened(Struct, frozen=True, kw_only=True):
    """The stream of an account."""

    wanted: bool
    """Whether the configuration asks for it."""
    connected: bool
    because: str = ""
    """Why it is not, where the exchange or the line said so."""


class KeyLooked(Struct, frozen=True, kw_only=True):
    """What a look at an account's key, exchange and book found."""

    at: datetime
    checks: tuple[Check, ...]


class Live(Struct, frozen=True, kw_only=True):
    """What this process knows of an account beside the database."""

    timing: Timing
    """As configured."""
    paced: Timing
    """As the key's call budget can bear."""
    budget: Budget
    stream: Listened
    key: KeyLooked | None = None
    """The last look at its key; None where nobody looked since the service started."""


LiveOf = Callable[[str], Live]


class Seen(Struct, frozen=True, kw_only=True):
    """How fresh what is known of one kind is."""

    kind: Kind
    complete: datetime | None
    """When it was last seen in full on both sides; None where no run that was looked through did."""
    reconciliation_id: str | None
    """The run that did."""
    not_checked: tuple[NotChecked, ...]
    """Why the last run did not, where it did not."""


class Scheduled(Struct, frozen=True, kw_only=True):
    """Where the schedule of an account stands."""

    due: datetime
    because: str
    under_way_since: datetime | None
    last_run: datetime | None
    points_of_a_run: int
    """The dearest of the last ones."""
    failures: int
    obstacle: str | None
    not_before: datetime | None
    """Nothing is tried before this instant because of it."""
    paused_by: str
    paused_at: datetime | None
    paused_because: str
    """What they said of it; may be empty."""


class Vitals(Struct, frozen=True, kw_only=True):
    """What keeps an account's checks going."""

    account: str
    seen: tuple[Seen, ...]
    also_not_checked: tuple[NotChecked, ...]
    """What else the last run did not check."""
    schedule: Scheduled | None
    interval_seconds: int
    """Between two runs, as configured."""
    paced_seconds: int
    """Between two runs, as the call budget can bear."""
    budget: Budget
    stream: Listened
    key: KeyLooked | None


class _Run(Struct):
    status: str
    timestamp: datetime
    not_checked: tuple[NotChecked, ...] = ()


async def vitals_of(pages: Pages, schedules: Schedules | None, account: str, live: Live) -> Vitals:
    """Return what keeps the checks of an account going.

    Raises:
        StoreFailed: it cannot be read.
    """
    listed = await pages.reports((account,), limit=LOOKED_BACK)
    runs = [(one, msgspec.json.decode(one.summary, type=_Run)) for one in listed]
    last = runs[0][1].not_checked if runs else ()
    planned = None if schedules is None else await schedules.one(account)
    return Vitals(
        account=account,
        seen=tuple(_seen(kind, runs) for kind in RECORD_KINDS),
        also_not_checked=tuple(gap for gap in last if gap.kind not in RECORD_KINDS),
        schedule=None if planned is None else _scheduled(planned),
        interval_seconds=int(live.timing.interval.total_seconds()),
        paced_seconds=int(live.paced.interval.total_seconds()),
        budget=live.budget,
        stream=live.stream,
        key=live.key,
    )


def _seen(kind: Kind, runs: Sequence[tuple[Listed, _Run]]) -> Seen:
    whole = next(((one, run) for one, run in runs if _saw(run, kind)), None)
    gaps = tuple(gap for gap in runs[0][1].not_checked if gap.kind is kind) if runs else ()
    return Seen(
        kind=kind,
        complete=None if whole is None else whole[1].timestamp,
        reconciliation_id=None if whole is None else whole[0].reconciliation_id,
        not_checked=gaps,
    )


def _saw(run: _Run, kind: Kind) -> bool:
    return run.status != "failed" and all(gap.kind is not kind for gap in run.not_checked)


def _scheduled(planned: Planned) -> Scheduled:
    held = planned.held
    return Scheduled(
        due=planned.due,
        because=planned.because.value,
        under_way_since=planned.begun,
        last_run=planned.last_run,
        points_of_a_run=planned.spent,
        failures=planned.failures,
        obstacle=None if held is None else held.obstacle.value,
        not_before=None if held is None else held.until,
        paused_by=planned.paused_by,
        paused_at=planned.paused_at,
        paused_because=planned.paused_because,
    )
