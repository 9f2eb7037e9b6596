"""Tables of SQLite: exact where it is exact, refused where its columns lose digits, and clear about everything else."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given, settings

from gal_friday.bulk.duck import Duck, Limits
from gal_friday.bulk.sieve import SIDES
from gal_friday.bulk.source import source_of, written_at
from gal_friday.cli import main
from tests.bulk.databases import in_sqlite
from tests.bulk.worlds import LAYOUTS, PAIRS, World, held_against_the_comparison, worlds, written

KEY = ("--key", "account,asset,wallet")


@given(world=worlds())
@example(world=PAIRS)
@settings(deadline=None, max_examples=20)
def test_what_is_found_is_what_the_comparison_finds(world: World) -> None:
    with TemporaryDirectory() as name:
        sources = {side: source_of(in_sqlite(Path(name) / f"{side}.db", world[side])) for side in SIDES}
        with Duck(sources, LAYOUTS, names={}, exact=False, limits=Limits(threads=1)) as engine:
            held_against_the_comparison(world, engine)


def test_a_table_is_compared_with_a_file_and_texts_with_whole_numbers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [("a", "BTC", "spot", 2**62), ("a", "ETH", None, "1.50"), ("a", "XRP", "spot", -3)]
    ours = in_sqlite(tmp_path / "ours.db", rows, kind="")
    written(tmp_path / "theirs.csv", [("a", "BTC", "", f"{2**62}"), ("a", "ETH", "", "1.5"), ("a", "XRP", "", "-3.0")])
    assert main(["compare", f"sqlite:///{ours}", f"{tmp_path}/theirs.csv", *KEY]) == 0
    assert "RECONCILED: 3 balances" in capsys.readouterr().out


def test_a_table_may_be_in_many_files(tmp_path: Path) -> None:
    for number in range(3):
        in_sqlite(tmp_path / f"ours-{number}.sqlite3", [("a", f"A{number}", "spot", "1")])
    theirs = in_sqlite(tmp_path / "theirs.db", [("a", f"A{number}", "spot", "1") for number in range(3)])
    assert main(["compare", f"{tmp_path}/ours-*.sqlite3#balances", theirs, *KEY]) == 0


def test_a_row_that_cannot_be_read_is_told_with_its_number(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [("a", "BTC", "spot", "1"), ("a", "ETH", "spot", b"\x01"), ("a", "XRP", "spot", None)]
    ours = in_sqlite(tmp_path / "ours.db", rows, kind="BLOB")
    assert main(["compare", ours, ours, *KEY]) == 3
    said = capsys.readouterr().out
    assert "internal: line 2: \"x'01'\" is not an amount" in said, said
    assert "exchange: line 3: '' is not an amount: there is none" in said


@pytest.mark.parametrize("kind", ["REAL", "DECIMAL(38, 18)", "NUMERIC", "double precision"])
def test_a_column_that_sqlite_keeps_as_floating_point_is_refused_whatever_stands_in_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    # Of this amount SQLite makes the whole number 1.
    ours = in_sqlite(tmp_path / "ours.db", [("a", "BTC", "spot", "0.99999999999999999999")], kind)
    assert main(["compare", ours, ours, *KEY]) == 2
    assert f"column quantity is one of {kind}, which SQLite keeps as floating point" in capsys.readouterr().err


def test_a_single_number_of_floating_point_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ours = in_sqlite(tmp_path / "ours.db", [("a", "BTC", "spot", "1"), ("a", "ETH", "spot", 1.5)], kind="")
    assert main(["compare", ours, ours, *KEY]) == 2
    assert "column quantity holds 1.5 in row 2, a number of floating point" in capsys.readouterr().err


def no_table(file: Path) -> str:
    return f"{file}#positions"


def no_column(file: Path) -> str:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("ALTER TABLE balances RENAME COLUMN quantity TO amount")
    return f"{file}#balances"


def no_utf_8(file: Path) -> str:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("UPDATE balances SET asset = CAST(x'c9' AS TEXT)")
        connection.commit()
    return f"{file}#balances"


def no_database(file: Path) -> str:
    file.write_bytes(b"account,asset\n" * 100)
    return f"{file}#balances"


@pytest.mark.parametrize(
    "broken, words",
    [
        (str, "names no table; write it behind a #, as in file.db#balances"),
        (lambda file: f"{file.parent}/other.db#balances", "there is no file"),
        (no_table, "has no table positions"),
        (no_column, "has no column quantity; it has account, asset, wallet, amount"),
        (no_utf_8, "Could not decode to UTF-8 column 'asset'"),
        (no_database, "cannot be read: file is not a database"),
    ],
)
def test_what_is_no_table_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], broken: Callable[[Path], str], words: str
) -> None:
    file = tmp_path / "ours.db"
    ours = in_sqlite(file, [("a", "BTC", "spot", "1")])
    target = tmp_path / "found.csv"
    assert main(["compare", broken(file), ours, *KEY, "--findings", str(target)]) == 2
    assert words in (said := capsys.readouterr().err), said
    assert not target.exists()


def test_what_somebody_writes_meanwhile_is_not_seen_and_a_lock_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = in_sqlite(tmp_path / "ours.db", [("a", "BTC", "spot", "1")])
    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda name, **options: connect(name, timeout=0, **options))
    with closing(connect(tmp_path / "ours.db", isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("INSERT INTO balances VALUES ('b', 'BTC', 'spot', '1')")
        assert main(["compare", ours, ours, *KEY]) == 0
        assert "RECONCILED: 1 balance" in capsys.readouterr().out
        writer.execute("COMMIT")
        writer.execute("BEGIN EXCLUSIVE")
        assert main(["compare", ours, ours, *KEY]) == 4
        assert "cannot be read: database is locked" in capsys.readouterr().err


def test_what_stands_in_the_log_of_a_database_is_what_was_written_last(tmp_path: Path) -> None:
    ours = source_of(in_sqlite(tmp_path / "ours.db", [("a", "BTC", "spot", "1")]))
    with closing(sqlite3.connect(tmp_path / "ours.db", isolation_level=None)) as writer:
        writer.execute("PRAGMA journal_mode = WAL")
        os.utime(tmp_path / "ours.db", (0, 0))
        writer.execute("INSERT INTO balances VALUES ('b', 'BTC', 'spot', '1')")
        at = written_at(ours)
        assert at is not None
        assert at.timestamp() == pytest.approx((tmp_path / "ours.db-wal").stat().st_mtime)
        assert at.year > 1970


@pytest.mark.parametrize("name", ["ours.arrow", "ours.feather"])
def test_arrow_is_refused_with_the_way_out(tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    assert main(["compare", str(tmp_path / name), str(tmp_path / name)]) == 2
    assert "write it as Parquet" in capsys.readouterr().err
