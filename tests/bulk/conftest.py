"""Empty databases for tests that compare tables in them."""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager

import pytest

from tests.bulk.databases import Tables
from tests.postgres.databases import Databases


@pytest.fixture
def tables(databases: Databases) -> Iterator[Tables]:
    """Give an empty database."""
    with _empty(databases) as made:
        yield made


@pytest.fixture
def other(databases: Databases) -> Iterator[Tables]:
    """Give another empty database."""
    with _empty(databases) as made:
        yield made


@contextmanager
def _empty(databases: Databases) -> Iterator[Tables]:
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        stack = AsyncExitStack()
        address = runner.run(stack.enter_async_context(databases.fresh()))
        yield Tables(address.replace("postgresql+asyncpg", "postgresql"))
        runner.run(stack.aclose())
