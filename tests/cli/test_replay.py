"""``replay``: from a run against a simulated exchange to a report that is worked out again without it."""

import asyncio
import os
import re
import sqlite3
import subprocess
import sys
import threading
from datetime import datetime
from pathlib import Path

import pytest

from gal_friday.bootstrap.clock import system_clock
from gal_friday.bootstrap.demo import running_demo
from gal_friday.bootstrap.recording import replayed
from gal_friday.bootstrap.service import ReconciliationService
from gal_friday.domain.policy import Mode
from tests.cli.conftest import Run


class Ran:
    """A demo that is over: its configuration, and the reports of its runs. The exchange is gone."""

    def __init__(self, configuration: str, ids: list[str]) -> None:
        self.configuration, self.ids = configuration, ids

    @property
    def database(self) -> Path:
        """The file with everything in it."""
        return Path(self.configuration).with_name("gal-friday.db")


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """Run three times in three modes, and keep the folder after the exchange has gone."""
    folder = tmp_path_factory.mktemp("replayed")
    done: list[str] = []

    async def reconciled() -> None:
        async with running_demo() as demo:
            modes = (Mode.OBSERVE, Mode.ENFORCE, Mode.ENFORCE)
            reports = [await demo.service.run_reconciliation(mode=mode) for mode in modes]
            done.extend(report.reconciliation_id for report in reports)
            await demo.service.stop()
            for file in demo.configuration.parent.iterdir():
                if file.is_file():
                    (folder / file.name).write_bytes(file.read_bytes())
            text = demo.configuration.read_text().replace(str(demo.configuration.parent), str(folder))
            (folder / "gal-friday.toml").write_text(text)

    thread = threading.Thread(target=lambda: asyncio.run(reconciled()))
    thread.start()
    thread.join()
    return Ran(str(folder / "gal-friday.toml"), done)


@pytest.fixture
def copy(ran: Ran, tmp_path: Path) -> Ran:
    """Give a copy that a test may spoil."""
    folder = Path(ran.configuration).parent
    for file in folder.iterdir():
        if file.is_file():
            (tmp_path / file.name).write_bytes(file.read_bytes())
    text = Path(ran.configuration).read_text().replace(str(folder), str(tmp_path))
    (tmp_path / "gal-friday.toml").write_text(text)
    return Ran(str(tmp_path / "gal-friday.toml"), ran.ids)


@pytest.mark.parametrize("number", [0, 1, 2])
def test_every_report_is_worked_out_again_whatever_was_posted_since(run: Run, ran: Ran, number: int) -> None:
    outcome = run("replay", ran.ids[number], "--config", ran.configuration)
    assert (outcome.status, outcome.err) == (0, "")
    assert outcome.out == f"equal: report {ran.ids[number]} was worked out again, byte for byte\n"


def test_the_result_is_one_json_document(run: Run, ran: Ran) -> None:
    found = run("replay", ran.ids[0][:10], "--config", ran.configuration, "--json").json()
    assert (found["reconciliation_id"], found["outcome"], found["kept"]) == (ran.ids[0], "equal", True)
    assert (found["difference"], found["missing"]) == (None, None)
    assert found["recording"]["size"] > found["recording"]["kept_size"] > 0


@pytest.mark.parametrize("seed", ["1", "2"])
def test_another_process_that_shuffles_its_sets_otherwise_replays_equal(ran: Ran, seed: str) -> None:
    command = [sys.executable, "-m", "gal_friday", "replay", ran.ids[2], "--config", ran.configuration]
    done = subprocess.run(
        command, env=os.environ | {"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_an_unknown_report_is_wrong_usage(run: Run, ran: Ran) -> None:
    outcome = run("replay", "rec_none", "--config", ran.configuration)
    assert (outcome.status, outcome.out) == (2, "")
    assert "gal-friday reports" in outcome.err


def test_a_changed_report_is_named_by_path_with_both_values(run: Run, copy: Ran) -> None:
    with sqlite3.connect(copy.database) as database:
        database.execute("DROP TRIGGER reconciliation_events_no_update")
        database.execute(
            "UPDATE reconciliation_events SET report = replace(report, '\"fills_checked\":', '\"fills_checked\":9')"
        )
    outcome = run("replay", copy.ids[0], "--config", copy.configuration)
    assert outcome.status == 1
    assert re.search(r"^  at +\$\.fills_checked$", outcome.out, re.MULTILINE)
    found = run("replay", copy.ids[0], "--config", copy.configuration, "--json").json()["difference"]
    assert found["recorded"] == f"9{found['replayed']}"


def test_a_changed_recording_is_named_with_its_digest(run: Run, copy: Ran) -> None:
    with sqlite3.connect(copy.database) as database:
        database.execute("DROP TRIGGER recording_contents_no_update")
        (answers,) = database.execute(
            "SELECT answers FROM recording_contents WHERE reconciliation_id = ?", (copy.ids[0],)
        ).fetchone()
        changed = bytes([*answers[:5000], answers[5000] ^ 1, *answers[5001:]])
        database.execute(
            "UPDATE recording_contents SET answers = ? WHERE reconciliation_id = ?", (changed, copy.ids[0])
        )
    found = run("replay", copy.ids[0], "--config", copy.configuration, "--json").json()
    assert found["outcome"] == "different"
    assert found["difference"]["path"].startswith("recording")
    assert found["difference"]["recorded"] != found["difference"]["replayed"]


def test_what_is_no_longer_kept_says_so(run: Run, copy: Ran) -> None:
    asyncio.run(_forget(copy, system_clock().now()))
    outcome = run("replay", copy.ids[0], "--config", copy.configuration)
    assert outcome.status == 3
    assert "cannot be worked out again" in outcome.out
    assert "gone before its time" in outcome.err
    with sqlite3.connect(copy.database) as database:
        database.execute("DROP TRIGGER recordings_no_update")
        database.execute("UPDATE recordings SET at = '2020-01-01T00:00:00.000000+00:00'")
    outcome = run("replay", copy.ids[0], "--config", copy.configuration)
    assert outcome.status == 3
    assert "no longer kept: [recordings] keep_days = 30" in outcome.err


def test_a_run_that_was_not_recorded_says_so(run: Run, copy: Ran) -> None:
    with sqlite3.connect(copy.database) as database:
        database.execute("DELETE FROM recording_contents")
        database.execute("DROP TRIGGER recordings_no_delete")
        database.execute("DELETE FROM recordings")
    outcome = run("replay", copy.ids[0], "--config", copy.configuration, "--json")
    assert (outcome.status, outcome.json()["kept"]) == (3, False)
    assert "was not recorded" in outcome.err


def test_no_secret_is_anywhere_in_the_database(ran: Ran) -> None:
    import zlib

    with sqlite3.connect(ran.database) as database:
        rows = database.execute("SELECT story, answers FROM recording_contents").fetchall()
    secrets = [Path(ran.configuration).with_name(name).read_bytes().strip() for name in ("key", "secret")]
    assert len(rows) == 3
    for part in (zlib.decompress(part) for row in rows for part in row):
        assert not any(secret in part for secret in secrets)


async def _forget(ran: Ran, before: datetime) -> None:
    async with ReconciliationService.from_config(ran.configuration) as service:
        assert await service.opened.recordings.forget(before) == len(ran.ids)
        found = await replayed(service.settings, service.opened, ran.ids[0])
        assert found is not None
        assert found.replayed is None


@pytest.mark.parametrize("keep_days,kept", [(0, 0), (30, 1)])
async def test_the_setting_says_what_is_kept(keep_days: int, kept: int) -> None:
    from msgspec.structs import replace

    from gal_friday.bootstrap.settings import Recordings

    async with running_demo() as demo:
        settings = replace(demo.service.settings, recordings=Recordings(keep_days=keep_days))
        async with ReconciliationService(settings) as service:
            report = await service.run_reconciliation()
            found = await service.opened.recordings.about(report.reconciliation_id)
    assert (found is not None) == bool(kept)
