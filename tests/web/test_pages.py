"""The pages over HTTP: who sees which, what stands on them, and that nothing of it runs by itself."""

import csv
import io
import re
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from gal_friday.domain import quantity, words
from gal_friday.domain.access import Accounts, Role
from gal_friday.domain.adjusted import PROGRAM_ITSELF, By
from gal_friday.domain.adjustment import Adjustment, AdjustmentState, AdjustmentType, Effect, Plug, PostOrder
from gal_friday.domain.assets import Instrument
from gal_friday.domain.policy import Mode
from gal_friday.domain.records import Kind, Order, OrderSide
from tests.api.world import KINDS, World
from tests.web.conftest import SignIn, proposed

PAGES = (
    "/",
    "/accounts",
    "/accounts/spare",
    "/discrepancies",
    "/adjustments",
    "/runs",
    "/history",
    "/journal",
    "/policy",
    "/policy/check?asked=yes",
    "/you",
)
HOSTILE = "<script>alert(1)</script>\"'&"


@pytest.mark.parametrize("path", [*PAGES, "/discrepancies/dis_1", "/runs/rec_1", "/discrepancies?state=cleared"])
async def test_who_is_not_signed_in_is_sent_to_the_door_and_comes_back(here: World, path: str) -> None:
    async with here.client(None) as stranger:
        answer = await stranger.get(path)
        assert answer.status_code == 303
        door = await stranger.get(answer.headers["location"])
    assert f'data-next="{path}"' in door.text


@pytest.mark.parametrize(
    "wanted",
    ["//evil.example/", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "/\t/evil.example", "/\n/x"],
)
async def test_the_door_leads_to_pages_of_ours_alone(here: World, wanted: str) -> None:
    async with here.client(None) as stranger:
        door = await stranger.get("/sign-in", params={"next": wanted})
    assert 'data-next="/"' in door.text


async def test_every_page_answers_and_nothing_on_it_needs_a_weaker_policy(browsers: SignIn) -> None:
    browser = await browsers()
    for path in (*PAGES, await _first(browser, "/discrepancies"), await _first(browser, "/runs")):
        answer = await browser.get(path)
        assert answer.status_code == 200, path
        assert "default-src 'self'" in answer.headers["content-security-policy"]
        assert answer.headers["cache-control"] == "no-store"
        assert not re.search(r"\sstyle=|\son[a-z]+=|<style|javascript:", answer.text), path
        assert re.findall(r"<script[^>]*></script>", answer.text) == re.findall(r"<script.*?</script>", answer.text)
        assert "Undefined" not in answer.text
        assert len(answer.content) < 150_000, path


async def test_the_overview_says_what_is_wrong_and_what_was_not_seen(browsers: SignIn) -> None:
    page = (await (await browsers()).get("/")).text
    assert 'class="headline discrepancies"' in page
    assert 'href="/accounts/main"' in page
    assert 'href="/discrepancies?account=main"' in page
    assert "manual trade" in page
    assert re.search(r'<li class="unseen">orders <strong>not checked', page)
    assert re.search(r'<a href="/discrepancies/dis_\w+"><strong>manual trade', page)  # where it can be decided
    assert re.search(r'Worth, each cause once</dt><dd><data value="[0-9.]+"', page)
    assert re.search(r'href="/discrepancies\?severity=\w+">\d+ ', page)
    assert "never checked" in page  # the account that no run has seen is not green


async def test_a_discrepancy_is_shown_with_its_bridge_to_the_last_digit(browsers: SignIn, here: World) -> None:
    browser = await browsers()
    found = await here.service.opened.store.open_discrepancies("main")
    bridged = next(one for one in found if getattr(one.latest, "bridge", None))
    page = (await browser.get(f"/discrepancies/{bridged.id}")).text
    assert "<svg" in page
    assert "From the book to the exchange" in page
    assert f'value="{bridged.latest.difference}"' in page
    assert page.count(f'<span class="unit">{words.unit(bridged.latest)}</span></dd>') == 3
    explanation = bridged.latest.bridge  # type: ignore[union-attr]
    assert explanation is not None
    for item in explanation.items:
        assert all(record in page for record in item.record_ids)


async def test_what_is_of_another_account_does_not_exist(browsers: SignIn, here: World) -> None:
    theirs = await browsers("eve", Role.ADMIN, Accounts(("spare",)))
    one = (await here.service.opened.store.open_discrepancies("main"))[0]
    mine = await browsers()
    run = await _first(mine, "/runs")
    await here.reconciled()
    beginnings = ("/discrepancies/dis_", "/runs/rec_")
    for path in (f"/discrepancies/{one.id}", run, "/discrepancies?account=main", "/runs?account=main", *beginnings):
        answer = await theirs.get(path)
        assert answer.status_code == 404, path
        assert one.id not in answer.text
    for path in PAGES:
        assert "main</" not in re.sub(r"</?main.*?>", "", (await theirs.get(path)).text), path


async def test_a_proposal_is_approved_from_the_page_s_own_words(browsers: SignIn, here: World) -> None:
    await here.reconciled(mode=Mode.PROPOSE)
    browser = await browsers()
    found = await here.service.opened.store.open_discrepancies("main")
    pages = [await browser.get(f"/discrepancies/{one.id}") for one in found]
    page = next(one.text for one in pages if 'value="approve"' in one.text)
    call = re.search(r'data-call="(/api/adjustments/[^"]+)" data-content="([^"]+)"', page)
    assert call is not None
    answer = await browser.post(f"{call[1]}/approve", json={"content": call[2], "note": HOSTILE})
    assert answer.status_code == 200, answer.text
    await here.service.run_reconciliation("main", only=KINDS)
    shown = (await browser.get("/adjustments")).text
    assert "applied" in shown or "verified" in shown


async def test_whoever_takes_a_repair_back_is_told_that_somebody_else_approves_that(
    browsers: SignIn, here: World
) -> None:
    await here.reconciled(mode=Mode.PROPOSE)
    browser = await browsers()
    found = await here.service.opened.store.open_discrepancies("main")
    pages = {one.id: (await browser.get(f"/discrepancies/{one.id}")).text for one in found}
    name, page = next((name, page) for name, page in pages.items() if page.count('value="approve"') == 1)
    call = re.search(r'data-call="(/api/adjustments/[^"]+)" data-content="([^"]+)"', page)
    assert call is not None
    await browser.post(f"{call[1]}/approve", json={"content": call[2]})
    answer = await browser.post(f"{call[1]}/undo", json={"note": ""})
    assert answer.status_code == 200, answer.text
    page = (await browser.get(f"/discrepancies/{name}")).text
    assert "You proposed it, so somebody else has to approve it" in page
    assert 'value="approve"' not in page
    assert 'value="reject"' in page


async def test_no_slip_rejects_and_what_was_turned_down_says_why_and_what_is_left(
    browsers: SignIn, here: World
) -> None:
    browser = await browsers()
    path, call, _ = await proposed(browser, here)
    page = (await browser.get(path)).text
    assert '<select name="reason" autocomplete="off" required><option value="">' in page  # and approving needs none:
    assert 'data-key="a" formnovalidate>Approve' in page
    told = {"reason": "exchange_wrong", "note": "they confirmed <it>"}
    assert (await browser.post(f"{call}/reject", json=told)).status_code == 200
    page = (await browser.get(path)).text
    assert "alice turned it down: exchange wrong (they confirmed &lt;it&gt;)." in page
    assert "accept it with a reason" in page
    assert '<option value="propose">' not in page
    assert '<option value="dispute">' in page
    refused = await browser.post(f"/api{path}/propose", json={"note": ""})
    assert refused.status_code == 409
    assert "is rejected already" in refused.json()["detail"]


async def test_proposing_is_offered_where_a_run_knows_a_repair_that_nobody_decided_about(
    browsers: SignIn, here: World
) -> None:
    browser = await browsers()
    path, call, _ = await proposed(browser, here)
    assert '<option value="propose">' not in (await browser.get(path)).text  # it is proposed already
    await here.service.opened.adjustments.move(call.rpartition("/")[2], AdjustmentState.EXPIRED, by=PROGRAM_ITSELF)
    assert '<option value="propose">' in (await browser.get(path)).text


async def test_who_may_not_approve_is_told_who_may(browsers: SignIn, here: World) -> None:
    await here.reconciled(mode=Mode.PROPOSE)
    browser = await browsers("victor", Role.VIEWER)
    found = await here.service.opened.store.open_discrepancies("main")
    pages = [(await browser.get(f"/discrepancies/{one.id}")).text for one in found]
    assert not any('value="approve"' in page or 'class="act"' in page for page in pages)
    assert any("role of an approver" in page for page in pages)


async def test_hostile_words_are_shown_as_words(browsers: SignIn, here: World) -> None:
    browser = await browsers()
    one = (await here.service.opened.store.open_discrepancies("main"))[0]
    answer = await browser.post(f"/api/discrepancies/{one.id}/comment", json={"note": HOSTILE})
    assert answer.status_code == 200, answer.text
    for path in (f"/discrepancies/{one.id}", "/journal", "/journal?kind=%3Cscript%3Ealert(1)%3C/script%3E"):
        page = (await browser.get(path)).text
        assert "<script>alert" not in page, path
    assert "&lt;script&gt;alert(1)" in (await browser.get(f"/discrepancies/{one.id}")).text


@pytest.mark.parametrize(
    "path",
    [
        "/discrepancies?severity=nonsense",
        "/discrepancies?sort=x",
        "/discrepancies?page=0",
        "/runs?after=%F0",
        "/journal?before=0",
        f"/journal?before={2**63}",
        "/runs/rec_zz",
    ],
)
async def test_an_address_that_nobody_made_is_answered_in_words(browsers: SignIn, path: str) -> None:
    answer = await (await browsers()).get(path)
    assert answer.status_code in (404, 422), answer.text
    assert answer.headers["content-type"].startswith("text/html")
    assert "To the overview" in answer.text


async def test_people_are_told_in_words_that_there_is_no_such_page_and_programs_as_before(browsers: SignIn) -> None:
    browser = await browsers()
    answer = await browser.get("/nonsense", headers={"Accept": "text/html"})
    assert answer.status_code == 404
    assert "To the overview" in answer.text
    assert 'href="/runs"' in answer.text  # whoever is signed in goes on from there
    for path, accept in (("/nonsense", "*/*"), ("/api/nonsense", "text/html")):
        told = await browser.get(path, headers={"Accept": accept})
        assert told.status_code == 404
        assert told.headers["content-type"].startswith("application/problem+json"), path


async def test_several_that_begin_so_are_told_apart(browsers: SignIn, here: World) -> None:
    await here.reconciled()
    answer = await (await browsers()).get("/runs/rec_")
    assert answer.status_code == 404
    assert "More than one" in answer.text


async def _first(browser: object, path: str) -> str:
    page = (await browser.get(path)).text  # type: ignore[attr-defined]
    found = re.search(rf'href="({path}/[^"]+)"', page)
    assert found is not None, page
    return found[1]


async def test_a_sheet_has_plain_digits_and_no_formula(browsers: SignIn, here: World) -> None:
    browser = await browsers()
    answer = await browser.get("/discrepancies.csv?account=main")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    found = {one.id: one for one in await here.service.opened.store.open_discrepancies("main")}
    assert {row["id"] for row in rows} == set(found)
    for row in rows:
        difference = found[row["id"]].latest.difference
        assert row["difference"] == ("" if difference is None else quantity.text(difference))
    assert (await (await browsers("eve", Role.ADMIN, Accounts(("spare",)))).get("/discrepancies.csv")).text.count(
        "\n"
    ) == 1


async def test_a_browser_keeps_scripts_and_asks_whether_they_are_the_same(browsers: SignIn) -> None:
    browser = await browsers()
    first = await browser.get("/static/page.js")
    assert (first.status_code, first.headers["cache-control"]) == (200, "private, no-cache")
    again = await browser.get("/static/page.js", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content, again.headers["cache-control"]) == (304, b"", "private, no-cache")


async def test_what_nobody_may_press_is_not_there(browsers: SignIn) -> None:
    assert "Check now" not in (await (await browsers("victor", Role.VIEWER)).get("/")).text
    page = (await (await browsers("adam", Role.ADMIN)).get("/")).text
    assert 'data-post="/api/reconciliation/run?account=main"' in page
    assert 'href="/accounts/main#stop"' in page


async def _kept(here: World, account: str = "main", **of_it: object) -> Adjustment:
    """Keep a proposal of policy for the first discrepancy, without what a run would say of it, and return it."""
    one = (await here.service.opened.store.open_discrepancies(account))[0]
    at = datetime(2026, 3, 1, tzinfo=UTC)
    made = Adjustment(
        **{
            "adjustment_id": "adj_1",
            "account": account,
            "exchange": "kraken",
            "discrepancies": (one.id,),
            "keys": (one.latest.key,),
            "effects": (),
            "record_ids": (),
            "cause": "unexplained",
            "reason": "why",
            "reconciliation_id": "rec_1",
            "at": at,
        }  # type: ignore[arg-type]
        | of_it
    )
    await here.service.opened.adjustments.keep([made], state=AdjustmentState.PROPOSED, by=By("policy", "policy"))
    return made


async def test_what_moves_no_amount_is_said_in_words(browsers: SignIn, here: World) -> None:
    ghost = Order("OGHOST", Instrument("XRP/USD"), OrderSide.BUY, Decimal(10), Decimal(0), "rejected")
    made = await _kept(here, type=AdjustmentType.CLOSE_ORDER, postings=(PostOrder(ghost),))
    page = (await (await browsers()).get(f"/discrepancies/{made.discrepancies[0]}")).text
    assert "closes order OGHOST in the book, as rejected: buy, 0 of 10 XRP/USD filled" in page
    assert "Before</th>" not in page
    assert "the exchange&#39;s answer" in page or "the exchange's answer" in page
    assert "unexplained</span>" not in page


async def test_what_no_record_explains_is_marked_where_it_is_decided_and_on_the_overview(
    browsers: SignIn, here: World
) -> None:
    browser = await browsers()
    assert "unexplained</span>" not in (await browser.get("/")).text
    effect = Effect("balances:DOGE:spot", Decimal(1), Decimal(3))
    plug = Plug(Kind.BALANCES, "DOGE", "spot", Decimal(2))
    made = await _kept(here, type=AdjustmentType.BALANCE, postings=(plug,), effects=(effect,))
    page = (await browser.get(f"/discrepancies/{made.discrepancies[0]}")).text
    assert "no record explains it: this forces the book to the exchange's number" in page
    assert re.search(r'>Approve</button> <span class="tag proposed" title="[^"]+">unexplained</span>', page)
    assert "unexplained</span>" in (await browser.get("/")).text
