"""One master and two workers: what is judged there is what DuckDB and this process find, byte for byte."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

import pytest

from gal_friday.bulk.forms import FORMS
from gal_friday.bulk.sieve import SIDES
from gal_friday.cli import main
from tests.bulk.record_worlds import EVENTS, every_fault
from tests.bulk.worlds import NOW, planted
from tests.spark.files import parquet, records

if TYPE_CHECKING:
    from tests.spark.cluster import Running

pytestmark = pytest.mark.timeout(600)
KEY = ("--key", "account,asset,wallet")
FILES = 4


@pytest.fixture(scope="module")
def running(installed: None, tmp_path_factory: pytest.TempPathFactory) -> "Iterator[Running]":
    """Give a cluster."""
    from tests.spark.cluster import cluster

    with cluster(tmp_path_factory.mktemp("cluster")) as running:
        yield running


def test_a_cluster_finds_what_duckdb_finds(running: "Running", tmp_path: Path) -> None:
    sides, differ = planted()
    for side in SIDES:
        for number in range(FILES):
            parquet(tmp_path / f"{side}-{number}.parquet", sides[side][number::FILES], "DECIMAL(38, 18)")
    both = [f"{tmp_path}/{side}-*.parquet" for side in SIDES]
    assert main(["compare", *both, *KEY, "--findings", f"{tmp_path}/duckdb.csv"]) == 1
    for sieve in ("hash", "exact"):
        done = running.compare(*both, *KEY, "--sieve", sieve, "--findings", f"{tmp_path}/{sieve}.csv")
        assert done.returncode == 1, done.stderr
        assert (tmp_path / f"{sieve}.csv").read_bytes() == (tmp_path / "duckdb.csv").read_bytes()
    assert len((tmp_path / "hash.csv").read_text().splitlines()) == len(differ) + 1
    assert running.worked() == [True, True]


def test_a_cluster_says_why_as_duckdb_does(running: "Running", tmp_path: Path) -> None:
    records(every_fault(by_event=False), tmp_path, {})
    given = [f"{tmp_path}/{side}.parquet" for side in SIDES]
    for name in FORMS:
        given += [f"--{name}", *(f"{tmp_path}/{name}_{side}.parquet" for side in SIDES)]
    given += [*KEY, "--as-of", NOW.isoformat(), "--findings"]
    assert main(["compare", *given, f"{tmp_path}/duckdb.csv"]) == 1
    done = running.compare(*given, f"{tmp_path}/spark.csv")
    assert done.returncode == 1, done.stderr
    assert (tmp_path / "spark.csv").read_bytes() == (tmp_path / "duckdb.csv").read_bytes()
    assert len((tmp_path / "spark.csv").read_text().splitlines()) > len(EVENTS)


@pytest.mark.parametrize("after", [0.0, 2.0, 4.0])
def test_a_process_that_is_killed_in_the_middle_of_its_work_changes_nothing(
    running: "Running", tmp_path: Path, after: float
) -> None:
    sides, _ = planted()
    for side in SIDES:
        for number in range(FILES):
            parquet(tmp_path / f"{side}-{number}.parquet", sides[side][number::FILES], "DECIMAL(38, 18)")
    both = [f"{tmp_path}/{side}-*.parquet" for side in SIDES]
    assert main(["compare", *both, *KEY, "--findings", f"{tmp_path}/duckdb.csv"]) == 1
    with running.begun(*both, *KEY, "--findings", f"{tmp_path}/spark.csv") as process:
        while len(found := running.executors()) < len(running.workers) and process.poll() is None:
            Event().wait(0.05)
        Event().wait(after)
        assert process.poll() is None, "it ended before anything could be killed"
        os.kill(min(found), signal.SIGKILL)
        _, said = process.communicate()
    assert process.returncode == 1, said
    assert (tmp_path / "spark.csv").read_bytes() == (tmp_path / "duckdb.csv").read_bytes()


def test_a_table_that_is_not_there_is_named(running: "Running", tmp_path: Path) -> None:
    done = running.compare("s3a://nowhere/a.parquet", "s3a://nowhere/b.parquet")
    assert (done.returncode, done.stdout) == (4, "")
    assert "Spark cannot read this" in done.stderr
