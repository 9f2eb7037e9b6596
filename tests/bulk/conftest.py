"""An empty database for tests that compare tables in it."""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack

import pytest

from tests.bulk.databases import Tables
from tests.postgres.databases import Databases


@pytest.fixture
def tables(databases: Databases) -> Iterator[Tables]:
    """Give an empty database."""
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        stack = AsyncExitStack()
        address = runner.run(stack.enter_async_context(databases.fresh()))
        yield Tables(address.replace("postgresql+asyncpg", "postgresql"))
        runner.run(stack.aclose())
