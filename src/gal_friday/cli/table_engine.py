"""Which engine two tables are compared by: that of the place where both are, or one for each side."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TypeVar

from gal_friday.bulk.apart import Apart, Holder
from gal_friday.bulk.duck import Duck, Limits
from gal_friday.bulk.layout import Layout, Layouts
from gal_friday.bulk.postgres import Place, Postgres, is_database, place_of
from gal_friday.bulk.record_relation import Asked
from gal_friday.bulk.sieve import SIDES
from gal_friday.bulk.source import SQLITE, Source, source_of
from gal_friday.bulk.spark import HERE, Cluster, Spark
from gal_friday.cli.options import BadUsage
from gal_friday.cli.table_options import Tables, shown
from gal_friday.domain.assets import Asset
from gal_friday.domain.snapshot import Side

Chosen = Duck | Postgres | Spark | Apart


def engine_for(
    places: Mapping[Side, str], layouts: Layouts, names: Mapping[str, Asset], tables: Tables, as_of: datetime
) -> Chosen:
    """Return the engine that compares these tables; of records what is younger than *as_of* is not in the balances.

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
    balances = layouts.balances
    exact, limits = tables.sieve == "exact", Limits(memory=tables.memory, spill=tables.spill)
    if len(in_database) == len(places) and len({one.database for one in in_database.values()}) == 1:
        return Postgres(
            in_database, balances, names=names, records=_records(tables, layouts, _beside(in_database), as_of)
        )
    if in_database:
        if tables.records:
            raise BadUsage(f"{_flags(tables)}: all tables have to be in one database, or all in files; export them")
        return Apart(
            {side: _holder(side, one, balances, names, limits) for side, one in places.items()},
            exact=exact,
            limits=limits,
        )
    sources = {side: source_of(one) for side, one in places.items()}
    records = _records(tables, layouts, _file, as_of)
    if tables.engine == Spark.name:
        cluster = Cluster(master=tables.master or HERE, memory=tables.memory, spill=tables.spill)
        return Spark(sources, balances, names=names, exact=exact, cluster=cluster, records=records)
    return Duck(sources, balances, names=names, exact=exact, limits=limits, records=records)


_Found = TypeVar("_Found")


def _records(tables: Tables, layouts: Layouts, find: Callable[[str], _Found], as_of: datetime) -> Asked[_Found] | None:
    if not tables.records:
        return None
    found = {
        name: {side: (find(one), layouts.of_records(side, name)) for side, one in zip(SIDES, pair, strict=True)}
        for name, pair in tables.records.items()
    }
    return Asked(as_of, found)


def _beside(balances: Mapping[Side, Place]) -> Callable[[str], Place]:
    """Return what finds a table of the database that these are in."""
    database = balances["internal"].database

    def find(name: str) -> Place:
        if not is_database(name) or (place := place_of(name)).database != database:
            raise BadUsage(
                f"{shown(name)} is not in the database of the balances; write the same address before each #"
            )
        return place

    return find


def _file(name: str) -> Source:
    if is_database(name):
        raise BadUsage(
            f"{shown(name)} is in a database, and the balances are not; export it, or give all of one database"
        )
    source = source_of(name)
    if source.format == SQLITE:
        raise BadUsage(f"{name}: records are read from files, or from PostgreSQL with all the rest; export them")
    return source


def _flags(tables: Tables) -> str:
    return " and ".join(f"--{name}" for name in tables.records)


def _holder(
    side: Side, place: str, layouts: Mapping[Side, Layout], names: Mapping[str, Asset], limits: Limits
) -> Holder:
    """Return the engine that holds this side alone."""
    layout = {side: layouts[side]}
    if is_database(place):
        return Postgres({side: place_of(place)}, layout, names=names)
    return Duck({side: source_of(place)}, layout, names=names, exact=False, limits=limits)
