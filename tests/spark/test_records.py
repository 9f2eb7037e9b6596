"""Records beside balances on Spark: what is found, and why, is what DuckDB and the report on two snapshots say."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gal_friday.bulk.duck import Duck, Limits
from gal_friday.bulk.forms import FORMS, Holds
from gal_friday.bulk.judge import accounts
from gal_friday.bulk.layout import RecordLayout
from gal_friday.bulk.record_relation import Asked
from gal_friday.bulk.sieve import SIDES
from gal_friday.bulk.source import Source, source_of
from gal_friday.bulk.spark import Cluster, Spark
from gal_friday.bulk.spark_words import SparkWords
from gal_friday.cli import main
from gal_friday.domain.snapshot import Side
from tests.bulk.record_worlds import TERMS, Held, RecordWorld, every_fault, held_against_the_report, record_worlds
from tests.bulk.worlds import LAYOUTS, NOW
from tests.spark.files import records

pytestmark = [pytest.mark.timeout(600), pytest.mark.usefixtures("spark")]
HERE = Cluster(master="local[1]")
TYPED = {Holds.AMOUNT: "DECIMAL(38, 18)", Holds.FLAG: "BOOLEAN"}

INSTANTS = {
    "2026-02-28T01:00:00+05:30": "2026-02-27T19:30:00",
    "2026-02-28T01:00:00-0830": "2026-02-28T09:30:00",
    "2026-02-28 01:00:00.25-08": "2026-02-28T09:00:00.25",
    "2026-02-28 01:00:00.1234569": "2026-02-28T01:00:00.123456",
    " 2024-02-29T01:00:00.Z ": "2024-02-29T01:00:00",
    "2026-02-28 01:00 UTC": "2026-02-28T01:00:00",
    "2026-02-28 01:00-08": "2026-02-28T09:00:00",
    "2026-2-8": "2026-02-08T00:00:00",
    "0001-01-01T00:00:00Z": "0001-01-01T00:00:00",
    "2026-02-30T01:00:00Z": None,
    "2026-02-28T01:00:00z": None,
    "2026-02-28t01:00:00Z": None,
    "2026-02-28T": None,
    "2026-02-28T01:00:00 +05:30": None,
    "2026-02": None,
    "2026": None,
    "T01:00": None,
    "": None,
}
"""Text, and what DuckDB reads in it."""


@given(many=st.lists(record_worlds(), min_size=20, max_size=20))
@settings(deadline=None, max_examples=2, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_accounts_are_judged_and_explained_as_their_snapshots_are(many: Sequence[RecordWorld]) -> None:
    world = {side: _together([one[side] for one in many]) for side in SIDES}
    with TemporaryDirectory() as name:
        records(world, Path(name), {})
        with _spark(name) as engine:
            held_against_the_report(world, engine)


@pytest.mark.parametrize("kinds, by_event, sieve", [
    ({}, False, "hash"),
    (TYPED | {Holds.INSTANT: "TIMESTAMP WITH TIME ZONE"}, True, "exact"),
    (TYPED | {Holds.INSTANT: "TIMESTAMP"}, False, "hash"),
])  # fmt: skip
def test_each_fault_is_told_as_duckdb_tells_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], kinds: Mapping[Holds, str], by_event: bool, sieve: str
) -> None:
    records(every_fault(by_event=by_event), tmp_path, kinds)
    assert _told(tmp_path, "spark", capsys, "--sieve", sieve) == _told(tmp_path, "duckdb", capsys)


@pytest.mark.parametrize("by_event", [True, False])
def test_of_an_account_with_very_many_records_the_same_are_looked_at_as_by_duckdb(
    tmp_path: Path, by_event: bool
) -> None:
    records(every_fault(by_event=by_event), tmp_path, {})
    found = []
    for engine in (_spark(str(tmp_path)), _duck(str(tmp_path))):
        with engine:
            engine.most = 1
            found.append(list(accounts(engine.sieved(TERMS), TERMS)))
    assert found[0] == found[1]
    assert found[0]


def test_instants_as_text_are_those_of_utc(tmp_path: Path) -> None:
    words, some = SparkWords(), {at: instant and datetime.fromisoformat(instant) for at, instant in INSTANTS.items()}
    records(every_fault(by_event=True), tmp_path, {})
    given = ", ".join(f"({words.literal(at)})" for at in some)
    with _spark(str(tmp_path)) as engine:
        told = list(engine.asked(f"SELECT at, {words.instant('at', 'string')} FROM (VALUES {given}) AS given(at)"))
    assert dict(told) == some


def test_instants_of_any_type_are_told_as_text_of_utc(tmp_path: Path) -> None:
    words, types = SparkWords(), ("timestamp", "timestamp_ntz", "date")
    said = ", ".join(words.instant_text(kind, kind) for kind in types)
    given = "TIMESTAMP '2026-02-28 01:00:00.000001+05:30', TIMESTAMP_NTZ '0044-03-15 23:59:59.5', DATE '0000-12-31'"
    records(every_fault(by_event=True), tmp_path, {})
    with _spark(str(tmp_path)) as engine:
        told = list(engine.asked(f"SELECT {said} FROM (VALUES ({given})) AS given({', '.join(types)})"))
    assert told == [("2026-02-27T19:30:00.000001Z", "0044-03-15T23:59:59.500000Z", "0000-12-31T00:00:00.000000Z")]


def _told(folder: Path, engine: str, capsys: pytest.CaptureFixture[str], *more: str) -> Mapping[str, object]:
    """Return all that a comparison says, in every file that it writes."""
    given = [f"{folder}/{side}.parquet" for side in SIDES]
    for name in FORMS:
        given += [f"--{name}", *(f"{folder}/{name}_{side}.parquet" for side in SIDES)]
    files = {what: folder / f"{engine}-{what}.csv" for what in ("findings", "rejected")}
    for what, file in files.items():
        given += [f"--{what}", str(file)]
    key = ("--key", "account,asset,wallet", "--as-of", NOW.isoformat())
    status = main(["compare", *given, *key, "--engine", engine, "--digests", "--json", *more])
    said = json.loads(capsys.readouterr().out)
    assert said.pop("engine") == engine
    written = {what: file.read_bytes() for what, file in files.items()}
    return {"status": status, "said": said, **written}


def _together(many: Sequence[Held]) -> Held:
    """Return what all of them hold, each in accounts of its own."""
    balances = {f"{at} {account}": held for at, one in enumerate(many) for account, held in one.balances.items()}
    rows = {
        name: [(f"{at} {account}", cells) for at, one in enumerate(many) for account, cells in one.rows[name]]
        for name in FORMS
    }
    return Held(balances, rows)


def _asked(folder: str) -> Asked[Source]:
    layout = RecordLayout(account="account")
    return Asked(
        NOW,
        {name: {side: (source_of(f"{folder}/{name}_{side}.parquet"), layout) for side in SIDES} for name in FORMS},
    )


def _sources(folder: str) -> Mapping[Side, Source]:
    return {side: source_of(f"{folder}/{side}.parquet") for side in SIDES}


def _spark(folder: str) -> Spark:
    return Spark(_sources(folder), LAYOUTS, names={}, exact=False, cluster=HERE, records=_asked(folder))


def _duck(folder: str) -> Duck:
    limits = Limits(threads=1)
    return Duck(_sources(folder), LAYOUTS, names={}, exact=False, limits=limits, records=_asked(folder))
