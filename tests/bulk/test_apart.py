"""Two tables that are not in one place: what is found is what is found in one, and little leaves its place."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings

from gal_friday.bulk import apart
from gal_friday.bulk.apart import Apart, Holder
from gal_friday.bulk.duck import Duck, Limits
from gal_friday.bulk.postgres import Postgres, place_of
from gal_friday.bulk.rows import Row
from gal_friday.bulk.sieve import SIDES
from gal_friday.bulk.source import source_of
from gal_friday.cli import main
from gal_friday.domain.snapshot import Side
from tests.bulk.databases import Tables, in_sqlite
from tests.bulk.worlds import COLUMNS, PAIRS, Line, World, held_against_the_comparison, planted, worlds, written

pytestmark = pytest.mark.postgres
ONE = Limits(threads=1)
KEY = ("--key", "account,asset,wallet")


def in_database(tables: Tables, side: Side) -> Postgres:
    return Postgres({side: place_of(f"{tables.address}#{side}")}, {side: COLUMNS}, names={})


def in_file(folder: str, side: Side, lines: Sequence[Line]) -> Duck:
    written(Path(folder) / f"{side}.csv", lines)
    return Duck({side: source_of(f"{folder}/{side}.csv")}, {side: COLUMNS}, names={}, exact=False, limits=ONE)


@contextmanager
def apart_from(tables: Tables, world: World, far: Sequence[Side], *, exact: bool) -> Iterator[Apart]:
    with TemporaryDirectory() as folder:
        holders: Mapping[Side, Holder] = {
            side: in_database(tables, side) if side in far else in_file(folder, side, world[side]) for side in SIDES
        }
        with Apart(holders, exact=exact, limits=ONE) as engine:
            yield engine


@pytest.mark.parametrize("far, exact, named", [(SIDES, False, 100), (SIDES[:1], False, 0), (SIDES[1:], True, 100)])
@given(world=worlds())
@example(world=PAIRS)
@settings(deadline=None, max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_found_is_what_the_comparison_finds(
    tables: Tables, far: Sequence[Side], exact: bool, named: int, world: World
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(apart, "_NAMED", named)
        tables.hold(world, "text")
        with apart_from(tables, world, far, exact=exact) as engine:
            held_against_the_comparison(world, engine)


def test_two_places_give_the_file_that_one_gives_and_only_accounts_that_differ_leave_theirs(
    tables: Tables, other: Tables, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sides, differ = planted()
    for side in SIDES:
        sides[side] += [("twice", "BTC", "spot", "1")] * 2 + [("wide", "BTC", "spot", "1" + "0" * 30)]
        sides[side] += [(f"quiet {number}", "BTC", "spot", f"{number}.5") for number in range(300)]
    differ.add(("twice", "BTC"))
    changed = {account for account, _ in differ} | {"wide"}
    tables.hold(sides, "numeric")
    other.hold(sides, "numeric")
    for side in SIDES:
        written(tmp_path / f"{side}.csv", sides[side])
        read = f"read_csv('{tmp_path}/{side}.csv', all_varchar = true)"
        duckdb.sql(f"COPY (SELECT * FROM {read}) TO '{tmp_path}/{side}.parquet'")
    made = {
        "one": [f"{tables.address}#internal", f"{tables.address}#exchange"],
        "two": [f"{tables.address}#internal", f"{other.address}#exchange"],
        "file": [f"{tmp_path}/internal.parquet", f"{other.address}#exchange"],
        "sqlite": [in_sqlite(tmp_path / "internal.db", sides["internal"]), f"{other.address}#exchange"],
        "lines": [f"{tables.address}#internal", f"{tmp_path}/exchange.csv"],
    }
    found = {}
    for name, both in made.items():
        files = ("--findings", f"{tmp_path}/{name}.csv", "--html", f"{tmp_path}/{name}.html")
        assert main(["compare", *both, *KEY, *files, "--digests", "--json"]) == 1
        found[name] = json.loads(capsys.readouterr().out)
        totals = found[name].pop("control_totals")
        found[name]["totals"] = [(side, asset, sums(one)) for side in SIDES for asset, one in totals[side].items()]
        del found[name]["engine"]
    moved = {name: one.pop("moved") for name, one in found.items()}
    first, *others = [(tmp_path / f"{name}.csv").read_bytes() for name in made]
    assert others == [first] * 4
    for one in found.values():
        assert one == found["one"]
    rows = sum(line[0] in changed for side in SIDES for line in sides[side])
    pages = ((tmp_path / f"{name}.html").read_text(encoding="utf-8") for name in ("one", "file"))
    assert ["rows had to leave their place" in page for page in pages] == [False, True]
    assert moved == {"one": None, "two": rows - 2, "file": rows, "sqlite": rows, "lines": rows}


def sums(total: Mapping[str, Any]) -> tuple[int, Decimal, str]:
    return total["rows"], Decimal(total["amount"]), total["digest"]


def test_where_nothing_differs_nothing_leaves_its_place(
    tables: Tables, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [(f"{number}", "BTC", "spot", f"{number}.50") for number in range(1_000)]
    tables.hold({"internal": lines, "exchange": []}, "numeric")
    written(tmp_path / "theirs.csv", lines)
    assert main(["compare", f"{tables.address}#internal", f"{tmp_path}/theirs.csv", *KEY]) == 0
    said = capsys.readouterr().out
    assert "RECONCILED: 1,000 balances in 1,000 accounts" in said
    assert "by postgresql and duckdb\n0 of them had to leave their place" in said


def test_a_database_that_goes_away_meanwhile_leaves_nothing_that_looks_whole(
    tables: Tables, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tables.hold({"internal": [("a", "BTC", "spot", "1")], "exchange": []}, "numeric")
    written(tmp_path / "theirs.csv", [("a", "BTC", "spot", "2")])
    with psycopg.connect(tables.address, autocommit=True) as connection:
        # Its server ends whoever asks for rows, after they were counted.
        asked = "EXISTS (SELECT 1 FROM pg_cursors WHERE statement LIKE '%AS fits%')"
        ended = f"CASE WHEN {asked} THEN pg_terminate_backend(pg_backend_pid()) ELSE true END"
        connection.execute(f"CREATE VIEW gone AS SELECT * FROM internal WHERE {ended}")
    target = tmp_path / "found.csv"
    places = (f"{tables.address}#gone", f"{tmp_path}/theirs.csv")
    assert main(["compare", *places, *KEY, "--findings", str(target)]) == 4
    assert "the database of gone at " in (said := capsys.readouterr().err), said
    assert "does not answer" in said
    assert [path.name for path in tmp_path.iterdir()] == ["theirs.csv"]


def test_a_file_that_is_written_to_meanwhile_is_told(
    tables: Tables, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    tables.hold({"internal": [("a", "BTC", "spot", "1")], "exchange": []}, "numeric")
    file = tmp_path / "theirs.csv"
    written(file, [("a", "BTC", "spot", "2")])
    rows = Postgres.rows

    def and_write(*arguments: Any) -> Iterator[Row]:
        yield from rows(*arguments)
        with file.open("a") as opened:
            opened.write("b,BTC,spot,1\n")

    monkeypatch.setattr(Postgres, "rows", and_write)
    assert main(["compare", f"{tables.address}#internal", str(file), *KEY, "--findings", f"{tmp_path}/found.csv"]) == 4
    assert "was written to while it was read" in capsys.readouterr().err
    assert not (tmp_path / "found.csv").exists()


def test_what_differed_before_and_rows_that_cannot_be_read_are_told_as_in_one_place(
    tables: Tables, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ours = [("a", "BTC", "spot", "1"), ("b", "BTC", "spot", "1"), ("c", "BTC", "spot", "1")]
    theirs = [("a", "BTC", "spot", "2"), ("b", "BTC", "spot", "2"), ("", "ETH", "spot", "5"), ("d", "BTC", "spot", "x")]
    tables.hold({"internal": ours, "exchange": theirs}, "text")
    written(tmp_path / "theirs.csv", theirs)
    made = {"one": f"{tables.address}#exchange", "two": f"{tmp_path}/theirs.csv"}
    found = {}
    for name, other in made.items():
        first = ["compare", f"{tables.address}#internal", other, *KEY]
        assert main([*first, "--findings", f"{tmp_path}/{name}.csv", "--partial", "exchange"]) == 3
        tables.hold({"internal": [*theirs[:1], *ours[1:]], "exchange": theirs}, "text")
        capsys.readouterr()
        files = ("--before", f"{tmp_path}/{name}.csv", "--rejected", f"{tmp_path}/{name}-rejected.jsonl")
        assert main([*first, *files, "--json"]) == 3
        found[name] = json.loads(capsys.readouterr().out)
        tables.hold({"internal": ours, "exchange": theirs}, "text")
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()
    for name in ("cleared", "day_over_day", "discrepancies", "verdict", "rejected", "untold", "keys", "agreed"):
        assert found["two"][name] == found["one"][name]
    assert (found["two"]["day_over_day"]["cleared"]["count"], found["two"]["rejected"]) == (1, 2)
    lines = (tmp_path / "two-rejected.jsonl").read_text().splitlines()
    assert [json.loads(line)["line"] for line in lines] == ["4", "5"]


@contextmanager
def encoded(tables: Tables, encoding: str) -> Iterator[Tables]:
    server, _, first = tables.address.rpartition("/")
    name = f"{first}_{encoding.lower()}"
    with psycopg.connect(tables.address, autocommit=True) as connection:
        made = f"CREATE DATABASE {name} TEMPLATE template0 ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C'"
        connection.execute(made)
        try:
            yield Tables(f"{server}/{name}")
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_another_encoding_of_a_database_changes_no_name(
    tables: Tables, tmp_path: Path, capsys: pytest.CaptureFixture[str], encoding: str
) -> None:
    # No letter of the last account is in LATIN1.
    lines = [("é", "É", "spot", "1"), ("ü", "ß", "spot", "2")]
    written(tmp_path / "theirs.csv", [lines[0], ("ü", "ß", "spot", "3"), ("счёт", "BTC", "spot", "4")])
    with encoded(tables, encoding) as elsewhere:
        elsewhere.hold({"internal": lines, "exchange": []}, "numeric")
        assert main(["compare", f"{elsewhere.address}#internal", f"{tmp_path}/theirs.csv", *KEY, "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert [(one["account"], one["difference"]) for one in told["discrepancies"]] == [("ü", "1"), ("счёт", "4")]
    assert (told["agreed"], told["moved"]) == (1, 3)


def test_text_of_no_known_encoding_is_refused(tables: Tables, capsys: pytest.CaptureFixture[str]) -> None:
    with encoded(tables, "SQL_ASCII") as elsewhere:
        elsewhere.hold({side: [("a", "BTC", "spot", "1")] for side in SIDES}, "numeric")
        with psycopg.connect(elsewhere.address, autocommit=True) as connection:
            connection.execute(r"UPDATE exchange SET asset = E'\xc9'")
        assert main(["compare", *(f"{elsewhere.address}#{side}" for side in SIDES), *KEY]) == 2
    assert "cannot be read: invalid byte sequence for encoding" in (said := capsys.readouterr().err), said


def test_one_account_without_a_column_of_its_own_is_one_segment(
    tables: Tables, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tables.hold({"internal": [("x", "BTC", "spot", "1"), ("x", "ETH", "spot", "1")], "exchange": []}, "numeric")
    (tmp_path / "theirs.csv").write_text("asset,quantity\nBTC,1\nETH,2\n")
    places = (f"{tables.address}#internal", f"{tmp_path}/theirs.csv")
    assert main(["compare", *places, "--key", "asset", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert [(one["account"], one["key"]) for one in told["discrepancies"]] == [("main", "balances:ETH:spot")]
    assert (told["agreed"], told["accounts"], told["moved"]) == (1, 1, 4)


def test_what_differs_between_two_places_is_recorded(
    tables: Tables, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tables.hold({"internal": [("a", "BTC", "spot", "1")], "exchange": []}, "numeric")
    theirs = tmp_path / "theirs.csv"
    for amount, day, words in (("2", 1, "1 opened"), ("1", 2, "1 cleared")):
        written(theirs, [("a", "BTC", "spot", amount)])
        places = (f"{tables.address}#internal", str(theirs))
        main(["compare", *places, *KEY, "--store", str(tmp_path / "store.db"), "--as-of", f"2026-03-0{day}T00:00Z"])
        assert f"of their discrepancies {words}" in capsys.readouterr().out


def test_without_what_judges_nothing_is_read(
    tables: Tables, other: Tables, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "duckdb", None)
    assert main(["compare", f"{tables.address}#internal", f"{other.address}#exchange"]) == 2
    assert "pip install 'gal-friday[bulk]'" in capsys.readouterr().err


def test_columns_of_other_types_and_their_prices_say_the_same_from_both_places(
    tables: Tables, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tables.hold({"internal": [("7", "BTC", "spot", "1"), ("8", "ETH", "spot", "2")], "exchange": []}, "numeric")
    with psycopg.connect(tables.address, autocommit=True) as connection:
        told = "account::bigint AS account, asset::char(8) AS asset, wallet, quantity::smallint AS quantity"
        connection.execute(f"CREATE VIEW ours AS SELECT {told}, 60000.5::numeric(9, 2) AS price FROM internal")
    rows = "SELECT 7 AS account, 'BTC' AS asset, 2.50 AS quantity, '60000.5' AS price UNION ALL SELECT 8, 'ETH', 2, '1'"
    duckdb.sql(f"COPY ({rows}) TO '{tmp_path}/theirs.parquet'")
    assert main(["compare", f"{tables.address}#ours", f"{tmp_path}/theirs.parquet", "--price", "price", "--json"]) == 1
    said = json.loads(capsys.readouterr().out)
    assert [(one["account"], one["difference"], one["value"]) for one in said["discrepancies"]] == [
        ("7", "1.50", "90000.750")
    ]
    assert (said["agreed"], said["moved"]) == (1, 2)


def test_floating_point_is_refused_on_either_side(
    tables: Tables, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tables.hold({"internal": [("a", "BTC", "spot", "1")], "exchange": []}, "double precision")
    written(tmp_path / "theirs.csv", [("a", "BTC", "spot", "1")])
    assert main(["compare", f"{tmp_path}/theirs.csv", f"{tables.address}#internal", *KEY]) == 2
    assert "holds float8, which is not exact" in capsys.readouterr().err
