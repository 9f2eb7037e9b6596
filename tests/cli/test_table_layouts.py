"""Which column of a table is that of accounts where nobody says so: a table of many is never taken for one account."""

import csv
import sqlite3
from contextlib import closing
from pathlib import Path

import duckdb
import pytest

from tests.cli.conftest import Run
from tests.cli.two_tables import table

_MANY = ("account,asset,quantity", "a,BTC,1", "b,BTC,2")
_MORE = ("account,asset,quantity", "a,BTC,2", "b,BTC,1")
_ONE = ("asset,quantity", "BTC,1")


def _columns(folder: Path, stated: str = 'asset = "asset"\n') -> list[str]:
    file = folder / "columns.toml"
    file.write_text(stated, encoding="utf-8")
    return ["--columns", str(file)]


def _as(ending: str, folder: Path, name: str, lines: tuple[str, ...]) -> str:
    written = table(folder / f"{name}.csv", lines)
    target = folder / f"{name}.{ending}"
    match ending:
        case "db":
            head, *rows = csv.reader(lines)
            with closing(sqlite3.connect(target)) as connection, connection:
                connection.execute(f"CREATE TABLE held ({', '.join(f'{one} TEXT' for one in head)})")
                connection.executemany(f"INSERT INTO held VALUES ({', '.join('?' for _ in head)})", rows)
            return f"{target}#held"
        case "jsonl" | "parquet":
            kind = "parquet" if ending == "parquet" else "json"
            duckdb.execute(f"COPY (FROM read_csv('{written}', all_varchar = true)) TO '{target}' (FORMAT {kind})")
            return str(target)
        case _:
            return written


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet", "db"])
@pytest.mark.parametrize("name", ["account", "Account"])
def test_a_column_of_accounts_that_nobody_named_is_taken(run: Run, tmp_path: Path, ending: str, name: str) -> None:
    ours = _as(ending, tmp_path, "ours", (_MANY[0].replace("account", name), *_MANY[1:]))
    told = run("compare", ours, _as(ending, tmp_path, "theirs", _MORE), *_columns(tmp_path), "--json").json()
    assert [(one["account"], one["difference"]) for one in told["discrepancies"]] == [("a", "1"), ("b", "-1")]


def test_a_column_of_accounts_under_another_name_is_the_one_that_is_stated(run: Run, tmp_path: Path) -> None:
    ours = table(tmp_path / "ours.csv", ("account,acct,asset,quantity", "x,a,BTC,1"))
    theirs = table(tmp_path / "theirs.csv", ("account,asset,quantity", "a,BTC,1"))
    outcome = run("compare", ours, theirs, *_columns(tmp_path, '[internal]\naccount = "acct"\n'))
    assert (outcome.status, outcome.out.splitlines()[0]) == (0, "RECONCILED: 1 balance in 1 account")


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet", "db"])
def test_two_tables_that_name_no_account_are_of_one(run: Run, tmp_path: Path, ending: str) -> None:
    files = [_as(ending, tmp_path, "ours", _ONE), _as(ending, tmp_path, "theirs", ("asset,quantity", "BTC,2"))]
    told = run("compare", *files, *_columns(tmp_path), "--json").json()
    assert [one["account"] for one in told["discrepancies"]] == ["main"]


def test_a_table_of_accounts_beside_one_that_names_none_is_refused(run: Run, tmp_path: Path) -> None:
    ours, theirs = table(tmp_path / "ours.csv", _MANY), table(tmp_path / "theirs.csv", _ONE)
    outcome = run("compare", ours, theirs, *_columns(tmp_path))
    assert (outcome.status, outcome.out) == (2, "")
    assert outcome.err == (
        f"gal-friday: {theirs} has no column account, and {ours} names accounts in its column account: "
        "say under [exchange] in the file of --columns which column it is, or with --account whose all rows are\n"
    )


def test_a_table_that_names_no_account_is_of_the_one_that_is_given(run: Run, tmp_path: Path) -> None:
    ours, theirs = table(tmp_path / "ours.csv", _MANY[:2]), table(tmp_path / "theirs.csv", _ONE)
    outcome = run("compare", ours, theirs, *_columns(tmp_path), "--account", "a")
    assert outcome.out.splitlines()[1] == "1 agree, 0 differ"


def test_records_are_of_the_accounts_that_they_name(run: Run, tmp_path: Path) -> None:
    balances = [table(tmp_path / f"{name}.csv", _MANY) for name in ("ours", "theirs")]
    head, first, second = (
        "account,movement_id,kind,asset,amount,at",
        "a,L1,deposit,BTC,1,2026-02-28T09:00:00Z",
        "b,L2,deposit,BTC,1,2026-02-28T09:00:00Z",
    )
    moved = [table(tmp_path / "moved.csv", (head, first, second)), table(tmp_path / "moved_there.csv", (head, first))]
    told = run("compare", *balances, *_columns(tmp_path), "--movements", *moved, "--json").json()
    assert [(one["account"], one["key"]) for one in told["discrepancies"]] == [("b", "movements:L2")]


def test_a_file_of_columns_that_is_nested_too_deep_is_told(run: Run, tmp_path: Path) -> None:
    files = [table(tmp_path / f"{name}.csv", _ONE) for name in ("ours", "theirs")]
    outcome = run("compare", *files, *_columns(tmp_path, "asset = " + "[" * 100_000))
    assert (outcome.status, outcome.out, outcome.err) == (
        2,
        "",
        f"gal-friday: {tmp_path}/columns.toml is nested too deep; it takes names of columns, and tables of them\n",
    )
