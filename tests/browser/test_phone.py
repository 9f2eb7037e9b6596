"""The dashboard in a hand: 390 px wide, read downwards, and pressed with a thumb."""

import pytest
from playwright.async_api import expect

from gal_friday.domain.access import Role
from tests.browser.conftest import House
from tests.browser.pages import PAGES, places
from tests.browser.test_dashboard import AXE, VIOLATIONS

PHONE = 390
THUMB = 44
SHIFTED = (
    "window.shifted = 0;"
    "new PerformanceObserver((all) => { for (const one of all.getEntries())"
    " if (!one.hadRecentInput) shifted += one.value; })"
    ".observe({type: 'layout-shift', buffered: true})"
)
SIDEWAYS = """[...document.querySelectorAll(".scroll:has(table:not(.days), .bridge, .course)")]
  .filter((one) => one.scrollWidth > one.clientWidth && getComputedStyle(one).overflowX !== "hidden")
  .map((one) => one.textContent.trim().slice(0, 60))"""
pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


async def test_everybody_can_read_every_page_downwards_and_none_moves_while_it_loads(house: House) -> None:
    alice = await house.enters("alice", Role.ADMIN)
    page, where = alice.page, await places(house)
    await page.set_viewport_size({"width": PHONE, "height": 844})
    await page.add_init_script(SHIFTED)
    wrong: dict[str, tuple[bool, bool, list[str]]] = {}
    for shown in PAGES:
        await alice.goes_to(shown.path(where))
        if await page.locator("#lamp").count():
            await expect(page.locator("#lamp")).to_have_text("live")
        wide = await page.evaluate("document.documentElement.scrollWidth > innerWidth")
        moved = await page.evaluate("shifted >= 0.01")
        await page.evaluate(AXE + "; null")
        found = (wide, moved, [*await page.evaluate(SIDEWAYS), *await page.evaluate(VIOLATIONS)])
        if found != (False, False, []):
            wrong[shown.name] = found
    assert wrong == {}


async def test_every_page_is_reached_from_one_row_and_a_repair_is_approved_by_thumb(house: House) -> None:
    alice = await house.enters("alice")
    page, where = alice.page, await places(house)
    await page.set_viewport_size({"width": PHONE, "height": 844})
    await alice.goes_to("/")
    bar = await page.locator(".bar").bounding_box()
    assert bar is not None
    assert bar["height"] < 1.5 * THUMB
    await expect(page.get_by_role("link", name="Runs", exact=True)).to_be_hidden()
    await page.get_by_role("button", name="Overview").click()
    await page.get_by_role("link", name="Runs", exact=True).click()
    await page.wait_for_url("**/runs")
    await alice.goes_to(f"/discrepancies/{where['discrepancy_id']}")
    for name in ("Approve", "Reject"):
        box = await page.get_by_role("button", name=name).bounding_box()
        assert box is not None
        assert box["height"] >= THUMB
        assert box["width"] >= 3 * THUMB
    await page.get_by_role("button", name="Approve").click()
    await expect(page.locator("#told")).to_have_text("Approved, and written to the book.")


async def test_rows_are_selected_and_decided_by_thumb(house: House) -> None:
    alice = await house.enters("alice")
    page = alice.page
    await page.set_viewport_size({"width": PHONE, "height": 844})
    await alice.goes_to("/discrepancies?review=to+decide")
    await expect(page.locator("#lamp")).to_have_text("live")
    picks = page.locator("tbody .pick label")
    for number in range(2):
        box = await picks.nth(number).bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= THUMB
        await picks.nth(number).click()
    await expect(page.locator("#picked-count")).to_have_text("2 selected")
    for button in await page.locator("#picked button").all():
        box = await button.bounding_box()
        assert box is not None
        assert box["height"] >= THUMB
    await page.locator("[data-do=comment]").click()
    await page.locator("#bulk [name=note]").fill("seen on the way")
    await page.locator("#bulk-go").click()
    await expect(page.locator("#outcome-words")).to_have_text("2 commented.")
