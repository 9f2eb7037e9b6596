"""The server of the tests leaves nothing behind, however the tests end, and is there or the tests fail."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url

from tests.postgres.databases import SERVER

pytestmark = [pytest.mark.postgres, pytest.mark.crash]
ROOT = Path(__file__).parents[2]
TESTS = f"""
import subprocess, sys
server = subprocess.Popen([sys.executable, {str(SERVER)!r}], stdin=subprocess.PIPE, start_new_session=True)
sys.stdin.read()
"""


@pytest.fixture
def run() -> Iterator[subprocess.Popen[str]]:
    """Give a process that has started a server and waits, as a run of tests does."""
    if os.environ.get("TEST_DATABASE_URL") or os.environ.get("TEST_WITHOUT_POSTGRESQL"):
        pytest.skip("no server of our own is wanted here: TEST_DATABASE_URL or TEST_WITHOUT_POSTGRESQL is set")
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", TESTS], stdin=pipe, stdout=pipe, text=True) as process:
        yield process
        process.kill()


def started(run: subprocess.Popen[str]) -> tuple[int, Path, Path]:
    assert run.stdout is not None
    address, folder, data = run.stdout.readline().split()
    port = make_url(address).port
    assert port is not None
    assert Path(folder, "log").is_file()
    assert Path(data, "PG_VERSION").is_file()
    with socket.create_connection(("127.0.0.1", port), timeout=10):
        pass
    return port, Path(folder), Path(data)


def test_tests_that_are_killed_leave_no_server_and_no_file(run: subprocess.Popen[str]) -> None:
    port, folder, data = started(run)
    run.kill()
    assert run.stdout is not None
    assert run.stdout.read() == ""  # both hold it open: read to its end, the server's process has gone too
    assert not folder.exists()
    assert not data.exists()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=10)


def test_only_this_machine_is_answered_and_only_with_the_password(run: subprocess.Popen[str]) -> None:
    port, folder, data = started(run)
    assert {path.stat().st_mode & 0o077 for path in (folder, data)} == {0}
    rules = (data / "pg_hba.conf").read_text().splitlines()
    methods = {rule.split()[-1] for rule in rules if rule and not rule.startswith("#")}
    assert methods == {"password"}
    mine = socket.gethostbyname(socket.gethostname())
    if not mine.startswith("127."):
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((mine, port), timeout=10)


def outcome(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Return what pytest says of one test that needs PostgreSQL, in this environment."""
    test = "tests/contracts/test_store_contract.py::test_an_unknown_report_is_none"
    kept = {name: value for name, value in os.environ.items() if name != "TEST_DATABASE_URL"}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", test]
    return subprocess.run(
        command, cwd=ROOT, env=kept | environment, capture_output=True, text=True, check=False, timeout=60
    )


def test_without_a_server_tests_fail_and_say_what_is_missing() -> None:
    found = outcome({"TEST_POSTGRESQL_BIN": str(ROOT / "nowhere")})
    assert found.returncode == 1
    assert "1 error" in found.stdout
    assert "no PostgreSQL to test with" in found.stdout
    assert "TEST_WITHOUT_POSTGRESQL=1" in found.stdout


def test_tests_are_left_out_only_where_that_is_asked_for_and_say_so() -> None:
    found = outcome({"TEST_WITHOUT_POSTGRESQL": "1"})
    assert found.returncode == 0
    assert "2 passed, 1 skipped" in found.stdout
    assert "TEST_WITHOUT_POSTGRESQL is set: nothing was tested on PostgreSQL" in found.stdout
