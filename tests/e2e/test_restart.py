"""What waits for its time keeps it over kills and stops of a real service: told then, once, and never before."""

import asyncio
import os
import signal
import sqlite3
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import closing
from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace

from gal_friday.adapters.clock import SystemClock
from gal_friday.bootstrap.demo import Demo, running_demo
from gal_friday.bootstrap.desk import desk_of
from gal_friday.domain.facts import Actor, KnownBy
from gal_friday.domain.muting import silence
from gal_friday.domain.review import Action
from gal_friday.domain.schedule import Step
from gal_friday.flows.review import act, queue
from tests.adapters.alerts.receivers import Receiver, receiving
from tests.e2e.test_serve import ALERTS, RUNS, Service

pytestmark = [
    pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM to handle"),
    pytest.mark.timeout(240),  # each starts a service several times
]
ALICE = Actor("alice", KnownBy.SELF_DECLARED)
SOON = timedelta(seconds=4)
TOLD = "SELECT count(*) FROM alert_outbox WHERE channel = 'here' AND state = 'sent'"
UNTOLD = "SELECT count(*) FROM alerts WHERE phase = 'firing' AND json_extract(body, '$.muted') <> ''"
EVERY_HOUR = '[alerts.maintenance.always]\nhours = "00:00-00:00"\n'


def now() -> datetime:
    return SystemClock().now()


class Lives:
    """A service that lives again and again, killed and stopped by turns, and what its receiver heard."""

    def __init__(self, demo: Demo, receiver: Receiver) -> None:
        self.opened, self.service, self.receiver = demo.service.opened, Service(demo), receiver
        self._without = demo.configuration.read_text()
        self._ends: Iterator[int] = iter([signal.SIGKILL, signal.SIGTERM] * 9)

    async def live(
        self, *, until: str = RUNS, enough: int = 0, severity: str = "low", more: str = ""
    ) -> Sequence[tuple[str, str]]:
        """Live until a run was made and the query counts enough, be killed or stopped, and return all that was told."""
        alerts = ALERTS.format(severity=severity, url=self.receiver.url)
        self.service.configuration.write_text(self._without + alerts + more)
        before = self.service.count(RUNS)
        self.service.start()
        await self.service.until(RUNS, lambda n: n > before)
        await self.service.until("SELECT count(*) FROM schedules WHERE begun IS NULL", lambda n: n == 1)
        await self.service.until(until, lambda n: n >= enough)
        await self.service.stop(next(self._ends))
        return [(one.json["what"], one.json["alert"]["kind"]) for one in self.receiver.got]

    def told_at(self, index: int) -> datetime:
        return datetime.fromisoformat(self.receiver.got[index].json["at"])

    def shift(self, field: str, at: datetime) -> None:
        """Say that the alert was told at another time; nothing runs meanwhile."""
        with closing(sqlite3.connect(self.service.database)) as connection, connection:
            change = "UPDATE alerts SET body = json_set(body, ?, ?)"
            connection.execute(change, (f"$.told.{field}", at.isoformat().replace("+00:00", "Z")))


@pytest.fixture
async def lives(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Lives]:
    monkeypatch.setenv("GAL_FRIDAY_TEST_HOOK", "known to both sides")
    async with running_demo() as demo, receiving() as receiver:
        made = Lives(demo, receiver)
        yield made
        process = made.service.process
        if process is not None and process.poll() is None:
            process.kill()
            await asyncio.to_thread(process.communicate)


async def test_a_silence_a_repeat_and_an_escalation_keep_their_times(lives: Lives) -> None:  # I14, I16
    alerts = lives.opened.alerts
    long = silence(["account=main"], begins=now(), ends=now() + timedelta(hours=1), by=ALICE, why="moves house")
    await alerts.silence(long)
    assert await lives.live(until=UNTOLD, enough=1) == []
    await alerts.end_silence(long.id, ALICE, now())
    short = silence(["account=main"], begins=now(), ends=now() + SOON, by=ALICE, why="nearly done")
    await alerts.silence(short)
    told = [("firing", "discrepancies")]
    assert await lives.live(until=TOLD, enough=1) == told
    assert lives.told_at(0) >= short.ends
    due = now() + SOON
    lives.shift("at", due - timedelta(hours=4))
    told.append(("repeated", "discrepancies"))
    assert await lives.live(until=TOLD, enough=2) == told
    assert lives.told_at(1) >= due
    due = now() + SOON
    lives.shift("first_at", due - timedelta(minutes=30))
    told.append(("escalated", "discrepancies"))
    assert await lives.live(until=TOLD, enough=3) == told
    assert lives.told_at(2) >= due
    # No discrepancy is so grave any more: that it is over is all that comes after everything else was told once.
    told.append(("resolved", "discrepancies"))
    assert await lives.live(until=TOLD, enough=4, severity="critical") == told
    assert len({one.headers["x-gal-friday-key"] for one in lives.receiver.got}) == 4


async def test_a_window_what_is_put_aside_and_what_was_missed_meanwhile_keep_their_times(lives: Lives) -> None:
    desk, schedules = desk_of(lives.opened), lives.opened.schedules
    assert await lives.live(until=UNTOLD, enough=1, more=EVERY_HOUR) == []
    for one in await queue(desk):
        await act(desk, one.followed.id, Action.SNOOZE, ALICE, until=now() + timedelta(hours=1))
    over = "SELECT count(*) FROM alerts WHERE phase = 'resolved'"
    assert await lives.live(until=over, enough=1) == []
    until = now() + SOON
    for left in await desk.store.discrepancies(account="main"):
        await act(desk, left.id, Action.SNOOZE, ALICE, until=until)
    known = await schedules.one("main")
    assert known is not None
    await schedules.save(Step(replace(known, due=now() - timedelta(hours=1))))
    told = [("firing", "discrepancies"), ("firing", "run_missed")]
    assert sorted(await lives.live(until=TOLD, enough=2)) == told
    assert lives.told_at([one.json["alert"]["kind"] for one in lives.receiver.got].index("discrepancies")) >= until
    assert sorted(await lives.live(until=TOLD, enough=2)) == told
