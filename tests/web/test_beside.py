"""Two reports side by side: what closed was seen to agree, and what nobody judged stays open."""

import re
from decimal import Decimal

from msgspec.structs import replace

from gal_friday.domain.access import Accounts, Role
from gal_friday.domain.report import ReconciliationReport, compare
from gal_friday.web.beside import lines, moved
from tests.api.world import KINDS, World
from tests.domain.build import balance, exchange, internal
from tests.web.conftest import SignIn


def report(**amounts: str) -> ReconciliationReport:
    """Return a report of these balances at the exchange; the book has one of each asset."""
    ours = internal(*(balance(asset, "1") for asset in amounts))
    return compare(ours, exchange(*(balance(asset, amount) for asset, amount in amounts.items())))


def named(some: object) -> list[str]:
    return [one.currency for one in some]  # type: ignore[attr-defined]


def test_what_opened_closed_and_changed_is_told_apart() -> None:
    found = moved(report(BTC="2", ETH="1", XRP="3", ADA="5"), report(BTC="1", ETH="4", XRP="2", ADA="5"))
    assert (named(found.opened), named(found.closed), found.unjudged) == (["ETH"], ["BTC"], ())
    (changed,) = found.changed
    assert (changed.newer.difference, changed.older.difference) == (Decimal(1), Decimal(2))
    assert changed.what[-1] == "amounts"
    assert found.same == 1


def test_what_the_newer_one_did_not_judge_is_not_closed() -> None:  # I7
    older, newer = report(BTC="2", ETH="2"), report(BTC="1")
    found = moved(older, newer)
    assert (named(found.closed), named(found.unjudged)) == (["BTC"], ["ETH"])


def test_rows_that_differ_are_marked() -> None:
    told = {line.name: line for line in lines(report(BTC="2"), report(BTC="1"))}
    assert (told["Discrepancies"].older, told["Discrepancies"].newer, told["Discrepancies"].changed) == ("1", "0", True)
    assert not told["Checked: balances"].changed


def test_a_report_beside_itself_has_nothing_new() -> None:
    one = report(BTC="2", ETH="1")
    found = moved(one, replace(one, reconciliation_id="rec_2"))
    assert (found.opened, found.closed, found.unjudged, found.changed, found.same) == ((), (), (), (), 1)


async def test_two_reports_stand_side_by_side_the_older_one_first(browsers: SignIn, here: World) -> None:
    await here.service.run_reconciliation("main", only=KINDS)
    newer, older = await here.service.opened.pages.reports(("main",), limit=2)
    browser = await browsers()
    page = (await browser.get("/runs")).text
    assert f'name="a" value="{older.reconciliation_id}"' in page
    for address in (
        f"/runs/compare?a={older.reconciliation_id}&b={newer.reconciliation_id}",
        f"/runs/compare?a={newer.reconciliation_id}&b={older.reconciliation_id}",
        f"/runs/compare?b={newer.reconciliation_id}",
    ):
        answer = await browser.get(address)
        assert answer.status_code == 200, answer.text
        assert re.findall(r'href="/runs/(rec_\w+)"', answer.text)[:2] == [
            older.reconciliation_id,
            newer.reconciliation_id,
        ]
    assert f"/runs/compare?b={newer.reconciliation_id}" in (await browser.get(f"/runs/{newer.reconciliation_id}")).text


async def test_what_are_not_two_reports_of_one_account_is_said(browsers: SignIn, here: World) -> None:
    (only,) = await here.service.opened.pages.reports(("main",), limit=2)
    browser = await browsers()
    for query, said in (("b=", "no run of this account before"), (f"a={only.reconciliation_id}&b=", "the same report")):
        answer = await browser.get(f"/runs/compare?{query}{only.reconciliation_id}")
        assert answer.status_code == 422
        assert said in answer.text
        assert ">Back to Runs</a>" in answer.text
    assert (await browser.get("/runs/compare?a=rec_1&b=rec_2")).status_code == 404
    assert (await browser.get("/runs/compare")).status_code == 404
    theirs = await browsers("eve", Role.ADMIN, Accounts(("spare",)))
    assert (await theirs.get(f"/runs/compare?b={only.reconciliation_id}")).status_code == 404
