"""Alerts, silences and the outbox in memory, gone with the process; for tests and for those who keep nothing."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from msgspec.structs import replace

from gal_friday.adapters.alerts import rows
from gal_friday.domain import alert_facts
from gal_friday.domain.alert import Alert
from gal_friday.domain.conditions import JournalSeen, Stuck
from gal_friday.domain.facts import Actor, Fact
from gal_friday.domain.muting import Silence
from gal_friday.ports.alerts import Delivery, DeliveryState, Written

_WAITING = DeliveryState.WAITING


class MemoryAlerts:
    """``Alerts`` that forget."""

    def __init__(self, journal: Callable[[Sequence[Fact]], object] | None = None) -> None:
        """Begin empty. *journal* takes the facts of every step."""
        self._journal = journal
        self._alerts: dict[str, Alert] = {}
        self._silences: dict[str, Silence] = {}
        self._outbox: dict[str, Delivery] = {}
        self._ended: dict[str, datetime] = {}

    async def standing(self, ids: Iterable[str]) -> Mapping[str, Alert]:
        """Return open alerts and those of these ids; see ``Alerts``."""
        wanted = set(ids)
        return {name: one for name, one in self._alerts.items() if one.is_open or name in wanted}

    async def alerts(self, *, resolved: bool = False, limit: int = 100) -> Sequence[Alert]:
        """Return alerts, the newest first; see ``Alerts``."""
        found = sorted((one for one in self._alerts.values() if one.is_open or resolved), key=lambda one: one.id)
        return tuple(sorted(found, key=lambda one: one.began, reverse=True)[:limit])

    async def alert(self, alert_id: str) -> Alert | None:
        """Return one alert; see ``Alerts``."""
        matches = [name for name in self._alerts if alert_id and name.startswith(alert_id)]
        match = rows.only_one(alert_id, matches, "alerts")
        return None if match is None else self._alerts[match]

    async def save(self, steps: Sequence[Written], at: datetime) -> bool:
        """Keep steps, notices and facts, or nothing; see ``Alerts``."""
        for step in steps:
            known = self._alerts.get(step.moved.alert.id)
            if (known.revision if known is not None else 0) != step.moved.alert.revision:
                return False
        self._tell([fact for step in steps for fact in _facts(step, at)])
        for step in steps:
            moved = step.moved.alert
            self._alerts[moved.id] = replace(moved, revision=moved.revision + 1)
            for to in step.to:
                notice = step.moved.notice
                assert notice is not None, "nobody is told of nothing"
                if notice.what not in rows.NEVER_SUPERSEDE:
                    self._supersede(notice.incident, to.channel, at)
                made = Delivery(notice=notice, channel=to.channel, state=_WAITING, due=to.not_before)
                self._outbox[rows.delivery_id(notice, to.channel)] = made
        return True

    def _supersede(self, incident: str, channel: str, at: datetime) -> None:
        for name, one in self._outbox.items():
            same = one.notice.incident == incident and one.channel == channel
            if same and one.state is _WAITING and not one.attempts:
                self._outbox[name] = replace(one, state=DeliveryState.SUPERSEDED)
                self._ended[name] = at

    async def silences(self, *, since: datetime) -> Sequence[Silence]:
        """Return silences, the first to end first; see ``Alerts``."""
        found = (one for one in self._silences.values() if one.ends > since)
        return tuple(sorted(found, key=lambda one: (one.ends, one.id)))

    async def silence(self, silence: Silence) -> None:
        """Begin a silence; see ``Alerts``."""
        if silence.id not in self._silences:
            self._tell([alert_facts.silenced(silence)])
            self._silences[silence.id] = silence

    async def end_silence(self, silence_id: str, by: Actor, at: datetime) -> Silence | None:
        """End a silence; see ``Alerts``."""
        matches = [name for name, one in self._silences.items() if name.startswith(silence_id) and one.ends > at]
        match = rows.only_one(silence_id, matches, "silences") if silence_id else None
        if match is None:
            return None
        ended = replace(self._silences[match], ends=at, ended_by=by)
        self._tell([alert_facts.unsilenced(ended, by, at)])
        self._silences[match] = ended
        return ended

    async def claim(self, channel: str, now: datetime, *, seconds: float, limit: int) -> Sequence[Delivery]:
        """Return what is due for whoever asks alone; see ``Alerts``."""
        waiting = [
            (name, one) for name, one in self._outbox.items() if one.channel == channel and one.state is _WAITING
        ]
        first: dict[str, int] = {}
        for _, one in waiting:
            number = one.notice.number
            first[one.notice.incident] = min(number, first.get(one.notice.incident, number))
        due = [
            (name, one)
            for name, one in waiting
            if one.due <= now
            and (one.claimed_until is None or one.claimed_until <= now)
            and one.notice.number == first[one.notice.incident]
        ]
        due.sort(key=lambda pair: (pair[1].due, pair[1].notice.at, pair[0]))
        until, claimed = now + timedelta(seconds=seconds), []
        for name, one in due[:limit]:
            self._outbox[name] = replace(one, attempts=one.attempts + 1, claimed_until=until)
            claimed.append(self._outbox[name])
        return tuple(sorted(claimed, key=lambda one: (one.notice.at, rows.delivery_id(one.notice, channel))))

    async def delivered(self, delivery: Delivery, at: datetime) -> bool:
        """Mark that it was taken; see ``Alerts``."""
        name = rows.delivery_id(delivery.notice, delivery.channel)
        if self._outbox[name].state is not _WAITING:
            return False
        self._tell([alert_facts.sent(delivery.notice, delivery.channel, at, delivery.attempts)])
        done = {"state": DeliveryState.SENT, "sent_at": at, "claimed_until": None, "reason": ""}
        self._outbox[name] = replace(self._outbox[name], **done)
        self._ended[name] = at
        return True

    async def failed(self, delivery: Delivery, at: datetime, *, reason: str, again: datetime | None) -> bool:
        """Mark that it was not taken; see ``Alerts``."""
        name, reason = rows.delivery_id(delivery.notice, delivery.channel), reason[: rows.REASON_MAX]
        kept = self._outbox[name]
        if kept.state is not _WAITING or kept.attempts != delivery.attempts:
            return False
        if again is not None:
            self._outbox[name] = replace(kept, due=again, claimed_until=None, reason=reason)
            return True
        self._tell([alert_facts.given_up(delivery.notice, delivery.channel, at, delivery.attempts, reason)])
        self._outbox[name] = replace(kept, state=DeliveryState.GIVEN_UP, claimed_until=None, reason=reason)
        self._ended[name] = at
        return True

    async def outbox(self, *, states: Iterable[DeliveryState] = (), limit: int = 100) -> Sequence[Delivery]:
        """Return deliveries, the newest first; see ``Alerts``."""
        wanted = set(states)
        found = [(one.notice.at, name) for name, one in self._outbox.items() if not wanted or one.state in wanted]
        return tuple(self._outbox[name] for _, name in sorted(found, reverse=True)[:limit])

    async def stuck(self) -> Sequence[Stuck]:
        """Return what was tried and not taken; see ``Alerts``."""
        tried: dict[str, list[Delivery]] = {}
        for one in self._outbox.values():
            if one.state is _WAITING and one.reason:
                tried.setdefault(one.channel, []).append(one)
        return tuple(
            Stuck(
                channel=name,
                waiting=len(some),
                since=min(one.notice.at for one in some),
                attempts=max(one.attempts for one in some),
                reason=max(one.reason for one in some),
            )
            for name, some in sorted(tried.items())
        )

    async def forget(self, before: datetime, *, limit: int = 1000) -> int:
        """Remove what ended long ago; see ``Alerts``."""
        old = [name for name, one in self._outbox.items() if rows.ended_before(one, self._ended.get(name), before)]
        for name in old[:limit]:
            del self._outbox[name], self._ended[name]
        return len(old[:limit])

    def _tell(self, facts: Sequence[Fact]) -> None:
        if self._journal is not None and facts:
            self._journal(facts)


class MemoryWatched:
    """``Watched`` that forget."""

    def __init__(self) -> None:
        """Begin with nothing seen."""
        self._keys: dict[str, datetime | None] = {}
        self._journal: JournalSeen | None = None

    async def key_seen(self, account: str, ends: datetime | None, at: datetime) -> None:
        """Keep until when a key is valid; see ``Watched``."""
        self._keys[account] = ends

    async def keys(self) -> Mapping[str, datetime]:
        """Return until when keys are valid; see ``Watched``."""
        return {account: ends for account, ends in self._keys.items() if ends is not None}

    async def journal_seen(self, seen: JournalSeen) -> None:
        """Keep what a verification saw; see ``Watched``."""
        self._journal = seen

    async def journal(self) -> JournalSeen | None:
        """Return what the last verification saw; see ``Watched``."""
        return self._journal


def _facts(step: Written, at: datetime) -> Iterable[Fact]:
    return alert_facts.facts_of_move(step.moved, at, (to.channel for to in step.to))
