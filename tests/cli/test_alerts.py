"""``alerts list``: what people are told of now; what an alert about many accounts covers where that is asked for."""

import asyncio
from pathlib import Path

import pytest
from msgspec.structs import replace

from gal_friday.adapters.clock import SteppedClock
from gal_friday.bootstrap.alerts import watch_of
from gal_friday.bootstrap.service import ReconciliationService
from gal_friday.bootstrap.settings import load
from gal_friday.flows.alert import carry
from tests.cli.conftest import Run
from tests.cli.test_review import CONFIGURATION
from tests.domain.alerts import T0, condition
from tests.flows.test_mass import missed, names


@pytest.fixture(autouse=True)
def _configured() -> None:
    Path("gal-friday.toml").write_text(CONFIGURATION)

    async def told() -> None:
        clock = SteppedClock(T0, auto=False)
        async with ReconciliationService(load(None)) as service:
            watch = watch_of(load(None), service.opened, clock)
            watch = replace(watch, desk=replace(watch.desk, clock=clock))
            for _ in range(2):
                await carry(watch, [*map(missed, names(0, 120)), condition()])
                clock.advance(1)

    asyncio.run(told())


def test_what_an_alert_about_many_accounts_covers_is_left_out(run: Run) -> None:
    listed = run("alerts", "list").out.splitlines()
    assert len(listed) == 3  # a head, and two
    assert sum("120 accounts: a run was due and did not happen" in line for line in listed) == 1
    assert run("alerts", "list", "--json").json()["count"] == 2
    assert run("alerts", "list", "--limit", "1", "--json").json()["count"] == 1


def test_all_of_it_is_listed_where_that_is_asked_for(run: Run) -> None:
    assert run("alerts", "list", "--all", "--limit", "1000", "--json").json()["count"] == 122
