"""``gal-friday book``: all files or none, nothing twice, and never a book that contradicts itself."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run
from tests.cli.samples import side, written

FILL = "TAAAAA-BBBBB-CCCCCC"
AT = "2026-01-30T10:00:00Z"
LEDGER_HEAD = '"txid","refid","time","type","subtype","aclass","asset","wallet","amount","fee","balance"'
LEDGER_ROW = '"{id}","TAAAAA-BBBBB-CCCCCC","2026-01-30 10:00:00","trade","tradespot","currency"'
LEDGERS = f"""{LEDGER_HEAD}
{LEDGER_ROW.format(id="LAAAAA-BBBBB-CCCCCC")},"XXRP","spot / main",40,0,180
{LEDGER_ROW.format(id="LAAAAA-BBBBB-DDDDDD")},"ZUSD","spot / main",-24.4000,0.0600,9975.5400
"""
TRADES = """"txid","ordertxid","pair","time","type","ordertype","price","cost","fee","vol","margin","misc","ledgers"
"TAAAAA-BBBBB-CCCCCC","OAAAAA-BBBBB-CCCCCC","XXRPZUSD","2026-01-30 10:00:00","buy","limit",\
0.61000,24.4000,0.0600,40.0,0,"","LAAAAA-BBBBB-CCCCCC,LAAAAA-BBBBB-DDDDDD"
"""


@pytest.fixture(autouse=True)
def _configured(run: Run) -> None:
    run("init")


def fill(**changes: Any) -> dict[str, Any]:
    told = {"fill_id": FILL, "instrument": "XRP/USD", "side": "buy", "quantity": "40", "price": "0.61", "at": AT}
    return told | {"fee": "0.06", "fee_asset": "USD"} | changes


def records(**changes: Any) -> dict[str, Any]:
    """Return a snapshot file that a bot would send: records, and nothing said of balances."""
    return side("internal", balances=[], coverage={"fills": "total"}) | changes


def balances(run: Run) -> dict[str, str]:
    return {row["asset"]: row["total"] for row in run("book", "show", "--json").json()["balances"]}


def exports(folder: Path) -> tuple[str, str]:
    (folder / "ledgers.csv").write_text(LEDGERS)
    (folder / "trades.csv").write_text(TRADES)
    return str(folder / "ledgers.csv"), str(folder / "trades.csv")


def test_a_book_begins_with_what_a_snapshot_states(run: Run, tmp_path: Path) -> None:
    outcome = run("book", "import", written(tmp_path, "book.json", side("internal")))
    assert (outcome.status, outcome.out) == (0, "main: 1 new; the book is at version 1\n")
    assert balances(run) == {"BTC": "1.50000000"}


def test_the_exports_of_kraken_are_one_import(run: Run, tmp_path: Path) -> None:
    outcome = run("book", "import", *exports(tmp_path), "--json")
    assert outcome.status == 0
    assert (outcome.json()["files"], outcome.json()["new"], outcome.json()["version"]) == (2, 3, 1)
    assert {asset: float(total) for asset, total in balances(run).items()} == {"XRP": 40, "USD": -24.46}


def test_the_same_files_again_change_nothing(run: Run, tmp_path: Path) -> None:
    files = exports(tmp_path)
    run("book", "import", *files)
    outcome = run("book", "import", *files)
    assert outcome.out == "main: 0 new, 3 already known; the book is at version 1\n"


def test_a_fill_that_the_bot_has_booked_is_known_when_the_exchange_tells_it_again(run: Run, tmp_path: Path) -> None:
    run("book", "import", written(tmp_path, "bot.json", records(fills=[fill()])))
    before = balances(run)
    outcome = run("book", "import", *exports(tmp_path), "--json")
    assert (outcome.json()["new"], outcome.json()["already_known"]) == (0, 3)
    assert balances(run) == before


def test_a_fill_that_is_told_otherwise_is_left_out_and_named(run: Run, tmp_path: Path) -> None:
    run("book", "import", written(tmp_path, "bot.json", records(fills=[fill(quantity="41")])))
    outcome = run("book", "import", exports(tmp_path)[1])
    assert outcome.out == "main: 0 new, 1 already known; the book is at version 1\n"
    assert f"left out, because the book tells it otherwise: {FILL}" in outcome.err


def test_movements_of_the_exchange_take_the_place_of_derived_ones_whole(run: Run, tmp_path: Path) -> None:
    run("book", "import", written(tmp_path, "bot.json", records(fills=[fill(fee="0.05")])))
    run("book", "import", exports(tmp_path)[0])
    assert {asset: float(total) for asset, total in balances(run).items()} == {"XRP": 40, "USD": -24.46}


def test_nothing_is_written_where_one_file_cannot_be_read(run: Run, tmp_path: Path) -> None:
    (tmp_path / "half.csv").write_text(LEDGERS[:-30])
    outcome = run("book", "import", exports(tmp_path)[1], str(tmp_path / "half.csv"))
    assert (outcome.status, outcome.out) == (2, "")
    assert "half.csv" in outcome.err
    assert run("book", "show").status == 4


BAD = {
    "missing": (None, "No such file"),
    "empty": (b"", "is empty"),
    "html": (b"<html>", "a web page"),
    "text": (b"hello\nworld\n", "bad.csv"),
    "half": (b'{"format": ', "not JSON"),
    "exchange": (json.dumps(side("exchange")).encode(), "is the exchange's side"),
    "account": (json.dumps(side("internal", account="other")).encode(), "no account 'other'"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_file_that_is_nothing_to_import_is_refused(run: Run, tmp_path: Path, name: str) -> None:
    content, reason = BAD[name]
    path = tmp_path / "bad.csv"
    if content is not None:
        path.write_bytes(content)
    outcome = run("book", "import", str(path))
    assert (outcome.status, outcome.out) == (2, "")
    assert reason in outcome.err
    assert "Traceback" not in outcome.err


def test_a_snapshot_of_another_account_is_refused_whatever_is_asked_for(run: Run, tmp_path: Path) -> None:
    path = written(tmp_path, "other.json", side("internal", account="other"))
    outcome = run("book", "import", path, "--account", "main")
    assert (outcome.status, outcome.out) == (2, "")
    assert "is of account 'other' at 'kraken', not of 'main' at 'kraken'" in outcome.err


def test_two_files_that_contradict_each_other_are_refused(run: Run, tmp_path: Path) -> None:
    one, other = (written(tmp_path, f"{at}.json", records(fills=[fill(price=at)])) for at in ("0.61", "0.62"))
    outcome = run("book", "import", one, other)
    assert (outcome.status, outcome.out) == (2, "")
    assert f"two files tell {FILL} in two ways" in outcome.err


def test_a_book_begins_with_one_file_of_balances_and_no_other(run: Run, tmp_path: Path) -> None:
    outcome = run("book", "import", written(tmp_path, "book.json", side("internal")), *exports(tmp_path))
    assert (outcome.status, outcome.out) == (2, "")
    assert "import that file first" in outcome.err


def test_balances_of_a_book_that_has_begun_are_not_booked_and_that_is_said(run: Run, tmp_path: Path) -> None:
    path = written(tmp_path, "book.json", side("internal"))
    run("book", "import", path)
    outcome = run("book", "import", path)
    assert "balances and positions were not booked" in outcome.err
    assert balances(run) == {"BTC": "1.50000000"}


def test_no_file_and_no_account_are_wrong_usage(run: Run, tmp_path: Path) -> None:
    assert run("book", "import").status == 2
    path = written(tmp_path, "book.json", side("internal"))
    assert run("book", "import", path, "--account", "gone").status == 2
    assert run("book", "show", "--account", "gone").status == 2


def test_a_book_that_the_trading_system_writes_is_not_imported_into(run: Run, tmp_path: Path) -> None:
    path = written(tmp_path, "book.json", side("internal"))
    Path("gal-friday.toml").write_text(
        '[accounts.main]\napi_key = "env:A"\napi_secret = "env:B"\n'
        f'[accounts.main.book]\ntype = "file"\npath = "{path}"\n'
    )
    outcome = run("book", "import", path)
    assert (outcome.status, outcome.out) == (2, "")
    assert "written by the trading system" in outcome.err
    assert balances(run) == {"BTC": "1.50000000"}


def test_an_exported_book_can_be_compared_and_taken_back(run: Run, tmp_path: Path) -> None:
    run("book", "import", written(tmp_path, "book.json", side("internal")))
    run("book", "export", "out.json")
    assert json.loads(Path("out.json").read_text())["side"] == "internal"
    assert run("book", "import", "out.json", "--json").json()["new"] == 0


def test_export_writes_to_standard_output_and_never_over_a_file_unasked(run: Run, tmp_path: Path) -> None:
    run("book", "import", written(tmp_path, "book.json", side("internal")))
    assert run("book", "export").json()["format"] == "gal-friday/snapshot/1"
    Path("out.json").write_text("mine")
    assert run("book", "export", "out.json").status == 2
    assert Path("out.json").read_text() == "mine"
    assert run("book", "export", "out.json", "--force").status == 0


def test_a_database_is_upgraded_once(run: Run) -> None:
    first, second = run("db", "upgrade", "--json").json(), run("db", "upgrade", "--json").json()
    assert (first["before"], second["before"]) == (None, second["after"])


def test_a_database_that_cannot_be_opened_is_a_failure(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAL_FRIDAY_DATABASE__URL", "sqlite+aiosqlite:///gone/books.db")
    outcome = run("db", "upgrade")
    assert (outcome.status, outcome.out) == (4, "")
    assert "Traceback" not in outcome.err


@pytest.mark.parametrize("place", ["pipe", "/dev/zero"])
def test_what_is_no_file_is_not_imported_and_not_waited_for(run: Run, tmp_path: Path, place: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    outcome = run("book", "import", str(tmp_path / place))
    assert (outcome.status, outcome.out) == (2, "")
    assert "cannot read" in outcome.err


def test_an_export_without_a_row_begins_no_book_and_says_so(run: Run, tmp_path: Path) -> None:
    ledger = Path(exports(tmp_path)[0])
    ledger.write_text(ledger.read_text().splitlines()[0] + "\n")
    outcome = run("book", "import", str(ledger))
    assert (outcome.status, outcome.err) == (0, "the files hold no record; the book is as it was\n")
