"""One Spark for the whole run: to start it takes longer than any test."""

from collections.abc import Iterator
from importlib.util import find_spec
from os import environ

import pytest

from gal_friday.bulk.spark import Cluster, start


@pytest.fixture(scope="session")
def installed() -> None:
    """Skip what needs Spark where there is none, as in every environment but one."""
    if find_spec("pyspark") is None:
        pytest.skip("Spark takes half a gigabyte, and is only where these tests are asked for: python3 dev.py spark")


@pytest.fixture(scope="session")
def spark(installed: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let a Spark of one thread run, which every engine in this process then takes."""
    # Tables of a few rows: the usual two hundred parts of each step would take longer than the step.
    environ["PYSPARK_SUBMIT_ARGS"] = "--conf spark.sql.shuffle.partitions=2 pyspark-shell"
    running = start(Cluster(master="local[1]", memory="1GB"), tmp_path_factory.mktemp("spark"))
    yield
    running.stop()
