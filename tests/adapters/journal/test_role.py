"""The script of docs/journal.md gives a role that can add to the journal, and do nothing else to it."""

import re
from pathlib import Path

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError

from gal_friday.adapters.journal import SqlJournal, verify
from gal_friday.adapters.sql.engine import open_engine, writing
from gal_friday.ports.errors import StoreFailed
from tests.adapters.journal.conftest import fact
from tests.postgres.databases import Databases

PAGE = Path(__file__).parents[3] / "docs" / "journal.md"


@pytest.mark.postgres
async def test_the_role_of_the_page_can_only_add(databases: Databases, journal: SqlJournal) -> None:
    (script,) = re.findall(r"```sql\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    role = f"gal_friday_app_{await databases.command('SELECT txid_current()')}"
    async with databases.fresh(tables=True) as address:
        statements = [part for part in script.replace("gal_friday_app", role).split(";") if part.strip()]
        name = make_url(address).database
        await databases.command(f"CREATE ROLE {role} LOGIN PASSWORD 'only-to-add'", *statements, database=name)
        url = make_url(address).set(username=role, password="only-to-add")
        engine = open_engine(url.render_as_string(hide_password=False))
        try:
            for number in range(2):
                async with writing(engine, StoreFailed) as connection:
                    await journal.append(connection, (fact(number),))
            for table in ("journal_entries", "journal_heads"):
                for statement in (
                    "DELETE FROM {}",
                    "TRUNCATE {}",
                    "DROP TABLE {}",
                    "ALTER TABLE {} DISABLE TRIGGER ALL",
                ):
                    with pytest.raises(DBAPIError, match=r"permission denied|must be owner"):
                        async with engine.begin() as connection:
                            await connection.execute(text(statement.format(table)))
        finally:
            await engine.dispose()
        owner = open_engine(address)
        found = await verify(owner)
        await owner.dispose()
        await databases.command(f"DROP OWNED BY {role}", database=name)
    await databases.command(f"DROP ROLE {role}")
    assert (found.broken, found.entries, found.heads) == (None, 4, 2)
