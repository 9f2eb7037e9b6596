"""The review queue as people use it, in a real browser: many at once, by keyboard, and with others at the same time."""

import re
import sqlite3
from datetime import timedelta
from decimal import Decimal

import pytest
from playwright.async_api import Locator, Page, Request, Route, expect

from gal_friday.adapters.clock import SystemClock
from gal_friday.domain.access import Role
from gal_friday.domain.adjustment import AdjustmentState
from gal_friday.domain.assets import Asset, Instrument, Wallet
from gal_friday.domain.facts import Actor, KnownBy
from gal_friday.domain.policy import Mode
from gal_friday.domain.records import Movement, Order, OrderSide
from gal_friday.domain.review import Action
from gal_friday.flows import review
from gal_friday.flows.review import Desk
from tests.browser.conftest import House, Person
from tests.service.wired import until

HOSTILE = "<img src=x onerror=alert(1)>\"'&"
AGE = 7
"""The column that changes by itself."""
BOB = Actor("bob", KnownBy.SELF_DECLARED)
pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


async def queue(person: Person, choice: str = "") -> Page:
    await person.goes_to(f"/discrepancies{choice}")
    await expect(person.page.locator("#lamp")).to_have_text("live")
    return person.page


async def states(house: House) -> list[AdjustmentState]:
    kept = await house.serving.service.opened.adjustments.adjustments(account="main", limit=100)
    return [one.state for one in kept]


def desk_of(house: House) -> Desk:
    opened = house.serving.service.opened
    return Desk(opened.store, opened.reviews, SystemClock())


async def acted(house: House, discrepancy: str, action: Action, **said: object) -> None:
    await review.act(desk_of(house), discrepancy, action, BOB, **said)  # type: ignore[arg-type]


def cause(page: Page, name: str) -> Locator:
    return page.locator("tr.group", has=page.locator(".fold", has_text=name))


def expected(person: Person, *words: str) -> None:
    """Take it that the console complained of these answers, and of nothing else."""
    assert [said for said in person.complaints if not any(one in said for one in words)] == []
    person.complaints.clear()


async def row_ids(page: Page) -> list[str]:
    found: list[str] = await page.locator("tr[id]").evaluate_all("all => all.map((one) => one.id)")
    return found


async def test_many_are_approved_at_once_and_what_is_refused_says_why(house: House) -> None:
    alice = await house.enters("alice")
    page = await queue(alice, "?group=cause")
    deposit = cause(page, "unbooked deposit")
    await deposit.focus()
    await page.keyboard.press("x")
    await expect(page.locator("#picked")).to_contain_text("2 selected worth 2\u2009700.00 USD")
    await page.keyboard.press("a")
    await expect(page.locator("#bulk")).to_contain_text("Approve 1 adjustment")
    await page.keyboard.press("Enter")
    await expect(page.locator("#outcome-words")).to_have_text("1 approved.")
    await expect(page.locator("#undo-words")).to_contain_text("proposes what takes it back")
    await page.keyboard.press("u")
    await expect(page.locator("#outcome-words")).to_have_text("1 proposed to be taken back.")
    await expect(page.locator("#undo")).to_be_hidden()
    await expect(deposit).to_contain_text("proposed")
    await expect(page.locator("tr[data-of]:not([data-proposed])")).to_have_count(1)
    # What takes it back is hers, so she cannot approve it; everything else goes.
    await page.keyboard.press("*")
    await page.keyboard.press("a")
    await expect(page.locator("#bulk-lead")).to_contain_text("For 1 of what is selected nothing is proposed.")
    await page.locator("#bulk-go").click()
    await expect(page.locator("#outcome-words")).to_have_text("8 approved, 2 not.", timeout=20_000)
    await expect(page.locator("#left")).to_contain_text("alice proposed adjustment")
    await expect(page.locator("#left")).to_contain_text("somebody else has to")
    await expect(page.locator("#left")).to_contain_text("Nothing is proposed for it.")
    await expect(page.locator("#undo")).to_have_text("Undo 8")
    found = await states(house)
    assert found.count(AdjustmentState.APPLIED) == 9
    assert found.count(AdjustmentState.PROPOSED) == 1
    expected(alice, "403")


async def test_a_range_is_put_aside_and_assigned_by_keyboard_and_both_are_taken_back(house: House) -> None:
    alice = await house.enters("alice", Role.REVIEWER)
    page = await queue(alice)
    for key in ("j", "x", "j", "j", "Shift+X"):
        await page.keyboard.press(key)
    await expect(page.locator("#picked-count")).to_have_text("3 selected")
    await page.keyboard.press("K")
    assert await page.locator("tr.picked").count() == 3
    await page.keyboard.press("z")
    await page.locator("#bulk [name=note]").fill(HOSTILE)
    await page.locator("#bulk-go").click()
    await expect(page.locator("#outcome-words")).to_have_text("3 put aside.")
    await expect(page.locator("tr[id] td:last-child", has_text="snoozed")).to_have_count(3)
    await page.locator("#undo").click()
    await expect(page.locator("#outcome-words")).to_have_text("3 open again.")
    await expect(page.locator("tr[id] td:last-child", has_text="snoozed")).to_have_count(0)

    first, second, *_ = await row_ids(page)
    await page.locator(f"#{first} input").click()
    await page.locator(f"#{second} input").click(modifiers=["Shift"])
    await page.keyboard.press("w")
    await page.locator("#bulk [name=assignee]").fill("carol")
    await page.keyboard.press("Enter")
    await expect(page.locator("#outcome-words")).to_have_text("2 assigned.")
    await acted(house, second, Action.ASSIGN, assignee="dave")
    await page.keyboard.press("u")
    await expect(page.locator("#outcome-words")).to_have_text("1 given back, 1 not.")
    await expect(page.locator("#left")).to_contain_text("Somebody has changed it since; it stays as it is now.")
    kept = await house.serving.service.opened.reviews.reviews([first, second])
    assert (kept[first].assignee, kept[second].assignee) == ("", "dave")


async def test_a_row_whose_every_cell_has_changed_is_rewritten_cell_by_cell_where_it_stands(house: House) -> None:
    page = await queue(await house.enters("alice", Role.REVIEWER))
    row = page.locator("tr[id]").first
    await row.hover()  # whoever points at the list keeps every row in its place
    told = "row => [...row.cells].map((one) => one.innerHTML)"
    before = await row.evaluate(told)
    await row.evaluate("row => [...row.cells].slice(3).forEach((one, at) => (one.textContent = `old ${at}`))")
    await page.evaluate("document.dispatchEvent(new Event('stale', { cancelable: true }))")
    await expect(row).not_to_contain_text("old")
    after = await row.evaluate(told)
    assert (after[:AGE], "proposed" in after[-1]) == (before[:AGE], True)


async def test_a_double_click_applies_once_and_one_proof_is_asked_for_all(house: House) -> None:
    alice = await house.enters("alice", password="a long way to say horse battery")
    page = await queue(alice, "?severity=critical")
    calls: list[str] = []
    page.on("request", lambda one: calls.append(one.url) if _approves(one) else None)
    with sqlite3.connect(str(house.settings.database.url).partition("///")[2]) as database:
        database.execute("UPDATE sessions SET proven = replace(proven, '202', '201')")
    await page.locator("#pick-all").click()
    await page.keyboard.press("a")
    await page.locator("#bulk-go").dblclick()
    await expect(page.locator("#prove-words")).to_have_text(re.compile("Show it once more"))
    await page.locator("#prove [name=password]").fill("not the one that it is")
    await page.keyboard.press("Enter")
    await expect(page.locator("#prove-words")).to_contain_text("password")
    await expect(page.locator("#prove")).to_be_visible()
    await page.locator("#prove [name=password]").fill("a long way to say horse battery")
    await page.locator("#prove [value=password]").click()
    await expect(page.locator("#outcome-words")).to_have_text(re.compile(r"^\d+ approved\.$"), timeout=20_000)
    found = await states(house)
    assert f"{found.count(AdjustmentState.APPLIED)} approved." == await page.locator("#outcome-words").text_content()
    assert len(calls) == found.count(AdjustmentState.APPLIED) + 1  # the first is sent again with the proof
    expected(alice, "403", "401")


def _approves(one: Request) -> bool:
    return one.method == "POST" and one.url.endswith("/approve")


async def test_two_people_on_one_item_and_nothing_is_applied_twice(house: House) -> None:
    alice, bob = await house.enters("alice"), await house.enters("bob")
    page, other = await queue(alice, "?group=cause&review=to+decide"), await queue(bob, "?group=cause")
    mine = cause(page, "missed fill")
    await mine.locator("input").check()
    await mine.locator(".fold").click()
    before = await row_ids(page)
    theirs = cause(other, "missed fill")
    await theirs.focus()
    await other.keyboard.press("a")
    await other.keyboard.press("Enter")
    await expect(other.locator("#outcome-words")).to_have_text("1 approved.")
    # Her rows stay where they are, say what became of them, and are selected no more.
    await expect(page.locator("tr.gone").first).to_contain_text("approved by bob")
    await expect(page.locator("#dock")).to_be_hidden()
    assert await row_ids(page) == before
    await page.keyboard.press(".")
    await expect(page.locator("tr.gone")).to_have_count(0)

    # And where she is not told in time, the service refuses.
    await page.context.route("**/discrepancies?*", lambda route: route.abort())
    ghost = page.locator("tr[id]", has_text="ghost order")
    await ghost.locator("input").check()
    await other.locator("tr[id]", has_text="ghost order").focus()
    await other.keyboard.press("a")
    await other.keyboard.press("Enter")
    await expect(other.locator("#outcome-words")).to_have_text("1 approved.")
    await expect(page.locator("#as-of")).to_contain_text("The service does not answer. What stands here is as of")

    # What is approved is applied a moment later; what she is told depends on it.
    async def both_are_applied() -> bool:
        return (await states(house)).count(AdjustmentState.APPLIED) == 2

    await until(both_are_applied)
    await page.keyboard.press("a")
    await page.keyboard.press("Enter")
    await expect(page.locator("#outcome-words")).to_have_text("1 not.")
    await expect(page.locator("#left")).to_contain_text("is in the book already (bob, ")
    assert await both_are_applied()
    expected(alice, "409", "ERR_FAILED")


async def test_causes_fold_by_mouse_and_key_and_the_address_remembers_them(house: House) -> None:
    alice = await house.enters("alice")
    page = await queue(alice, "?group=cause&sort=worth")
    groups = page.locator("tr.group")
    hidden = await page.locator("tr[id][hidden]").count()
    await groups.nth(1).locator(".fold").click()
    assert await page.locator("tr[id][hidden]").count() < hidden
    await groups.nth(3).focus()
    await page.keyboard.press("Enter")
    unfolded = await page.locator("tr[id]:not([hidden])").count()
    await page.reload()
    assert await page.locator("tr[id]:not([hidden])").count() == unfolded
    await page.locator("tr[id]:not([hidden]) a").first.click()
    await page.wait_for_url("**/discrepancies/dis_*")
    await page.go_back()
    assert await page.locator("tr[id]:not([hidden])").count() == unfolded
    await page.get_by_role("button", name="Unfold all").click()
    await expect(page.locator("tr[id][hidden]")).to_have_count(0)
    await page.context.add_cookies([{"name": "reads", "value": "UTC:point-comma", "url": page.url}])
    await page.reload()
    await cause(page, "unbooked deposit").locator("input").check()
    await expect(page.locator("#picked-worth")).to_have_text("worth 2.700,00 USD")
    await page.get_by_label("Words").fill("reward")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**q=reward*")
    assert "account=" not in page.url
    await expect(page.locator("tr.group")).to_have_count(1)


async def test_a_session_that_ends_under_a_bulk_says_what_was_done_and_what_not(house: House) -> None:
    alice = await house.enters("alice")
    page = await queue(alice)
    await page.keyboard.press("*")
    await page.keyboard.press("a")
    approved = 0

    async def third_time_out(route: Route) -> None:
        nonlocal approved
        approved += 1
        if approved == 3:
            await page.context.clear_cookies()
        await route.continue_()

    await page.context.route("**/approve", third_time_out)
    await page.locator("#bulk-go").click()
    await expect(page.locator("#outcome-words")).to_contain_text("2 approved, 8 not. Your session has ended.")
    await expect(page.locator("#left li", has_text="Not tried.")).to_have_count(7)
    await expect(page.locator("#door")).to_be_visible()
    assert (await states(house)).count(AdjustmentState.APPLIED) == 2
    assert "/discrepancies" in page.url
    expected(alice, "401")


async def test_an_answer_that_is_lost_is_asked_for_again_and_nothing_is_done_twice(house: House) -> None:
    alice = await house.enters("alice")
    page = await queue(alice)
    await page.keyboard.press("*")
    await page.keyboard.press("c")
    await page.locator("#bulk [name=note]").fill("seen by all")
    heard = 0

    async def second_answer_lost(route: Route) -> None:
        nonlocal heard
        heard += 1
        if heard != 2:
            return await route.continue_()
        await route.fetch()
        return await route.abort()

    await page.context.route("**/comment", second_answer_lost)
    await page.locator("#bulk-go").click()
    await expect(page.locator("#outcome-words")).to_have_text("1 commented, 25 not. The service does not answer.")
    await page.locator("#again").click()
    await expect(page.locator("#outcome-words")).to_have_text("26 commented.", timeout=20_000)
    for name in await row_ids(page):
        assert len(await house.serving.service.opened.reviews.changes(name)) == 1
    expected(alice, "ERR_FAILED")


async def test_hostile_names_are_words_and_nothing_of_them_runs(house: House) -> None:
    service = house.serving.service
    at = SystemClock().now() - timedelta(hours=2)
    moved = Movement(f"L{HOSTILE}", "deposit", Asset(f"{HOSTILE}\u202e"), Wallet.SPOT, Decimal(5), at)
    order = Order(
        order_id=f"O{HOSTILE}",
        instrument=Instrument("ETH/USD"),
        side=OrderSide.BUY,
        quantity=Decimal(1),
        filled=Decimal(0),
        status="open",
        opened_at=at,
        updated_at=at,
    )
    await service.opened.book.append(account="main", exchange="kraken", movements=[moved], orders=[order])
    await service.run_reconciliation("main", mode=Mode.OBSERVE)
    alice = await house.enters("alice")
    ran: list[str] = []
    alice.page.on("dialog", lambda one: ran.append(one.message))
    page = await queue(alice, "?q=onerror")
    assert len(await row_ids(page)) == 3
    await page.keyboard.press("*")
    for action, said, did in (
        ("c", {"note": HOSTILE}, "3 commented."),
        ("w", {"assignee": "<b>dave"}, "3 assigned."),
    ):
        await page.keyboard.press(action)
        await expect(page.locator("#bulk-what")).to_contain_text("<img src=x")
        for name, text in said.items():
            await page.locator(f"#bulk [name={name}]").fill(text)
        await page.locator("#bulk-go").click()
        await expect(page.locator("#outcome-words")).to_have_text(did)
        await page.keyboard.press("*")
    await expect(page.locator("tr[id] td:last-child").first).to_contain_text("<b>dave")
    await queue(alice, "?group=cause&q=onerror")
    assert await page.locator("main img").count() == 0
    assert ran == []


async def test_what_the_help_lists_is_what_the_keys_do(house: House) -> None:
    alice = await house.enters("alice")
    page = await queue(alice, "?group=cause")
    await page.keyboard.press("?")
    listed = await page.locator("#keys kbd").evaluate_all("all => all.map((one) => one.textContent)")
    await page.get_by_role("button", name="Close").click()
    for key in ("j", "j", "k"):
        await page.keyboard.press(key)
    assert await _focused(page) == 0
    await page.keyboard.press("Enter")
    assert "open=" in page.url
    await page.keyboard.press("Enter")
    assert "open=" not in page.url
    await _select(page)
    await _decide(page)
    await page.keyboard.press("/")
    assert await page.evaluate("document.activeElement.name") == "q"
    assert " ".join(dict.fromkeys(listed)) == "j k Enter x Space Shift J K * a r z w c u Esc . / ?"


async def _select(page: Page) -> None:
    for key, picked in (("x", 2), ("Space", 0), ("x", 2), ("j", 2), ("Shift+Space", 8), ("J", 10), ("K", 10)):
        await page.keyboard.press(key)
        await expect(page.locator("#picked-count")).to_have_text(f"{picked} selected")


async def _decide(page: Page) -> None:
    for key, title in (("a", "Approve"), ("r", "Reject"), ("z", "Snooze"), ("w", "Assign"), ("c", "Comment")):
        await page.keyboard.press(key)
        await expect(page.locator("#bulk-title")).to_contain_text(title)
        await page.keyboard.press("Escape")
        await expect(page.locator("#bulk")).to_be_hidden()
    await page.keyboard.press("*")
    await expect(page.locator("#picked-count")).to_have_text("26 selected")
    await page.keyboard.press("Escape")
    await expect(page.locator("#dock")).to_be_hidden()
    await page.keyboard.press("u")
    await expect(page.locator("#told")).to_contain_text("nothing here that can be taken back")
    async with page.expect_response("**/discrepancies?*"):
        await page.keyboard.press(".")


async def _focused(page: Page) -> int:
    found: int = await page.evaluate(
        "[...document.querySelectorAll('[data-row]:not([hidden])')].indexOf(document.activeElement)"
    )
    return found


async def test_a_page_that_is_told_nothing_says_how_old_it_is(house: House) -> None:
    alice = await house.enters("alice")
    page = alice.page
    await page.context.route("**/api/events*", lambda route: route.abort())
    await alice.goes_to("/discrepancies")
    await expect(page.locator("#as-of")).to_contain_text("Not connected. What stands here is as of")
    await page.context.unroute_all()
    await expect(page.locator("#lamp")).to_have_text("live", timeout=15_000)
    await expect(page.locator("#as-of")).to_have_text(re.compile("^as of "))
    await page.context.clear_cookies()
    await page.keyboard.press(".")
    await expect(page.locator("#as-of")).to_contain_text("Your session has ended. What stands here is as of")
    await page.locator("#as-of a").click()
    await page.wait_for_url("**/sign-in?next=%2Fdiscrepancies")
    expected(alice, "ERR_FAILED", "401")
