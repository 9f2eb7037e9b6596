"""Telling people: at once, once, through every channel by itself, whatever fails, on time made by hand."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from gal_friday.domain.alert import What
from gal_friday.domain.alerting import Rules
from gal_friday.domain.conditions import JournalSeen
from gal_friday.domain.facts import Actor, KnownBy
from gal_friday.domain.review import Action
from gal_friday.domain.routing import Route
from gal_friday.flows.review import act
from gal_friday.ports.alerts import DeliveryState, Undelivered
from gal_friday.ports.errors import StoreFailed
from gal_friday.service.tell import Pace, Teller, tried
from tests.contracts.test_store_contract import report
from tests.flows.alert_worlds import Heard, World

_ROUNDS = 30
ALICE = Actor("alice", KnownBy.SELF_DECLARED)
BOTH = (Route(channel="ops"), Route(channel="log"))


async def passing(world: World, seconds: float, step: float = 0.25) -> None:
    """Let time pass, a little after the other; in each everybody does what there is to do."""
    for _ in range(round(seconds / step)):
        world.clock.advance(step)
        for _ in range(_ROUNDS):
            await asyncio.sleep(0)


@asynccontextmanager
async def telling(world: World, *channels: Heard, pace: Pace = Pace()) -> AsyncIterator[Teller]:  # noqa: B008
    for channel in channels:
        channel.clock = world.clock
    teller = Teller(world.watch, channels, pace=pace)
    task = asyncio.create_task(teller.run())
    try:
        yield teller
    finally:
        for channel in channels:
            channel.hangs.set()
        await teller.drain(task, 1)


async def test_from_the_end_of_a_run_to_the_message_it_takes_less_than_five_seconds() -> None:
    world, ops = World(), Heard()
    async with telling(world, ops) as teller:
        await passing(world, 60)
        await world.differs()
        ended = world.clock.now()
        teller.wake("main")
        await passing(world, 5)
    assert ops.said == ["firing discrepancies"]
    assert ops.heard[0][0] - ended <= timedelta(seconds=1.5)


async def test_what_nobody_woke_it_for_is_found_at_a_tick_or_a_refresh() -> None:
    world, ops = World(), Heard()
    async with telling(world, ops):
        await passing(world, 1)
        await world.differs()
        await world.plan(due=world.clock.now())
        await passing(world, 330, step=1)
    assert sorted(ops.said) == ["firing discrepancies", "firing run_missed"]


async def test_what_is_put_aside_is_told_again_when_that_ends_and_not_at_the_next_refresh() -> None:
    world, ops = World(rules=Rules(repeat_interval=timedelta(days=9), escalate_after=timedelta(days=9))), Heard()
    await world.differs()
    until = world.clock.now() + timedelta(seconds=100)
    await act(world.watch.desk, "dis_main", Action.SNOOZE, ALICE, until=until)
    async with telling(world, ops, pace=Pace(refresh=9_999, tick=9_999)):
        await passing(world, 99.75)
        assert ops.said == []
        await passing(world, 2)
    assert ops.said == ["firing discrepancies"]
    assert timedelta(0) <= ops.heard[0][0] - until <= timedelta(seconds=1.5)


async def test_a_channel_that_hangs_keeps_no_other_waiting_and_is_told_through_it() -> None:
    world, ops, log = World(routes=BOTH), Heard("ops"), Heard("log")
    ops.hangs.clear()
    async with telling(world, ops, log) as teller:
        await world.differs()
        teller.wake("main")
        await passing(world, 5)
        assert (ops.said, log.said) == ([], ["firing discrepancies"])
        await asyncio.sleep(0)
        teller.stop()


async def test_what_was_not_taken_is_tried_again_ever_more_seldom_under_the_same_key() -> None:
    world, ops = World(), Heard()
    ops.refuses = 5
    async with telling(world, ops) as teller:
        await world.differs()
        teller.wake("main")
        await passing(world, 50)
        assert ops.said == []
        await passing(world, 30)
    assert ops.said == ["firing discrepancies"]
    (sent,) = await world.alerts.outbox(states=[DeliveryState.SENT])
    # Two, four, eight, sixteen and thirty-two seconds.
    assert (sent.attempts, (ops.heard[0][0] - sent.notice.at).total_seconds() >= 62) == (6, True)


async def test_a_receiver_that_asks_to_be_left_alone_is_left_alone() -> None:
    class Busy(Heard):
        async def send(self, notice: object) -> None:
            if not self.heard and self.refuses:
                self.refuses = 0
                raise Undelivered("429", retry_after=40)
            await super().send(notice)  # type: ignore[arg-type]

    world, ops = World(), Busy()
    ops.refuses = 1
    async with telling(world, ops) as teller:
        await world.differs()
        teller.wake("main")
        await passing(world, 39)
        assert ops.said == []
        await passing(world, 5)
    assert ops.said == ["firing discrepancies"]


async def test_what_no_channel_takes_for_a_day_is_given_up_and_stays_visible() -> None:
    world, ops = World(), Heard()
    ops.refuses = 10_000
    async with telling(world, ops, pace=Pace(give_up=100)) as teller:
        await world.differs()
        teller.wake("main")
        await passing(world, 300, step=1)
    dead = await world.alerts.outbox(states=[DeliveryState.GIVEN_UP])
    assert [one.notice.kind.value for one in dead] == ["discrepancies"]
    assert "alert_undelivered" in [fact.kind for fact in world.journal.facts]


async def test_a_channel_that_is_broken_ends_nothing_else() -> None:
    class Broken(Heard):
        async def send(self, notice: object) -> None:
            raise ZeroDivisionError("secret in here")

    world, ops, log = World(routes=BOTH), Broken("ops"), Heard("log")
    async with telling(world, ops, log) as teller:
        await world.differs()
        teller.wake("main")
        await passing(world, 5)
    assert log.said == ["firing discrepancies"]
    (waiting,) = await world.alerts.outbox(states=[DeliveryState.WAITING])
    assert waiting.reason == "ops failed (ZeroDivisionError)"


async def test_what_the_last_run_found_while_it_was_stopped_is_told_before_the_end() -> None:
    world, ops = World(), Heard()
    ops.clock = world.clock
    teller = Teller(world.watch, [ops])
    task = asyncio.create_task(teller.run())
    await passing(world, 20)
    await world.differs()
    teller.wake("main")
    await passing(world, 1.5)
    await teller.drain(task, 1)
    assert (ops.said, ops.closed) == (["firing discrepancies"], True)


async def test_two_processes_tell_everything_once() -> None:
    world, one, other = World("main", "other"), Heard(), Heard()
    async with telling(world, one) as first, telling(world, other) as second:
        for account in ("main", "other"):
            await world.differs(account)
            for teller in (first, second):
                teller.wake(account)
        await passing(world, 20)
    keys = [notice.key for channel in (one, other) for _, notice in channel.heard]
    assert len(keys) == len(set(keys)) == 2


async def test_a_database_that_cannot_be_read_is_itself_told_to_everybody_and_that_it_is_back() -> None:
    world, ops, log = World(routes=BOTH), Heard("ops"), Heard("log")
    real = world.schedules.all

    async def down() -> list[object]:
        raise StoreFailed("the database is gone")

    async with telling(world, ops, log):
        await passing(world, 2)
        world.schedules.all = down  # type: ignore[method-assign, assignment]
        await passing(world, 58)
        assert ops.said == []
        await passing(world, 30)
        assert ops.said == log.said == ["firing evaluation_failing"]
        assert ops.heard[0][1].lines == ("the database is gone",)
        world.schedules.all = real  # type: ignore[method-assign]
        await passing(world, 120)
    assert ops.said == ["firing evaluation_failing", "resolved evaluation_failing"]


async def test_every_outage_of_the_database_is_told_under_a_name_of_its_own_and_until_it_is_taken() -> None:
    world, ops = World(routes=BOTH), Heard("ops")
    real = world.schedules.all

    async def down() -> list[object]:
        raise StoreFailed("the database is gone")

    async with telling(world, ops):
        for _ in range(2):
            world.schedules.all = down  # type: ignore[method-assign, assignment]
            ops.refuses = 3
            await passing(world, 90)
            world.schedules.all = real  # type: ignore[method-assign]
            await passing(world, 120)
    assert ops.said == ["firing evaluation_failing", "resolved evaluation_failing"] * 2
    assert len({notice.key for _, notice in ops.heard}) == 4


async def test_the_journal_is_verified_now_and_then_and_what_is_wrong_with_it_is_told() -> None:
    world, ops = World(), Heard()
    looks: list[JournalSeen | None] = []

    async def verify(last: JournalSeen | None) -> JournalSeen:
        looks.append(last)
        return JournalSeen(at=world.clock.now(), broken="entry 3: gone" if len(looks) > 1 else "")

    ops.clock = world.clock
    teller = Teller(world.watch, [ops], verify=verify)
    task = asyncio.create_task(teller.run())
    await passing(world, 3700, step=5)
    await teller.drain(task, 1)
    assert (len(looks), looks[0]) == (2, None)
    assert looks[1] is not None
    assert ops.said == ["firing journal_unverified"]


async def test_a_day_of_faults_is_told_without_a_flood_and_without_silence() -> None:
    """Runs fail and succeed, a channel comes and goes, for a simulated day: every episode is told from end to end."""
    world, ops = World("main", "other"), Heard()
    async with telling(world, ops) as teller:
        for hour in range(24):
            failing = hour % 6 in (2, 3)
            await world.plan("main", failures=hour % 6 - 1 if failing else 0, last_run=world.clock.now())
            teller.wake("main")
            ops.refuses = 3 if hour % 5 == 0 else 0
            await passing(world, 3600, step=15)
    keys = [notice.key for _, notice in ops.heard]
    assert len(keys) == len(set(keys))
    whats = [notice.what for _, notice in ops.heard if notice.kind == "run_failed"]
    assert (whats.count(What.FIRING), whats.count(What.RESOLVED)) == (4, 4)
    assert len(ops.heard) < 24


async def test_a_test_goes_past_the_outbox_and_says_what_failed() -> None:
    ops, slow = Heard("ops"), Heard("slow")
    slow.hangs.clear()
    notice = (await _one_notice())[0]
    results = await tried([ops, slow], notice, seconds=0.05)
    assert results == {"ops": "", "slow": "did not answer within 0.05 seconds"}


async def test_a_test_of_a_channel_that_breaks_shows_nothing_of_what_it_holds_and_tries_the_others() -> None:
    class Broken(Heard):
        async def send(self, notice: object) -> None:
            raise ZeroDivisionError("secret in here")

    results = await tried([Broken("ops"), Heard("log")], (await _one_notice())[0])
    assert results == {"ops": "failed (ZeroDivisionError)", "log": ""}


async def _one_notice() -> list:  # type: ignore[type-arg]
    world = World()
    await world.store.save_report(report(differs=False))
    await world.differs(minute=1)
    await world.told()
    return [one.notice for one in await world.alerts.outbox()]
