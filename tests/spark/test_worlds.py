"""On Spark too what comes out is what the comparison alone gives, to the last digit."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from gal_friday.bulk.sieve import SIDES
from gal_friday.bulk.source import source_of
from gal_friday.bulk.spark import Cluster, Spark
from tests.bulk.worlds import LAYOUTS, PAIRS, World, held_against_the_comparison, worlds
from tests.spark.files import parquet

HERE = Cluster(master="local[1]")


@pytest.mark.timeout(300)
@pytest.mark.parametrize("exact", [True, False])
@given(many=st.lists(worlds(), min_size=30, max_size=30))
@example(many=[PAIRS])
@settings(deadline=None, max_examples=2, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.usefixtures("spark")
def test_spark_finds_what_the_comparison_finds(many: Sequence[World], exact: bool) -> None:
    world: World = {
        side: [(f"{number} {line[0]}", *line[1:]) for number, one in enumerate(many) for line in one[side]]
        for side in SIDES
    }
    with TemporaryDirectory() as name:
        for side in SIDES:
            parquet(Path(name) / f"{side}.parquet", world[side])
        sources = {side: source_of(f"{name}/{side}.parquet") for side in SIDES}
        with Spark(sources, LAYOUTS, names={}, exact=exact, cluster=HERE) as engine:
            held_against_the_comparison(world, engine)
