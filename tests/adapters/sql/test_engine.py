"""Every connection to SQLite has the settings that durability and append-only tables rest on."""

from pathlib import Path

import pytest

from gal_friday.adapters.sql import open_engine

WAL, FULL, ON = "wal", 2, 1


@pytest.mark.parametrize(
    "pragma,value",
    [("journal_mode", WAL), ("synchronous", FULL), ("foreign_keys", ON), ("recursive_triggers", ON)],
)
async def test_every_connection_has_the_setting(tmp_path: Path, pragma: str, value: object) -> None:
    engine = open_engine(f"sqlite+aiosqlite:///{tmp_path / 'book.db'}")
    async with engine.connect() as first, engine.connect() as second:
        for connection in (first, second):
            assert (await connection.exec_driver_sql(f"PRAGMA {pragma}")).scalar_one() == value
    await engine.dispose()
