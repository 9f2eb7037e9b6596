"""Whom alerts reach: channels that hang, refuse, and lose the answer that they have taken a message.

Of all that was heard it is said afterwards what must not be: something told again that was told for certain, out of
order, without its end; and something that holds and nobody was told of.
"""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from random import Random

from gal_friday.adapters.alerts import MemoryAlerts
from gal_friday.domain.alert import Notice, What
from gal_friday.domain.alert_groups import grouped
from gal_friday.domain.alerting import Rules
from gal_friday.flows.alert import Watch, conditions
from gal_friday.ports.alerts import Delivery, DeliveryState, Undelivered
from gal_friday.ports.clock import Clock

NAMES = ("ops", "boss")
_SOON = timedelta(minutes=20)
"""So long something may hold before it must have an alert: outages of the database, ends of processes, pauses."""
_OVER = Rules().flap_window
"""So long an alert may be gone and not yet be called over."""
_HANGS = 3_600.0


class KeptAlerts(MemoryAlerts):
    """Alerts in memory that remember which messages were taken for certain."""

    def __init__(self) -> None:
        """Begin with none."""
        super().__init__()
        self.certain: set[tuple[str, str]] = set()

    async def delivered(self, delivery: Delivery, at: datetime) -> bool:
        """Mark that it was taken; see ``Alerts``."""
        done = await super().delivered(delivery, at)
        if done:
            self.certain.add((delivery.channel, delivery.notice.key))
        return done


class Pager:
    """A channel to somebody, as channels are."""

    def __init__(self, name: str, alerts: KeptAlerts, chance: Random, clock: Clock) -> None:
        """Work as it should until it is told otherwise."""
        self.name, self._alerts, self._chance, self._clock = name, alerts, chance, clock
        self.heard: list[Notice] = []
        self.again: list[str] = []
        """What was told although it had been taken for certain before."""
        self._refuses, self._loses, self._hangs = 0.0, 0.0, False

    def change(self) -> None:
        """Let its faults change."""
        self._refuses = self._chance.choice((0.0, 0.0, 0.3, 1.0))
        self._loses = self._chance.choice((0.0, 0.0, 0.3))
        self._hangs = self._chance.random() < 0.2

    def calm(self) -> None:
        """End its faults."""
        self._refuses, self._loses, self._hangs = 0.0, 0.0, False

    async def send(self, notice: Notice) -> None:
        """Take a notice, or not; see ``Channel``."""
        await self._clock.sleep(0.2)
        if self._hangs:
            await self._clock.sleep(_HANGS)
        if self._chance.random() < self._refuses:
            raise Undelivered("the receiver is down", retry_after=self._chance.choice((None, 30.0)))
        if (self.name, notice.key) in self._alerts.certain:
            self.again.append(notice.key)
        self.heard.append(notice)
        if self._chance.random() < self._loses:
            raise Undelivered("the receiver did not say whether it took it")

    async def close(self) -> None:
        """Have nothing to close."""
        await asyncio.sleep(0)


class Listening:
    """Everybody who is told, held against what holds."""

    def __init__(self, watch: Watch, pagers: Sequence[Pager]) -> None:
        """Look at *watch* by a way that never fails."""
        self._watch, self.pagers = watch, pagers
        self._held: dict[str, datetime] = {}
        self.untold: list[str] = []
        self.restored = False
        """Whether what was told was forgotten in between: then it may be told again."""

    @property
    def heard(self) -> int:
        """How many messages there were."""
        return sum(len(one.heard) for one in self.pagers)

    def put_back(self) -> None:
        """Take note that what is kept was put back to a backup: what holds is to be told from now on, perhaps again."""
        self.restored, self._held = True, {}

    async def look(self) -> None:
        """Note what holds for a while and has no alert."""
        now = self._watch.desk.clock.now()
        groups = {group.id: group for group in grouped(await conditions(self._watch))}
        self._held = {name: self._held.get(name, now) for name in groups}
        standing = await self._watch.alerts.standing(groups)
        for name, since in self._held.items():
            one = standing.get(name)
            # Between two looks it may have been over, told so, and come back: an episode of its own.
            began = since if one is None else max(since, one.began, one.resolved_at or since)
            if now - began > _SOON and (one is None or not one.is_open or not (one.told or one.muted)):
                self.untold.append(f"{groups[name].kind} of {groups[name].account} at {now:%H:%M:%S}: nobody was told")

    async def never(self) -> Sequence[str]:
        """Return what was not told, or not told to be over, now that everything is calm."""
        now = self._watch.desk.clock.now()
        holds = {group.id for group in grouped(await conditions(self._watch))}
        opened = [one for one in await self._watch.alerts.alerts(limit=1_000) if one.id not in holds]
        opened = [one for one in opened if one.gone_since is None or now - one.gone_since > _OVER]
        waiting = await self._watch.alerts.outbox(states=[DeliveryState.WAITING, DeliveryState.GIVEN_UP], limit=1_000)
        waiting = [one for one in waiting if now - one.notice.at > _SOON]
        return [
            *self.untold,
            *(f"{one.kind} of {one.account} is over, and nobody was told so" for one in opened),
            *(f"{one.notice.key} never reached {one.channel} ({one.state})" for one in waiting),
        ]

    def twice(self) -> Iterable[str]:
        """Yield what was told again, out of order, or without a reason."""
        if self.restored:
            return
        for pager in self.pagers:
            yield from (f"{key} was told to {pager.name} again" for key in pager.again)
            episodes: dict[str, dict[int, What]] = {}
            for notice in pager.heard:
                episodes.setdefault(notice.incident, {}).setdefault(notice.number, notice.what)
            yield from (
                f"{name} told {pager.name} {', '.join(numbers.values())} as {[*numbers]}"
                for name, numbers in episodes.items()
                if not _in_order(numbers)
            )


def _in_order(told: dict[int, What]) -> bool:
    """Say whether an episode begins once, ends once at most, and was told in its order."""
    numbers, whats = [*told], [*told.values()]
    ends = whats.count(What.RESOLVED)
    begins_once = whats.count(What.FIRING) <= 1
    return numbers == sorted(numbers) and begins_once and (not ends or (ends == 1 and whats[-1] is What.RESOLVED))
