"""Records beside balances: what is found, and why, is what the report on two snapshots says, to the last digit."""

from datetime import datetime
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pytest
from hypothesis import example, given, settings

from gal_friday.bulk.duck import Duck, Limits
from gal_friday.bulk.forms import FORMS, Holds
from gal_friday.bulk.judge import accounts
from gal_friday.bulk.layout import RecordLayout
from gal_friday.bulk.postgres import Postgres, place_of
from gal_friday.bulk.record_relation import Asked
from gal_friday.bulk.sieve import SIDES
from gal_friday.bulk.source import source_of
from gal_friday.domain.records import Kind
from gal_friday.domain.snapshot import Since
from tests.bulk.databases import Tables
from tests.bulk.record_worlds import (
    TERMS,
    Held,
    RecordWorld,
    every_fault,
    files_of,
    held_against_the_report,
    lines_of,
    record_worlds,
)
from tests.bulk.worlds import LAYOUTS, NOW

_LAYOUT = RecordLayout(account="account")


@pytest.mark.parametrize("exact", [True, False])
@given(world=record_worlds())
@example(world=every_fault(by_event=False))
@example(world=every_fault(by_event=True))
@settings(deadline=None, max_examples=15)
def test_accounts_are_judged_and_explained_as_their_snapshots_are(world: RecordWorld, exact: bool) -> None:
    with TemporaryDirectory() as name:
        files_of(world, Path(name))
        with _duck(name, "csv", exact=exact) as engine:
            held_against_the_report(world, engine)


@pytest.mark.parametrize("by_event", [True, False])
def test_what_agrees_is_not_looked_at(tmp_path: Path, by_event: bool) -> None:
    world = every_fault(by_event=by_event)
    # The book as the exchange has it, but for the ids of what a fill moved where it does not know them.
    same = {name: [(account, cells) for account, cells in rows] for name, rows in world["exchange"].rows.items()}
    files_of({side: type(world[side])(world["exchange"].balances, same) for side in SIDES}, tmp_path)
    with _duck(str(tmp_path), "csv", exact=False) as engine:
        handed = {row.account for row in engine.handed(TERMS)}
    # Rows that stand there twice have to be seen; all others are the same.
    assert {account.split()[1] for account in handed} == {"both"}


@pytest.mark.parametrize("zone", ["TIMESTAMP", "TIMESTAMP WITH TIME ZONE"])
def test_typed_columns_say_what_text_says(tmp_path: Path, zone: str) -> None:
    world = every_fault(by_event=False)
    files_of(world, tmp_path)
    kinds = {Holds.AMOUNT: "DECIMAL(38, 18)", Holds.FLAG: "BOOLEAN", Holds.INSTANT: zone}
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'Asia/Tokyo'")
        for side in SIDES:
            _as_parquet(connection, tmp_path / f"{side}.csv", {"quantity": "DECIMAL(38, 18)"})
            for name, form in FORMS.items():
                typed = {one: kinds[holds] for one, holds in form.columns.items() if holds in kinds}
                _as_parquet(connection, tmp_path / f"{name}_{side}.csv", typed)
    with _duck(str(tmp_path), "parquet", exact=False) as engine:
        held_against_the_report(world, engine)


@pytest.mark.parametrize(
    "at, first",
    [
        ("2026-02-28T01:00:00+05:30", "2026-02-27T19:30:00Z"),
        ("2026-02-28 01:00:00.25-08", "2026-02-28T09:00:00.25Z"),
        ("2026-02-28 01:00:00", "2026-02-28T01:00:00Z"),
        ("2026-02-28", "2026-02-28T00:00:00Z"),
    ],
)
def test_an_instant_as_text_is_that_of_its_zone(tmp_path: Path, at: str, first: str) -> None:
    row = {"movement_id": "L1", "kind": "deposit", "asset": "BTC", "amount": "1", "at": at}
    side = Held({"a": {"BTC:spot": Decimal(1)}}, {"fills": [], "movements": [("a", row)], "positions": []})
    files_of(dict.fromkeys(SIDES, side), tmp_path)
    with _duck(str(tmp_path), "csv", exact=False) as engine:
        assert engine.since("exchange") == Since(movements=datetime.fromisoformat(first))


@pytest.mark.parametrize("by_event", [True, False])
def test_of_an_account_with_very_many_records_only_those_are_looked_at_that_differ(
    tmp_path: Path, by_event: bool
) -> None:
    world = every_fault(by_event=by_event)
    files_of(world, tmp_path)
    found: dict[int, list[str]] = {}
    looked_at: dict[int, int] = {}
    for most in (1, 1_000_000):
        with _duck(str(tmp_path), "csv", exact=False) as engine:
            engine.most = most
            told = [one for judged in accounts(engine.sieved(TERMS), TERMS) for one in judged.discrepancies]
            found[most] = [one.id for one in told]
            looked_at[most] = sum(1 for _ in engine.handed(TERMS))
    assert found[1] == found[1_000_000]
    assert looked_at[1] < 0.8 * looked_at[1_000_000]


@pytest.mark.postgres
@pytest.mark.parametrize("typed", [True, False])
def test_postgresql_says_the_same_where_its_tables_are(tables: Tables, typed: bool) -> None:
    world = every_fault(by_event=typed)
    tables.hold({side: lines_of(world, side) for side in SIDES}, "numeric" if typed else "text")
    tables.hold_records(world, typed)
    places = {side: place_of(f"{tables.address}#public.{side}") for side in SIDES}
    found = {name: {side: (place_of(f"{tables.address}#{name}_{side}"), _LAYOUT) for side in SIDES} for name in FORMS}
    with Postgres(places, LAYOUTS, names={}, records=Asked(NOW, found)) as engine:
        outcome = held_against_the_report(world, engine)
    assert outcome.records[Kind.MOVEMENTS].rows["exchange"] == len(world["exchange"].rows["movements"])


def _duck(folder: str, ending: str, *, exact: bool) -> Duck:
    sources = {side: source_of(f"{folder}/{side}.{ending}") for side in SIDES}
    found = {name: {side: (source_of(f"{folder}/{name}_{side}.{ending}"), _LAYOUT) for side in SIDES} for name in FORMS}
    return Duck(sources, LAYOUTS, names={}, exact=exact, limits=Limits(threads=1), records=Asked(NOW, found))


def _as_parquet(connection: duckdb.DuckDBPyConnection, path: Path, typed: dict[str, str]) -> None:
    cast = ", ".join(f'CAST("{one}" AS {kind}) AS "{one}"' for one, kind in typed.items())
    read = f"read_csv('{path}', all_varchar = true, header = true)"
    replaced = f"SELECT * REPLACE ({cast}) FROM {read}"
    connection.execute(f"COPY ({replaced}) TO '{path.with_suffix('.parquet')}' (FORMAT parquet)")
