"""How accounts stand: the last run, the last one that saw everything, what is open, and when the next run is due.

What the API lists and the dashboard shows is read here, once. Nothing here changes anything.
"""

from datetime import datetime

import msgspec
from msgspec import Struct

from gal_friday.domain.policy import Mode
from gal_friday.domain.records import RECORD_KINDS
from gal_friday.domain.snapshot import NotChecked
from gal_friday.ports.pages import Chosen, Pages
from gal_friday.ports.schedules import Schedules

COUNTED = 1000
"""Open discrepancies are counted up to here; more are not told apart."""


class AccountInfo(Struct, frozen=True, kw_only=True):
    """An account as it is configured; nothing of its key."""

    name: str
    exchange: str
    mode: Mode
    book: str
    """``embedded`` where trading systems may push to it, else ``file``."""


class Account(Struct, kw_only=True):
    """An account, and how it stands."""

    account: str
    exchange: str
    mode: Mode
    book: str
    paused: bool
    paused_by: str
    paused_because: str
    """What they said of it; may be empty."""
    last_run: datetime | None
    status: str | None
    verdict: str | None
    last_complete: datetime | None
    """The newest run that saw everything."""
    coverage: dict[str, bool]
    """Which kinds of record the last run saw in full on both sides, and whatever else it could not compare: holds."""
    next_run: datetime | None
    consecutive_failures: int
    open_discrepancies: int | None


class _Run(Struct):
    """What is told of the last run."""

    timestamp: datetime
    status: str
    verdict: str
    not_checked: tuple[NotChecked, ...] = ()


async def standing_of(pages: Pages, schedules: Schedules | None, info: AccountInfo) -> Account:
    """Return how an account stands now.

    Raises:
        StoreFailed: it cannot be read.
    """
    latest = await pages.latest((info.name,))
    planned = None if schedules is None else await schedules.one(info.name)
    run = None if latest.report is None else msgspec.json.decode(latest.report.summary, type=_Run)
    standing = await pages.standing(info.name)
    found = await pages.discrepancies((info.name,), Chosen(), limit=COUNTED)
    return Account(
        account=info.name,
        exchange=info.exchange,
        mode=info.mode,
        book=info.book,
        paused=planned is not None and planned.is_paused,
        paused_by="" if planned is None else planned.paused_by,
        paused_because="" if planned is None else planned.paused_because,
        last_run=None if run is None else run.timestamp,
        status=None if run is None else run.status,
        verdict=None if run is None else run.verdict,
        last_complete=None if standing.good is None else standing.good.at,
        coverage={} if run is None else _coverage(run),
        next_run=None if planned is None or planned.is_paused else planned.due,
        consecutive_failures=latest.failures if planned is None else planned.failures,
        open_discrepancies=len(found),
    )


def _coverage(run: _Run) -> dict[str, bool]:
    gaps = {gap.kind for gap in run.not_checked}
    kinds = (*RECORD_KINDS, *sorted(gaps - set(RECORD_KINDS)))
    return {kind: run.status != "failed" and kind not in gaps for kind in kinds}
