"""An empty database of every kind that is at hand: SQLite always, PostgreSQL where its address is given."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from gal_friday.adapters.sql.engine import open_engine

POSTGRESQL = os.environ.get("TEST_DATABASE_URL", "")


@pytest.fixture(params=["sqlite", *(["postgresql"] if POSTGRESQL else [])])
async def engine(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    """Give an engine on a database without any table."""
    if request.param == "sqlite":
        opened = open_engine(f"sqlite+aiosqlite:///{tmp_path / 'book.db'}", busy_seconds=0.05)
    else:
        opened = open_engine(POSTGRESQL, busy_seconds=1)
        async with opened.begin() as connection:
            await connection.execute(text("DROP SCHEMA public CASCADE"))
            await connection.execute(text("CREATE SCHEMA public"))
    yield opened
    await opened.dispose()
