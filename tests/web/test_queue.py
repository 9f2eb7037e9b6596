"""The queue over HTTP: every filter, any order, by cause, and the same as a table."""

import csv
import io
import re
from decimal import Decimal

import pytest

from gal_friday.domain import quantity
from gal_friday.domain.access import Accounts, Role
from gal_friday.domain.finding import DiscrepancyType
from gal_friday.domain.policy import Mode
from gal_friday.domain.words import sort_of
from tests.api.world import World
from tests.web.conftest import SignIn

HOSTILE = "<script>alert(1)</script>\"'&"


def ids_in(page: str) -> list[str]:
    return re.findall(r'<tr data-row tabindex="-1" id="(dis_\w+)"', page)


async def found(here: World) -> dict[str, object]:
    return {one.id: one for one in await here.service.opened.store.open_discrepancies("main")}


@pytest.mark.parametrize(
    "choice, wanted",
    [
        ("account=main", lambda one: True),
        ("severity=critical", lambda one: one.severity == "critical"),
        ("type=fill_missing_internal", lambda one: one.type == "fill_missing_internal"),
        ("asset=usd", lambda one: "USD" in one.latest.key or "USD" in getattr(one.latest, "about", "")),
        ("state=confirmed", lambda one: one.state == "confirmed"),
        ("cause=manual_trade", lambda one: one.latest.cause == "manual_trade"),
        ("q=fill+NEVER+reached", lambda one: one.type == "fill_missing_internal"),
        ("age=30d", lambda one: False),
        ("review=open", lambda one: True),
        ("review=snoozed", lambda one: False),
        ("assignee=-", lambda one: True),
        ("assignee=alice", lambda one: False),
        ("state=cleared", lambda one: False),
    ],
)
async def test_a_filter_leaves_what_it_says_and_the_table_has_the_same(
    browsers: SignIn, here: World, choice: str, wanted: object
) -> None:
    browser = await browsers()
    right = {name for name, one in (await found(here)).items() if wanted(one)}  # type: ignore[operator]
    page = (await browser.get(f"/discrepancies?{choice}")).text
    assert set(ids_in(page)) == right
    sheet = (await browser.get(f"/discrepancies.csv?{choice}")).text
    assert {row["id"] for row in csv.DictReader(io.StringIO(sheet))} == right
    if not right:
        assert "Nothing matches" in page
        assert "Clear the filters" in page


async def test_filters_hold_together_and_stay_in_every_link(browsers: SignIn) -> None:
    browser = await browsers()
    page = (await browser.get("/discrepancies?account=main&state=confirmed&q=fill&group=cause&sort=worth")).text
    assert 'href="/discrepancies.csv?q=fill&amp;account=main&amp;state=confirmed&amp;sort=worth"' in page
    assert "q=fill&amp;account=main&amp;state=confirmed&amp;sort=-worth&amp;group=cause" in page
    assert 'name="group" value="cause"' in page


@pytest.mark.parametrize("sort", ["worth", "since", "severity"])
async def test_the_order_is_the_one_that_was_chosen(browsers: SignIn, here: World, sort: str) -> None:
    browser, known = await browsers(), await found(here)
    page = ids_in((await browser.get(f"/discrepancies?sort={sort}")).text)
    turned = ids_in((await browser.get(f"/discrepancies?sort=-{sort}")).text)
    assert turned == page[::-1]
    if sort == "worth":
        values = [known[name].latest.value or Decimal(0) for name in page]  # type: ignore[attr-defined]
        assert values == sorted(values, reverse=True)


async def test_what_one_event_shows_itself_in_stands_under_it_and_is_worth_it_once(
    browsers: SignIn, here: World
) -> None:
    browser = await browsers()
    report = await here.service.run_reconciliation("main", mode=Mode.OBSERVE)
    page = (await browser.get("/discrepancies?group=cause")).text
    groups = re.findall(r'<tbody id="g-(\w+)"[^>]*>(.*?)</tbody>', page, re.S)
    members = {mark: set(ids_in(rows)) for mark, rows in groups}
    assert sorted(name for some in members.values() for name in some) == sorted(await found(here))
    for root in report.root_causes:
        of_it = {one.id for one in report.discrepancies if one.key in root.symptoms}
        sole = {
            name
            for name in of_it
            for one in report.discrepancies
            if one.id == name and sum(one.key in other.symptoms for other in report.root_causes) == 1
        }
        assert sole in members.values()
    total = quantity.total([root.value for root in report.root_causes if root.value is not None])
    assert f'value="{quantity.text(total)}"' in page
    folded = {name for some in members.values() if len(some) > 1 for name in some}
    assert folded == set(re.findall(r'<tr data-row[^>]* id="(dis_\w+)"[^>]* hidden>', page))
    mark = next(mark for mark, some in members.items() if len(some) > 1)
    unfolded = (await browser.get(f"/discrepancies?group=cause&open={mark}")).text
    assert 'aria-expanded="true"' in unfolded


async def test_what_waits_for_a_decision_can_be_chosen(browsers: SignIn, here: World) -> None:
    browser = await browsers()
    assert ids_in((await browser.get("/discrepancies?review=to+decide")).text) == []
    await here.reconciled(mode=Mode.PROPOSE)
    page = (await browser.get("/discrepancies?review=to+decide")).text
    assert ids_in(page)
    for adjustment in re.findall(r'<li data-id="(adj_\w+)" data-content="(\w+)"', page):
        kept = await here.service.opened.adjustments.adjustment(adjustment[0])
        assert kept is not None
        assert kept.adjustment.content == adjustment[1]


async def test_a_review_is_found_by_whom_it_is_with_and_where_it_stands(browsers: SignIn, here: World) -> None:
    browser, (first, *_) = await browsers(), sorted(await found(here))
    for step, body in (
        ("assign", {"assignee": "bob"}),
        ("snooze", {"until": here.in_days(2), "note": HOSTILE}),
    ):
        answer = await browser.post(f"/api/discrepancies/{first}/{step}", json=body)
        assert answer.status_code == 200, answer.text
    for choice in ("assignee=bob", "review=snoozed", "q=bob"):
        page = (await browser.get(f"/discrepancies?{choice}")).text
        assert ids_in(page) == [first], choice
        assert "<script>alert" not in page
    assert first not in (await browser.get("/discrepancies?assignee=-")).text


async def test_who_may_not_decide_has_nothing_to_select(browsers: SignIn) -> None:
    page = (await (await browsers("victor", Role.VIEWER)).get("/discrepancies")).text
    assert "data-pick" not in page
    assert 'id="dock"' not in page
    reviewer = (await (await browsers("rita", Role.REVIEWER)).get("/discrepancies")).text
    assert 'data-do="snooze"' in reviewer
    assert 'data-do="approve"' not in reviewer


async def test_who_sees_nothing_is_told_that_nothing_is_open_there(browsers: SignIn) -> None:
    page = (await (await browsers("eve", Role.ADMIN, Accounts(("spare",)))).get("/discrepancies")).text
    assert "Nothing is open" in page
    assert ">main<" not in page


@pytest.mark.parametrize("q", [HOSTILE, "%00", "\u202e", "a" * 200])
async def test_whatever_is_looked_for_is_shown_as_words(browsers: SignIn, q: str) -> None:
    answer = await (await browsers()).get("/discrepancies", params={"q": q, "asset": q, "assignee": q})
    assert answer.status_code == 200
    assert "<script>alert" not in answer.text
    assert "Nothing matches" in answer.text


async def test_a_type_is_called_in_the_filter_what_its_rows_are_called(browsers: SignIn) -> None:
    browser = await browsers()
    page = (await browser.get("/discrepancies")).text
    for kind in DiscrepancyType:
        assert f'<option value="{kind}">{sort_of(kind).replace("_", " ")}</option>' in page
    assert len({sort_of(kind) for kind in DiscrepancyType}) == len(DiscrepancyType)


async def test_a_cause_leads_to_its_bridge_and_each_place_of_it_to_the_others(browsers: SignIn, here: World) -> None:
    browser = await browsers()
    report = await here.service.run_reconciliation("main", mode=Mode.OBSERVE)
    ids = {one.key: one.id for one in report.discrepancies}
    root = next(one for one in report.root_causes if len(one.symptoms) > 1)
    for key in root.symptoms:
        page = (await browser.get(f"/discrepancies/{ids[key]}")).text
        line = re.search(r"<p>The same cause shows in: (.*?)</p>", page)
        assert line is not None
        shown = set(re.findall(r'href="/discrepancies/(dis_\w+)"', line[1]))
        assert {ids[other] for other in root.symptoms if other != key} <= shown
        assert ids[key] not in shown
    overview = (await browser.get("/")).text
    led = re.findall(r'<a href="/discrepancies/(dis_\w+)"><strong>', overview)
    assert {one.id for one in report.discrepancies if getattr(one, "bridge", None)} & set(led)
