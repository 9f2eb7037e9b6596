"""``gal-friday compare`` on tables: what differs, and a clear sentence for everything that is no table like that."""

import csv
import json
import re
from collections.abc import Sequence
from pathlib import Path

import duckdb
import pytest

from gal_friday.bulk import processes, source
from gal_friday.bulk.lines import COLUMNS
from tests.cli.conftest import Run
from tests.cli.two_tables import HEAD, OURS, both, table

_COMPARED = "of tables balances are compared, and what --fills, --movements and --positions name; leave it out"


def test_what_differs_is_found_named_and_valued(run: Run, tmp_path: Path) -> None:
    outcome = run("compare", *both(tmp_path), "--price", "price")
    assert (outcome.status, outcome.err) == (1, "")
    assert outcome.out.splitlines()[:2] == ["DISCREPANCIES: 5 balances in 3 accounts", "2 agree, 3 differ"]
    assert "a  ETH spot  balance mismatch" in outcome.out
    assert "≈ 1,500.00 USD" in outcome.out


def test_json_holds_every_discrepancy_and_what_each_side_sums_to(run: Run, tmp_path: Path) -> None:
    told = run("compare", *both(tmp_path), "--json").json()
    assert [(one["account"], one["key"], one["difference"]) for one in told["discrepancies"]] == [
        ("a", "balances:ETH:spot", "0.5"),
        ("b", "balances:USD:spot", "-100"),
        ("c", "balances:XRP:spot", "40"),
    ]
    assert told["control_totals"]["internal"]["BTC"] == {"rows": 2, "amount": "1.250000000000000000"}
    assert (told["verdict"], told["keys"], told["agreed"]) == ("discrepancies", 5, 2)


def test_the_same_difference_at_two_exchanges_is_two_discrepancies(run: Run, tmp_path: Path) -> None:
    at = {
        name: {one["id"] for one in run("compare", *both(tmp_path), *options, "--json").json()["discrepancies"]}
        for name, options in {"": (), "kraken": ("--exchange", "kraken"), "other": ("--exchange", "other")}.items()
    }
    assert (at[""] == at["kraken"], at["kraken"] & at["other"]) == (True, set())


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_every_line_that_differs_is_written_to_a_file(run: Run, tmp_path: Path, ending: str) -> None:
    target = tmp_path / f"found.{ending}"
    run("compare", *both(tmp_path), "--findings", str(target))
    match ending:
        case "csv":
            rows = list(csv.DictReader(target.read_text(encoding="utf-8").splitlines()))
        case "jsonl":
            rows = [json.loads(line) for line in target.read_text(encoding="utf-8").splitlines()]
        case _:
            found = duckdb.execute(f"SELECT * FROM '{target}'")
            rows = [dict(zip(COLUMNS, row, strict=True)) for row in found.fetchall()]
    assert [(row["account"], row["asset"], row["difference"], row["missing_on"] or None) for row in rows] == [
        ("a", "ETH", "0.5", None),
        ("b", "USD", "-100", "exchange"),
        ("c", "XRP", "40", "internal"),
    ]
    assert [path.name for path in tmp_path.iterdir() if ".part" in path.name or ".whole" in path.name] == []


def test_parquet_csv_and_json_lines_say_the_same(run: Run, tmp_path: Path) -> None:
    ours, theirs = both(tmp_path)
    for name in (ours, theirs):
        read = f"read_csv('{name}', types = {{'quantity': 'DECIMAL(30, 10)'}})"
        duckdb.sql(f"COPY (SELECT * FROM {read}) TO '{name[:-4]}.parquet'")
        text = f"read_csv('{name}', all_varchar = true)"
        duckdb.sql(f"COPY (SELECT * FROM {text}) TO '{name[:-4]}.jsonl' (FORMAT json)")
    told = [
        run("compare", f"{ours[:-4]}.{one}", f"{theirs[:-4]}.{one}", "--json").json() for one in ("parquet", "jsonl")
    ]
    expected = run("compare", ours, theirs, "--json").json()
    for one in told:
        assert [found["id"] for found in one["discrepancies"]] == [found["id"] for found in expected["discrepancies"]]
        assert (one["verdict"], one["agreed"]) == (expected["verdict"], expected["agreed"])


def test_a_table_may_be_many_files_of_one_account_with_other_names(run: Run, tmp_path: Path) -> None:
    for number, line in enumerate(("BTC;1", "ETH;2")):
        table(tmp_path / f"ours-{number}.csv", ("ccy;qty", line))
    theirs = table(tmp_path / "theirs.csv", ("ccy;qty", "BTC;1", "ETH;2"))
    outcome = run("compare", str(tmp_path / "ours-*.csv"), theirs, "--key", "asset=ccy", "--quantity", "qty")
    assert (outcome.status, outcome.out.splitlines()[0]) == (0, "RECONCILED: 2 balances in 1 account")


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
@pytest.mark.parametrize("name", ["ours[1]", "ours?", "ours*"])
def test_a_file_whose_name_looks_like_a_pattern_is_that_file(run: Run, tmp_path: Path, name: str, ending: str) -> None:
    other = tmp_path / f"ours1.{ending}"
    written_as(ending, tmp_path / f"{name}.{ending}", ("a", "BTC", "1"))
    written_as(ending, other, ("b", "ETH", "2"))
    alone = table(tmp_path / "alone.csv", ("account,asset,quantity", "a,BTC,1"))
    together = table(tmp_path / "together.csv", ("account,asset,quantity", "a,BTC,1", "b,ETH,2"))
    outcome = run("compare", str(tmp_path / f"{name}.{ending}"), alone)
    assert (outcome.status, outcome.out.splitlines()[0]) == (0, "RECONCILED: 1 balance in 1 account")
    outcome = run("compare", str(tmp_path / f"o*.{ending}"), together)
    assert (outcome.status, outcome.out.splitlines()[0]) == (0, "RECONCILED: 2 balances in 2 accounts")


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_the_name_of_a_folder_says_nothing_of_the_rows_in_it(run: Run, tmp_path: Path, ending: str) -> None:
    folder = tmp_path / "account=z" / "asset=7"
    folder.mkdir(parents=True)
    written_as(ending, folder / f"ours.{ending}", ("007", "BTC", "1"))
    theirs = table(tmp_path / "theirs.csv", ("account,asset,quantity", "007,BTC,1"))
    outcome = run("compare", str(folder / f"ours.{ending}"), theirs)
    assert (outcome.status, outcome.out.splitlines()[0]) == (0, "RECONCILED: 1 balance in 1 account")


def test_findings_in_such_a_folder_are_those_that_were_found(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "account=z"
    folder.mkdir()
    found = folder / "found[1].parquet"
    run("compare", *both(tmp_path), "--findings", str(found))
    outcome = run("compare", *both(tmp_path), "--before", str(found), "--json")
    assert [one["since_before"] for one in outcome.json()["discrepancies"]] == ["still_open"] * 3
    told = duckdb.read_parquet(str(folder / "found[[]1].parquet"), hive_partitioning=False).fetchall()
    assert [row[0] for row in told] == ["a", "b", "c"]


def written_as(ending: str, path: Path, row: tuple[str, str, str]) -> None:
    names = ("account", "asset", "quantity")
    if ending == "csv":
        table(path, (",".join(names), ",".join(row)))
    elif ending == "jsonl":
        table(path, (json.dumps(dict(zip(names, row, strict=True))),))
    else:
        chosen = ", ".join(f"'{one}' AS {name}" for name, one in zip(names, row, strict=True))
        plain = path.with_name("plain.written")
        duckdb.execute(f"COPY (SELECT {chosen}) TO '{plain}' (FORMAT parquet)")
        plain.replace(path)


def test_each_side_may_have_its_own_columns(run: Run, tmp_path: Path) -> None:
    columns = tmp_path / "columns.toml"
    columns.write_text('account = "acct"\n[internal]\nquantity = "qty"\n[exchange]\nasset = "coin"\n', encoding="utf-8")
    files = both(tmp_path, ("acct,asset,qty", "a,BTC,1"), ("acct,coin,quantity", "a,BTC,1"))
    assert run("compare", *files, "--columns", str(columns)).out.startswith("RECONCILED: 1 balance")
    columns.write_text('acount = "acct"\n', encoding="utf-8")
    outcome = run("compare", *files, "--columns", str(columns))
    assert (outcome.status, "unknown field `acount`; it takes account, asset" in outcome.err) == (2, True), outcome.err
    columns.write_text("account = \n", encoding="utf-8")
    assert "is no TOML" in run("compare", *files, "--columns", str(columns)).err


def test_the_books_names_are_those_of_the_configuration(run: Run, tmp_path: Path) -> None:
    config = tmp_path / "names.toml"
    config.write_text('[aliases.assets]\nXBT = "BTC"\n', encoding="utf-8")
    files = both(tmp_path, (HEAD, "a,XBT,1.5,", "a,BTC,0.5,"), (HEAD, "a,BTC,1.5,"))
    told = run("compare", *files, "--config", str(config), "--json").json()
    assert [(one["type"], one["key"]) for one in told["discrepancies"]] == [("identity_conflict", "balances:BTC:spot")]


def test_a_side_that_is_not_whole_is_never_green(run: Run, tmp_path: Path) -> None:
    outcome = run("compare", *both(tmp_path, OURS, OURS), "--partial", "exchange")
    assert outcome.status == 3
    assert "the exchange side is not whole: what is absent there is unknown" in outcome.out


def test_two_empty_sides_are_nothing_that_agrees(run: Run, tmp_path: Path) -> None:
    outcome = run("compare", *both(tmp_path, (HEAD,), (HEAD,)))
    assert (outcome.status, "neither side lists anything" in outcome.out) == (3, True)


def test_an_empty_side_lacks_everything(run: Run, tmp_path: Path) -> None:
    told = run("compare", *both(tmp_path, OURS, (HEAD,)), "--json").json()
    assert (told["discrepancies_found"], {one["missing_on"] for one in told["discrepancies"]}) == (4, {"exchange"})


@pytest.mark.parametrize(
    "line, reason",
    [
        ("a,BTC", "Expected Number of Columns: 4 Found: 2"),
        ("a,BTC,1,2,3", "Expected Number of Columns: 4 Found: 5"),
        ("a,BTC,1.5x,", "'1.5x' is not an amount"),
        ("a,BTC,,", "is not an amount: there is none"),
        ("a,BTC,NaN,", "'NaN' is not an amount"),
        ("a,BTC,1 000,", "'1 000' is not an amount"),
        ("a,,1,", "it names no asset"),
        (",BTC,1,", "it names no account"),
        (f"a,BTC,{'9' * 41},", "more than 40 digits before the point"),
        ("a,BTC,1,abc", "'abc' is not an amount"),
    ],
)
def test_a_row_that_says_nothing_is_shown_and_the_verdict_says_so(
    run: Run, tmp_path: Path, line: str, reason: str
) -> None:
    outcome = run("compare", *both(tmp_path, (*OURS[:2], line), OURS[:2]), "--price", "price")
    assert (outcome.status, reason in outcome.out) == (3, True), outcome.out
    assert outcome.out.startswith("INCOMPLETE")


def test_what_an_unreadable_row_may_be_is_not_called_missing(run: Run, tmp_path: Path) -> None:
    told = run("compare", *both(tmp_path, (HEAD, "a,ETH,2,", ",BTC,1.5,"), (HEAD, "a,ETH,2,", "a,BTC,1.5,")), "--json")
    assert (told.json()["discrepancies"], told.json()["untold"], told.status) == ([], 1, 3)


def test_every_row_that_cannot_be_read_is_written_to_a_file(run: Run, tmp_path: Path) -> None:
    bad = [f"a,X{number},none," for number in range(30)]
    target = tmp_path / "rejected.csv"
    outcome = run("compare", *both(tmp_path, (*OURS, *bad, "a,b"), OURS), "--rejected", str(target))
    rows = list(csv.DictReader(target.read_text(encoding="utf-8").splitlines()))
    assert ("and 11 more; --rejected FILE writes all of them" in outcome.out, len(rows)) == (True, 31)
    assert {row["file"] for row in rows} == {str(tmp_path / "ours.csv")}
    assert sorted(int(row["line"]) for row in rows) == list(range(6, 37))
    assert [row["content"] for row in rows if row["line"] == "8"] == ["a, X2, none"]


def test_names_that_are_nearly_one_are_pointed_out(run: Run, tmp_path: Path) -> None:
    outcome = run("compare", *both(tmp_path, (HEAD, "a,btc,1,", "b,btc ,1,"), (HEAD, "a,BTC,1,", "b,BTC,1,")))
    assert "'btc' of the book may be 'BTC' (1 time): [aliases.assets] says what is one asset" in outcome.out
    assert outcome.status == 1


def test_an_amount_that_json_has_already_rounded_is_refused(run: Run, tmp_path: Path) -> None:
    one = table(tmp_path / "ours.jsonl", ('{"account":"a","asset":"BTC","quantity":1.50}',))
    other = table(tmp_path / "theirs.jsonl", ('{"account":"a","asset":"BTC","quantity":"1.50"}',))
    outcome = run("compare", one, other)
    assert (outcome.status, "in JSON a number with a point has lost its digits" in outcome.out) == (3, True), (
        outcome.out
    )


@pytest.mark.parametrize(
    "ours, options, words",
    [
        (("account,ccy,quantity", "a,BTC,1"), [], "has no column asset; it has account, ccy, quantity"),
        (OURS, ["--quantity", "qty"], "has no column qty"),
        (OURS, ["--key", "account,asset,wallet,more"], "is no key; write account,asset"),
        (OURS, ["--key", "venue=x"], "is no part of a key"),
        (OURS, ["--sieve", "coarse"], "there are hash and exact"),
        (OURS, ["--partial", "both"], "both is no side"),
        (OURS, ["--exchange", " "], "--exchange: ' ' is no name"),
        (OURS, ["--spill", "no-such-folder"], "cannot be written to: No such file or directory; see --spill"),
        (OURS, ["--memory", "much"], "DuckDB does not begin with these limits"),
        (OURS, ["--html", "page.pdf"], "--html: page.pdf would hold a page for a browser; let its name end in .html"),
        (OURS, ["--findings", "found.xlsx"], "is written as .csv, .jsonl or .parquet"),
        (OURS, ["--findings", "no-such-folder/found.csv"], "cannot be written"),
        (OURS, ["--only", "orders"], f"--only: {_COMPARED}"),
        (OURS, ["--only", "balances,orders"], f"--only: {_COMPARED}"),
        (OURS, ["--only", "balances", "--fills", "ours.csv", "theirs.csv"], f"--only: {_COMPARED}"),
        ((), [], "has no column account, asset, quantity; it has"),
    ],
)
def test_what_cannot_be_compared_is_refused_with_the_way_out(
    run: Run, tmp_path: Path, ours: Sequence[str], options: Sequence[str], words: str
) -> None:
    outcome = run("compare", *both(tmp_path, ours), *options)
    assert (outcome.status, words in outcome.err) == (2, True), outcome.err


def test_inexact_columns_are_refused(run: Run, tmp_path: Path) -> None:
    ours, theirs = both(tmp_path)
    duckdb.sql(f"COPY (SELECT account, asset, quantity::DOUBLE AS quantity FROM '{ours}') TO '{tmp_path}/ours.parquet'")
    outcome = run("compare", f"{tmp_path}/ours.parquet", theirs)
    assert (outcome.status, "holds DOUBLE, which is not exact" in outcome.err) == (2, True)


@pytest.mark.parametrize(
    "kinds, kept",
    [
        (("DECIMAL(38, 0)", "DECIMAL(38, 36)"), False),
        (("VARCHAR", "DOUBLE"), False),
        (("HUGEINT", "DECIMAL(38, 20)"), False),
        (("BIGINT", "DECIMAL(18, 8)"), True),
        (("VARCHAR", "DECIMAL(38, 20)"), True),
    ],
)
def test_types_that_differ_from_file_to_file_lose_no_digit(
    run: Run, tmp_path: Path, kinds: tuple[str, str], kept: bool
) -> None:
    for number, (kind, amount) in enumerate(zip(kinds, ("2", "1.25"), strict=True)):
        row = f"SELECT 'a' AS account, 'A{number}' AS asset, '{amount}'::{kind} AS quantity"
        duckdb.execute(f"COPY ({row}) TO '{tmp_path}/ours-{number}.parquet'")
    theirs = table(tmp_path / "theirs.csv", ("account,asset,quantity", "a,A0,2", "a,A1,1.25"))
    outcome = run("compare", f"{tmp_path}/ours-*.parquet", theirs)
    if kept:
        assert (outcome.status, outcome.out.splitlines()[0]) == (0, "RECONCILED: 2 balances in 1 account")
    else:
        assert (outcome.status, "not exact" in outcome.err or "digits are lost" in outcome.err) == (2, True)


def test_a_file_that_was_cut_off_is_no_table(run: Run, tmp_path: Path) -> None:
    ours, theirs = both(tmp_path)
    whole = tmp_path / "ours.parquet"
    duckdb.sql(f"COPY (SELECT * FROM '{ours}') TO '{whole}'")
    whole.write_bytes(whole.read_bytes()[:-20])
    outcome = run("compare", str(whole), theirs)
    assert (outcome.status, "DuckDB cannot read this" in outcome.err) == (2, True)


def test_another_encoding_is_not_guessed(run: Run, tmp_path: Path) -> None:
    ours = table(tmp_path / "ours.csv", (HEAD, "a,Gröschl,1,"), encoding="latin-1")
    outcome = run("compare", ours, table(tmp_path / "theirs.csv", (HEAD, "a,Gröschl,1,")))
    assert (outcome.status, "line 2" in outcome.out) == (3, True), outcome.out


def test_a_file_that_changes_while_it_is_read_is_told(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stamps = iter(range(100))
    monkeypatch.setattr(source.Source, "stamp", lambda _: ((next(stamps), 0),))
    target = tmp_path / "found.csv"
    outcome = run("compare", *both(tmp_path), "--findings", str(target))
    assert (outcome.status, "was written to while it was read" in outcome.err) == (4, True)
    assert not target.exists()


def test_without_its_engine_it_says_how_to_get_it(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "duckdb", None)
    outcome = run("compare", *both(tmp_path))
    assert (outcome.status, "pip install 'gal-friday[bulk]'" in outcome.err) == (2, True)


def test_what_does_not_fit_into_memory_is_spilled(run: Run, tmp_path: Path) -> None:
    for name in ("ours", "theirs"):
        duckdb.sql(
            f"COPY (SELECT 'a' || i AS account, 'BTC' AS asset, i AS quantity FROM range(2000000) t(i)) "
            f"TO '{tmp_path}/{name}.parquet'"
        )
    files = [f"{tmp_path}/{name}.parquet" for name in ("ours", "theirs")]
    outcome = run("compare", *files, "--memory", "150MB", "--spill", str(tmp_path), "--sieve", "exact")
    assert (outcome.status, "2,000,000 agree, 0 differ" in outcome.out) == (0, True), outcome.err


def test_an_empty_text_names_no_account(run: Run, tmp_path: Path) -> None:
    duckdb.sql(f"COPY (SELECT '' AS account, 'BTC' AS asset, 1 AS quantity) TO '{tmp_path}/one.parquet'")
    told = run("compare", *[f"{tmp_path}/one.parquet"] * 2, "--json").json()
    assert [one["reason"] for one in told["first_rejected"]] == ["it names no account"] * 2
    assert (told["keys"], told["accounts"], told["verdict"]) == (0, 0, "incomplete")


def test_how_many_processes_judge_makes_no_difference(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "FEW", 2)
    monkeypatch.setattr(processes, "_AT_ONCE", 1)
    found = []
    for jobs in ("1", "2"):
        target = tmp_path / f"{jobs}.jsonl"
        told = run("compare", *both(tmp_path), "--price", "price", "--jobs", jobs, "--findings", str(target))
        found.append((told.status, re.sub(r"in [\d.]+ s", "", told.out), target.read_text(encoding="utf-8")))
    assert found[0] == found[1]
    refused = run("compare", *both(tmp_path), "--jobs", "0")
    assert (refused.status, "--jobs: 0 processes judge nothing; write 1 or more" in refused.err) == (2, True)


def test_rows_that_cannot_be_read_come_in_the_order_of_their_files(run: Run, tmp_path: Path) -> None:
    bad = ("zz,BTC,much,", ",ETH,1,", "a,BTC,NaN,", "b,,2,", "a,b", "a,SOL,1e,")
    target = tmp_path / "rejected.csv"
    run("compare", *both(tmp_path, (*OURS, *bad), (*OURS, *bad)), "--rejected", str(target))
    rows = list(csv.DictReader(target.read_text(encoding="utf-8").splitlines()))
    lines = [str(len(OURS) + number) for number in range(1, len(bad) + 1)]
    assert [(row["side"], row["line"]) for row in rows] == [
        (side, line) for side in ("internal", "exchange") for line in lines
    ]
