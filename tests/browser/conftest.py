"""A real browser on the dashboard of a real service: the demo's, with its simulated exchange.

A page that its console complains about fails the test, be it an error of a script, an answer that says no, or something
that the page's own policy forbids. Of a test that fails the pages and what led to them stay in browser-failures/:
`playwright show-trace trace-1.zip` goes through it step by step.
"""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator, Generator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from msgspec import Struct
from msgspec.structs import replace
from playwright.async_api import Browser, Page, expect

from gal_friday.bootstrap.access import link_of, register_of
from gal_friday.bootstrap.demo import running_demo
from gal_friday.bootstrap.serve import Serving, serve
from gal_friday.bootstrap.settings import Settings
from gal_friday.domain.access import ALL, Role
from gal_friday.domain.facts import Actor, KnownBy
from gal_friday.domain.followed import Followed
from gal_friday.flows import users
from tests.browser.chromium import WITHOUT, browsing
from tests.browser.ports import free_port

_ROOT = Actor("root", KnownBy.SELF_DECLARED)
_KEPT = Path(__file__).parents[2] / "browser-failures"
_FAILED = pytest.StashKey[bool]()
_LEFT = "ERR_ABORTED"
"""What is said of a page that somebody leaves while it still loads."""
expect.set_options(timeout=20_000)  # what takes a moment takes longer where two tests and other work share two cores


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let the house know whether its test has failed."""
    report = yield
    item.stash[_FAILED] = report.failed
    return report


class Person(Struct, frozen=True):
    """Somebody in front of a browser; what its console says of errors is kept."""

    page: Page
    complaints: list[str]

    async def goes_to(self, path: str) -> None:
        await self.page.goto(self._address(path))

    async def comes_back_signed_out(self, path: str) -> None:
        """Lose the session while no page is left that would ask for something without one."""
        address = self._address(path)
        await self.page.goto("about:blank")
        await self.page.context.clear_cookies()
        await self.page.goto(address)

    def _address(self, path: str) -> str:
        scheme, _, host, _ = self.page.url.split("/", 3)
        return f"{scheme}//{host}{path}"

    def hears(self, said: str) -> None:
        if _LEFT not in said:
            self.complaints.append(said)


class House(Struct, frozen=True):
    """The service, and who may come in."""

    browser: Browser
    serving: Serving
    settings: Settings
    people: list[Person] = []

    async def enters(
        self, name: str, role: Role = Role.APPROVER, theme: str = "light", password: str | None = None
    ) -> Person:
        """Make somebody, and have them follow their link."""
        opened = self.serving.service.opened
        user = await users.add(register_of(opened), name, role, ALL, password, _ROOT)
        context = await self.browser.new_context(
            color_scheme="dark" if theme == "dark" else "light", locale="en-GB", timezone_id="UTC"
        )
        await context.tracing.start(screenshots=True, snapshots=True)
        person = Person(await context.new_page(), [])
        self.people.append(person)
        person.page.on("console", lambda said: person.hears(said.text) if said.type == "error" else None)
        person.page.on("pageerror", lambda error: person.hears(str(error)))
        await person.page.goto(await link_of(self.settings, opened, user))
        await person.page.wait_for_url("**/")
        return person

    async def open_ones(self) -> list[Followed]:
        return list(await self.serving.service.opened.store.open_discrepancies("main"))

    async def keep(self, folder: Path) -> None:
        """Write down what everybody sees, and everything that led to it."""
        for number, person in enumerate(self.people, 1):
            await person.page.screenshot(path=folder / f"page-{number}.png", full_page=True)
            await person.page.context.tracing.stop(path=folder / f"trace-{number}.zip")


@asynccontextmanager
async def served() -> AsyncIterator[tuple[Serving, Settings]]:
    """Start the service of the demo, which waits for people, and wait for its first run."""
    async with running_demo() as demo:
        made = demo.service.settings
        accounts = {name: replace(one, mode="propose") for name, one in made.accounts.items()}
        settings = replace(made, accounts=accounts, api=replace(made.api, port=free_port()))
        stop, began = asyncio.Event(), asyncio.Queue[Serving]()
        task = asyncio.create_task(serve(settings, stop, ready=began.put))
        serving = await began.get()
        async with asyncio.timeout(30):
            while not await _has_run(serving):  # noqa: ASYNC110 - told by the database alone
                await asyncio.sleep(0.05)
        try:
            yield serving, settings
        finally:
            stop.set()
            await task


async def _has_run(serving: Serving) -> bool:
    planned = await serving.service.opened.schedules.one("main")
    return planned is not None and planned.last_run is not None


@pytest.fixture
async def house(request: pytest.FixtureRequest) -> AsyncIterator[House]:
    """Give the dashboard of a service whose first run is over."""
    if os.environ.get(WITHOUT):
        pytest.skip(f"{WITHOUT} is set: nothing was tested in a browser")
    async with browsing() as browser, served() as (serving, settings):
        made = House(browser, serving, settings)
        yield made
        complaints = [said for person in made.people for said in person.complaints]
        if complaints or request.node.stash.get(_FAILED, False):
            folder = _KEPT / re.sub(r"\W+", "-", request.node.name)
            await made.keep(folder)
            sys.stdout.write(f"what was to be seen is in {_KEPT.name}/{folder.name}\n")
        assert complaints == []
