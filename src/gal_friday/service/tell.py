"""Telling people, all the time: look at what holds, and deliver what waits in the outbox.

A look follows every run at once, and a tick where nothing runs; each channel is delivered to by a task of its own, so
that one that hangs keeps nobody else waiting. Where the database itself cannot be read, nothing can be written to the
outbox: that alone is told to every channel directly. It decides nothing: the rules are in ``domain/alerting``.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from gal_friday.domain.alert import Alert, Condition, Notice, alert_id
from gal_friday.domain.alert_groups import grouped
from gal_friday.domain.alerting import look
from gal_friday.domain.conditions import JournalSeen, unreadable
from gal_friday.domain.errors import GalFridayError
from gal_friday.domain.schedule import Planned
from gal_friday.flows.alert import OfAccount, Watch, account_conditions, carry, common_conditions
from gal_friday.ports.alerts import Channel, Delivery, Undelivered
from gal_friday.ports.clock import Clock
from gal_friday.ports.errors import StoreFailed

Verify = Callable[[JournalSeen | None], Awaitable[JournalSeen]]

_LOG = logging.getLogger("gal_friday.alerts")
_CLOSE_SECONDS = 3.0  # Channels have nothing more to say by then.


class Pace(Struct, frozen=True, kw_only=True):
    """How often things are looked at, and how long they may take, in seconds."""

    tick: float = 3.0
    """Between two looks where nothing wakes it: the runs of other processes are found by them."""
    refresh: float = 300.0
    """After so long every account is read anew, for what other processes did."""
    deadline: float = 15.0
    """For one attempt at one channel."""
    first_retry: float = 2.0
    """After the first failure; twice as long after each further one."""
    last_retry: float = 900.0
    give_up: float = 86_400.0
    """A notice that is so old is not tried any more."""
    verify: float = 3600.0
    """Between two verifications of the journal."""
    unreadable: float = 60.0
    """So long nothing can be read before that is told."""
    forget: float = 30 * 86_400.0
    """Deliveries that ended so long ago leave the outbox."""


_PACE = Pace()


class Teller:
    """Looks and delivers until it is stopped."""

    def __init__(
        self, watch: Watch, channels: Sequence[Channel], *, pace: Pace = _PACE, verify: Verify | None = None
    ) -> None:
        """Keep what is watched and who is told. Nothing runs before ``run``."""
        self._watch, self._channels, self._pace, self._verify = watch, tuple(channels), pace, verify
        self._clock: Clock = watch.desk.clock
        self._woken, self._stopping = asyncio.Event(), asyncio.Event()
        self._written = {channel.name: asyncio.Event() for channel in channels}
        self._stale: set[str] = set(watch.accounts)
        self._known: dict[str, OfAccount] = {}
        self._ends: dict[str, datetime | None] = {}
        self._read_at: datetime | None = None
        self._verified_at: datetime | None = None
        self._blind_since: datetime | None = None
        self._blind: Alert | None = None
        self._direct: dict[str, list[Notice]] = {}
        """What each channel has not taken of it."""

    def wake(self, account: str | None = None) -> None:
        """Look again now: at one account, whose run has just ended, or at all of them."""
        self._stale |= {account} & self._watch.accounts.keys() if account is not None else set(self._watch.accounts)
        self._woken.set()

    async def run(self) -> None:
        """Look and deliver until ``stop``; what is under way then is finished or given back."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._looking())
            for channel in self._channels:
                group.create_task(self._delivering(channel))

    def stop(self) -> None:
        """End after what is under way. What was not delivered waits in the outbox."""
        self._stopping.set()
        for event in (self._woken, *self._written.values()):
            event.set()

    async def drain(self, running: asyncio.Task[None], seconds: float) -> None:
        """Look once more, deliver for up to so long, and close every channel; *running* is what ``run`` is awaited by.

        What a run found while it was told to stop is told, or waits in the outbox.
        """
        with suppress(StoreFailed, TimeoutError):
            async with asyncio.timeout(seconds):
                await self.look()
                await asyncio.gather(*(self.deliver(channel) for channel in self._channels))
        self.stop()
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        with suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_SECONDS):
                await asyncio.gather(*(channel.close() for channel in self._channels), return_exceptions=True)

    async def look(self) -> datetime | None:
        """Look once, and return when time alone has something to tell next.

        Raises:
            StoreFailed: nothing could be read or written.
        """
        now = self._clock.now()
        if self._read_at is None or now - self._read_at >= timedelta(seconds=self._pace.refresh):
            self._stale, self._read_at = set(self._watch.accounts), now
        self._stale |= {name for name, one in self._known.items() if one.next is not None and one.next <= now}
        plans = {one.account: one for one in await self._watch.schedules.all()}
        self._notice_ends(plans.values())
        while self._stale:
            account = self._stale.pop()
            try:
                self._known[account] = await account_conditions(self._watch, account, plans.get(account))
            except BaseException:
                self._stale.add(account)
                raise
        common = await common_conditions(self._watch, plans.values())
        known = self._known.values()
        looked = await carry(self._watch, (*common, *(one for some in known for one in some.conditions)))
        if looked.told:
            for event in self._written.values():
                event.set()
        return min((at for at in (looked.next, *(one.next for one in known)) if at is not None), default=None)

    def _notice_ends(self, plans: Iterable[Planned]) -> None:
        """Read those accounts anew whose runs ended since the last look, wherever they were carried out."""
        for one in plans:
            if one.account in self._watch.accounts and self._ends.get(one.account) != one.last_run:
                self._ends[one.account] = one.last_run
                self._stale.add(one.account)

    async def deliver(self, channel: Channel) -> float | None:
        """Deliver what is due for one channel; return after how many seconds something is due again.

        Raises:
            StoreFailed: the outbox could not be read or written.
        """
        soonest: float | None = None
        lease = self._pace.deadline + 15
        while not self._stopping.is_set():
            claimed = await self._watch.alerts.claim(channel.name, self._clock.now(), seconds=lease, limit=1)
            if not claimed:
                break
            again = await self._attempt(channel, claimed[0])
            if again is not None:
                soonest = again if soonest is None else min(soonest, again)
        return soonest

    async def _looking(self) -> None:
        while not self._stopping.is_set():
            self._woken.clear()
            wait = self._pace.tick
            try:
                due = await self.look()
                await self._seen_again()
                await self._look_after()
                if due is not None:
                    wait = min(wait, max((due - self._clock.now()).total_seconds(), 0.0))
            except StoreFailed as failure:
                wait = min(wait, self._pace.first_retry)
                await self._unreadable(str(failure))
            except Exception as error:  # noqa: BLE001 - whatever is wrong here, silence would be worse
                await self._unreadable(f"{type(error).__name__} in this program")
            await self._until(self._woken, wait)

    async def _delivering(self, channel: Channel) -> None:
        written = self._written[channel.name]
        while not self._stopping.is_set():
            written.clear()
            wait = self._pace.tick
            try:
                soonest = await self.deliver(channel)
                wait = wait if soonest is None else min(wait, soonest)
            except StoreFailed as failure:
                _LOG.warning("outbox_unavailable for %s: %s", channel.name, failure)
                wait = self._pace.first_retry
            await self._until(written, wait)

    async def _attempt(self, channel: Channel, delivery: Delivery) -> float | None:
        """Try once, and return after how many seconds to try again; None where it was taken or given up."""
        try:
            await self._send(channel, delivery.notice)
        except Undelivered as failure:
            return await self._later(delivery, failure)
        if await self._watch.alerts.delivered(delivery, self._clock.now()):
            _LOG.info("alert_sent %s through %s", delivery.notice.key, channel.name)
        return None

    async def _send(self, channel: Channel, notice: Notice) -> None:
        try:
            async with asyncio.timeout(self._pace.deadline):
                await channel.send(notice)
        except TimeoutError:
            raise Undelivered(f"{channel.name} did not answer within {self._pace.deadline:g} seconds") from None
        except Undelivered:
            raise
        except Exception as error:  # noqa: BLE001 - a channel that is broken must not end the others
            raise Undelivered(f"{channel.name} failed ({type(error).__name__})") from None

    async def _later(self, delivery: Delivery, failure: Undelivered) -> float | None:
        now, pace = self._clock.now(), self._pace
        wait = min(pace.first_retry * 2 ** min(delivery.attempts - 1, _DOUBLED_MAX), pace.last_retry)
        wait = max(wait, min(failure.retry_after or 0.0, pace.last_retry))
        over = now - delivery.notice.at >= timedelta(seconds=pace.give_up)
        again = None if over else now + timedelta(seconds=wait)
        await self._watch.alerts.failed(delivery, now, reason=str(failure), again=again)
        kind = "alert_undelivered" if over else "alert_delayed"
        _LOG.warning("%s %s through %s: %s", kind, delivery.notice.key, delivery.channel, failure)
        return None if over else wait

    async def _look_after(self) -> None:
        """Verify the journal and clear the outbox, when it is time."""
        now = self._clock.now()
        if self._verified_at is not None and now - self._verified_at < timedelta(seconds=self._pace.verify):
            return
        self._verified_at = now
        await self._watch.alerts.forget(now - timedelta(seconds=self._pace.forget))
        if self._verify is not None:
            await self._watch.watched.journal_seen(await self._verify(await self._watch.watched.journal()))

    async def _unreadable(self, reason: str) -> None:
        now = self._clock.now()
        self._blind_since = self._blind_since or now
        _LOG.error("evaluation_failing: %s", reason)
        if now - self._blind_since >= timedelta(seconds=self._pace.unreadable):
            self._tell_directly([unreadable(reason, self._blind_since)], now)
        await self._deliver_directly()

    async def _seen_again(self) -> None:
        self._blind_since = None
        if self._blind is not None:
            self._tell_directly([], self._clock.now())
        await self._deliver_directly()

    def _tell_directly(self, holding: Sequence[Condition], now: datetime) -> None:
        group = next(iter(grouped(holding)), None)
        if group is not None and self._blind_since is not None:
            # Of its own for every time that nothing can be read, and for this process: nobody here can count episodes.
            group = replace(group, id=alert_id(group.kind, self._blind_since.isoformat(), ""))
        moved = look(self._blind, group, now, self._watch.rules)
        if moved is None:
            return
        self._blind = moved.alert if moved.alert.is_open else None
        if (notice := moved.notice) is not None:
            for channel in self._channels:
                self._direct.setdefault(channel.name, []).append(notice)

    async def _deliver_directly(self) -> None:
        """Tell every channel what it has not taken yet, in its order; the next look tries again."""
        await asyncio.gather(*(self._directly(one, self._direct.pop(one.name, [])) for one in self._channels))

    async def _directly(self, channel: Channel, notices: Sequence[Notice]) -> None:
        for at, notice in enumerate(notices):
            try:
                await self._send(channel, notice)
            except Undelivered:
                self._direct[channel.name] = [*notices[at:]]
                return

    async def _until(self, event: asyncio.Event, seconds: float) -> None:
        """Wait for the event, and no longer than so long."""
        waiting = (asyncio.ensure_future(event.wait()), asyncio.ensure_future(self._clock.sleep(seconds)))
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in waiting:
                one.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)


_DOUBLED_MAX = 20


async def tried(channels: Sequence[Channel], notice: Notice, *, seconds: float = 15.0) -> dict[str, str]:
    """Send a notice to each channel at once, past the outbox, and return what kept each from taking it.

    Empty is nothing.
    """

    async def one(channel: Channel) -> str:
        try:
            async with asyncio.timeout(seconds):
                await channel.send(notice)
        except TimeoutError:
            return f"did not answer within {seconds:g} seconds"
        except GalFridayError as failure:
            return str(failure)
        except Exception as error:  # noqa: BLE001 - what it says may hold a secret, and the others are to be tried too
            return f"failed ({type(error).__name__})"
        return ""

    results = await asyncio.gather(*(one(channel) for channel in channels))
    return {channel.name: result for channel, result in zip(channels, results, strict=True)}
