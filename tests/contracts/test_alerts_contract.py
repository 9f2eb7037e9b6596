"""What every keeper of alerts promises, held against each: memory, SQLite and PostgreSQL (I10, I14)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from gal_friday.adapters.alerts import MemoryAlerts, MemoryWatched, SqlAlerts, SqlWatched
from gal_friday.adapters.sql import open_engine, upgrade
from gal_friday.domain.alert import Alert, AlertKind, Condition, Phase
from gal_friday.domain.alerting import acknowledged
from gal_friday.domain.conditions import JournalSeen
from gal_friday.domain.facts import Actor, KnownBy
from gal_friday.domain.muting import silence
from gal_friday.domain.routing import Addressed
from gal_friday.ports.alerts import Alerts, Delivery, DeliveryState, Watched, Written
from gal_friday.ports.errors import SeveralMatch, StoreFailed
from tests.contracts.test_reviews_contract import Journalled
from tests.domain.alerts import T0, Life, at, condition
from tests.postgres.databases import POSTGRESQL, Databases

ALICE = Actor("alice", KnownBy.SELF_DECLARED)


class Kept:
    """One keeper under test, and its journal; alerts are moved by looking."""

    def __init__(self, alerts: Alerts, watched: Watched, journal: Journalled) -> None:
        self.alerts, self.watched, self.journal = alerts, watched, journal
        self.lives: dict[str, Life] = {}

    async def look(self, seconds: float, *conditions: Condition, to: str = "a b", muted: str = "") -> list[str]:
        """Look once at one alert, and write what comes of it."""
        account = conditions[0].account if conditions else "main"
        life = self.lives.setdefault(account, Life())
        known = len(life.moves)
        if life.alert is not None:
            life.alert = (await self.alerts.standing([life.alert.id]))[life.alert.id]
        told = life.look(seconds, *conditions, muted=muted)
        for moved in life.moves[known:]:
            heard = [Addressed(channel, at(seconds)) for channel in to.split()] if moved.notice is not None else []
            written = Written(moved.heard_by(one.channel for one in heard), tuple(heard))
            assert await self.alerts.save([written], at(seconds))
        return told

    async def fire(self, account: str = "main", **more: str) -> None:
        await self.look(0, condition(account=account))
        assert await self.look(1, condition(account=account), **more) == ["firing"]

    async def claim(self, channel: str = "a", seconds: float = 2) -> list[Delivery]:
        return list(await self.alerts.claim(channel, at(seconds), seconds=30, limit=10))

    @property
    def facts(self) -> list[str]:
        return [fact.kind for fact in self.journal.facts]


@pytest.fixture(params=["memory", "sqlite", POSTGRESQL])
async def kept(request: pytest.FixtureRequest, tmp_path: Path, databases: Databases) -> AsyncIterator[Kept]:
    journal = Journalled()
    if request.param == "memory":
        yield Kept(MemoryAlerts(journal), MemoryWatched(), journal)
        return
    async with AsyncExitStack() as stack:
        if request.param == "sqlite":
            engine = open_engine(f"sqlite+aiosqlite:///{tmp_path / 'alerts.db'}")
            await upgrade(engine)
        else:
            engine = open_engine(await stack.enter_async_context(databases.fresh(tables=True)))
        yield Kept(SqlAlerts(engine, journal), SqlWatched(engine), journal)
        await engine.dispose()


async def only(kept: Kept) -> Alert:
    (alert,) = await kept.alerts.alerts(resolved=True)
    return alert


async def test_where_nothing_was_written_there_is_nothing(kept: Kept) -> None:
    assert await kept.alerts.standing(["alr_x"]) == {}
    assert await kept.alerts.alerts(resolved=True) == ()
    assert await kept.alerts.alert("alr_x") is None
    assert await kept.alerts.alert("") is None
    assert await kept.claim() == []
    assert await kept.alerts.outbox() == ()
    assert await kept.alerts.stuck() == ()
    assert await kept.alerts.silences(since=T0) == ()
    assert await kept.alerts.save([], T0)


async def test_an_alert_is_read_back_equal_one_revision_on(kept: Kept) -> None:
    await kept.fire()
    alert, life = await only(kept), kept.lives["main"]
    assert life.alert is not None
    assert alert == replace(life.alert, channels=("a", "b"), revision=2)
    assert await kept.alerts.alert(alert.id[:8]) == alert
    assert await kept.alerts.standing([]) == {alert.id: alert}


async def test_what_is_over_stands_only_for_who_asks_by_its_id(kept: Kept) -> None:
    await kept.fire()
    await kept.look(10)
    assert await kept.look(70) == ["resolved"]
    alert = await only(kept)
    assert await kept.alerts.alerts() == ()
    assert await kept.alerts.standing([]) == {}
    assert (await kept.alerts.standing([alert.id, "alr_none"]))[alert.id].phase is Phase.RESOLVED


async def test_the_beginning_of_an_id_is_enough_where_only_one_begins_so(kept: Kept) -> None:
    for number in range(4):
        await kept.fire(f"account {number}")
    assert len(await kept.alerts.alerts(limit=3)) == 3
    with pytest.raises(SeveralMatch, match="several alerts begin with alr_"):
        await kept.alerts.alert("alr_")


async def test_a_step_its_notices_and_its_facts_are_written_together_or_not_at_all(kept: Kept) -> None:  # I10
    await kept.look(0, condition())
    kept.journal.full = True
    with pytest.raises(StoreFailed, match="the journal is full"):
        await kept.look(1, condition())
    assert (await only(kept)).phase is Phase.PENDING
    assert await kept.claim() == []
    kept.journal.full = False
    assert await kept.look(1, condition()) == ["firing"]
    assert [one.notice.what.value for one in await kept.claim()] == ["firing"]
    assert kept.facts == ["alert_raised"]


async def test_of_two_who_move_one_alert_at_once_the_second_writes_nothing(kept: Kept) -> None:
    await kept.look(0, condition())
    life = kept.lives["main"]
    life.alert = await only(kept)
    life.look(1, condition())
    written = Written(life.moves[-1], (Addressed("a", at(1)),))
    done = await asyncio.gather(*(kept.alerts.save([written], at(1)) for _ in range(4)))
    assert sorted(done) == [False, False, False, True]
    assert len(await kept.claim()) == 1
    assert kept.facts == ["alert_raised"]


async def test_of_two_who_see_it_first_one_begins_it(kept: Kept) -> None:
    life = Life()
    life.look(0, condition())
    written = Written(life.moves[0])
    assert sorted(await asyncio.gather(*(kept.alerts.save([written], T0) for _ in range(3)))) == [False, False, True]


async def test_each_channel_has_each_notice_once_and_who_claims_has_it_alone(kept: Kept) -> None:
    await kept.fire()
    (claimed,) = await kept.claim("a")
    assert (claimed.attempts, claimed.claimed_until, claimed.state) == (1, at(32), DeliveryState.WAITING)
    assert claimed.notice == kept.lives["main"].notices[0]
    assert await kept.claim("a") == []
    assert len(await kept.claim("b")) == 1
    assert await kept.claim("c") == []


async def test_many_who_claim_at_once_share_what_there_is(kept: Kept) -> None:
    for number in range(8):
        await kept.fire(f"account {number}", to="a")
    claimed = await asyncio.gather(*(kept.alerts.claim("a", at(2), seconds=30, limit=3) for _ in range(5)))
    keys = [one.notice.key for some in claimed for one in some]
    assert len(keys) == len(set(keys))
    rest = [one.notice.key for one in await kept.claim()]
    assert len(set(keys + rest)) == 8


@pytest.mark.parametrize("seconds, again", [(31.9, 0), (32, 1)])
async def test_what_whoever_claimed_it_never_ended_is_claimed_again_under_the_same_key(
    kept: Kept, seconds: float, again: int
) -> None:
    await kept.fire(to="a")
    (first,) = await kept.claim()
    second = await kept.claim(seconds=seconds)
    assert [(one.notice.key, one.attempts) for one in second] == [(first.notice.key, 2)] * again


async def test_what_was_taken_is_done_and_a_fact_once(kept: Kept) -> None:
    await kept.fire(to="a")
    (claimed,) = await kept.claim()
    assert await kept.alerts.delivered(claimed, at(3))
    assert not await kept.alerts.delivered(claimed, at(4))
    assert not await kept.alerts.failed(claimed, at(5), reason="late", again=at(6))
    assert await kept.claim(seconds=999) == []
    (sent,) = await kept.alerts.outbox(states=[DeliveryState.SENT])
    assert (sent.sent_at, sent.attempts) == (at(3), 1)
    assert kept.facts == ["alert_raised", "alert_sent"]
    body = kept.journal.facts[-1].body
    assert (body["channel"], body["key"], body["what"]) == ("a", claimed.notice.key, "firing")


async def test_without_its_fact_nothing_counts_as_sent(kept: Kept) -> None:  # I10
    await kept.fire(to="a")
    (claimed,) = await kept.claim()
    kept.journal.full = True
    with pytest.raises(StoreFailed):
        await kept.alerts.delivered(claimed, at(3))
    assert len(await kept.claim(seconds=40)) == 1


async def test_what_failed_is_due_again_when_it_was_said_and_counts_as_stuck(kept: Kept) -> None:
    await kept.fire(to="a")
    (claimed,) = await kept.claim()
    assert await kept.alerts.failed(claimed, at(3), reason="x" * 900, again=at(10))
    assert await kept.claim(seconds=9.9) == []
    (stuck,) = await kept.alerts.stuck()
    assert (stuck.channel, stuck.waiting, stuck.since, stuck.attempts, stuck.reason) == ("a", 1, at(1), 1, "x" * 500)
    (again,) = await kept.claim(seconds=10)
    assert again.attempts == 2
    assert not await kept.alerts.failed(claimed, at(11), reason="of the first", again=at(12))
    assert await kept.alerts.delivered(again, at(12))
    assert await kept.alerts.stuck() == ()


async def test_what_was_given_up_is_kept_visible_with_its_fact(kept: Kept) -> None:
    await kept.fire(to="a")
    (claimed,) = await kept.claim()
    assert await kept.alerts.failed(claimed, at(3), reason="nobody there", again=None)
    (dead,) = await kept.alerts.outbox(states=[DeliveryState.GIVEN_UP])
    assert (dead.reason, dead.notice) == ("nobody there", claimed.notice)
    assert kept.facts == ["alert_raised", "alert_undelivered"]
    assert await kept.claim(seconds=999) == []


async def test_what_is_over_is_not_told_before_it_began(kept: Kept) -> None:
    await kept.fire(to="a")
    (first,) = await kept.claim()
    await kept.alerts.failed(first, at(3), reason="down", again=at(200))
    await kept.look(10, to="a")
    await kept.look(70, to="a")
    assert await kept.claim(seconds=100) == []
    (first,) = await kept.claim(seconds=200)
    assert first.notice.what.value == "firing"
    assert await kept.claim(seconds=201) == []
    await kept.alerts.delivered(first, at(201))
    assert [one.notice.what.value for one in await kept.claim(seconds=202)] == ["resolved"]


async def test_news_takes_the_place_of_what_was_never_tried(kept: Kept) -> None:
    await kept.fire(to="a b")
    (tried,) = await kept.claim("a")
    await kept.look(5, condition(), condition("dis_2"), to="a b")
    states = {(one.channel, one.notice.what.value): one.state.value for one in await kept.alerts.outbox()}
    assert states == {
        ("a", "firing"): "waiting",
        ("a", "grew"): "waiting",
        ("b", "firing"): "superseded",
        ("b", "grew"): "waiting",
    }
    assert tried.notice.what.value == "firing"


async def test_that_it_is_over_takes_the_place_of_nothing(kept: Kept) -> None:
    await kept.fire(to="a")
    await kept.look(10, to="a")
    await kept.look(70, to="a")
    assert [one.notice.what.value for one in await kept.claim(seconds=80)] == ["firing"]


async def test_what_is_silenced_is_recorded_and_waits_for_nobody(kept: Kept) -> None:
    await kept.look(0, condition(), muted="sil_1")
    await kept.look(1, condition(), muted="sil_1")
    assert (await only(kept)).muted == "sil_1"
    assert kept.facts == ["alert_raised"]
    assert (kept.journal.facts[0].body["muted"], kept.journal.facts[0].body["to"]) == ("sil_1", [])
    assert await kept.alerts.outbox() == ()
    await kept.look(10)
    await kept.look(70)
    assert kept.facts == ["alert_raised", "alert_resolved"]


async def test_that_corrections_stopped_and_go_on_is_a_fact_of_its_own(kept: Kept) -> None:
    stopped = condition(kind=AlertKind.BREAKER_TRIPPED)
    await kept.look(0, stopped)
    await kept.look(1, stopped)
    await kept.look(10)
    await kept.look(70)
    assert kept.facts == ["alert_raised", "breaker_tripped", "alert_resolved", "breaker_reset"]


async def test_who_takes_it_on_stands_in_the_journal(kept: Kept) -> None:
    await kept.fire(to="a")
    moved = acknowledged(await only(kept), ALICE, at(5))
    assert await kept.alerts.save([Written(moved, (Addressed("a", at(5)),))], at(5))
    fact = kept.journal.facts[-1]
    assert (fact.kind, fact.actor) == ("alert_acknowledged", ALICE)
    alert = await only(kept)
    assert (alert.phase, alert.acknowledged_by) == (Phase.ACKNOWLEDGED, ALICE)


async def test_a_silence_is_read_back_equal_and_ends_by_itself_or_by_somebody(kept: Kept) -> None:
    first = silence(["account=main"], begins=T0, ends=at(3600), by=ALICE, why="moving the book ☃")
    second = silence([], begins=T0, ends=at(60), by=ALICE, why="x")
    await kept.alerts.silence(first)
    await kept.alerts.silence(first)
    await kept.alerts.silence(second)
    assert await kept.alerts.silences(since=T0) == (second, first)
    assert await kept.alerts.silences(since=at(60)) == (first,)
    ended = await kept.alerts.end_silence(first.id[:9], ALICE, at(100))
    assert ended == replace(first, ends=at(100), ended_by=ALICE)
    assert await kept.alerts.silences(since=at(100)) == ()
    assert await kept.alerts.silences(since=at(99)) == (ended,)
    assert await kept.alerts.end_silence(first.id, ALICE, at(101)) is None
    assert await kept.alerts.end_silence("", ALICE, at(1)) is None
    assert kept.facts == ["silence_begun", "silence_begun", "silence_ended"]


async def test_what_ended_long_ago_leaves_the_outbox(kept: Kept) -> None:
    await kept.fire(to="a b")
    (claimed,) = await kept.claim()
    await kept.alerts.delivered(claimed, at(3))
    assert await kept.alerts.forget(at(3)) == 0
    assert await kept.alerts.forget(at(4)) == 1
    assert [one.channel for one in await kept.alerts.outbox()] == ["b"]


async def test_what_was_seen_last_of_keys_and_the_journal_is_kept(kept: Kept) -> None:
    assert (await kept.watched.keys(), await kept.watched.journal()) == ({}, None)
    for ends in (T0, None, T0 + timedelta(days=9)):
        await kept.watched.key_seen("main", ends, T0)
        await kept.watched.key_seen("other", None, T0)
    assert await kept.watched.keys() == {"main": T0 + timedelta(days=9)}
    for number in (1, 2):
        seen = JournalSeen(at=at(number), broken="entry 3" * (number - 1), head=number, entries=9, root="ab")
        await kept.watched.journal_seen(seen)
        assert await kept.watched.journal() == seen
