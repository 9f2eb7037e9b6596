"""Bringing a database to this program's version, and back, without any configuration file.

The steps are the files in ``migrations/versions``, shipped in the package. All steps of one call happen in
one transaction, or none. A step is never edited once it was released: a new one is added.
"""

from pathlib import Path

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine

from gal_friday.adapters.sql.engine import reading, writing
from gal_friday.adapters.sql.failures import shown
from gal_friday.ports.errors import StoreFailed

_SCRIPTS = Path(__file__).parent / "migrations"
_LOCK = 7_331_942_207  # Any number, the same in every process: who migrates PostgreSQL holds it.
_NEWEST = "heads"
_NOTHING = "base"


def newest_revision() -> str:
    """Return the revision that this program works with."""
    newest = _scripts().get_current_head()
    assert newest is not None, "the package ships its migrations"
    return newest


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
        StoreFailed: the database cannot be written, or was made by a newer version of this program.
    """
    async with writing(engine, StoreFailed) as connection:
        await connection.run_sync(_upgrade, to)


async def downgrade(engine: AsyncEngine, *, to: str = _NOTHING) -> None:
    """Take the database back to *to*, by default to nothing. What the removed tables held is gone.

    Raises:
        StoreFailed: the database cannot be written, or was made by a newer version of this program.
    """
    async with writing(engine, StoreFailed) as connection:
        await connection.run_sync(_downgrade, to)


def _scripts() -> ScriptDirectory:
    return ScriptDirectory(str(_SCRIPTS))


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _upgrade(connection: Connection, to: str) -> None:
    context = _locked_context(connection)
    scripts = _scripts()
    current = _known(context, scripts)
    for step in reversed(list(scripts.iterate_revisions(to, current or _NOTHING))):
        step.module.upgrade(Operations(context))
        context.stamp(scripts, step.revision)


def _downgrade(connection: Connection, to: str) -> None:
    context = _locked_context(connection)
    scripts = _scripts()
    for step in list(scripts.iterate_revisions(_known(context, scripts) or _NOTHING, to)):
        step.module.downgrade(Operations(context))
        assert step.down_revision is None or isinstance(step.down_revision, str), "one line of steps, no branches"
        context.stamp(scripts, step.down_revision or _NOTHING)


def _locked_context(connection: Connection) -> MigrationContext:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    return MigrationContext.configure(connection)


def _known(context: MigrationContext, scripts: ScriptDirectory) -> str | None:
    current = context.get_current_revision()
    try:
        scripts.get_revision(current or _NOTHING)
    except CommandError as error:
        url = shown(context.connection.engine.url) if context.connection else "the database"
        raise StoreFailed(
            f"{url} was made by a newer version of this program (revision {current}); "
            "install that version, or name another database"
        ) from error
    return current
