"""What is wrong is told, once, to whom it concerns, and that it is over too (I14, N13)."""

from datetime import timedelta
from functools import partial

import pytest
from msgspec.structs import replace

from gal_friday.domain.alert import Phase
from gal_friday.domain.alerting import NothingToAcknowledge, Rules
from gal_friday.domain.conditions import JournalSeen, Limits
from gal_friday.domain.facts import Actor, KnownBy
from gal_friday.domain.materiality import Severity
from gal_friday.domain.muting import Window, silence
from gal_friday.domain.routing import Quiet, Route
from gal_friday.domain.schedule import Ended, Held, Obstacle, Timing, begin, ended, started
from gal_friday.domain.verdict import ReconciliationStatus
from gal_friday.flows.alert import UnknownAlert, acknowledge, conditions
from gal_friday.ports.alerts import DeliveryState
from tests.contracts.test_store_contract import T0, report, run
from tests.flows.alert_worlds import World

ALICE = Actor("alice", KnownBy.SELF_DECLARED)
HOURLY = Timing(interval=timedelta(hours=1))
FAR = Rules(repeat_interval=timedelta(days=9), escalate_after=timedelta(days=9))


async def failed(world: World, count: int, account: str = "main") -> None:
    made = report(f"rec_f{account}{count}", minute=count, account=account, differs=False)
    failing = replace(made, status=ReconciliationStatus.FAILED, error_messages=("Kraken gave no answer",))
    await world.store.save_report(failing)


async def test_where_nothing_is_wrong_nothing_is_told() -> None:
    world = World()
    await world.store.save_report(report(differs=False))
    assert await conditions(world.watch) == ()
    assert await world.told() == []


async def test_a_failed_run_is_told_with_its_reason_and_that_it_is_over() -> None:
    world = World(rules=FAR)
    await failed(world, 1)
    assert await world.told() == ["firing run_failed main"]
    (delivery,) = await world.alerts.outbox()
    notice = delivery.notice
    assert (notice.severity, notice.title, notice.lines[0]) == (
        Severity.HIGH,
        "the last run failed",
        "Kraken gave no answer",
    )
    assert notice.path == "/reports/rec_fmain1"
    await world.store.save_report(report("rec_9", minute=9, differs=False))
    assert await world.told() == []
    world.after(minutes=1)
    assert await world.told() == ["resolved run_failed main"]


async def test_the_third_failure_in_a_row_is_critical() -> None:
    world = World(rules=replace(FAR, growth=9))
    for count, told in ((1, ["firing run_failed main"]), (2, []), (3, ["grew run_failed main"]), (4, [])):
        await failed(world, count)
        assert await world.told() == told
    latest = (await world.alerts.outbox())[0].notice
    assert (latest.severity, latest.title) == (Severity.CRITICAL, "3 runs failed one after the other")


async def test_the_schedule_counts_failures_beyond_what_is_read_of_reports() -> None:
    world = World()
    await failed(world, 1)
    await world.plan(failures=12, last_run=T0)
    (one,) = await conditions(world.watch)
    assert (one.magnitude, one.severity) == (12, Severity.CRITICAL)


async def test_a_critical_discrepancy_is_told_with_both_sides_and_that_it_agrees() -> None:
    world = World(rules=FAR)
    await world.differs()
    assert await world.told() == ["firing discrepancies main"]
    (delivery,) = await world.alerts.outbox()
    told = delivery.notice
    assert told.title.startswith("BTC in spot: book 1.5, exchange 12345678901234567890.123456789012345678")
    assert (told.path, told.severity) == ("/discrepancies/dis_main", Severity.CRITICAL)
    gone = run(*run().opened, at=30, finding="agrees")
    await world.store.save_report(report("rec_gone", minute=30, differs=False), gone)
    await world.told()
    world.after(minutes=1)
    assert await world.told() == ["resolved discrepancies main"]


@pytest.mark.parametrize("least, told", [("critical", []), ("high", ["firing discrepancies main"])])
async def test_what_is_not_grave_enough_is_told_to_nobody(least: str, told: list[str]) -> None:
    world = World(limits=Limits(severity=Severity(least)))
    carried = run()
    milder = replace(carried.opened[0], latest=replace(carried.opened[0].latest, severity=Severity.HIGH))
    await world.store.save_report(report(), replace(carried, opened=(milder,)))
    assert await world.told() == told


async def test_what_a_person_has_accepted_is_told_no_more() -> None:
    from gal_friday.domain.review import Action, Reason
    from gal_friday.flows.review import act

    world = World(rules=FAR)
    await world.differs()
    await world.told()
    said = {"reason": Reason.KNOWN_DIFFERENCE, "note": "a gift", "until": T0 + timedelta(days=1)}
    await act(world.watch.desk, "dis_main", Action.ACCEPT, ALICE, **said)  # type: ignore[arg-type]
    await world.told()
    world.after(minutes=1)
    assert await world.told() == ["resolved discrepancies main"]
    world.after(days=1)
    assert "firing discrepancies main" in await world.told()


async def test_nobody_looking_in_time_is_told() -> None:
    world = World(rules=FAR, limits=Limits(severity=Severity.CRITICAL))
    await world.differs()
    assert await world.told() == ["firing discrepancies main"]
    world.after(days=3)
    assert "firing review_overdue main" in await world.told()


@pytest.mark.parametrize("minutes, told", [(5, []), (6, ["firing run_missed main"])])
async def test_a_run_that_was_due_and_did_not_happen_is_told(minutes: int, told: list[str]) -> None:
    world = World()
    await world.plan(due=T0)
    world.after(minutes=minutes)
    assert await world.look() == []
    world.clock.advance(0.9)
    assert await world.look() == []
    world.clock.advance(0.1)
    assert [one for one in await world.look() if minutes > 5] == told


async def test_what_was_missed_while_the_service_stood_still_is_told_after_its_start_once_and_as_one() -> None:
    names = [f"a{number}" for number in range(9)]
    world = World(*names, rules=FAR)
    for name in names:
        await world.plan(name, due=T0 - timedelta(hours=2), last_complete=T0)
        await world.step(name, lambda one: started(one, T0, HOURLY))
    assert await world.look() == []
    world.clock.advance(0.3)
    for name in names:
        await world.step(name, lambda one: begin(one, world.clock.now(), owner="here"))
        done = Ended(at=world.clock.now(), report="rec_1", status="success", complete=T0)
        await world.step(name, partial(ended, run=done, timing=HOURLY))
    assert await world.told() == ["firing run_missed "]
    world.after(minutes=4)
    assert await world.told() == []
    world.after(minutes=1)
    assert await world.told() == []
    world.after(minutes=1)
    assert await world.told() == ["resolved run_missed "]
    assert "run_missed" not in [one.kind.value for one in await conditions(world.watch)]


async def test_a_start_in_time_misses_nothing() -> None:
    world = World()
    await world.plan(due=T0 - timedelta(minutes=4))
    await world.step("main", lambda one: started(one, T0, HOURLY))
    await world.step("main", lambda one: begin(one, T0, owner="here"))
    assert await world.told() == []


async def test_a_paused_account_misses_nothing() -> None:
    world = World()
    await world.plan(due=T0, paused_by="alice", last_complete=T0)
    world.after(days=2)
    assert "run_missed" not in str(await world.told())


async def test_a_failed_run_explains_that_the_account_is_stale() -> None:
    world = World(rules=FAR)
    await failed(world, 1)
    await world.plan(failures=1, last_run=T0, last_complete=T0)
    world.after(hours=7)
    assert await world.told() == ["firing run_failed main"]
    stale = next(one for one in await world.alerts.alerts() if one.kind == "stale")
    failing = next(one for one in await world.alerts.alerts() if one.kind == "run_failed")
    assert (stale.phase, stale.muted) == (Phase.FIRING, failing.id)
    await world.plan(failures=0)
    await world.told()
    world.after(minutes=2)
    assert await world.told() == ["firing stale main", "resolved run_failed main"]


async def test_an_outage_of_the_exchange_is_one_alert_and_not_one_for_each_account() -> None:
    names = [f"a{number}" for number in range(9)]
    world = World(*names, rules=FAR)
    down = Held(Obstacle.OUTAGE, T0 + timedelta(minutes=1))
    for name in names:
        await world.plan(name, failures=1, held=down, last_run=T0)
    assert await world.told() == ["firing outage kraken"]
    for name in names[:8]:
        await world.plan(name, failures=0, held=None)
    assert await world.told() == []
    world.after(minutes=1)
    # One account is no outage: it is told by itself when that is over.
    assert await world.told() == ["firing run_failed a8", "resolved outage kraken"]


async def test_a_key_that_ends_soon_is_told_ever_more_gravely() -> None:
    world = World(rules=FAR)
    await world.watched.key_seen("main", T0 + timedelta(days=20), T0)
    await world.watched.key_seen("gone", T0, T0)
    assert await world.told() == []
    for _ in range(21):
        world.after(days=1)
        await world.told()
    told = [one.notice.severity.value for one in await world.alerts.outbox() if one.notice.kind == "key_expiring"]
    assert list(dict.fromkeys(reversed(told))) == ["medium", "high", "critical"]


async def test_a_journal_that_is_not_what_was_written_is_critical() -> None:
    world = World(rules=FAR)
    await world.watched.journal_seen(JournalSeen(at=T0, broken="entry 7: the entry is another"))
    (one,) = await conditions(world.watch)
    assert (one.severity, one.title) == (
        Severity.CRITICAL,
        "the journal is not what was written: entry 7: the entry is another",
    )


@pytest.mark.parametrize("hours, told", [(48, 0), (49, 1)])
async def test_a_journal_that_nobody_verified_for_days_is_told(hours: int, told: int) -> None:
    world = World()
    world.after(hours=hours)
    assert len(await conditions(world.watch)) == told


async def test_a_channel_that_fails_is_told_through_the_others() -> None:
    routes = (Route(channel="ops"), Route(channel="log"))
    world = World(routes=routes, rules=FAR)
    await world.differs()
    await world.told()
    (mine,) = await world.alerts.claim("ops", world.clock.now(), seconds=5, limit=9)
    await world.alerts.failed(mine, world.clock.now(), reason="no answer", again=T0 + timedelta(days=1))
    world.after(minutes=2, seconds=1)
    assert await world.told() == ["firing channel_failing "]
    about = [one.channel for one in await world.alerts.outbox() if one.notice.kind == "channel_failing"]
    assert about == ["log"]


async def test_a_silence_keeps_it_and_what_still_holds_is_told_when_it_ends() -> None:
    world = World(rules=FAR)
    quiet = silence(["account=main"], begins=T0, ends=T0 + timedelta(hours=1), by=ALICE, why="migration")
    await world.alerts.silence(quiet)
    await world.differs()
    assert await world.told() == []
    (alert,) = await world.alerts.alerts()
    assert (alert.phase, alert.muted) == (Phase.FIRING, quiet.id)
    world.clock.advance(3597)
    assert await world.look() == []
    world.clock.advance(2)
    assert await world.look() == ["firing discrepancies main"]


async def test_a_silence_of_another_account_silences_nothing() -> None:
    world = World("main", "other", rules=FAR)
    await world.alerts.silence(
        silence(["account=other"], begins=T0, ends=T0 + timedelta(hours=1), by=ALICE, why="migration")
    )
    await world.differs("main")
    await world.differs("other")
    assert await world.told() == ["firing discrepancies main"]


async def test_in_a_maintenance_window_nobody_is_told_until_it_ends() -> None:
    world = World(rules=FAR)
    begins, ends = (T0 + timedelta(minutes=at) for at in (-10, 10))
    window = Window(name="night", days=frozenset({T0.weekday()}), begins=begins.time(), ends=ends.time())
    world.watch = replace(world.watch, windows=(window,))
    await world.differs()
    assert await world.told() == []
    world.after(minutes=9, seconds=58)
    assert await world.look() == []
    world.after(seconds=1)
    assert await world.look() == ["firing discrepancies main"]


async def test_quiet_hours_hold_back_what_is_not_grave_and_wake_people_for_what_is() -> None:
    night = Quiet((T0 - timedelta(hours=1)).time(), (T0 + timedelta(hours=7)).time())
    world = World("main", "other", routes=(Route(channel="ops", quiet=night),), rules=FAR)
    await world.differs()
    await world.plan("other", due=T0 - timedelta(hours=1))
    assert await world.told() == ["firing discrepancies main", "firing run_missed other"]
    now = await world.alerts.claim("ops", world.clock.now(), seconds=5, limit=9)
    assert [one.notice.kind.value for one in now] == ["discrepancies"]
    world.after(hours=7)
    later = await world.alerts.claim("ops", world.clock.now(), seconds=5, limit=9)
    assert {one.notice.kind.value for one in later} >= {"run_missed"}


async def test_what_nobody_takes_on_goes_to_whoever_is_called_next_and_so_does_that_it_is_over() -> None:
    routes = (Route(channel="ops"), Route(channel="boss", only_escalated=True))
    world = World(routes=routes, rules=replace(FAR, escalate_after=timedelta(minutes=30)))
    await failed(world, 1)
    await world.told()
    world.after(minutes=30)
    assert await world.told() == ["escalated run_failed main"]
    await world.store.save_report(report("rec_9", minute=9, differs=False))
    await world.told()
    world.after(minutes=1)
    await world.told()
    heard = {(one.channel, one.notice.what.value) for one in await world.alerts.outbox()}
    assert {("boss", "escalated"), ("boss", "resolved"), ("ops", "firing"), ("ops", "resolved")} <= heard
    assert ("boss", "firing") not in heard


async def test_who_takes_it_on_is_known_and_stops_the_repeats() -> None:
    world = World()
    await failed(world, 1)
    await world.told()
    (alert,) = await world.alerts.alerts()
    done = await acknowledge(world.watch, alert.id[:8], ALICE)
    assert (done.phase, done.acknowledged_by) == (Phase.ACKNOWLEDGED, ALICE)
    world.after(hours=12)
    assert await world.told() == []
    with pytest.raises(NothingToAcknowledge, match="taken on by alice"):
        await acknowledge(world.watch, alert.id, ALICE)
    with pytest.raises(UnknownAlert, match="alerts list --all"):
        await acknowledge(world.watch, "alr_x", ALICE)


async def test_routes_go_by_severity_and_account() -> None:
    routes = (
        Route(channel="all"),
        Route(channel="grave", severity=Severity.CRITICAL),
        Route(channel="other", accounts=("other",)),
    )
    world = World("main", "other", routes=routes, rules=FAR)
    await failed(world, 1)
    await world.differs("other")
    await world.told()
    heard = sorted((one.channel, one.notice.account) for one in await world.alerts.outbox())
    assert heard == [("all", "main"), ("all", "other"), ("grave", "other"), ("other", "other")]


async def test_every_step_leaves_its_fact_in_the_journal() -> None:  # I10
    world = World(rules=FAR)
    await failed(world, 1)
    await world.told()
    (claimed,) = await world.alerts.claim("ops", world.clock.now(), seconds=5, limit=9)
    await world.alerts.delivered(claimed, world.clock.now())
    kinds = [fact.kind for fact in world.journal.facts if fact.kind.startswith("alert")]
    assert kinds == ["alert_raised", "alert_sent"]
    assert [one.state for one in await world.alerts.outbox()] == [DeliveryState.SENT]
