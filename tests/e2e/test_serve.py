"""The service as an operator starts it: a process of its own, a database in a file, signals."""

import asyncio
import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from gal_friday.bootstrap.demo import Demo, running_demo
from tests.adapters.alerts.receivers import receiving
from tests.signals import heard

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM to handle")


class Service:
    """``gal-friday serve`` on the demo's account."""

    def __init__(self, demo: Demo) -> None:
        self.configuration = demo.configuration
        self.database = demo.configuration.with_name("gal-friday.db")
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> "Service":
        command = [sys.executable, "-m", "gal_friday", "serve", "--config", str(self.configuration)]
        with heard(signal.SIGINT, signal.SIGTERM):
            self.process = subprocess.Popen(
                command, stderr=subprocess.PIPE, env=os.environ | {"GAL_FRIDAY_API__PORT": "0"}
            )
        return self

    async def stop(self, number: int) -> tuple[int, str]:
        """Send the signal, and return the exit status and what was said."""
        assert self.process is not None
        self.process.send_signal(number)
        _, said = await asyncio.to_thread(self.process.communicate, timeout=30)
        return self.process.returncode, said.decode()

    async def until(self, query: str, enough: Callable[[int], bool]) -> int:
        """Look into the database until what the query counts is enough."""
        async with asyncio.timeout(30):
            while not enough(found := self.count(query)):  # noqa: ASYNC110 - another process writes there
                await asyncio.sleep(0.1)
        return found

    def assign(self) -> None:
        """Say by the command line who is to look at what no run of the demo repairs."""
        ((name,),) = self.rows("SELECT discrepancy_id FROM discrepancies WHERE key = 'balances:DOGE:spot'")
        command = [sys.executable, "-m", "gal_friday", "review", "assign", str(name), "alice"]
        command += ["--as", "alice", "--config", str(self.configuration)]
        subprocess.run(command, check=True, capture_output=True, timeout=30)

    def count(self, query: str) -> int:
        return int(self.rows(query)[0][0])

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        connection = sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)
        try:
            return connection.execute(query).fetchall()
        finally:
            connection.close()


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    async with running_demo() as demo:
        made = Service(demo)
        yield made
        if made.process is not None and made.process.poll() is None:
            made.process.kill()
            made.process.communicate()


RUNS = "SELECT count(*) FROM reconciliation_events"


async def test_it_reconciles_at_once_and_stops_in_order(service: Service) -> None:
    service.start()
    await service.until(RUNS, lambda n: n == 1)
    await service.until("SELECT count(*) FROM schedules WHERE begun IS NULL", lambda n: n == 1)
    status, said = await service.stop(signal.SIGTERM)
    assert (status, said.splitlines()[-1]) == (0, "Stopped."), said
    assert (
        service.count("SELECT count(*) FROM leases WHERE until > strftime('%Y-%m-%dT%H:%M:%f', 'now', '+1 second')")
        == 0
    )


async def test_it_logs_a_line_for_a_run_and_no_secret(service: Service) -> None:
    service.start()
    await service.until(RUNS, lambda n: n == 1)
    await service.until("SELECT count(*) FROM schedules WHERE begun IS NULL", lambda n: n == 1)
    _, said = await service.stop(signal.SIGTERM)
    events = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    (finished,) = [event for event in events if event["event"] == "run_finished"]
    assert (finished["account"], finished["verdict"], finished["discrepancies"]) == ("main", "discrepancies", 26)
    for name in ("key", "secret"):
        assert (service.configuration.with_name(name)).read_text() not in said


async def test_a_run_under_way_may_end_before_it_stops(service: Service) -> None:
    service.start()
    await service.until("SELECT count(*) FROM schedules WHERE begun IS NOT NULL", lambda n: n == 1)
    status, said = await service.stop(signal.SIGINT)
    assert status == 0, said
    assert service.count(RUNS) == 1
    assert service.count("SELECT count(*) FROM schedules WHERE begun IS NOT NULL") == 0


async def test_after_a_kill_the_next_start_goes_on(service: Service) -> None:  # I16
    service.start()
    await service.until("SELECT count(*) FROM schedules WHERE begun IS NOT NULL", lambda n: n == 1)
    await service.stop(signal.SIGKILL)
    # Its lease would end by itself in a minute; nobody waits for that here.
    with sqlite3.connect(service.database) as connection:
        connection.execute("UPDATE leases SET until = '2000-01-01T00:00:00.000000+00:00'")
        begun = "json_set(body, '$.begun', '2000-01-01T00:00:00Z')"
        connection.execute(f"UPDATE schedules SET body = {begun} WHERE begun IS NOT NULL")
    connection.close()
    before = service.count(RUNS)
    service.start()
    await service.until(RUNS, lambda n: n == before + 1)
    reason = "SELECT count(*) FROM journal_entries WHERE kind = 'run_skipped' AND entry LIKE '%ended without a report%'"
    await service.until(reason, lambda n: n == 1)
    assert (await service.stop(signal.SIGTERM))[0] == 0


def test_without_an_account_it_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "empty.toml").write_text("")
    command = [sys.executable, "-m", "gal_friday", "serve", "--config", str(tmp_path / "empty.toml")]
    done = subprocess.run(command, capture_output=True, check=False, timeout=30)
    assert done.returncode == 2
    assert b"gal-friday init" in done.stderr


ALERTS = """
[alerts]
severity = "{severity}"
resolve_after_seconds = 1
[alerts.channels.here]
type = "webhook"
url = "{url}"
secret = "env:GAL_FRIDAY_TEST_HOOK"
"""


async def test_after_a_kill_alerts_and_reviews_go_on_where_they_were(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:  # I14, I16
    monkeypatch.setenv("GAL_FRIDAY_TEST_HOOK", "known to both sides")
    without = service.configuration.read_text()
    async with receiving() as receiver:

        async def lived(severity: str, *, runs: int, told: int) -> None:
            """Live until so many runs were made and so many messages arrived in all, and be killed."""
            service.configuration.write_text(without + ALERTS.format(severity=severity, url=receiver.url))
            service.start()
            await service.until(RUNS, lambda n: n >= runs)
            await service.until("SELECT count(*) FROM schedules WHERE begun IS NULL", lambda n: n == 1)
            sent = "SELECT count(*) FROM alert_outbox WHERE channel = 'here' AND state = 'sent'"
            await service.until(sent, lambda n: n >= told)
            await service.stop(signal.SIGKILL)

        await lived("low", runs=1, told=1)
        await asyncio.to_thread(service.assign)
        reviews = service.rows("SELECT * FROM reviews")
        await lived("low", runs=2, told=1)
        assert (service.rows("SELECT * FROM reviews"), len(reviews)) == (reviews, 1)
        # No discrepancy is so grave any more: it is over, for whoever heard of it before both kills.
        await lived("critical", runs=3, told=2)
    assert [(one.json["what"], one.json["alert"]["kind"]) for one in receiver.got] == [
        ("firing", "discrepancies"),
        ("resolved", "discrepancies"),
    ]
    assert len({one.json["incident"] for one in receiver.got}) == 1
