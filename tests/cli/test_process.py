"""The command line as a process of its own: exit status, two streams, signals, and how soon it answers."""

import os
import re
import shlex
import signal
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

import gal_friday
from tests.cli.samples import TOTAL, both_written, missed_fill, side, written
from tests.signals import heard

SOURCE = str(Path(gal_friday.__file__).parent.parent)


def ran(*arguments: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "gal_friday", *arguments],
        env=os.environ | {"PYTHONPATH": SOURCE} | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=30,
    )


def imported_by(*arguments: str) -> set[str]:
    """Return the names of all modules that this command imports."""
    code = "import sys; from gal_friday.cli import main; main(sys.argv[1:]); print(*sys.modules, file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env=os.environ | {"PYTHONPATH": SOURCE},
        capture_output=True,
        check=True,
        timeout=30,
    )
    return set(done.stderr.decode().split())


def test_each_outcome_has_its_status_and_its_stream(tmp_path: Path) -> None:
    agrees = both_written(tmp_path, side("internal"), side("exchange"))
    partly = written(tmp_path, "partly.json", side("exchange", coverage=TOTAL | {"orders": "none"}))
    (tmp_path / "missed").mkdir()
    missed = both_written(tmp_path / "missed", *missed_fill())
    results = [
        ran("compare", *agrees),
        ran("compare", *missed),
        ran("compare", agrees[0], "gone.json"),
        ran("compare", agrees[0], partly),
        ran("compare"),
        ran("nonsense"),
    ]
    assert [done.returncode for done in results] == [0, 1, 2, 3, 2, 2]
    assert [bool(done.stdout) for done in results] == [True, True, False, True, False, False]
    assert [bool(done.stderr) for done in results] == [False, False, True, False, True, True]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM to handle")
def test_a_served_demo_that_is_ended_leaves_nothing_behind(tmp_path: Path) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    served = subprocess.Popen(
        [sys.executable, "-m", "gal_friday", "demo", "--serve"],
        env=os.environ | {"PYTHONPATH": SOURCE, "TMPDIR": str(temporary)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    assert served.stderr is not None
    try:
        assert any(re.fullmatch(rb"    visitor  \w{16,}\n", line) for line in served.stderr)
        # The last line that it says before it waits.
        hint = next(line for line in served.stderr if b" book show --config " in line)
        configuration = Path(hint.decode().split(" --config ")[1].strip())
        assert configuration.is_file()
        served.terminate()
        assert served.wait(20) == 0
    finally:
        served.kill()
        served.communicate()
    assert list(temporary.iterdir()) == []


def test_an_unknown_command_leads_to_the_list_of_commands() -> None:
    assert ran("nonsense").stderr.startswith(b'gal-friday: Unknown command "nonsense"; `gal-friday --help`')


def test_nothing_coloured_reaches_a_pipe(tmp_path: Path) -> None:
    assert b"\x1b" not in ran("compare", *both_written(tmp_path, *missed_fill())).stdout


def test_a_terminal_that_knows_no_unicode_still_gets_its_report(tmp_path: Path) -> None:
    done = ran("compare", *both_written(tmp_path, *missed_fill()), PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (1, b"")


@pytest.mark.skipif(os.name == "nt", reason="no such pipes")
def test_a_reader_that_goes_away_is_no_reason_to_complain(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    files = both_written(tmp_path, *missed_fill())
    done = subprocess.run(
        [sys.executable, "-m", "gal_friday", "compare", *files],
        env=os.environ | {"PYTHONPATH": SOURCE},
        stdout=writer,
        stderr=subprocess.PIPE,
        check=False,
        timeout=30,
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no such device")
def test_a_full_disk_is_told_and_is_a_failure(tmp_path: Path) -> None:
    files = both_written(tmp_path, *missed_fill())
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "gal_friday", "compare", *files],
            env=os.environ | {"PYTHONPATH": SOURCE},
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
            timeout=30,
        )
    assert done.returncode == 4
    assert b"No space left on device" in done.stderr
    assert b"Traceback" not in done.stderr


def test_the_version_is_told_before_any_library_is_loaded() -> None:
    assert imported_by("--version") & {"cyclopts", "rich", "msgspec", "sqlalchemy", "httpx2", "asyncio"} == set()


def test_help_loads_no_command() -> None:
    assert imported_by("--help") & {"sqlalchemy", "httpx2", "alembic", "gal_friday.domain.report"} == set()


def test_a_comparison_of_files_needs_no_database_and_no_network(tmp_path: Path) -> None:
    files = both_written(tmp_path, side("internal"), side("exchange"))
    assert imported_by("compare", *files) & {"sqlalchemy", "httpx2", "alembic", "asyncio"} == set()


@pytest.mark.skipif(os.name == "nt", reason="no such signal")
@pytest.mark.parametrize("name, status", [("SIGINT", 130), ("SIGTERM", 143), ("SIGHUP", 129)])
def test_an_interrupted_run_ends_at_once_and_quietly_and_leaves_the_account_free(
    tmp_path: Path, name: str, status: int
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        configuration = tmp_path / "silent.toml"
        configuration.write_text(
            f'state_folder = "{tmp_path}"\n[accounts.main]\napi_key = "env:K"\napi_secret = "env:S"\n'
            f'url = "http://127.0.0.1:{silent.getsockname()[1]}"\ntier = "none"\n'
            f'[database]\nurl = "sqlite+aiosqlite:///{tmp_path / "kept.db"}"\n'
        )
        with heard(signal.SIGINT, signal.SIGHUP):
            running = subprocess.Popen(
                [sys.executable, "-m", "gal_friday", "run", "--config", str(configuration)],
                env=os.environ | {"PYTHONPATH": SOURCE, "K": "key", "S": "c2VjcmV0"},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
        connection, _ = silent.accept()  # It asks, and nobody answers.
        running.send_signal(getattr(signal, name))
        out, err = running.communicate(timeout=20)
        connection.close()
    assert (running.returncode, out, err) == (status, b"", b"")
    with closing(sqlite3.connect(tmp_path / "kept.db")) as database:
        ((until,),) = database.execute("SELECT until FROM leases").fetchall()
    assert datetime.fromisoformat(until) <= datetime.now(UTC)  # noqa: TID251 - the clock of another process


@pytest.mark.skipif(os.name == "nt", reason="no such signal")
def test_where_an_interrupt_is_ignored_a_request_to_end_still_ends_in_order(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        configuration = tmp_path / "silent.toml"
        configuration.write_text(
            f'state_folder = "{tmp_path}"\n[accounts.main]\napi_key = "env:K"\napi_secret = "env:S"\n'
            f'url = "http://127.0.0.1:{silent.getsockname()[1]}"\ntier = "none"\n'
            f'[database]\nurl = "sqlite+aiosqlite:///{tmp_path / "kept.db"}"\n'
        )
        # As a script starts what is to run in the background.
        words = [sys.executable, "-m", "gal_friday", "run", "--config", str(configuration)]
        running = subprocess.Popen(
            ["/bin/sh", "-c", f"trap '' INT; exec {shlex.join(words)}"],
            env=os.environ | {"PYTHONPATH": SOURCE, "K": "key", "S": "c2VjcmV0"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        connection, _ = silent.accept()
        running.send_signal(signal.SIGINT)
        running.send_signal(signal.SIGTERM)
        out, err = running.communicate(timeout=20)
        connection.close()
    assert (running.returncode, out, err) == (143, b"", b"")


@pytest.mark.skipif(os.name == "nt", reason="no such redirection")
@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_stream_that_is_closed_changes_no_outcome(tmp_path: Path, closed: str) -> None:
    agrees = both_written(tmp_path, side("internal"), side("exchange"))
    for files, status in ((agrees, 0), ((agrees[0], "gone.json"), 2)):
        words = [sys.executable, "-m", "gal_friday", "compare", *files]
        done = subprocess.run(
            ["/bin/sh", "-c", f"{shlex.join(words)} {closed}"],
            env=os.environ | {"PYTHONPATH": SOURCE},
            capture_output=True,
            check=False,
            timeout=30,
        )
        assert (done.returncode, b"Traceback" in done.stderr) == (status, False), done
