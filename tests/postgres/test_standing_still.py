"""A program that stands still with a lock in its hand: the server takes it away."""

import asyncio

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from gal_friday.adapters.sql import engine as engines
from gal_friday.adapters.sql.engine import close_engine, open_engine, writing
from gal_friday.ports.errors import StoreFailed
from tests.postgres.databases import Databases

pytestmark = pytest.mark.postgres


async def test_a_transaction_that_lasts_too_long_is_ended_whatever_its_program_does(
    databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "WRITE_SECONDS", 1)
    async with databases.fresh() as address:
        engine = open_engine(address)
        try:
            with pytest.raises(StoreFailed, match=r"ended the connection|took too long"):
                await busy_for(4, engine)
        finally:
            await close_engine(engine)


async def busy_for(seconds: int, engine: AsyncEngine) -> None:
    """Write for so long, and never be idle in between: that has a bound of its own."""
    async with writing(engine, StoreFailed) as connection:
        for _ in range(seconds * 10):
            await connection.execute(text("SELECT 1"))
            await asyncio.sleep(0.1)
