"""One turn of one account: begun in the schedule, run, and ended in the schedule, whatever happens in between.

Whoever carries turns out may be told of an account too often or too late: a turn that is not due any more, or that
somebody else has begun, is no turn. What a run does is not decided here.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime

import structlog
from msgspec import Struct

from gal_friday.domain.errors import GalFridayError
from gal_friday.domain.report import ReconciliationReport
from gal_friday.domain.schedule import (
    Ended,
    Obstacle,
    Planned,
    Step,
    Timing,
    Why,
    begin,
    ended,
    interrupted,
    marked,
)
from gal_friday.domain.verdict import Verdict
from gal_friday.ports.clock import Clock
from gal_friday.ports.errors import AccountBusy, StoreFailed
from gal_friday.ports.schedules import Schedules
from gal_friday.ports.steps import Steps, unwatched

_LOG: structlog.stdlib.BoundLogger = structlog.get_logger("gal_friday.service")
_TRIES = 20
"""Everybody who was faster took a step: somebody always gets on."""

_LAST_WORD_SECONDS = 3.0


class Ran(Struct, frozen=True, kw_only=True):
    """A run that left a report, and what the schedule has to know beside it."""

    report: ReconciliationReport
    obstacle: Obstacle | None = None
    until: datetime | None = None
    """Before this instant the exchange is not to be asked again."""
    spent: int = 0
    """Points of the key's call budget."""


Run = Callable[[str], Awaitable[Ran]]
"""Reconciles the account of this name now."""
Heard = Callable[[str], None]
"""Told of every account whose turn came to an end, so that whoever tells people looks again."""


class Turns:
    """Gives accounts their turns."""

    def __init__(
        self,
        schedules: Schedules,
        run: Run,
        timings: Callable[[], Mapping[str, Timing]],
        clock: Clock,
        *,
        owner: str,
        heard: Heard | None = None,
        steps: Steps = unwatched,
    ) -> None:
        """*timings* returns how often each account is to be run at the moment; *owner* names this process to people."""
        self._steps = steps
        self._schedules, self._run, self._timings, self._clock = schedules, run, timings, clock
        self._owner, self._heard = owner, heard

    async def take(self, account: str, of: str = "") -> Ran | None:
        """Reconcile the account if it is due and nobody else has begun; return what came of it.

        *of* is the step of another process that handed the account over, where somebody watches.

        Raises:
            StoreFailed: the schedule cannot be read or written; a run that was begun is found and ended later.
        """
        with self._steps("turn", of=of, account=account):
            return await self._taken(account)

    async def _taken(self, account: str) -> Ran | None:
        if not await self._begun(account):
            return None
        ran: Ran | None = None
        try:
            ran = await self._run(account)
            how = _ended(ran, self._clock.now())
        except asyncio.CancelledError:
            await asyncio.shield(self._interrupted(account))
            raise
        except AccountBusy as busy:
            how = Ended(at=self._clock.now(), obstacle=Obstacle.BUSY, because=str(busy))
        except GalFridayError as failure:
            how = Ended(at=self._clock.now(), obstacle=Obstacle.HERE, because=str(failure))
        except Exception as failure:  # noqa: BLE001 - the last line of defence: one account stops no other
            _LOG.exception("run_broke_off", account=account)
            because = f"a mistake of this program: {type(failure).__name__}; the log has all of it"
            how = Ended(at=self._clock.now(), obstacle=Obstacle.HERE, because=because)
        _log(account, ran, how)
        await self.step(account, lambda one: self._after(one, how))
        if self._heard is not None:
            self._heard(account)
        return ran

    async def _interrupted(self, account: str) -> None:
        """Write down that the run was interrupted: in seconds, since whoever stops this process waits for it."""
        try:
            async with asyncio.timeout(_LAST_WORD_SECONDS):
                await self.step(account, lambda one: interrupted(one, self._clock.now()))
        except TimeoutError:
            late = f"the database did not answer within {_LAST_WORD_SECONDS:g} seconds"
            raise StoreFailed(f"{late}; the run is found and ended later") from None

    async def record(self, ran: Ran) -> None:
        """Take a run into the schedule that somebody asked for directly, without a turn.

        Raises:
            StoreFailed: nothing was written; the report of the run stands.
        """
        account, how = ran.report.account, _ended(ran, self._clock.now())
        await self.step(
            account,
            lambda one: ended(one, how, self._timings().get(account, Timing())) if one.begun is None else None,
        )
        if self._heard is not None:
            self._heard(account)

    async def mark(self, account: str, why: Why) -> Planned | None:
        """Say that the account is due now; return where its schedule stands then, None where it has none.

        Raises:
            StoreFailed: nothing was written.
        """
        timing = self._timings().get(account, Timing())
        return await self.step(account, lambda one: marked(one, why, self._clock.now(), timing))

    async def step(self, account: str, take: Callable[[Planned], Step | None]) -> Planned | None:
        """Take a step from where the schedule stands, again where somebody was faster; return where it stands then.

        None where the account has no schedule, or *take* returns none.

        Raises:
            StoreFailed: nothing was written.
        """
        for _ in range(_TRIES):
            known = await self._schedules.one(account)
            step = take(known) if known is not None else None
            if step is None:
                return None
            saved = await self._schedules.save(step)
            if saved is not None:
                return saved
        raise StoreFailed(f"the schedule of {account} was written by others {_TRIES} times in a row; try again")

    def _after(self, one: Planned, how: Ended) -> Step | None:
        # Somebody who took this process for dead has ended the run already.
        mine = one.begun is not None and one.owner == self._owner
        return ended(one, how, self._timings().get(one.account, Timing())) if mine else None

    async def _begun(self, account: str) -> bool:
        known = await self._schedules.one(account)
        step = begin(known, self._clock.now(), owner=self._owner) if known is not None else None
        return step is not None and await self._schedules.save(step) is not None


def _log(account: str, ran: Ran | None, how: Ended) -> None:
    """Log one line for a run: how it ended, or why there was none."""
    if ran is None:
        _LOG.warning("run_skipped", account=account, obstacle=how.obstacle, because=how.because)
        return
    report = ran.report
    _LOG.info(
        "run_finished",
        account=account,
        reconciliation_id=report.reconciliation_id,
        status=report.status.value,
        verdict=report.verdict.value,
        discrepancies=report.total_discrepancies,
        auto_corrections=len({one.adjustment_id for one in report.auto_corrections}),
        not_checked=len([gap for gap in report.not_checked if gap.side is not None]),
        errors=list(report.error_messages),
        obstacle=how.obstacle,
        spent=how.spent,
        seconds=report.duration_seconds,
    )


def _ended(ran: Ran, now: datetime) -> Ended:
    report = ran.report
    return Ended(
        at=now,
        report=report.reconciliation_id,
        status=report.status.value,
        verdict=report.verdict.value,
        complete=None if report.verdict is Verdict.INCOMPLETE else min(report.cut.internal, report.cut.exchange),
        obstacle=ran.obstacle,
        until=ran.until,
        spent=ran.spent,
    )
