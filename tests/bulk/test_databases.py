"""Tables in PostgreSQL: the same files come out as from files, and nobody is told a password."""

from collections.abc import Sequence
from pathlib import Path

import duckdb
import psycopg
import pytest

from gal_friday.bulk.sieve import SIDES
from gal_friday.cli import main
from tests.bulk.databases import Tables
from tests.bulk.worlds import planted

pytestmark = pytest.mark.postgres


def test_files_and_tables_of_a_database_give_the_same_file(
    tables: Tables, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sides, differ = planted()
    tables.hold(sides, "numeric(38, 18)")
    with psycopg.connect(tables.address) as connection:
        for side in SIDES:
            lines = [",".join(map(str, row)) for row in connection.execute(f"SELECT * FROM {side}")]
            (tmp_path / f"{side}.csv").write_text("\n".join(["account,asset,wallet,quantity", *lines]) + "\n")
            read = f"read_csv('{tmp_path}/{side}.csv', types = {{'quantity': 'DECIMAL(38, 18)'}})"
            duckdb.sql(f"COPY (SELECT * FROM {read}) TO '{tmp_path}/{side}.parquet'")
    made = {
        "postgresql": [f"{tables.address}#{side}" for side in SIDES],
        "csv": [f"{tmp_path}/{side}.csv" for side in SIDES],
        "parquet": [f"{tmp_path}/{side}.parquet" for side in SIDES],
    }
    key = ("--key", "account,asset,wallet")
    for name, both in made.items():
        assert main(["compare", *both, *key, "--findings", f"{tmp_path}/found-{name}.csv"]) == 1
    first, *others = [(tmp_path / f"found-{name}.csv").read_bytes() for name in made]
    assert others == [first, first]
    found = [tuple(line.split(",")[0:3:2]) for line in first.decode().splitlines()[1:]]
    assert (len(found), set(found)) == (len(differ), differ)
    assert "differ" in capsys.readouterr().out
    # The day after the exchange has what the book has: whatever differed is seen to agree.
    before = ("--before", f"{tmp_path}/found-csv.csv")
    for ours in (f"{tables.address}#public.internal", made["parquet"][0]):
        assert main(["compare", ours, ours, *key, *before]) == 0
        assert f"{len(differ):>12,}  cleared" in capsys.readouterr().out


@pytest.mark.parametrize(
    "change, status, words",
    [
        (lambda address: [f"{address}#internal", f"{address}#nothing"], 2, "does not exist"),
        (lambda address: [address, f"{address}#exchange"], 2, "names no table"),
        (lambda address: [f"{address}#internal", "other.csv"], 2, "there is no file other.csv"),
        (lambda address: [f"{address}#internal", f"{address}_gone#exchange"], 4, "cannot be reached"),
        (lambda address: [f"{address}_gone#internal", f"{address}_gone#exchange"], 4, "cannot be reached"),
    ],
)
def test_what_is_not_there_is_told_without_the_password(
    tables: Tables, capsys: pytest.CaptureFixture[str], change: object, status: int, words: str
) -> None:
    tables.hold({side: [("a", "BTC", "spot", "1")] for side in SIDES}, "numeric")
    assert main(["compare", *changed(change, tables.address)]) == status
    said = capsys.readouterr().err
    password = tables.address.split(":")[2].partition("@")[0]
    assert (words in said, password in said) == (True, False), said


def changed(change: object, address: str) -> Sequence[str]:
    assert callable(change)
    found: Sequence[str] = change(address)
    return found


def test_floating_point_is_refused_and_nothing_is_written(tables: Tables, capsys: pytest.CaptureFixture[str]) -> None:
    tables.hold({side: [("a", "BTC", "spot", "1")] for side in SIDES}, "double precision")
    assert main(["compare", *(f"{tables.address}#public.{side}" for side in SIDES)]) == 2
    assert "holds float8, which is not exact" in capsys.readouterr().err


def test_no_number_is_no_amount(tables: Tables, capsys: pytest.CaptureFixture[str]) -> None:
    tables.hold({side: [("a", "BTC", "spot", "NaN")] for side in SIDES}, "numeric")
    assert main(["compare", *(f"{tables.address}#{side}" for side in SIDES)]) == 3
    assert "'NaN' is not an amount" in capsys.readouterr().out


def test_what_differs_is_recorded_in_a_store_of_the_same_kind_once(
    tables: Tables, capsys: pytest.CaptureFixture[str]
) -> None:
    tables.hold({side: [("a", "BTC", "spot", amount)] for side, amount in zip(SIDES, "12", strict=True)}, "numeric")
    places = [f"{tables.address}#public.{side}" for side in SIDES]
    command = ["compare", *places, "--store", tables.address, "--as-of", "2026-03-01T00:00Z"]
    assert main(command) == 1
    assert "accounts recorded: 1\nof their discrepancies 1 opened" in capsys.readouterr().out
    assert main(command) == 1
    assert "accounts recorded: 0, 1 before" in capsys.readouterr().out
