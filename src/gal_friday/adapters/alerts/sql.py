"""Alerts, silences and the outbox in SQLite or PostgreSQL.

A step of an alert, its notices and its facts are one transaction (I10, I14). Nothing here decides or sends anything.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from msgspec.structs import replace
from sqlalchemy import Select, and_, bindparam, delete, exists, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gal_friday.adapters.alerts import rows
from gal_friday.adapters.sql.alert_tables import ALERT_OUTBOX, ALERT_SILENCES, ALERTS
from gal_friday.adapters.sql.engine import reading, writing
from gal_friday.adapters.sql.journalling import Journalling
from gal_friday.domain import alert_facts
from gal_friday.domain.alert import Alert, Phase
from gal_friday.domain.conditions import Stuck
from gal_friday.domain.facts import Actor, Fact
from gal_friday.domain.muting import Silence
from gal_friday.ports.alerts import Delivery, DeliveryState, Written
from gal_friday.ports.errors import StoreFailed

_ALERT, _OUT, _SILENCE = ALERTS.c, ALERT_OUTBOX.c, ALERT_SILENCES.c
_WAITING = DeliveryState.WAITING.value
_AT_ONCE = 500
"""Ids in one statement: databases take a bounded number of parameters."""


class _Overtaken(Exception):
    """Somebody else has moved one of the alerts."""


class SqlAlerts:
    """``Alerts`` on a database that was brought up to date by ``upgrade``."""

    def __init__(self, engine: AsyncEngine, journal: Journalling | None = None) -> None:
        """Keep the engine, which whoever opened it disposes of, and the journal that every step is written to."""
        self._engine, self._journal = engine, journal

    async def standing(self, ids: Iterable[str]) -> Mapping[str, Alert]:
        """Return open alerts and those of these ids; see ``Alerts``."""
        found: list[str] = []
        async with reading(self._engine, StoreFailed) as connection:
            found += (await connection.execute(_open_ones())).scalars()
            rest = iter(sorted(set(ids)))
            while some := list(islice(rest, _AT_ONCE)):
                found += (await connection.execute(select(_ALERT.body).where(_ALERT.alert_id.in_(some)))).scalars()
        alerts = map(_alert, found)
        return {one.id: one for one in alerts}

    async def alerts(self, *, resolved: bool = False, limit: int = 100) -> Sequence[Alert]:
        """Return alerts, the newest first; see ``Alerts``."""
        query = select(_ALERT.body) if resolved else _open_ones()
        query = query.order_by(_ALERT.began.desc(), _ALERT.alert_id).limit(limit)
        async with reading(self._engine, StoreFailed) as connection:
            return tuple(map(_alert, (await connection.execute(query)).scalars()))

    async def alert(self, alert_id: str) -> Alert | None:
        """Return one alert; see ``Alerts``."""
        if not alert_id:
            return None
        query = select(_ALERT.alert_id, _ALERT.body).where(_ALERT.alert_id.startswith(alert_id, autoescape=True))
        async with reading(self._engine, StoreFailed) as connection:
            found = {name: body for name, body in await connection.execute(query) if name.startswith(alert_id)}
        match = rows.only_one(alert_id, list(found), "alerts")
        return None if match is None else _alert(found[match])

    async def save(self, steps: Sequence[Written], at: datetime) -> bool:
        """Write steps, notices and facts, or nothing; see ``Alerts``."""
        if not steps:
            return True
        try:
            async with writing(self._engine, StoreFailed) as connection:
                for step in sorted(steps, key=lambda one: one.moved.alert.id):
                    await _move(connection, step.moved.alert)
                await self._put_out(connection, steps, at)
                facts = [fact for step in steps for fact in _facts(step, at)]
                await self._tell(connection, facts)
        except _Overtaken:
            return False
        return True

    async def _put_out(self, connection: AsyncConnection, steps: Sequence[Written], at: datetime) -> None:
        told = [(step.moved.notice, to) for step in steps if step.moved.notice is not None for to in step.to]
        for notice, to in told:
            if notice.what not in rows.NEVER_SUPERSEDE:
                same = and_(_OUT.incident == notice.incident, _OUT.channel == to.channel, _OUT.number < notice.number)
                untried = and_(same, _OUT.state == _WAITING, _OUT.attempts == 0)
                over = {"state": DeliveryState.SUPERSEDED.value, "ended_at": at}
                await connection.execute(update(ALERT_OUTBOX).where(untried).values(over))
        if told:
            await connection.execute(insert(ALERT_OUTBOX), [rows.outbox_row(notice, to) for notice, to in told])

    async def silences(self, *, since: datetime) -> Sequence[Silence]:
        """Return silences, the first to end first; see ``Alerts``."""
        query = select(_SILENCE.body).where(_SILENCE.ends > since).order_by(_SILENCE.ends, _SILENCE.silence_id)
        async with reading(self._engine, StoreFailed) as connection:
            return tuple(map(rows.silence_of, (await connection.execute(query)).scalars()))

    async def silence(self, silence: Silence) -> None:
        """Begin a silence; see ``Alerts``."""
        async with writing(self._engine, StoreFailed) as connection:
            try:
                async with connection.begin_nested():
                    await connection.execute(insert(ALERT_SILENCES).values(rows.silence_row(silence)))
            except IntegrityError:
                return  # the same one stands there
            await self._tell(connection, [alert_facts.silenced(silence)])

    async def end_silence(self, silence_id: str, by: Actor, at: datetime) -> Silence | None:
        """End a silence; see ``Alerts``."""
        begins_so = _SILENCE.silence_id.startswith(silence_id, autoescape=True)
        async with writing(self._engine, StoreFailed) as connection:
            query = select(_SILENCE.body).where(begins_so, _SILENCE.ends > at)
            every = list(map(rows.silence_of, (await connection.execute(query.with_for_update())).scalars()))
            found = {one.id: one for one in every if one.id.startswith(silence_id)}
            match = rows.only_one(silence_id, list(found), "silences") if silence_id else None
            if match is None:
                return None
            ended = replace(found[match], ends=at, ended_by=by)
            mine = _SILENCE.silence_id == match
            await connection.execute(update(ALERT_SILENCES).where(mine).values(rows.silence_row(ended)))
            await self._tell(connection, [alert_facts.unsilenced(ended, by, at)])
            return ended

    async def claim(self, channel: str, now: datetime, *, seconds: float, limit: int) -> Sequence[Delivery]:
        """Return what is due for whoever asks alone; see ``Alerts``."""
        async with writing(self._engine, StoreFailed) as connection:
            ids = list((await connection.execute(_due(channel, now, limit))).scalars())
            if not ids:
                return ()
            until = now + timedelta(seconds=seconds)
            mine = and_(_OUT.delivery_id.in_(ids), _OUT.state == _WAITING)
            claim = {"attempts": _OUT.attempts + 1, "claimed_until": until}
            await connection.execute(update(ALERT_OUTBOX).where(mine).values(claim))
            query = select(ALERT_OUTBOX).where(mine).order_by(_OUT.written_at, _OUT.delivery_id)
            return tuple(rows.delivery_of(dict(row)) for row in (await connection.execute(query)).mappings())

    async def delivered(self, delivery: Delivery, at: datetime) -> bool:
        """Mark that it was taken; see ``Alerts``."""
        done = {"state": DeliveryState.SENT.value, "ended_at": at, "claimed_until": None, "reason": ""}
        fact = alert_facts.sent(delivery.notice, delivery.channel, at, delivery.attempts)
        async with writing(self._engine, StoreFailed) as connection:
            return await self._ended(connection, _this(delivery), done, fact)

    async def failed(self, delivery: Delivery, at: datetime, *, reason: str, again: datetime | None) -> bool:
        """Mark that it was not taken; see ``Alerts``."""
        reason = reason[: rows.REASON_MAX]
        mine = and_(_this(delivery), _OUT.attempts == delivery.attempts)
        async with writing(self._engine, StoreFailed) as connection:
            if again is not None:
                later = {"due": again, "claimed_until": None, "reason": reason}
                return await self._ended(connection, mine, later, None)
            over = {"state": DeliveryState.GIVEN_UP.value, "ended_at": at, "claimed_until": None, "reason": reason}
            fact = alert_facts.given_up(delivery.notice, delivery.channel, at, delivery.attempts, reason)
            return await self._ended(connection, mine, over, fact)

    async def _ended(
        self, connection: AsyncConnection, which: Any, values: Mapping[str, Any], fact: Fact | None
    ) -> bool:
        done = await connection.execute(update(ALERT_OUTBOX).where(which, _OUT.state == _WAITING).values(values))
        if done.rowcount and fact is not None:
            await self._tell(connection, [fact])
        return bool(done.rowcount)

    async def outbox(self, *, states: Iterable[DeliveryState] = (), limit: int = 100) -> Sequence[Delivery]:
        """Return deliveries, the newest first; see ``Alerts``."""
        query = select(ALERT_OUTBOX).order_by(_OUT.written_at.desc(), _OUT.delivery_id.desc()).limit(limit)
        if wanted := [state.value for state in states]:
            query = query.where(_OUT.state.in_(wanted))
        async with reading(self._engine, StoreFailed) as connection:
            return tuple(rows.delivery_of(dict(row)) for row in (await connection.execute(query)).mappings())

    async def outbox_counts(self) -> dict[str, int]:
        """Return how many deliveries there are in each state.

        Raises:
            StoreFailed: they cannot be read.
        """
        query = select(_OUT.state, func.count()).group_by(_OUT.state)
        async with reading(self._engine, StoreFailed) as connection:
            # A result has keys() of its own: dict() alone would take it for a mapping.
            return dict(tuple(row) for row in await connection.execute(query))

    async def stuck(self) -> Sequence[Stuck]:
        """Return what was tried and not taken; see ``Alerts``."""
        tried = and_(_OUT.state == _WAITING, _OUT.reason != "")
        counted = (func.count(), func.min(_OUT.written_at), func.max(_OUT.attempts), func.max(_OUT.reason))
        query = select(_OUT.channel, *counted).where(tried).group_by(_OUT.channel).order_by(_OUT.channel)
        async with reading(self._engine, StoreFailed) as connection:
            return tuple(
                Stuck(channel=name, waiting=waiting, since=since, attempts=attempts, reason=reason)
                for name, waiting, since, attempts, reason in await connection.execute(query)
            )

    async def forget(self, before: datetime, *, limit: int = 1000) -> int:
        """Remove what ended long ago; see ``Alerts``."""
        old = select(_OUT.delivery_id).where(_OUT.state != _WAITING, _OUT.ended_at < before).limit(limit)
        async with writing(self._engine, StoreFailed) as connection:
            return (await connection.execute(delete(ALERT_OUTBOX).where(_OUT.delivery_id.in_(old)))).rowcount

    async def _tell(self, connection: AsyncConnection, facts: Sequence[Fact]) -> None:
        if self._journal is not None and facts:
            await self._journal.append(connection, facts)  # last: it holds the journal until the commit


async def _move(connection: AsyncConnection, alert: Alert) -> None:
    row = rows.alert_row(replace(alert, revision=alert.revision + 1))
    if alert.revision:
        same = and_(_ALERT.alert_id == bindparam("known"), _ALERT.revision == alert.revision)
        done = await connection.execute(update(ALERTS).where(same), row | {"known": alert.id})
        if not done.rowcount:
            raise _Overtaken
        return
    try:
        async with connection.begin_nested():
            await connection.execute(insert(ALERTS).values(row))
    except IntegrityError:
        raise _Overtaken from None


def _facts(step: Written, at: datetime) -> Iterable[Fact]:
    return alert_facts.facts_of_move(step.moved, at, (to.channel for to in step.to))


def _open_ones() -> Select[str]:
    return select(_ALERT.body).where(_ALERT.phase != Phase.RESOLVED.value)


def _due(channel: str, now: datetime, limit: int) -> Select[str]:
    earlier = ALERT_OUTBOX.alias()
    before = and_(
        earlier.c.channel == _OUT.channel,
        earlier.c.incident == _OUT.incident,
        earlier.c.state == _WAITING,
        earlier.c.number < _OUT.number,
    )
    free = _OUT.claimed_until.is_(None) | (_OUT.claimed_until <= now)
    query = select(_OUT.delivery_id).where(_OUT.channel == channel, _OUT.state == _WAITING, _OUT.due <= now, free)
    ordered = query.where(~exists().where(before)).order_by(_OUT.due, _OUT.written_at, _OUT.delivery_id)
    return ordered.limit(limit).with_for_update(skip_locked=True, of=ALERT_OUTBOX)


def _this(delivery: Delivery) -> Any:
    return _OUT.delivery_id == rows.delivery_id(delivery.notice, delivery.channel)


def _alert(body: str) -> Alert:
    return Alert.from_json(body.encode())
