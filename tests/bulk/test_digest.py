"""Which rows a side has, as one number: whatever their order, and other as soon as one of them is."""

import json
import re
from collections.abc import Sequence
from pathlib import Path

import duckdb
import pytest

from gal_friday.cli import main

HEAD = "account,asset,quantity"
ROWS = ["alpha,BTC,1.50", "alpha,ÉTH,-0.25", "beta,BTC,0", "beta,BTC,100000000000000000000000"]
PAGE = Path(__file__).parents[2] / "docs/tables.md"


def digest(folder: Path, rows: Sequence[str], capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    table = folder / "ours.csv"
    table.write_text("\n".join((HEAD, *rows)) + "\n", encoding="utf-8")
    main(["compare", str(table), str(table), "--digests", "--json"])
    ours, theirs = json.loads(capsys.readouterr().out)["control_totals"].values()
    assert ours == theirs
    return {asset: one["digest"] for asset, one in ours.items()}


def test_the_order_of_rows_and_the_writing_of_amounts_change_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = [row.replace("1.50", "1.5").replace(",0", ",0.00") for row in reversed(ROWS)]
    assert digest(tmp_path, other, capsys) == digest(tmp_path, ROWS, capsys)


@pytest.mark.parametrize(
    "rows",
    [
        [*ROWS, ROWS[0]],
        ROWS[1:],
        ["alpha,BTC,1.51", *ROWS[1:]],
        ["alphA,BTC,1.50", *ROWS[1:]],
        [*ROWS[:3], "beta,BTC,100000000000000000000001"],
    ],
)
def test_a_row_that_is_repeated_lost_or_other_changes_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], rows: Sequence[str]
) -> None:
    whole, changed = (digest(tmp_path, some, capsys) for some in (ROWS, rows))
    assert (whole["BTC"] == changed["BTC"], whole["ÉTH"] == changed["ÉTH"]) == (False, True)


def test_anybody_can_ask_for_it_as_the_page_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    told = digest(tmp_path, ROWS[:3], capsys)
    monkeypatch.chdir(tmp_path)
    query = re.search(r"```sql\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert query is not None
    assert {asset: str(number) for asset, number in duckdb.execute(query[1]).fetchall()} == told


def test_without_the_word_there_is_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    digest(tmp_path, ROWS, capsys)
    main(["compare", *[str(tmp_path / "ours.csv")] * 2, "--json"])
    assert "digest" not in capsys.readouterr().out


def test_the_page_shows_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = digest(tmp_path, ROWS, capsys)
    main(["compare", *[str(tmp_path / "ours.csv")] * 2, "--digests", "--html", str(tmp_path / "page.html")])
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert ["Digest of the book" in page, *(page.count(number) for number in told.values())] == [True, 2, 2]
