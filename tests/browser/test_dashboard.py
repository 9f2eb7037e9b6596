"""The dashboard as people use it, in a real browser."""

import re
from importlib.resources import files

import pytest
from playwright.async_api import expect

from gal_friday.domain.access import Role
from tests.browser.conftest import House
from tests.browser.pages import PAGES, places

AXE = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
VIOLATIONS = "axe.run().then((all) => all.violations.map((one) => `${one.id}: ${one.nodes[0].html}`))"
SHIFTED = (
    "window.shifted = 0;"
    "new PerformanceObserver((all) => { for (const one of all.getEntries()) shifted += one.value; })"
    ".observe({type: 'layout-shift', buffered: true})"
)
pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


async def test_a_proposal_is_approved_by_keyboard_seen_to_agree_and_taken_back(house: House) -> None:
    alice = await house.enters("alice")
    page = alice.page
    await alice.goes_to("/discrepancies")
    before = await page.locator("[data-row]").count()
    await page.keyboard.press("j")
    await page.keyboard.press("j")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/discrepancies/dis_*")
    await expect(page.locator("svg.bridge")).to_be_visible()
    await page.keyboard.press("a")
    await page.keyboard.press("Enter")
    await expect(page.locator("#told")).to_have_text("Approved, and written to the book.")
    await expect(page.locator("aside h2").first).to_have_text("Adjustment: applied")
    await page.get_by_text("Check now").click()
    await expect(page.locator("aside h2").first).to_have_text("Adjustment: verified", timeout=15_000)
    await page.get_by_text("Take it back").click()
    await expect(page.locator("aside")).to_contain_text("Reversal: proposed")
    await alice.goes_to("/discrepancies")
    assert await page.locator("[data-row]").count() < before


async def test_a_slip_does_not_reject_and_a_reason_that_is_chosen_does(house: House) -> None:
    alice = await house.enters("alice")
    page = alice.page
    await alice.goes_to("/discrepancies")
    await page.locator("tr[data-proposed] a").first.click()
    await page.wait_for_url("**/discrepancies/dis_*")
    await page.keyboard.press("r")
    await page.keyboard.press("Enter")
    why = page.locator("form.decide select[name=reason]").first
    await expect(why).to_be_focused()
    await expect(page.locator("aside h2").first).to_have_text("Adjustment: proposed")
    await why.select_option("timing")
    await page.get_by_role("button", name="Reject").first.click()
    await expect(page.locator("#told")).to_have_text("Turned down.")
    await expect(page.locator("aside h2").first).to_have_text("Adjustment: rejected")
    await expect(page.locator(".history")).to_contain_text("timing")


async def test_every_picture_has_its_table_and_moves_nothing(house: House) -> None:
    alice = await house.enters("alice")
    page = alice.page
    parted = next(
        one for one in await house.open_ones() if (bridge := getattr(one.latest, "bridge", None)) and bridge.divergence
    )
    await page.add_init_script(SHIFTED)
    await alice.goes_to(f"/discrepancies/{parted.id}")
    for picture, heading in (("bridge", "bridge-title"), ("course", "course-title")):
        section = page.locator(f"section[aria-labelledby={heading}]")
        await expect(section.locator(f"svg.{picture}")).to_be_visible()
        assert await section.locator("tbody tr").count() > 1
        await expect(section.locator("caption")).to_be_attached()
    await expect(page.locator("svg.course .turn-word")).to_contain_text("differ from here")
    assert await page.evaluate("window.shifted") == 0
    await page.emulate_media(media="print")
    for seen in ("svg.bridge", "svg.course", ".course-rows", ".history", ".proposal"):
        await expect(page.locator(seen).first).to_be_visible()
    for unseen in (".bar", "form.act", "form.decide"):
        await expect(page.locator(unseen).first).to_be_hidden()
    assert await page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert alice.complaints == []


async def test_times_and_numbers_are_said_as_somebody_chose_to_read_them(house: House) -> None:
    alice = await house.enters("alice")
    page = alice.page
    await alice.goes_to("/you")
    await page.locator("#manner select[name=zone]").select_option("Asia/Kathmandu")
    await page.locator("#manner select[name=style]").select_option("point-comma")
    await page.get_by_role("button", name="Keep").click()
    await expect(page.locator("#manner-title ~ p time")).to_contain_text("+0545")
    await alice.goes_to("/")
    await expect(page.locator(".cause-worth").first).to_contain_text(re.compile(r"\d,\d\d USD"))
    await alice.goes_to("/runs")
    await expect(page.locator("tbody time").first).to_contain_text("+0545")
    await alice.goes_to("/you")
    await expect(page.locator("#manner select[name=zone]")).to_have_value("Asia/Kathmandu")
    await page.locator("#manner select[name=zone]").select_option("UTC")
    await page.get_by_role("button", name="Keep").click()
    await expect(page.locator("#manner-title ~ p time")).to_contain_text("UTC")


async def test_what_one_person_does_another_one_sees_without_asking(house: House) -> None:
    alice, bob = await house.enters("alice"), await house.enters("bob")
    one = (await house.open_ones())[0]
    for person in (alice, bob):
        await person.goes_to(f"/discrepancies/{one.id}")
        await expect(person.page.locator("#lamp")).to_have_text("live")
    await alice.page.get_by_label("What to do").select_option("comment")
    await alice.page.locator("form.act textarea").fill("<b>seen</b> & noted")
    await alice.page.locator("form.act button").click()
    await expect(bob.page.locator(".history")).to_contain_text("<b>seen</b> & noted")


async def test_nothing_moves_under_somebody_who_writes(house: House) -> None:
    alice, bob = await house.enters("alice"), await house.enters("bob")
    one = (await house.open_ones())[0]
    for person in (alice, bob):
        await person.goes_to(f"/discrepancies/{one.id}")
        await expect(person.page.locator("#lamp")).to_have_text("live")
    note = bob.page.locator("form.act textarea")
    await note.fill("half a sent")
    await alice.page.get_by_label("What to do").select_option("comment")
    await alice.page.locator("form.act textarea").fill("meanwhile")
    await alice.page.locator("form.act button").click()
    await expect(alice.page.locator(".history")).to_contain_text("meanwhile")
    await bob.page.wait_for_timeout(1_000)
    await note.press_sequentially("ence")
    assert await note.input_value() == "half a sentence"
    await bob.page.locator("h1").click()
    await note.blur()
    await expect(bob.page.locator(".history")).to_contain_text("meanwhile")


async def test_what_is_pressed_stays_where_it_is(house: House) -> None:
    alice = await house.enters("alice")
    page = alice.page
    button = page.get_by_role("button", name="Check now")
    box = await button.bounding_box()
    assert box is not None
    await page.mouse.move(box["x"] + 5, box["y"] + 5)
    await page.mouse.down()
    assert await button.bounding_box() == box
    async with page.expect_request(lambda one: one.method == "POST"):
        await page.mouse.up()


async def test_a_note_is_of_one_decision_and_its_longest_word_stays_on_the_page(house: House) -> None:
    alice = await house.enters("alice")
    page, word = alice.page, "W" * 300
    await alice.goes_to(f"/discrepancies/{(await house.open_ones())[0].id}")
    await page.get_by_label("What to do").select_option("comment")
    await page.locator("form.act textarea").fill(word)
    await page.locator("form.act button").click()
    await expect(page.locator(".history")).to_contain_text(word)
    await expect(page.locator("form.act textarea")).to_have_value("")
    await expect(page.locator("#main")).to_be_focused()
    assert await page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


async def test_a_passkey_is_made_and_lets_its_owner_in(house: House) -> None:
    alice = await house.enters("alice")
    page = alice.page
    session = await page.context.new_cdp_session(page)
    await session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    await session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    await alice.goes_to("/you")
    await page.get_by_label("Name of the device").fill("laptop")
    await page.get_by_role("button", name="Add a passkey").click()
    await expect(page.locator("#passkeys")).to_contain_text("laptop")
    await page.get_by_role("button", name="Sign out").click()
    await page.wait_for_url("**/sign-in")
    await page.get_by_role("button", name="Sign in with a passkey").click()
    await page.wait_for_url("**/")
    await expect(page.locator(".who")).to_have_text("alice")


async def test_a_page_that_is_told_nothing_says_of_when_it_is(house: House) -> None:
    alice = await house.enters("alice")
    page = alice.page
    await page.context.route("**/api/events*", lambda route: route.abort())
    await alice.goes_to("/")
    await expect(page.locator("#past")).to_have_text(
        re.compile(r"^Not connected\. What stands here is as of .* UTC\.$")
    )
    await page.context.unroute_all()
    await expect(page.locator("#past")).to_be_hidden()
    assert all("ERR_FAILED" in said for said in alice.complaints)
    alice.complaints.clear()


async def test_a_session_that_is_over_leads_to_the_door_and_back(house: House) -> None:
    alice = await house.enters("alice")
    await expect(alice.page.locator("#lamp")).to_have_text("live")
    await alice.comes_back_signed_out("/runs")
    await alice.page.wait_for_url("**/sign-in?next=*")
    assert await alice.page.get_by_role("button", name="Sign in", exact=True).is_visible()


async def test_a_door_behind_which_nobody_answers_says_so(house: House) -> None:
    alice = await house.enters("alice", password="a long way to say horse battery")
    await alice.comes_back_signed_out("/sign-in")
    await alice.page.route("**/api/session", lambda route: route.abort())
    await alice.page.locator("#sign-in [name=name]").fill("alice")
    await alice.page.locator("#sign-in [name=password]").fill("a long way to say horse battery")
    await alice.page.get_by_role("button", name="Sign in", exact=True).click()
    await expect(alice.page.locator("#told")).to_contain_text("The service does not answer.")
    await alice.page.unroute("**/api/session")
    await alice.page.get_by_role("button", name="Sign in", exact=True).click()
    await alice.page.wait_for_url("**/")
    assert all("ERR_FAILED" in said for said in alice.complaints)
    alice.complaints.clear()


async def test_what_the_policy_of_the_pages_forbids_is_heard(house: House) -> None:
    alice = await house.enters("alice")
    await alice.page.evaluate(
        "document.body.append(Object.assign(document.createElement('script'), {text: 'alert(1)'}))"
    )
    assert ["Content Security Policy" in said for said in alice.complaints] == [True]
    alice.complaints.clear()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_everybody_can_read_every_page(house: House, theme: str) -> None:
    alice = await house.enters("alice", Role.ADMIN, theme)
    page = alice.page
    where, open_ones = await places(house), await house.open_ones()
    drawn = [one for one in open_ones if getattr(one.latest, "bridge", None)]
    details = [f"/discrepancies/{one.id}" for one in (open_ones[0], *drawn[:2])]
    for path in (*(shown.path(where) for shown in PAGES), *details):
        await alice.goes_to(path)
        await page.wait_for_load_state()
        await page.evaluate(AXE + "; null")
        found = await page.evaluate(VIOLATIONS)
        assert found == [], f"{path}: {found}"
        weight = await page.evaluate(
            "[...performance.getEntriesByType('resource'), ...performance.getEntriesByType('navigation')]"
            ".reduce((sum, one) => sum + one.encodedBodySize, 0)"
        )
        assert weight < 150_000, path
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_everybody_can_read_the_queue_and_nothing_moves_while_it_loads(house: House, theme: str) -> None:
    alice = await house.enters("alice", theme=theme)
    page = alice.page
    await page.add_init_script(
        "window.moved = 0; new PerformanceObserver((all) => { for (const one of all.getEntries())"
        " if (!one.hadRecentInput) moved += one.value; }).observe({ type: 'layout-shift', buffered: true });"
    )
    for choice in ("?group=cause", "?q=nothing+like+this", "?severity=critical"):
        await alice.goes_to(f"/discrepancies{choice}")
        await expect(page.locator("#lamp")).to_have_text("live")
        await page.wait_for_load_state()
        if "nothing" not in choice:
            await page.keyboard.press("*")
            await page.keyboard.press("c")
            await page.evaluate(AXE + "; null")
            assert await page.evaluate(VIOLATIONS) == [], choice
            await page.keyboard.press("Escape")
        await page.evaluate(AXE + "; null")
        assert await page.evaluate(VIOLATIONS) == [], choice
        assert await page.evaluate("moved") < 0.01, choice
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), choice
