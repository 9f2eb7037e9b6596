"""What a monitor is answered: the state of things as the database has it, to whoever may collect it."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from gal_friday.adapters.alerts import MemoryWatched
from gal_friday.adapters.clock import SystemClock
from gal_friday.adapters.metrics import Metrics
from gal_friday.bootstrap.api import app_of
from gal_friday.bootstrap.metrics import rendered
from gal_friday.domain.access import Permission, Role
from gal_friday.domain.schedule import Timing
from tests.api.world import LIMITS, PATIENT, World
from tests.contracts.test_alerts_contract import Kept
from tests.contracts.test_reviews_contract import Journalled


async def test_a_monitor_is_told_what_is_open_and_for_how_long(here: World) -> None:
    opened, timing = here.service.opened, Timing(interval=timedelta(hours=1))
    text = rendered(Metrics("1"), opened, lambda: {"main": timing}, dict)
    app = app_of(here.service, here.mint.access, limits=LIMITS, throttle=PATIENT, metrics=text)
    token = await here.token(Role.VIEWER, "prometheus", scopes=frozenset({Permission.METRICS}))
    async with replace(here, app=app).client(token) as monitor:
        answer = await monitor.get("/metrics")
    assert answer.status_code == 200
    found = dict(line.rsplit(" ", 1) for line in answer.text.splitlines() if not line.startswith("#"))
    since = min(one.since for one in await opened.store.discrepancies(account="main"))
    age = (SystemClock().now() - since).total_seconds()
    assert float(found['gal_friday_oldest_discrepancy_seconds{account="main"}']) == pytest.approx(age, abs=30)


async def test_a_monitor_is_told_what_no_channel_has_taken_yet(here: World) -> None:
    opened = here.service.opened
    await Kept(opened.alerts, MemoryWatched(), Journalled()).fire(to="duty boss")
    assert await opened.alerts.outbox_counts() == {"waiting": 2}
