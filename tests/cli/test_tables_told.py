"""What comes out of two tables beside the findings: a page, what changed since the day before, lines of bad rows."""

import csv
import gzip
import re
from pathlib import Path

import duckdb
import pytest

from gal_friday.bulk.errors import EngineFailed
from gal_friday.bulk.lines import Lines, rows_in
from tests.cli.conftest import Run
from tests.cli.two_tables import HEAD, OURS, THEIRS, both, table


def test_a_page_shows_what_differs_by_type_by_account_and_by_worth_and_what_each_side_sums_to(
    run: Run, tmp_path: Path
) -> None:
    target = tmp_path / "found.html"
    evil = "<img src=x>"
    files = both(tmp_path, (*OURS, f"{evil},BTC,1,60000", "a,b"), THEIRS)
    outcome = run("compare", *files, "--price", "price", "--html", str(target))
    page = re.sub(r"<[^>]+>", " ", target.read_text(encoding="utf-8").partition("<main>")[2])
    said = re.sub(r"\s+", " ", page)
    assert (outcome.status, evil in target.read_text(encoding="utf-8")) == (3, False)
    assert "Not all was checked; 3 discrepancies in 6 balances" in said
    assert "internal side is not whole" in said
    assert "Expected Number of Columns: 4 Found: 2 a,b" in said
    assert "critical balance differs 3 61 600.00 USD" in said
    for line in ("critical &lt;img src=x&gt; 1 60 000.00 USD", "critical a 1 1 500.00 USD", "critical b 1 100.00 USD"):
        assert line in said, (line, said)
    assert "critical a ETH spot balance differs 2 2 .5 +0 .5 1 500.00 USD" in said
    assert "BTC 3 2 2 .25 1 .25 −1" in said


NEXT = (HEAD, "a,BTC,1.5,60000", "a,ETH,2,3000", "b,BTC,-0.25,60000", "c,XRP,41,0.5", "d,BTC,1,60000")


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_the_findings_of_the_day_before_are_opened_still_open_or_cleared(run: Run, tmp_path: Path, ending: str) -> None:
    before, target = tmp_path / f"before.{ending}", tmp_path / "page.html"
    run("compare", *both(tmp_path), "--price", "price", "--findings", str(before))
    files = both(tmp_path, (*OURS[:4], "b,USD,0,1", "c,XRP,39,0.5"), NEXT)
    options = ("--price", "price", "--before", str(before))
    told = run("compare", *files, *options, "--html", str(target), "--json").json()
    counts = {name: (share["count"], share["value"]) for name, share in told["day_over_day"].items()}
    assert counts == {
        "opened": (1, "60000"), "still_open": (1, "1.0"), "cleared": (2, "1600.0"), "not_judged": (0, "0"),
    }  # fmt: skip
    assert [(one["account"], one["key"], one["difference"], one["how"]) for one in told["cleared"]] == [
        ("a", "balances:ETH:spot", "0.5", "both sides agree"),
        ("b", "balances:USD:spot", "-100", "both sides agree"),
    ]
    assert {one["account"]: one["since_before"] for one in told["discrepancies"]} == {"c": "still_open", "d": "opened"}
    lines = run("compare", *files, *options).out.splitlines()
    at = lines.index("since the day before:")
    assert [line.strip() for line in lines[at + 1 : at + 4]] == [
        "1  opened  ≈ 60,000.00 USD", "1  still open  ≈ 1.00 USD", "2  cleared  ≈ 1,600.00 USD",
    ]  # fmt: skip
    assert next(line for line in lines if line.startswith("d ")).endswith("critical  opened")
    page = target.read_text(encoding="utf-8")
    assert ("Since the day before" in page, "both sides agree" in page, page.count('class="tag">opened')) == (
        True, True, 1,
    )  # fmt: skip


def test_what_nobody_could_judge_stays_open_and_is_the_same_one_the_day_after(run: Run, tmp_path: Path) -> None:
    days = [tmp_path / f"day-{number}.csv" for number in range(3)]
    run("compare", *both(tmp_path), "--findings", str(days[0]))
    told = run(
        "compare", *both(tmp_path, (*OURS, "a,b"), (*OURS[:3], "d,b")), "--before", str(days[0]), "--json",
        "--findings", str(days[1]),
    ).json()  # fmt: skip
    counts = {name: share["count"] for name, share in told["day_over_day"].items()}
    assert (told["verdict"], counts["cleared"], counts["not_judged"]) == ("incomplete", 1, 2)
    assert [one["account"] for one in told["cleared"]] == ["a"]  # both sides have it, whatever else they lack
    rows = list(csv.DictReader(days[1].read_text(encoding="utf-8").splitlines()))
    why = {row["account"]: (row["what"], row["reason"]) for row in rows}
    assert why["c"] == ("cannot_tell", "neither table has this account")
    assert why["b"][0] == "cannot_tell"
    assert len({(row["account"], row["key"]) for row in rows}) == len(rows)
    told = run("compare", *both(tmp_path), "--before", str(days[1]), "--json").json()
    assert {name: share["count"] for name, share in told["day_over_day"].items()} == {
        "opened": 1, "still_open": 2, "cleared": 0, "not_judged": 0,
    }  # fmt: skip


def test_what_differs_in_another_way_is_cleared_and_another_one_opened(run: Run, tmp_path: Path) -> None:
    before = tmp_path / "before.jsonl"
    run("compare", *both(tmp_path), "--findings", str(before))
    files = both(tmp_path, (*OURS[:2], "a,ETH,2.5,", *OURS[2:]), THEIRS)
    told = run("compare", *files, "--before", str(before), "--json").json()
    assert [(one["account"], one["how"]) for one in told["cleared"]] == [("a", "it differs in another way now")]
    assert {one["type"] for one in told["discrepancies"] if one["since_before"] == "opened"} == {"identity_conflict"}


@pytest.mark.parametrize(
    "name, content, words",
    [
        ("gone.csv", None, "cannot be read: No such file or directory"),
        ("found.txt", "", "findings are written as .csv, .jsonl or .parquet"),
        ("found.csv", "", "no file that --findings writes: it is empty"),
        ("found.csv", "account,asset\na,BTC\n", "it lacks key, what"),
        ("found.jsonl", '{"account": "a"', "no file that --findings writes"),
        ("found.jsonl", "[1]", "a line of it is no object"),
        ("found.jsonl", "[" * 100_000, "no file that --findings writes: a line of it is nested too deep"),
        ("found.parquet", "PAR1", "no file that --findings writes"),
        (
            "found.csv",
            "account,key,what,difference,severity,value,id\na,stars:x,y,1,low,1,dis_1\n",
            "finding 1 is none",
        ),
        (
            "found.csv",
            "account,key,what,difference,severity,value,id\na,balances:BTC:spot\n",
            "line 2 has not as many",
        ),
    ],
)
def test_what_is_no_file_of_findings_is_refused(
    run: Run, tmp_path: Path, name: str, content: str | None, words: str
) -> None:
    if content is not None:
        (tmp_path / name).write_text(content, encoding="utf-8")
    outcome = run("compare", *both(tmp_path), "--before", str(tmp_path / name))
    assert (outcome.status, words in outcome.err) == (2, True), outcome.err


def test_a_page_that_cannot_be_written_is_told_before_anything_is_read(run: Run, tmp_path: Path) -> None:
    for target in (tmp_path / "nowhere" / "page.html", tmp_path):
        outcome = run("compare", "no-such.csv", "neither.csv", "--html", str(target))
        assert (outcome.status, f"cannot write {target}" in outcome.err) == (2, True), outcome.err


def refused(run: Run, ours: str, theirs: str, *options: str) -> list[tuple[int, str]]:
    """Return the lines of what cannot be read on the book's side, with what they say."""
    told = run("compare", ours, theirs, "--json", *options).json()
    return sorted((one["line"], one["content"]) for one in told["first_rejected"] if one["side"] == "internal")


@pytest.mark.parametrize("between", [",", ";"])
def test_a_row_that_cannot_be_read_is_told_with_its_line(run: Run, tmp_path: Path, between: str) -> None:
    config = tmp_path / "names.toml"
    config.write_text('[aliases.assets]\nXBT = "BTC"\n', encoding="utf-8")
    head, same = (HEAD.replace(",", between), "a,ETH,1,2".replace(",", between))
    lines = (
        same, "a,b", "", '"two\nlines",ETH,1,2', "a,XBT,x,1", "a,ETH,1,dear", "b,ETH,bad,", "a,,1,1", "b,ETH,bad,",
        ",ETH,1,1",
    )  # fmt: skip
    ours, theirs = both(tmp_path, (head, *(line.replace(",", between) for line in lines)), (head, same))
    if between == ",":
        data = Path(ours).read_bytes()
        ours = f"{ours}.gz"
        Path(ours).write_bytes(gzip.compress(data))
    assert refused(run, ours, theirs, "--price", "price", "--config", str(config)) == [
        (3, f"a{between}b"),
        (7, "a, BTC, x, 1"),
        (8, "a, ETH, 1, dear"),
        (9, "b, ETH, bad"),
        (10, "a, , 1"),
        (11, "b, ETH, bad"),
        (12, ", ETH, 1"),
    ]


def test_lines_of_json_and_rows_of_parquet_are_told_too(run: Run, tmp_path: Path) -> None:
    rows = ('"ccy":"BTC","qty":"1"', '"ccy":"ETH","qty":1.50', '"ccy":"ETH","qty":"x"', '"ccy":"XRP","qty":true')
    ours = table(tmp_path / "ours.jsonl", [f"{{{row}}}" for row in rows])
    theirs = table(tmp_path / "theirs.csv", ("ccy,qty", "BTC,1"))
    layout = ("--key", "asset=ccy", "--quantity", "qty", "--account", "mine")
    lost = "(in JSON a number with a point has lost its digits: write it as a text)"
    assert refused(run, ours, theirs, *layout) == [
        (2, f"mine, ETH, 1.5 {lost}"), (3, "mine, ETH, x"), (4, "mine, XRP, true"),
    ]  # fmt: skip
    deep = f'{{"ccy":"A","qty":"1","more":{"[" * 100_000}{"]" * 100_000}}}'
    assert refused(run, table(tmp_path / "deep.jsonl", (deep, '{"ccy":"B","qty":"?"}')), theirs, *layout) == [
        (2, "mine, B, ?")
    ]
    whole = tmp_path / "ours.parquet"
    duckdb.sql(f"COPY (SELECT ccy, qty::VARCHAR AS qty FROM (VALUES ('A', '1'), ('B', '?')) t(ccy, qty)) TO '{whole}'")
    assert refused(run, str(whole), theirs, *layout) == [(2, "mine, B, ?")]


def test_how_far_it_is_stands_on_stderr_of_a_terminal_and_elsewhere_where_somebody_asks(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = run("compare", *both(tmp_path), "--json")
    assert told.err == ""
    lines = run("compare", *both(tmp_path), "--progress", "--store", str(tmp_path / "store.db")).err.splitlines()
    assert lines == [
        "rows of the internal side …", "rows of the internal side: 4",
        "rows of the exchange side …", "rows of the exchange side: 4",
        "accounts that may differ …",
        "accounts looked at to be recorded: 1", "accounts looked at to be recorded: 3",
    ]  # fmt: skip
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    on_a_terminal = run("compare", *both(tmp_path), "--json")
    assert (on_a_terminal.out, "accounts that may differ" in on_a_terminal.err) == (told.out, True)


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_two_runs_that_write_the_same_file_each_write_a_whole_one(tmp_path: Path, ending: str) -> None:
    target = tmp_path / "out" / f"found.{ending}"
    target.parent.mkdir()
    with Lines(target, ("name",)) as one:
        one.write([("one",)] * 5_000)
        with Lines(target, ("name",)) as other:
            other.write([("other",)] * 10)
        assert [row["name"] for row in rows_in(target, ("name",))] == ["other"] * 10
        one.write([("one",)] * 5_000)
    assert [row["name"] for row in rows_in(target, ("name",))] == ["one"] * 10_000
    assert list(target.parent.iterdir()) == [target]


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_a_disk_that_is_full_leaves_no_file(tmp_path: Path, ending: str) -> None:
    resource = pytest.importorskip("resource")
    target = tmp_path / "out" / f"found.{ending}"
    target.parent.mkdir()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        with (
            pytest.raises(EngineFailed, match="cannot be written: File too large; make room"),
            Lines(target, ("name",)) as lines,
        ):
            lines.write([(f"name {number}",) for number in range(10_000)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(target.parent.iterdir()) == []


@pytest.mark.parametrize(
    "options, words",
    [
        (["--findings", "ours.csv"], "is a table that is compared, which would be lost"),
        (["--html", "theirs.csv"], "is a table that is compared, which would be lost"),
        (["--rejected", "moved.csv"], "is a table that is compared, which would be lost"),
        (["--findings", "one.csv", "--rejected", "sub/../one.csv"], "--findings and --rejected name the same file"),
        (["--findings", "one.csv", "--html", "one.csv"], "--findings and --html name the same file"),
        (["--findings", "folder.csv"], "folder.csv is a folder; name a file in it"),
    ],
)
def test_what_is_written_replaces_nothing_that_is_read_or_written(
    run: Run, tmp_path: Path, options: list[str], words: str
) -> None:
    for name in ("sub", "folder.csv"):
        (tmp_path / name).mkdir()
    files = both(tmp_path)
    moved = table(tmp_path / "moved.csv", ("account,movement_id,refers_to,kind,asset,amount,fee,at",))
    given = [one if one.startswith("--") else str(tmp_path / one) for one in options]
    outcome = run("compare", *files, "--movements", moved, moved, *given)
    assert (outcome.status, words in outcome.err) == (2, True), outcome.err
    assert (tmp_path / "ours.csv").read_text(encoding="utf-8").splitlines() == list(OURS)
    assert not (tmp_path / "one.csv").exists()
