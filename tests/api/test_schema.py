"""Programs that read the description of the API find no fault in it: schemathesis calls every address, signed in.

Left out is its check that whatever fits the schema is taken: no schema can say that an id has to exist, that text has
to be printable, or that an instant lies within the years in which anything happened.
"""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any, cast

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from msgspec.structs import replace
from schemathesis import Case
from schemathesis.specs.openapi.checks import positive_data_acceptance

from gal_friday.adapters.access import MemoryAccess
from gal_friday.adapters.clock import SystemClock
from gal_friday.api.app import create_app
from gal_friday.domain.access import Permission, Role
from gal_friday.domain.policy import Mode
from gal_friday.flows.door import Door
from gal_friday.ports.steps import unwatched
from tests.api.world import LIMITS, Template, served, world

NOBODY = Door(MemoryAccess(), SystemClock())
EXAMPLES = 8
"""Calls of each address; `HYPOTHESIS_PROFILE=explore` makes fresh ones."""


class Running:
    """The service in a thread of its own, with a token that may do everything."""

    def __init__(self, folder: Path, like: Template) -> None:
        self.like = like
        self.folder, self.address, self.token = folder, "", ""
        self.ready = threading.Event()
        self._loop, self._stop = asyncio.new_event_loop(), asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),))

    async def _serve(self) -> None:
        limits = replace(LIMITS, stream_seconds=0.05, streams_per_caller=50)
        async with world(self.folder, self.like, limits=limits) as made:
            await made.reconciled(mode=Mode.PROPOSE)
            everything = frozenset(Permission)
            self.token = await made.token(Role.ADMIN, "root", scopes=everything)
            async with served(made.app) as address:
                self.address = address
                self.ready.set()
                await self._stop.wait()

    def __enter__(self) -> "Running":
        self._thread.start()
        assert self.ready.wait(30)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(30)
        self._loop.close()


@pytest.fixture(scope="module")
def running(made: Template) -> Iterator[Running]:
    with TemporaryDirectory() as folder, Running(Path(folder), made) as one:
        yield one


# The description is the same over any backend: it is made of the routes alone.
schema = schemathesis.openapi.from_dict(
    create_app(cast("Any", SimpleNamespace(version="0", limits=LIMITS, steps=unwatched)), NOBODY).openapi()
)
schema.config.update(base_url="http://127.0.0.1")


@pytest.mark.slow
@pytest.mark.timeout(600)
@schema.parametrize()
@settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
def test_no_call_finds_a_fault(case: Case[Any], running: Running) -> None:
    case.call_and_validate(
        base_url=running.address,
        headers={"Authorization": f"Bearer {running.token}"},
        excluded_checks=[positive_data_acceptance],
        timeout=20,
    )
