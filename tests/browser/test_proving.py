"""What is proven while one looks: the whole journal, a run once more, a key; and other limits tried by keyboard."""

import re

import pytest
from playwright.async_api import expect

from gal_friday.domain.access import Role
from tests.browser.conftest import House

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


async def test_the_whole_journal_is_verified_and_the_answer_stays_while_the_page_goes_on(house: House) -> None:
    alice, bob = await house.enters("alice", Role.VIEWER), await house.enters("bob")
    page = alice.page
    await alice.goes_to("/journal")
    await expect(page.locator("#lamp")).to_have_text("live")
    await page.get_by_role("button", name="Verify everything").press("Enter")
    verified = page.locator("#verified")
    await expect(verified).to_have_text(re.compile(r"^Verified: \d+ entries under \d+ signed heads, .* It took \d"))
    one = (await house.open_ones())[0]
    await bob.goes_to(f"/discrepancies/{one.id}")
    await bob.page.get_by_label("What to do").select_option("comment")
    await bob.page.locator("form.act textarea").fill("seen")
    await bob.page.locator("form.act button").click()
    await expect(page.locator("tbody")).to_contain_text("review commented")  # live, and the answer is still there
    await expect(verified).to_have_class(re.compile("good"))


async def test_an_entry_is_opened_by_keyboard_and_its_proof_holds(house: House) -> None:
    alice = await house.enters("alice")
    page = alice.page
    await alice.goes_to("/journal?kind=run_finished")
    await page.keyboard.press("j")
    await page.keyboard.press("Enter")
    await page.wait_for_url(re.compile(r"/journal/\d+$"))
    await expect(page.locator("aside")).to_contain_text("holds")
    async with page.expect_download() as given:
        await page.get_by_text("The proof as a file").click()
    assert re.fullmatch(r"proof-\d+\.json", (await given.value).suggested_filename)


async def test_a_run_is_replayed_from_its_page(house: House) -> None:
    alice = await house.enters("alice", Role.VIEWER)
    page = alice.page
    await alice.goes_to("/runs")
    await page.locator("tbody a").first.click()
    await page.wait_for_url("**/runs/rec_*")  # whose scripts have run by then
    await page.get_by_role("button", name="Replay").press("Enter")
    await expect(page.locator("#replayed")).to_have_text("Equal: worked out again, byte for byte.", timeout=30_000)


async def test_a_key_is_looked_at_and_runs_are_stopped_and_go_on(house: House) -> None:
    alice = await house.enters("alice")
    page = alice.page
    await alice.goes_to("/accounts")
    await page.keyboard.press("j")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/accounts/main")  # whose scripts have run by then
    await page.get_by_role("button", name="Look at the key").click()
    await expect(page.locator("[aria-labelledby=key]")).to_contain_text("the key can neither trade nor move money")
    await page.get_by_role("button", name="Pause").click()
    await expect(page.locator("[aria-labelledby=schedule]")).to_contain_text("stopped by alice")
    await page.get_by_role("button", name="Resume").click()
    await expect(page.locator("[aria-labelledby=schedule]")).not_to_contain_text("stopped by")


async def test_other_limits_are_tried_by_keyboard(house: House) -> None:
    alice = await house.enters("alice", Role.VIEWER)
    page = alice.page
    await alice.goes_to("/policy")
    await page.get_by_text("Try other limits").press("Enter")
    await page.get_by_label("proven max value").fill("500")
    await page.get_by_label("Mode").select_option("enforce")
    await page.get_by_label("proven max value").press("Enter")
    await expect(page.locator("#counts")).to_have_text(re.compile(r"^3 of 10 decisions would be otherwise$"))
    await expect(page.locator("#changes")).to_be_visible()
    assert await page.get_by_label("proven max value").input_value() == "500"
