"""The running service of the API's tests, looked at by people."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import httpx2
import pytest

from gal_friday.adapters.access import SystemChance
from gal_friday.domain.access import ALL, Accounts, Role
from gal_friday.domain.access_facts import user_created
from gal_friday.domain.credentials import User
from gal_friday.domain.policy import Mode
from gal_friday.flows.sign_in import link_for
from tests.api.conftest import here, made
from tests.api.world import ROOT, World

__all__ = ["here", "made"]

SignIn = Callable[..., Awaitable[httpx2.AsyncClient]]


@pytest.fixture
async def browsers(here: World) -> AsyncIterator[SignIn]:
    """Give what signs somebody in by a link and returns their browser."""
    async with AsyncExitStack() as stack:

        async def signed_in(
            name: str = "alice", role: Role = Role.APPROVER, accounts: Accounts = ALL
        ) -> httpx2.AsyncClient:
            browser = await stack.enter_async_context(here.client(None))
            clock = here.mint.clock
            person = User(name=name, role=role, accounts=accounts, password=None, created=clock.now())
            await here.mint.access.save_user(person, user_created(person, ROOT))
            link = await link_for(here.mint.access, SystemChance(), clock, person)
            headers = {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}
            answer = await browser.post("/api/session/link", json={"link": link}, headers=headers)
            assert answer.status_code == 200, answer.text
            browser.headers |= headers | {"X-Form-Token": answer.json()["form_token"]}
            return browser

        yield signed_in


async def proposed(browser: object, here: World) -> tuple[str, str, str]:
    """Return the page of a discrepancy with one proposal, the address of its calls, and its content."""
    await here.reconciled(mode=Mode.PROPOSE)
    for one in await here.service.opened.store.open_discrepancies("main"):
        page = (await browser.get(f"/discrepancies/{one.id}")).text  # type: ignore[attr-defined]
        call = re.findall(r'data-call="(/api/adjustments/[^"]+)" data-content="([^"]+)"', page)
        if len(call) == 1:
            return f"/discrepancies/{one.id}", *call[0]
    raise AssertionError("nothing is proposed")
