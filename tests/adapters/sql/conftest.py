"""An empty database of either kind: SQLite, and PostgreSQL."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from gal_friday.adapters.sql.engine import open_engine
from tests.postgres.databases import POSTGRESQL, Databases


@pytest.fixture(params=["sqlite", POSTGRESQL])
async def address(request: pytest.FixtureRequest, tmp_path: Path, databases: Databases) -> AsyncIterator[str]:
    """Give the address of a database without any table."""
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path / 'book.db'}"
    else:
        async with databases.fresh() as given:
            yield given


@pytest.fixture
async def engine(address: str) -> AsyncIterator[AsyncEngine]:
    """Give an engine on a database without any table, and short patience."""
    opened = open_engine(address, busy_seconds=0.05 if address.startswith("sqlite") else 1)
    yield opened
    await opened.dispose()
