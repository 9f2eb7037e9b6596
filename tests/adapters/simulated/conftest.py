"""Worlds and servers for the tests of the simulated exchange."""

from collections.abc import AsyncIterator

import pytest

from gal_friday.adapters.simulated import Scenario, SimulatedKraken, scenarios
from tests.adapters.simulated.client import Client, connect


@pytest.fixture
def quiet() -> Scenario:
    return scenarios.quiet(1)


@pytest.fixture
async def server(quiet: Scenario) -> AsyncIterator[SimulatedKraken]:
    async with SimulatedKraken(quiet.exchange, enforce_limits=False) as running:
        yield running


@pytest.fixture
async def client(server: SimulatedKraken, quiet: Scenario) -> AsyncIterator[Client]:
    async with connect(server, quiet.key) as connected:
        yield connected
