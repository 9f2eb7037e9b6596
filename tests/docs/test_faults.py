"""The page on failures, row by row: each is brought about, and has to end as the page says.

A row that nobody brings about, or a failure without a row, is an error: the page says that all were tried.
"""

import json
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct

from gal_friday.adapters.book_file import FileBook
from gal_friday.adapters.book_sql import MemoryBook
from gal_friday.adapters.simulated import READ_RIGHTS
from gal_friday.adapters.sql import open_engine
from gal_friday.adapters.store import MemoryStore
from gal_friday.cli import main
from gal_friday.cli.exit_status import exit_status
from gal_friday.cli.render import report_json
from gal_friday.domain.report import ReconciliationReport
from gal_friday.domain.snapshot_json import FORMAT
from gal_friday.domain.verdict import Verdict
from gal_friday.ports.errors import StoreFailed
from tests.docs.conftest import Kraken
from tests.docs.pages import ROOT
from tests.docs.worlds import ACCOUNT, World, world

PAGE = ROOT / "docs" / "faults.md"


class Row(Struct, frozen=True):
    """One row of the page's tables."""

    what: str
    outcome: str
    said: str


def rows() -> list[Row]:
    """Return the rows of all tables of the page."""
    found = re.findall(r"^\| (.+?) \| (.*?) ?\|(?: (.*?))? ?\|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    return [Row(what, outcome.strip("`"), said.strip("`")) for what, outcome, said in found if what != "What happens"]


ROWS = {row.what: row for row in rows()}

Prepare = Callable[[World, Path], None]


def fault(name: str, **options: Any) -> Prepare:
    """Return what switches a fault of the simulated exchange on; without *times* it stays on."""
    options = {"times": None} | options

    def prepare(account: World, _: Path) -> None:
        account.server.faults.switch_on(name, **options)

    return prepare


def key(**options: Any) -> Prepare:
    """Return what gives the account another key."""
    return lambda account, _: account.use(**options)


def expired(account: World, _: Path) -> None:
    account.use(valid_until=account.clock.now() - timedelta(days=1))


def windowed(account: World, _: Path) -> None:
    account.use(query_from=account.clock.now() - timedelta(minutes=30))


def wrong_secret(account: World, _: Path) -> None:
    account.key["secret"] = "c29tZXRoaW5nIGVsc2U="


def unreachable(account: World, _: Path) -> None:
    account.url = "http://127.0.0.1:9"


def file_book(text: Callable[[World], str | None]) -> Prepare:
    """Return what takes the book from a file with this text; there is no file for None."""

    def prepare(account: World, folder: Path) -> None:
        path = folder / "book.json"
        if (content := text(account)) is not None:
            path.write_text(content)
        account.book = FileBook(path, clock=account.clock)

    return prepare


def stated(account: World, /, **different: Any) -> str:
    """Return a snapshot file as the trading system would have written it just now."""
    snapshot: dict[str, Any] = {
        "format": FORMAT,
        "side": "internal",
        "account": ACCOUNT,
        "exchange": "kraken",
        "as_of": account.clock.now().isoformat(),
        "coverage": {"balances": "total"},
        "balances": [],
    }
    return json.dumps(snapshot | different)


def never_fed(account: World, _: Path) -> None:
    account.book = MemoryBook(clock=account.clock)


class NoStore(MemoryStore):
    """A store that takes no report."""

    async def save_report(self, *_: Any, **__: Any) -> None:
        raise StoreFailed("the disk is full")


def no_store(account: World, _: Path) -> None:
    account.store = NoStore()


def two_hours_old(account: World) -> str:
    return stated(account, as_of=(account.clock.now() - timedelta(hours=2)).isoformat())


RUNS: dict[str, Prepare] = {
    "a connection is cut, once": fault("cut_connection", times=1),
    "Kraken answers `EService:Unavailable`, once": fault("unavailable", times=1),
    "no connection at all": unreachable,
    "every connection times out": fault("timeout"),
    "a web page in place of data, every time": fault("bad_gateway_html"),
    "the address is blocked (HTTP 403)": fault("blocked_html"),
    "Kraken is in maintenance": fault("maintenance"),
    "Kraken only lets orders be canceled": fault("cancel_only"),
    "the rate limit is hit, once": fault("rate_limit", times=1),
    "the rate limit is hit every time": fault("rate_limit"),
    "Kraken throttles until a time it names": fault("throttle"),
    "the answers of one endpoint stop in the middle": fault("cut_json", endpoint="TradesHistory"),
    "an amount is no number, every time": fault("nan_amount"),
    "the trade balance cannot be read": fault("cut_json", endpoint="TradeBalance"),
    "a page of the ledger is left out, every time": fault("page_skipped", endpoint="Ledgers"),
    "a page of the ledger comes twice, every time": fault("page_repeated", endpoint="Ledgers"),
    "the list of pairs is the answer to another question": fault("page_repeated", endpoint="AssetPairs"),
    "rows come twice while the list moves": fault("duplicate_ids"),
    "the balances are older than the ledger": fault("stale_balance"),
    "something that is no row stands in the ledger": fault("unknown_field", endpoint="Ledgers"),
    "Kraken adds a warning to its answer": fault("warning_with_result"),
    "the secret is wrong": wrong_secret,
    "the key is unknown or expired": expired,
    "the key may trade": key(rights=(*READ_RIGHTS, "modify-trades")),
    "the key may not read the ledger": key(rights=tuple(right for right in READ_RIGHTS if right != "query-ledger")),
    "a right is taken away during the run": fault("permission_lost", endpoint="TradesHistory"),
    "the key has a query window": windowed,
    "another program uses the key, once": fault("nonce_error", times=1),
    "another program uses the key all the time": fault("nonce_error"),
    "Kraken locks the key out": fault("lockout"),
    "the snapshot file is missing": file_book(lambda _: None),
    "the snapshot file stops in the middle": file_book(lambda account: stated(account)[:-5]),
    "the snapshot file is of another account": file_book(lambda account: stated(account, account="other")),
    "the snapshot file is two hours old": file_book(two_hours_old),
    "the embedded book was never fed": never_fed,
    "the book has a name that nobody knows": file_book(
        lambda account: stated(account, balances=[{"asset": "?WHATEVER", "total": "1"}])
    ),
    "the report cannot be recorded": no_store,
}

OUTCOMES = {
    "unharmed": lambda report: report.verdict is Verdict.RECONCILED,
    "incomplete": lambda report: report.verdict is Verdict.INCOMPLETE and exit_status(report) == 3,
    "failed": lambda report: exit_status(report) == 4,
    "compared": lambda report: exit_status(report) in (0, 1, 3),
}


async def reported(what: str, folder: Path) -> ReconciliationReport:
    """Bring the failure about and return the report of a run during it."""
    async with world(folder) as account:
        RUNS[what](account, folder)
        return await account.run()


@pytest.mark.parametrize("what", RUNS)
async def test_a_run_ends_as_the_page_says(what: str, tmp_path: Path) -> None:
    row = ROWS[what]
    report = await reported(what, tmp_path)
    assert OUTCOMES[row.outcome](report), (report.status, report.verdict, report.error_messages)
    assert row.said in report_json(report).decode()
    if row.outcome in ("unharmed", "failed") and what != "the report cannot be recorded":
        assert report.total_discrepancies == 0


async def test_without_any_failure_the_account_of_these_tests_is_reconciled(tmp_path: Path) -> None:
    async with world(tmp_path) as account:
        report = await account.run()
    assert report.verdict is Verdict.RECONCILED
    assert report.movements_checked > 50


async def test_the_one_lie_that_the_page_admits_cannot_be_seen(tmp_path: Path) -> None:
    async with world(tmp_path) as account:
        account.server.faults.switch_on("other_account", times=None)
        report = await account.run()
    assert report.verdict is Verdict.DISCREPANCIES


def locked(folder: Path, run: Callable[[], int]) -> int:
    main(["db", "upgrade"])
    with closing(sqlite3.connect(folder / "gal-friday.db")) as other:
        other.execute("BEGIN IMMEDIATE")
        return run()


def something_else(folder: Path, run: Callable[[], int]) -> int:
    (folder / "gal-friday.db").write_bytes(b"not a database at all, but long enough to be one" * 99)
    return run()


def nowhere(folder: Path, run: Callable[[], int]) -> int:
    text = (folder / "gal-friday.toml").read_text()
    (folder / "gal-friday.toml").write_text(text.replace("gal-friday.db", "no-such-folder/gal-friday.db"))
    return run()


def newer(folder: Path, run: Callable[[], int]) -> int:
    main(["db", "upgrade"])
    with closing(sqlite3.connect(folder / "gal-friday.db")) as other:
        other.execute("UPDATE alembic_version SET version_num = '9999'")
        other.commit()
    return run()


Broken = Callable[[Path, Callable[[], int]], int]

COMMANDS: dict[str, tuple[list[str], Broken]] = {
    "another program holds the lock of the database": (["book", "import", "ledgers.csv"], locked),
    "the database file is something else": (["reports"], something_else),
    "the folder of the database does not exist": (["reports"], nowhere),
    "the database was made by a newer version": (["reports"], newer),
}


def setting(text: str) -> Broken:
    """Return what adds this text to the configuration, at its beginning."""

    def broken(folder: Path, run: Callable[[], int]) -> int:
        path = folder / "gal-friday.toml"
        path.write_text(f"{text}\n{path.read_text()}")
        return run()

    return broken


def as_it_is(_: Path, run: Callable[[], int]) -> int:
    return run()


COMMANDS |= {
    "a setting that does not exist": (["reports"], setting("hope = 1")),
    "a secret in the configuration": (
        ["reports"],
        setting('accounts.other = { api_key = "c2VjcmV0", api_secret = "env:X" }'),
    ),
    "a secret that is not where the reference says": (
        ["run", "other"],
        setting('accounts.other = { api_key = "env:NOWHERE", api_secret = "env:NOWHERE" }'),
    ),
    "an account that does not exist": (["run", "other"], as_it_is),
    "an option that does not exist": (["run", "--hope"], as_it_is),
}

CONFIGURATION = """
[database]
url = "sqlite+aiosqlite:///gal-friday.db"

[accounts.main]
api_key = "env:KRAKEN_API_KEY"
api_secret = "env:KRAKEN_API_SECRET"
"""


@pytest.mark.parametrize("what", COMMANDS)
def test_a_command_ends_as_the_page_says(
    what: str, place: Path, with_kraken: Kraken, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # How long is waited for a lock has tests of its own.
    assert open_engine.__kwdefaults__ is not None
    monkeypatch.setitem(open_engine.__kwdefaults__, "busy_seconds", 0.05)
    (place / "gal-friday.toml").write_text(CONFIGURATION)
    row = ROWS[what]
    arguments, broken = COMMANDS[what]
    status = broken(place, lambda: main(arguments))
    assert status == {"failed": 4, "2": 2}[row.outcome]
    assert row.said in capsys.readouterr().err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no such device")
def test_a_full_disk_behind_stdout_ends_as_the_page_says(place: Path) -> None:
    row = ROWS["stdout is a full disk"]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "gal_friday", "config", "schema"],
            stdout=full,
            stderr=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
            text=True,
            check=False,
            timeout=30,
        )
    assert (done.returncode, row.outcome) == (4, "failed")
    assert row.said in done.stderr


def test_every_row_is_brought_about_and_every_failure_has_its_row() -> None:
    assert set(ROWS) == {*RUNS, *COMMANDS, "stdout is a full disk"}
