"""The pages of the policy: its versions, and what other limits would have done; one answer for page, API and store."""

import re
from datetime import timedelta
from decimal import Decimal
from html import unescape

import pytest
from msgspec.structs import replace

from gal_friday.domain.access import Accounts, Role
from gal_friday.domain.policy import Mode, Policy
from gal_friday.domain.redecided import redecided
from gal_friday.web.policy import UNITS
from tests.api.world import World
from tests.web.conftest import SignIn


async def test_versions_are_on_record_once_each_and_compared(browsers: SignIn, here: World) -> None:
    opened, now = here.service.opened, here.service.settings.reconciliation.policy()
    other = replace(now, proven_max_value=Decimal(500))
    for one in (now, now, other, now):
        await opened.note_policy(one)
    browser = await browsers("victor", Role.VIEWER, Accounts(("spare",)))  # no entry of the journal is theirs
    page = (await browser.get("/policy")).text
    assert re.findall(r'href="/policy\?version=(pol_\w+)"', page) == [now.version, other.version, now.version]
    compared = (await browser.get(f"/policy?version={other.version}&against={now.version}")).text
    rows = re.findall(
        r'<tr class="otherwise"><td><code>(\w+)</code>.*?<td class="num">(\d+) .*?</td><td class="num"[^>]*>(\d+)',
        compared,
    )
    assert rows == [("proven_max_value", "500", "10000")]
    for query in ("version=pol_none", f"version={now.version}&against=pol_none"):
        assert (await browser.get(f"/policy?{query}")).status_code == 404


async def test_every_limit_says_what_its_number_counts_and_an_empty_table_is_none(browsers: SignIn) -> None:
    assert set(UNITS) == set(Policy.__struct_fields__)
    page = re.sub(r"</?span[^>]*>", "", (await (await browsers()).get("/policy")).text)
    rows = dict(re.findall(r'<td><code>(\w+)</code>.*?<td class="num">(.*?)</td>', page))
    assert rows["critical_value"] == "1000 USD"
    assert rows["high_threshold"] == "0.05 = 5\u202f%"
    assert (rows["grace_seconds"], rows["confirmations"]) == ("1 second", "1 run")
    assert rows["graces"] == "none"


async def test_what_other_limits_would_have_done_is_the_same_everywhere(browsers: SignIn, here: World) -> None:
    await here.reconciled(mode=Mode.PROPOSE)
    reports = await here.service.opened.store.reports()
    policy = replace(here.service.settings.reconciliation.policy(), proven_max_value=Decimal(9999))
    whole = redecided(reports, policy, mode=Mode.ENFORCE)
    assert whole.changes
    browser = await browsers("victor", Role.VIEWER)
    before = await here.service.opened.adjustments.adjustments()
    answer = (await browser.get("/api/policy/check?set=proven_max_value=9999&mode=enforce&days=2")).json()
    assert (answer["version"], answer["told"]["decisions"]) == (policy.version, whole.decisions)
    assert answer["told"]["would"] == {one.value: count for one, count in whole.would.items()}
    page = unescape((await browser.get("/policy/check?asked=yes&proven_max_value=9999&mode=enforce&days=2")).text)
    assert f"{len(whole.changes)} of {whole.decisions} decisions would be otherwise" in page
    assert all(one.event[:60] in page and "; ".join(one.would_because) in page for one in whole.changes)
    assert await here.service.opened.adjustments.adjustments() == before


async def test_what_runs_decided_is_read_without_what_grows_with_the_account(here: World) -> None:
    await here.reconciled(mode=Mode.PROPOSE)
    since = here.mint.clock.now() - timedelta(days=1)
    whole = await here.service.opened.store.reports(since=since)
    lighter = await here.service.opened.pages.decided(("main",), since=since, limit=10)
    assert list(lighter) == [replace(one, findings=(), evidence=()) for one in whole]
    assert await here.service.opened.pages.decided(("spare",), since=since, limit=10) == []
    assert len(await here.service.opened.pages.decided(None, since=since, limit=1)) == 1


@pytest.mark.parametrize("value", ["<script>alert(1)</script>", "NaN", "-1", "1e400", ""])
async def test_a_limit_that_makes_no_sense_is_told_and_nothing_is_tried(browsers: SignIn, value: str) -> None:
    browser = await browsers()
    answer = await browser.get("/policy/check", params={"asked": "yes", "proven_max_value": value})
    assert answer.status_code == 200
    assert 'role="alert"' in answer.text
    assert "decisions would be" not in answer.text
    assert "<script>alert" not in answer.text
    told = await browser.get("/api/policy/check", params={"set": f"proven_max_value={value}"})
    assert (told.status_code, told.json()["type"]) == (422, "urn:gal-friday:problem:bad-parameter")


async def test_runs_of_other_accounts_are_not_decided_again(browsers: SignIn, here: World) -> None:
    await here.reconciled(mode=Mode.PROPOSE)
    theirs = await browsers("eve", Role.ADMIN, Accounts(("spare",)))
    answer = (await theirs.get("/api/policy/check?mode=enforce")).json()
    assert (answer["told"]["reports"], answer["told"]["changes"]) == (0, [])
    assert (await theirs.get("/policy/check?asked=yes&account=main")).status_code == 404
    assert (await theirs.get("/api/policy/check?account=main")).status_code == 404
