"""A client over a script, for every test that wants one."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.adapters.kraken.script import Connection


@pytest.fixture
async def kraken(tmp_path: Path) -> AsyncIterator[Connection]:
    connection = Connection(tmp_path)
    yield connection
    await connection.client.close()
