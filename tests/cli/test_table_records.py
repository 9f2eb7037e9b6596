"""``gal-friday compare`` on tables with the records behind them: why balances differ, and what is no record."""

import csv
from pathlib import Path

import duckdb
import pytest

from tests.cli.conftest import Run
from tests.cli.two_tables import HEAD, both, table

_HEAD = "account,movement_id,refers_to,kind,asset,amount,fee,at"
_OURS = ("a,L1,,deposit,BTC,1,0,2026-02-28T09:00:00Z", "b,L2,,deposit,USD,100,0,2026-02-28T10:00:00Z")
_THEIRS = (
    "a,L1,,deposit,BTC,1.00,,2026-02-28T09:00:00Z",
    "a,L7,,reward,ETH,0.5,0,2026-02-28T11:00:00Z",
    "c,L8,,deposit,XRP,40,0,2026-02-28 12:00:00",
)


def _moved(
    folder: Path, ours: tuple[str, ...] = _OURS, theirs: tuple[str, ...] = _THEIRS, head: str = _HEAD
) -> list[str]:
    files = [folder / "ours_moved.csv", folder / "theirs_moved.csv"]
    for file, lines in zip(files, (ours, theirs), strict=True):
        file.write_text("\n".join((head, *lines)) + "\n", encoding="utf-8")
    return ["--movements", *map(str, files)]


def test_records_tell_why_balances_differ(run: Run, tmp_path: Path) -> None:
    found = tmp_path / "found.csv"
    outcome = run("compare", *both(tmp_path), *_moved(tmp_path), "--findings", str(found), "--json")
    told = outcome.json()
    assert (outcome.status, told["verdict"], told["agreed"]) == (1, "discrepancies", 2)
    assert told["records"] == {"movements": {"rows": {"internal": 2, "exchange": 3}, "agreed": 1, "discrepancies": 3}}
    assert {name: share["count"] for name, share in told["by_cause"].items()} == {
        "reward": 2, "phantom_record": 2, "unbooked_deposit": 2,
    }  # fmt: skip
    rows = list(csv.DictReader(found.read_text(encoding="utf-8").splitlines()))
    assert [(row["key"], row["record"], row["cause"]) for row in rows if row["account"] == "a"] == [
        ("balances:ETH:spot", "", "reward"),
        ("movements:L7", "L7", "reward"),
    ]
    assert "L7" in rows[0]["explanation"]


def test_a_record_of_the_day_before_is_cleared_where_it_is_seen_to_agree(run: Run, tmp_path: Path) -> None:
    first, second = tmp_path / "one.csv", tmp_path / "two.csv"
    run("compare", *both(tmp_path), *_moved(tmp_path), "--findings", str(first))
    # The reward was booked; the deposit of c is in nobody's table any more, and was not seen to agree.
    booked = _moved(tmp_path, (*_OURS, _THEIRS[1]), _THEIRS[:2])
    options = ("--before", str(first), "--findings", str(second), "--json")
    told = run("compare", *both(tmp_path), *booked, *options).json()
    assert "movements:L7" in {one["key"] for one in told["cleared"]}
    assert "movements:L8" not in {one["key"] for one in told["cleared"]}
    left = [row for row in csv.DictReader(second.read_text(encoding="utf-8").splitlines()) if row["record"] == "L8"]
    assert [(row["what"], bool(row["id"])) for row in left] == [("cannot_tell", True)]


def test_records_are_judged_also_where_no_table_of_balances_has_the_account_any_more(run: Run, tmp_path: Path) -> None:
    first, second = tmp_path / "one.csv", tmp_path / "two.csv"
    run("compare", *both(tmp_path), *_moved(tmp_path), "--findings", str(first))
    alone = [table(tmp_path / name, (HEAD, "a,BTC,1.5,60000")) for name in ("ours.csv", "theirs.csv")]
    options = ("--before", str(first), "--findings", str(second))
    run("compare", *alone, *_moved(tmp_path), *options)
    rows = {row["key"]: row["what"] for row in csv.DictReader(second.read_text(encoding="utf-8").splitlines())}
    assert rows["movements:L8"] == "movement_missing_internal"
    assert rows["balances:XRP:spot"] == "cannot_tell"


def test_what_is_no_record_is_told_and_its_side_is_not_whole(run: Run, tmp_path: Path) -> None:
    wrong = ("a,L9,,deposit,BTC,many,0,2026-02-28T09:00:00Z", "a,,,deposit,BTC,1,0,2026-02-28T09:00:00Z", "b,L4")
    rejected = tmp_path / "rejected.csv"
    moved = _moved(tmp_path, theirs=(*_THEIRS, *wrong))
    outcome = run("compare", *both(tmp_path), *moved, "--rejected", str(rejected))
    assert outcome.status == 3
    assert "the movements of the exchange side are not whole" in outcome.out
    rows = list(csv.DictReader(rejected.read_text(encoding="utf-8").splitlines()))
    assert {row["kind"] for row in rows} == {"movements"}
    assert {row["line"]: "no amount" in row["reason"] or "movement_id" in row["reason"] for row in rows} == {
        "5": True, "6": True, "7": False,
    }  # fmt: skip
    # The book alone has L2: whether the exchange lacks it nobody knows now.
    assert "movement missing exchange" not in outcome.out


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_a_row_that_is_no_record_is_told_with_its_line_in_every_format(run: Run, tmp_path: Path, ending: str) -> None:
    (tmp_path / "names.toml").write_text('[aliases.assets]\nXBT = "BTC"\n', encoding="utf-8")
    head = "account,fill_id,instrument,side,quantity,price,margin,fee_asset,at"
    good = "a,F1,BTC/USD,buy,1,2,FALSE,XBT,2026-02-28T09:00:00.5Z"
    wrong = (
        "a,F2,BTC/USD,bye,1,2,,XBT,2026-02-28T09:00:00.5Z",
        "a,F3,BTC/USD,buy,much,2,TRUE,XBT,2026-02-28T09:00:00.5Z",
        ",F4,BTC/USD,buy,1,2,,,2026-02-28T09:00:00.5Z",
    )
    listed = tmp_path / "fills.csv"
    listed.write_text("\n".join((head, good, *wrong)) + "\n", encoding="utf-8")
    target = tmp_path / f"fills.{ending}"
    if ending != "csv":
        kinds = "types = {'at': 'TIMESTAMP'}" if ending == "parquet" else "all_varchar = true"
        form = "PARQUET" if ending == "parquet" else "JSON"
        duckdb.execute(f"COPY (FROM read_csv('{listed}', {kinds})) TO '{target}' (FORMAT {form})")
    options = ("--fills", str(target), str(target), "--config", str(tmp_path / "names.toml"), "--json")
    told = run("compare", *both(tmp_path), *options).json()
    lines = [one["line"] for one in told["first_rejected"] if one["side"] == "internal"]
    shift = 1 if ending == "csv" else 0  # a head
    assert sorted(lines) == [2 + shift, 3 + shift, 4 + shift], told["first_rejected"]


def test_columns_of_records_may_have_other_names(run: Run, tmp_path: Path) -> None:
    columns = tmp_path / "columns.toml"
    head = "acct,ledger,refers_to,kind,asset,amount,fee,at"
    columns.write_text('account = "account"\n[movements]\naccount = "acct"\nmovement_id = "ledger"\n', encoding="utf-8")
    options = ("--columns", str(columns), "--json")
    told = run("compare", *both(tmp_path), *_moved(tmp_path, head=head), *options).json()
    assert told["records"]["movements"]["discrepancies"] == 3


def test_what_is_recorded_has_its_cause(run: Run, tmp_path: Path) -> None:
    store, moved = str(tmp_path / "kept.db"), _moved(tmp_path)
    outcome = run("compare", *both(tmp_path), *moved, "--store", store, "--as-of", "2026-03-01T00:00Z")
    assert "6 opened" in outcome.out
    booked = _moved(tmp_path, (_OURS[0], *_THEIRS[1:]))
    again = run("compare", *both(tmp_path), *booked, "--store", store, "--as-of", "2026-03-02T00:00Z")
    assert "cleared" in again.out


@pytest.mark.parametrize(
    "options, words",
    [
        (("--movements", "{folder}/none.csv", "{folder}/none.csv"), "there is no file"),
        (("--fills", "{folder}/theirs_moved.csv", "{folder}/theirs_moved.csv"), "under [fills]"),
        (("--engine", "spark", "{moved}"), "is csv, and Spark is asked about Parquet"),
    ],
)
def test_what_cannot_be_compared_is_told(run: Run, tmp_path: Path, options: tuple[str, ...], words: str) -> None:
    moved = _moved(tmp_path)
    given = [one.format(folder=tmp_path, moved="") for one in options if one != "{moved}"]
    given += moved if "{moved}" in options else []
    outcome = run("compare", *both(tmp_path), *given)
    assert (outcome.status, outcome.out) == (2, "")
    assert words in outcome.err


@pytest.mark.parametrize(
    "at", ["0044-03-15 (BC) 00:00:00", "99999-01-01T00:00:00Z", "-infinity", "2026-02-30T00:00:00Z"]
)
def test_an_instant_that_only_an_engine_knows_is_none(run: Run, tmp_path: Path, at: str) -> None:
    lines = ("a,L1,,deposit,BTC,1,0,2026-02-28T09:00:00Z", f"a,L2,,deposit,BTC,1,0,{at}")
    outcome = run("compare", *both(tmp_path, (HEAD, "a,BTC,1,"), (HEAD, "a,BTC,1,")), *_moved(tmp_path, lines, lines))
    assert (outcome.status, outcome.err) == (3, "")
    told = at if at.endswith(("Z", "y")) else f"{at}Z"
    assert f"exchange: line 3: movements: at: '{told}' is no time such as" in outcome.out
