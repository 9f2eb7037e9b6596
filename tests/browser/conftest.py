"""A real browser on the dashboard of a real service: the demo's, with its simulated exchange."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from msgspec import Struct
from msgspec.structs import replace
from playwright.async_api import Browser, Page

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


class Person(Struct, frozen=True):
    """Somebody in front of a browser; what its console says of errors is kept."""

    page: Page
    complaints: list[str]

    async def goes_to(self, path: str) -> None:
        await self.page.goto(f"{self.page.url.split('/', 3)[0]}//{self.page.url.split('/', 3)[2]}{path}")


class House(Struct, frozen=True):
    """The service, and who may come in."""

    browser: Browser
    serving: Serving
    settings: Settings

    async def enters(self, name: str, role: Role = Role.APPROVER, theme: str = "light") -> Person:
        """Make somebody, and have them follow their link."""
        opened = self.serving.service.opened
        user = await users.add(register_of(opened), name, role, ALL, None, _ROOT)
        context = await self.browser.new_context(color_scheme="dark" if theme == "dark" else "light", bypass_csp=False)
        page = await context.new_page()
        complaints: list[str] = []
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        await page.goto(await link_of(self.settings, opened, user))
        await page.wait_for_url("**/")
        return Person(page, complaints)

    async def open_ones(self) -> list[Followed]:
        return list(await self.serving.service.opened.store.open_discrepancies("main"))


@asynccontextmanager
async def _served() -> AsyncIterator[tuple[Serving, Settings]]:
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
async def house() -> AsyncIterator[House]:
    """Give the dashboard of a service whose first run is over."""
    if os.environ.get(WITHOUT):
        pytest.skip(f"{WITHOUT} is set: nothing was tested in a browser")
    async with browsing() as browser, _served() as (serving, settings):
        yield House(browser, serving, settings)
