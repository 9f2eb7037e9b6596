"""Fresh PostgreSQL databases for tests, one for each test that asks: ``async with databases.fresh() as address``.

They come from the server that TEST_DATABASE_URL names, else from one that the first test starts (``server.py``).
Where none can be had the tests fail: what was not looked at must not look like what passed. Only
TEST_WITHOUT_POSTGRESQL=1 leaves them out, and each says so.
"""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy import URL, make_url

from gal_friday.adapters.sql import open_engine, upgrade

POSTGRESQL = pytest.param("postgresql", marks=pytest.mark.postgres)
"""The parameter of a fixture that is given a database of each kind."""

SERVER = Path(__file__).with_name("server.py")
_DROP = "DROP DATABASE IF EXISTS {} WITH (FORCE)"


class Databases:
    """Databases of this test run on one server."""

    def __init__(self) -> None:
        """Start nothing yet."""
        self._process: subprocess.Popen[str] | None = None
        self._server: URL | None = None
        self._refused: str | None = None
        self._template: str | None = None
        self._prefix = ""
        self._made = 0

    def server(self) -> URL:
        """Return the server's address, of a user who may make databases; start the server if need be."""
        if os.environ.get("TEST_WITHOUT_POSTGRESQL"):
            pytest.skip("TEST_WITHOUT_POSTGRESQL is set: nothing was tested on PostgreSQL")
        if self._refused is not None:
            pytest.fail(self._refused, pytrace=False)
        if self._server is None:
            self._server = make_url(os.environ.get("TEST_DATABASE_URL") or self._started())
        return self._server.set(drivername="postgresql")

    @asynccontextmanager
    async def fresh(self, *, tables: bool = False) -> AsyncIterator[str]:
        """Give the address of a database without any table, or with all of ours, for as long as it is used."""
        source = await self._with_tables() if tables else "template0"
        name = await self._create(source)
        try:
            yield self._address(name)
        finally:
            await self.command(_DROP.format(name))

    async def command(self, *statements: str, database: str | None = None) -> Any:
        """Run statements one after the other outside any transaction of ours; return the last one's value."""
        address = self.server() if database is None else self.server().set(database=database)
        connection = await asyncpg.connect(address.render_as_string(hide_password=False))
        try:
            return [await connection.fetchval(statement) for statement in statements][-1]
        finally:
            await connection.close()

    def close(self) -> None:
        """Remove what was kept for later tests, and a server of ours with everything in it."""
        if self._process is not None:
            self._process.communicate()  # closes its input, which is what it waits for
        elif self._template is not None:
            with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
                runner.run(self.command(_DROP.format(self._template)))

    def _started(self) -> str:
        self._process = subprocess.Popen(
            [sys.executable, str(SERVER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C is meant for the tests, which then stop it in order
        )
        assert self._process.stdout is not None
        said = self._process.stdout.readline()
        if not said.startswith("postgresql://"):
            self._refused = (
                f"no PostgreSQL to test with: {said}{self._process.communicate()[0]}\n"
                "Give the address of one in TEST_DATABASE_URL, or leave it out with TEST_WITHOUT_POSTGRESQL=1."
            )
            pytest.fail(self._refused, pytrace=False)
        return said.split()[0]

    async def _with_tables(self) -> str:
        if self._template is None:
            name = await self._create("template0")
            engine = open_engine(self._address(name))
            await upgrade(engine)
            await engine.dispose()
            self._template = name
        return self._template

    async def _create(self, source: str) -> str:
        if not self._prefix:
            # Several runs may share a server: the number of a transaction is given once.
            self._prefix = f"gal_friday_test_{await self.command('SELECT txid_current()')}"
        self._made += 1
        name = f"{self._prefix}_{self._made}"
        await self.command(f"CREATE DATABASE {name} TEMPLATE {source}")
        return name

    def _address(self, name: str) -> str:
        return self.server().set(drivername="postgresql+asyncpg", database=name).render_as_string(hide_password=False)
