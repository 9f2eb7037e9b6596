"""Which engine two tables are compared by: that of the place where both are, or one for each side."""

from collections.abc import Mapping

from gal_friday.bulk.apart import Apart, Holder
from gal_friday.bulk.duck import Duck, Limits
from gal_friday.bulk.layout import Layout
from gal_friday.bulk.postgres import Postgres, is_database, place_of
from gal_friday.bulk.source import source_of
from gal_friday.bulk.spark import HERE, Cluster, Spark
from gal_friday.cli.options import BadUsage
from gal_friday.cli.table_options import Tables
from gal_friday.domain.assets import Asset
from gal_friday.domain.snapshot import Side

Chosen = Duck | Postgres | Spark | Apart


def engine_for(
    places: Mapping[Side, str], layouts: Mapping[Side, Layout], names: Mapping[str, Asset], tables: Tables
) -> Chosen:
    """Return the engine that compares these tables.

    Raises:
        BadUsage: another one was asked for that cannot, or there is none of that name.
    """
    if tables.engine not in (None, Duck.name, Spark.name):
        raise BadUsage(f"--engine: {tables.engine!r} is none; there are {Duck.name} and {Spark.name}")
    if tables.master is not None and tables.engine != Spark.name:
        raise BadUsage(f"--master says where Spark runs; add --engine {Spark.name}")
    in_database = {side: place_of(one) for side, one in places.items() if is_database(one)}
    if tables.engine is not None and in_database:
        raise BadUsage("--engine: tables of a database are sieved where they are; leave it out, or export them")
    exact, limits = tables.sieve == "exact", Limits(memory=tables.memory, spill=tables.spill)
    if len(in_database) == len(places) and len({one.database for one in in_database.values()}) == 1:
        return Postgres(in_database, layouts, names=names)
    if in_database:
        return Apart(
            {side: _holder(side, one, layouts, names, limits) for side, one in places.items()},
            exact=exact,
            limits=limits,
        )
    sources = {side: source_of(one) for side, one in places.items()}
    if tables.engine == Spark.name:
        cluster = Cluster(master=tables.master or HERE, memory=tables.memory, spill=tables.spill)
        return Spark(sources, layouts, names=names, exact=exact, cluster=cluster)
    return Duck(sources, layouts, names=names, exact=exact, limits=limits)


def _holder(
    side: Side, place: str, layouts: Mapping[Side, Layout], names: Mapping[str, Asset], limits: Limits
) -> Holder:
    """Return the engine that holds this side alone."""
    layout = {side: layouts[side]}
    if is_database(place):
        return Postgres({side: place_of(place)}, layout, names=names)
    return Duck({side: source_of(place)}, layout, names=names, exact=False, limits=limits)
