"""What engines get wrong: DuckDB and Spark give the same files, byte for byte, and refuse the same columns."""

import json
from collections.abc import Sequence
from pathlib import Path

import duckdb
import pytest

from gal_friday.bulk.sieve import SIDES
from gal_friday.cli import main
from gal_friday.domain.snapshot import Side
from tests.bulk.worlds import Line
from tests.spark.files import parquet

pytestmark = [pytest.mark.timeout(300), pytest.mark.usefixtures("spark")]
KEY = ("--key", "account,asset,wallet")
CONFIG = """[aliases.assets]
"it's" = "ITS"
'back\\slash' = "SLASH"
'end\\' = "END"
"${spark}" = "DOLLAR"
"""
NAMES = [
    ("a", "it's", "spot", "1"),
    ("a", "back\\slash", "spot", "2"),
    ("a", "end\\", "spot", "3"),
    ("a", "${spark}", "spot", "4"),
    ("a", "ITS", "", "5"),
    ("", "BTC", "spot", "6"),
    ("b", "", "spot", "7"),
    ("b", "?XBT", "spot", "8"),
    ("b", "BTC", "spot", ""),
    ("b", "ETH", "spot", "1,000"),
    ("c", "BTC", "spot", "1 "),
    ("c", "ETH", "spot", "1\n"),
    ("c", "XRP", "spot", "NaN"),
    ("c", "SOL", "spot", "١"),
]
WIDE = [
    ("a", "BTC", "spot", "99999999999999999999.999999999999999999"),
    ("b", "BTC", "spot", "99999999999999999999.999999999999999999"),
    ("c", "BTC", "spot", "-0.000000000000000001"),
]
SAID: dict[str, tuple[str, Sequence[Line], Sequence[Line]]] = {
    "names": ("VARCHAR", NAMES, [(*line[:3], line[3] if line[0] == "c" else f"{line[3]}0") for line in NAMES]),
    "sums that pass 38 digits": ("DECIMAL(38, 18)", WIDE, WIDE[1:]),
    "too many places": (
        "DECIMAL(38, 24)",
        [("a", "BTC", "spot", "1"), ("a", "ETH", "spot", "0.000000000000000000000001"), ("a", "XRP", "spot", "2")],
        [("a", "BTC", "spot", "1"), ("a", "ETH", "spot", "0.000000000000000000000002"), ("a", "XRP", "spot", "3")],
    ),
    "too many digits": (
        "DECIMAL(38, 0)",
        [("a", "BTC", "spot", "1" + "0" * 30), ("a", "ETH", "spot", "1"), ("a", "XRP", "spot", "1" + "0" * 20)],
        [("a", "BTC", "spot", "1" + "0" * 29 + "1"), ("a", "ETH", "spot", "1"), ("a", "XRP", "spot", "1" + "0" * 20)],
    ),
    "whole numbers without a sign": (
        "UBIGINT",
        [("a", "BTC", "spot", "18446744073709551615"), ("a", "ETH", "spot", "18446744073709551615")],
        [("a", "BTC", "spot", "18446744073709551614"), ("a", "ETH", "spot", "18446744073709551615")],
    ),
}


@pytest.mark.parametrize("said", SAID)
def test_files_and_sums_are_those_of_duckdb(tmp_path: Path, capsys: pytest.CaptureFixture[str], said: str) -> None:
    kind, ours, theirs = SAID[said]
    folder = tmp_path / "a b+c%20é"
    folder.mkdir()
    sides: list[tuple[Side, Sequence[Line]]] = [("internal", ours), ("exchange", theirs)]
    both = [parquet(folder / f"{side}.parquet", lines, kind) for side, lines in sides]
    (tmp_path / "names.toml").write_text(CONFIG)
    told = {}
    for engine in ("duckdb", "spark"):
        files = ("--findings", f"{tmp_path}/{engine}.csv", "--rejected", f"{tmp_path}/{engine}-rejected.csv")
        main(
            [
                "compare",
                *both,
                *KEY,
                "--config",
                f"{tmp_path}/names.toml",
                *files,
                "--engine",
                engine,
                "--digests",
                "--json",
            ]
        )
        told[engine] = json.loads(capsys.readouterr().out)
        assert told[engine].pop("engine") == engine
    assert told["spark"] == told["duckdb"]
    for name in ("", "-rejected"):
        found, expected = ((tmp_path / f"{engine}{name}.csv").read_bytes() for engine in ("spark", "duckdb"))
        assert sorted(found.splitlines()) == sorted(expected.splitlines())
        assert name or found == expected
    assert told["spark"]["discrepancies_found"] + told["spark"]["untold"] > 0


def test_what_differed_before_is_looked_up_whatever_it_is_called(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, *sides = SAID["names"]
    ours, theirs = (parquet(tmp_path / f"{name}.parquet", side) for name, side in zip(SIDES, sides, strict=True))
    main(["compare", ours, theirs, *KEY, "--findings", f"{tmp_path}/before.csv"])
    capsys.readouterr()
    told = []
    for engine in ("duckdb", "spark"):
        main(["compare", ours, ours, *KEY, "--before", f"{tmp_path}/before.csv", "--engine", engine, "--json"])
        told.append(json.loads(capsys.readouterr().out))
    assert told[0].pop("engine") != told[1].pop("engine")
    assert told[1] == told[0]
    assert {one["key"] for one in told[1]["cleared"]} > {"balances:it's:spot", "balances:end\\:spot"}


def test_columns_of_any_name_and_prices_are_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for side, price in zip(SIDES, ("3000", "60000.5"), strict=True):
        columns = f"""'BTC' AS "the `as`""set", {price}::DECIMAL(10, 2) AS "px", 1.5::DECIMAL(9, 2) AS "price €" """
        other = f"'ETH', 1.25, {'1' if side == 'internal' else '2'}"
        rows = f"SELECT {columns} UNION ALL SELECT {other}"
        duckdb.sql(f"COPY ({rows}) TO '{tmp_path}/{side}.parquet' (FORMAT parquet)")
    (tmp_path / "columns.toml").write_text("""asset = 'the `as`"set'\nquantity = "px"\nprice = "price €"\n""")
    found = []
    for engine in ("duckdb", "spark"):
        both = [f"{tmp_path}/{side}.parquet" for side in SIDES]
        main(["compare", *both, "--columns", f"{tmp_path}/columns.toml", "--engine", engine, "--json"])
        found.append(json.loads(capsys.readouterr().out)["discrepancies"])
    assert [(one["account"], one["currency"], one["value"]) for one in found[1]] == [("main", "BTC", "85500.7500")]
    assert found[1] == found[0]


@pytest.mark.parametrize(
    "column, words",
    [
        ("1.5::DOUBLE AS quantity", "internal.parquet: column quantity holds double, which is not exact"),
        ("DATE '2026-01-01' AS quantity", "column quantity holds date, and no amounts"),
        ("1 AS amount", "internal.parquet has no column quantity; it has account, asset, amount"),
    ],
)
def test_what_is_not_exact_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], column: str, words: str
) -> None:
    for side in SIDES:
        duckdb.sql(f"COPY (SELECT 'a' AS account, 'BTC' AS asset, {column}) TO '{tmp_path}/{side}.parquet'")
    assert main(["compare", *(f"{tmp_path}/{side}.parquet" for side in SIDES), "--engine", "spark"]) == 2
    assert words in capsys.readouterr().err
