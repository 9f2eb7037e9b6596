"""Taking a database from one step to the next, with Alembic's operations.

Apart from ``migration``, because a program whose database is up to date never needs it, and would wait for
its import at every start. Nothing here decides whether to migrate.
"""

from pathlib import Path

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import Connection, text

from gal_friday.adapters.sql.failures import shown
from gal_friday.ports.errors import StoreFailed

SCRIPTS = Path(__file__).parent / "migrations"
_LOCK = 7_331_942_207  # Any number, the same in every process: who migrates PostgreSQL holds it.
_NOTHING = "base"


def take_up(connection: Connection, to: str) -> None:
    """Take the steps up to revision *to*, inside the transaction of *connection*.

    Raises:
        StoreFailed: the database was made by a newer version of this program.
    """
    context = _locked_context(connection)
    scripts = ScriptDirectory(str(SCRIPTS))
    current = _known(context, scripts)
    for step in reversed(list(scripts.iterate_revisions(to, current or _NOTHING))):
        step.module.upgrade(Operations(context))
        context.stamp(scripts, step.revision)


def take_down(connection: Connection, to: str) -> None:
    """Take the steps back to revision *to*, inside the transaction of *connection*.

    Raises:
        StoreFailed: the database was made by a newer version of this program.
    """
    context = _locked_context(connection)
    scripts = ScriptDirectory(str(SCRIPTS))
    for step in list(scripts.iterate_revisions(_known(context, scripts) or _NOTHING, to)):
        step.module.downgrade(Operations(context))
        assert step.down_revision is None or isinstance(step.down_revision, str), "one line of steps, no branches"
        context.stamp(scripts, step.down_revision or _NOTHING)
    if context.get_current_revision() is None:
        connection.execute(text("DROP TABLE IF EXISTS alembic_version"))


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
