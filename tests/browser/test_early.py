"""What is pressed before the scripts of a page have run is done as soon as they have, or it is said that it was not."""

import asyncio
import re

import pytest
from playwright.async_api import Page, Route, expect

from tests.browser.conftest import House, Person

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


async def arrives(person: Person, path: str, script: str) -> asyncio.Event:
    """Let somebody see a page one of whose scripts comes only when the event is set."""
    comes = asyncio.Event()

    async def later(route: Route) -> None:
        await comes.wait()
        await route.continue_()

    await person.page.context.route(f"**/static/{script}", later)
    await sees(person.page, path)
    return comes


async def sees(page: Page, path: str) -> None:
    await page.goto(re.sub(r"(?<=\w)/.*", path, page.url), wait_until="commit")
    await expect(page.locator("h1")).to_be_visible()


async def test_keys_that_come_too_early_are_taken_in_their_order(house: House) -> None:
    alice = await house.enters("alice")
    page = alice.page
    comes = await arrives(alice, "/discrepancies", "queue.js")
    await expect(page.locator("tr[id]").last).to_be_visible()
    for key in ("j", "x", "j", "Shift+X"):
        await page.keyboard.press(key)
    await page.locator("tr[id] input").nth(3).click()
    await expect(page.locator("#picked")).to_be_hidden()
    comes.set()
    await expect(page.locator("#picked-count")).to_have_text("3 selected")


async def test_nobody_agrees_blindly_to_what_was_not_to_be_seen_yet(house: House) -> None:
    alice = await house.enters("alice")
    page = alice.page
    comes = await arrives(alice, "/discrepancies?review=to+decide", "bulk.js")
    await expect(page.locator("tr[id]").last).to_be_visible()
    for key in ("j", "a", "Enter"):
        await page.keyboard.press(key)
    comes.set()
    await expect(page.locator("#bulk")).to_be_visible()
    await expect(page.locator("#told")).to_contain_text("press it again")
    await expect(page.locator("#outcome")).to_be_hidden()


async def test_a_button_that_is_pressed_too_early_does_its_work_once(house: House) -> None:
    alice = await house.enters("alice")
    page = alice.page
    comes = await arrives(alice, "/accounts/main", "call.js")
    await page.get_by_label("because").fill("the bot moves")
    for _ in range(2):
        await page.get_by_role("button", name="Pause").click()
    assert "?" not in page.url
    comes.set()
    await expect(page.locator("[aria-labelledby=schedule]")).to_contain_text("stopped by alice")
    await expect(page.locator("[aria-labelledby=schedule]")).to_contain_text("the bot moves")


async def test_a_script_that_does_not_come_is_said_and_no_password_goes_astray(house: House) -> None:
    alice = await house.enters("alice")
    page = alice.page
    await page.context.route("**/static/call.js", lambda route: route.abort())
    await sees(page, "/sign-in")
    await expect(page.locator("#told")).to_contain_text("Reload the page")
    await page.get_by_label("Name").fill("alice")
    await page.get_by_role("textbox", name="Password").fill("nobody else may read this")
    await page.keyboard.press("Enter")
    await expect(page.locator("#told")).to_contain_text("Reload the page")
    assert page.url.endswith("/sign-in")
    assert all("ERR_FAILED" in said for said in alice.complaints)
    alice.complaints.clear()
