"""Bringing a database to this program's version, and back, without any configuration file.

The steps are the files in ``migrations/versions``, shipped in the package. All steps of one call happen in
one transaction, or none. A step is never edited once it was released: a new one is added.
"""

from pathlib import Path

from sqlalchemy import Connection, column, inspect, select, table
from sqlalchemy.ext.asyncio import AsyncEngine

from gal_friday.adapters.sql.engine import reading, writing
from gal_friday.adapters.sql.failures import shown
from gal_friday.adapters.sql.schema import METADATA
from gal_friday.ports.errors import StoreFailed

_STEPS = Path(__file__).parent / "migrations" / "versions"
_NEWEST = "heads"
_NOTHING = "base"
_VERSION = table("alembic_version", column("version_num"))


def newest_revision() -> str:
    """Return the revision that this program works with."""
    # A step's file is named by its revision, and revisions count up.
    return max(step.name.partition("_")[0] for step in _STEPS.glob("[0-9]*_*.py"))


async def current_revision(engine: AsyncEngine) -> str | None:
    """Return the revision that the database is at; None where it has no table of ours yet.

    Raises:
        StoreFailed: the database cannot be read.
    """
    async with reading(engine, StoreFailed) as connection:
        return await connection.run_sync(_revision)


async def upgrade(engine: AsyncEngine, *, to: str = _NEWEST) -> None:
    """Bring the database up to *to*, by default to what this program works with; does nothing if it is there.

    Raises:
        StoreFailed: the database cannot be written, was made by a newer version of this program, or lacks what its
            revision says it has.
    """
    if to == _NEWEST and await current_revision(engine) == newest_revision():
        await _check_whole(engine)
        return
    from gal_friday.adapters.sql import steps  # Alembic: only who migrates waits for it, and holds it in memory

    async with writing(engine, StoreFailed) as connection:
        await connection.run_sync(steps.take_up, to)


async def downgrade(engine: AsyncEngine, *, to: str = _NOTHING) -> None:
    """Take the database back to *to*, by default to nothing. What the removed tables held is gone.

    Raises:
        StoreFailed: the database cannot be written, or was made by a newer version of this program.
    """
    from gal_friday.adapters.sql import steps  # as above

    async with writing(engine, StoreFailed) as connection:
        await connection.run_sync(steps.take_down, to)


async def _check_whole(engine: AsyncEngine) -> None:
    # A restore that stopped half-way, or a table that somebody dropped: no step would bring it back.
    async with reading(engine, StoreFailed) as connection:
        missing = await connection.run_sync(_missing)
    if missing:
        raise StoreFailed(
            f"{shown(engine.url)} is at revision {newest_revision()} and yet lacks {', '.join(missing)}; "
            "restore it from a backup, or name another database"
        )


def _missing(connection: Connection) -> list[str]:
    """Return the tables and columns that should be there and are not, by name."""
    columns = inspect(connection).get_multi_columns(filter_names=list(METADATA.tables))
    found = {table: {column["name"] for column in some} for (_, table), some in columns.items()}
    absent = [name for name in METADATA.tables if name not in found]
    expected = [column for name, table in METADATA.tables.items() if name in found for column in table.columns]
    return sorted(absent + [str(column) for column in expected if column.name not in found[column.table.name]])


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table(_VERSION.name):
        return None
    return connection.execute(select(_VERSION.c.version_num)).scalar_one_or_none()
