"""Migrations go up, down and up again, and leave exactly the tables that the program expects."""

import asyncio
import os
import sqlite3
import sys
from contextlib import closing
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from gal_friday.adapters.sql.engine import open_engine
from gal_friday.adapters.sql.migration import current_revision, downgrade, newest_revision, upgrade
from gal_friday.adapters.sql.schema import METADATA
from gal_friday.adapters.sql.steps import SCRIPTS
from gal_friday.adapters.sql.tables import APPEND_ONLY
from gal_friday.ports.errors import StoreFailed

AT = datetime(2026, 1, 31, tzinfo=UTC)


def differences(connection: Connection) -> list[Any]:
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return list(compare_metadata(context, METADATA))


async def test_an_upgraded_database_is_what_the_program_expects(engine: AsyncEngine) -> None:
    await upgrade(engine)
    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    assert await current_revision(engine) == newest_revision()


async def test_upgrading_twice_changes_nothing(engine: AsyncEngine) -> None:
    await upgrade(engine)
    await upgrade(engine)
    assert await current_revision(engine) == newest_revision()


def test_the_newest_revision_is_where_the_steps_lead() -> None:
    assert newest_revision() == ScriptDirectory(str(SCRIPTS)).get_current_head()


async def test_a_database_that_is_up_to_date_is_used_without_alembic(tmp_path: Path) -> None:
    address = f"sqlite+aiosqlite:///{tmp_path / 'book.db'}"
    engine = open_engine(address)
    await upgrade(engine)
    await engine.dispose()
    script = (
        "import asyncio, sys\n"
        "from gal_friday.adapters.sql import open_engine, upgrade\n"
        f"asyncio.run(upgrade(open_engine({address!r})))\n"
        "print('alembic' in sys.modules)\n"
    )
    source = str(Path(__file__).parents[3] / "src")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, env=dict(os.environ) | {"PYTHONPATH": source}, stdout=asyncio.subprocess.PIPE
    )
    assert (await process.communicate())[0].decode().strip() == "False"


async def test_a_database_goes_up_down_and_up_again(engine: AsyncEngine) -> None:
    await upgrade(engine)
    await downgrade(engine)
    assert await current_revision(engine) is None
    assert await everything(engine) == set()
    await upgrade(engine)
    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    assert await current_revision(engine) == newest_revision()


async def test_a_database_taken_down_and_up_again_is_the_one_it_was(engine: AsyncEngine) -> None:
    await upgrade(engine)
    before = await everything(engine)
    await downgrade(engine)
    await upgrade(engine)
    assert await everything(engine) == before


async def everything(engine: AsyncEngine) -> set[str]:
    """Return the name of everything that the database holds: tables, indexes, triggers, functions, types."""
    held = {
        "sqlite": "SELECT type || ' ' || name FROM sqlite_schema",
        "postgresql": "SELECT 'class ' || relname FROM pg_class WHERE relnamespace = 'public'::regnamespace "
        "UNION ALL SELECT 'type ' || typname FROM pg_type WHERE typnamespace = 'public'::regnamespace "
        "UNION ALL SELECT 'function ' || proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace "
        "UNION ALL SELECT 'trigger ' || tgname FROM pg_trigger WHERE NOT tgisinternal "
        "UNION ALL SELECT 'constraint ' || conname FROM pg_constraint WHERE connamespace = 'public'::regnamespace",
    }
    async with engine.connect() as connection:
        return set((await connection.execute(text(held[engine.dialect.name]))).scalars())


async def test_a_database_of_a_newer_program_is_refused_and_left_alone(engine: AsyncEngine) -> None:
    await upgrade(engine)
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreFailed, match=r"newer version of this program \(revision 9999\)"):
        await upgrade(engine)
    assert await current_revision(engine) == "9999"


@pytest.mark.parametrize(
    "statement,lacks",
    [
        ("DROP TABLE pending_keys", "pending_keys"),
        ("ALTER TABLE books DROP COLUMN movements_since", r"books\.movements_since"),
    ],
)
async def test_a_database_that_lacks_what_its_revision_says_it_has_is_not_called_up_to_date(
    engine: AsyncEngine, statement: str, lacks: str
) -> None:
    await upgrade(engine)
    async with engine.begin() as connection:
        await connection.execute(text(statement))
    with pytest.raises(StoreFailed, match=rf"is at revision \d+ and yet lacks {lacks}; restore it from a backup, or"):
        await upgrade(engine)


async def with_a_row_in_every_table(engine: AsyncEngine) -> None:
    await upgrade(engine)
    values: dict[str, Any] = {"TEXT": "x", "AMOUNT": Decimal(1), "AT": AT}
    async with engine.begin() as connection:
        for table in METADATA.sorted_tables:
            row = {column.name: value_for(str(column.type.__class__.__name__), values) for column in table.columns}
            await connection.execute(table.insert(), row)


def value_for(type_name: str, values: dict[str, Any]) -> Any:
    match type_name:
        case "ExactDecimal":
            return values["AMOUNT"]
        case "Instant":
            return values["AT"]
        case "Text":
            return values["TEXT"]
        case "Flag":
            return False
        case "LargeBinary":
            return b"x"
        case _:
            return 1


@pytest.mark.parametrize("table", [*APPEND_ONLY, "books"])
@pytest.mark.parametrize("statement", ["UPDATE {0} SET {1} = 'y'", "DELETE FROM {0}"])
async def test_what_was_written_stays(engine: AsyncEngine, table: str, statement: str) -> None:  # I10
    await with_a_row_in_every_table(engine)
    whose = "account" if "account" in METADATA.tables[table].columns else "journal"
    with pytest.raises(DBAPIError, match=r"append-only|only go forward"):
        async with engine.begin() as connection:
            await connection.execute(text(statement.format(table, whose)))


@pytest.mark.parametrize("table", [*APPEND_ONLY, "books"])
async def test_nothing_is_replaced_or_emptied(engine: AsyncEngine, table: str) -> None:
    await with_a_row_in_every_table(engine)
    statements = {
        "sqlite": f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}",
        "postgresql": f"TRUNCATE {table} CASCADE",
    }
    async with engine.connect() as connection:
        with pytest.raises(DBAPIError, match=r"append-only|only go forward"):
            await connection.execute(text(statements[engine.dialect.name]))


@pytest.mark.parametrize("table", [*APPEND_ONLY, "books"])
async def test_a_program_without_our_settings_replaces_nothing_either(tmp_path: Path, table: str) -> None:
    engine = open_engine(f"sqlite+aiosqlite:///{tmp_path / 'book.db'}")
    await with_a_row_in_every_table(engine)
    await engine.dispose()
    refused = pytest.raises(sqlite3.IntegrityError, match=r"append-only|only go forward")
    with closing(sqlite3.connect(tmp_path / "book.db")) as stranger, refused:
        stranger.execute(f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}")


async def test_a_books_version_never_goes_back(engine: AsyncEngine) -> None:
    await with_a_row_in_every_table(engine)
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE books SET version = version + 1"))
    with pytest.raises(DBAPIError, match="only go forward"):
        async with engine.begin() as connection:
            await connection.execute(text("UPDATE books SET version = version - 1"))


async def test_sqlite_takes_no_amount_that_is_not_plain_digits(engine: AsyncEngine) -> None:
    await with_a_row_in_every_table(engine)
    if engine.dialect.name == "sqlite":
        with pytest.raises(DBAPIError, match="is_exact"):
            async with engine.begin() as connection:
                await connection.execute(
                    text("INSERT INTO position_adjustments VALUES('n',2,'r','a','p','t',1e-9,'1','why','2026')")
                )
