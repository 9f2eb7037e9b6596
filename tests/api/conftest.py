"""The running service that most tests of the API share the shape of; each test has its own."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.api.world import Template, World, template, world


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """Make the world once that every test gets its own copy of."""
    with asyncio.Runner() as runner:
        return runner.run(template(tmp_path_factory.mktemp("api")))


@pytest.fixture
async def here(tmp_path: Path, made: Template) -> AsyncIterator[World]:
    """Give a service whose account ``main`` was reconciled once, and lacks one fill."""
    async with world(tmp_path, made) as running:
        yield running
